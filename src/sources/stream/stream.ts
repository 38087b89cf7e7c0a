/**
 * Syslog over TCP (RFC 6587) and TLS (RFC 5425). A connection holds one framer and nothing else; all of them share a
 * parser. No sender can starve another: a chunk is at most 64 KiB, and after some milliseconds each connection waits
 * for the next turn of the event loop (turn.ts); messages, connections, those of one sender, handshakes and idle time
 * have their limits.
 */
import type { X509Certificate } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import type { ListenAddress } from '../../config/plan.ts';
import { parseAddress } from '../../core/address/address.ts';
import type { LimitName } from '../../core/limit.ts';
import { duplicateSocket } from '../../native/socket-calls.ts';
import { type Sender, SenderGate } from '../../senders/gate.ts';
import { Tally } from '../../senders/tally.ts';
import { type Origin, SyslogParser } from '../../syslog/parse.ts';
import { inflateMessage, isCompressed } from '../compressed.ts';
import {
  Batcher,
  describeFailure,
  formatEndpoint,
  type ListenerOptions,
  type ListeningSource,
  Perseverance,
} from '../listen.ts';
import { disbelief, namesOf } from './client-certificate.ts';
import { ConnectionReader } from './connection-reader.ts';
import {
  type Connection,
  type ConnectionLimits,
  ConnectionTable,
  newConnection,
} from './connection-table.ts';
import { isSilent, lookInterval, type SilenceLimits } from './silence.ts';
import { StreamReport } from './stream-report.ts';
import { Handshakes, type HandshakesOptions, type TlsCredentials } from './tls-handshakes.ts';
import { Turn } from './turn.ts';

export type StreamOptions = ListenerOptions &
  ConnectionLimits &
  SilenceLimits & {
    /** Speak TLS. */
    readonly credentials?: TlsCredentials;
    /** A socket that is bound already, in place of one of our own. It is left open. */
    readonly descriptor?: number;
    /** In place of PAUSE_MILLISECONDS of a connection's reader. */
    readonly pauseMilliseconds?: number;
    /** In place of the limits that handshakes have. */
    readonly handshakes?: Pick<HandshakesOptions, 'timeoutMilliseconds' | 'maxHandshakes'>;
  };

/** What can change while connections are open; these keep what they began with, unless their certificate is revoked. */
export type StreamSettings = ConnectionLimits & {
  readonly maxMessageBytes: number;
  readonly credentials?: TlsCredentials;
};

export interface StreamSource extends ListeningSource {
  /**
   * For connections to come; those whose certificates are believed no longer are closed. Throws the error of OpenSSL
   * when the credentials do not go together.
   */
  configure(settings: StreamSettings): void;
}

const KEEPALIVE_MILLISECONDS = 60_000;

/** Connections that wait to be accepted, of which the kernel takes at most net.core.somaxconn. */
const BACKLOG = 4_096;

/**
 * A listener on one address. It never throws but for credentials that do not go together; what goes wrong is told by
 * events and `onState`.
 */
export function createStreamSource(options: StreamOptions): StreamSource {
  return new StreamListener(options);
}

class StreamListener implements StreamSource {
  readonly #options: StreamOptions;
  readonly #kind: 'tcp' | 'tls';
  readonly #gate: SenderGate;
  readonly #tally: Tally;
  readonly #report: StreamReport;
  readonly #batcher: Batcher;
  readonly #perseverance: Perseverance;
  readonly #parser = new SyslogParser();
  readonly #origin: Origin;
  /** Connections that have been admitted. */
  #opened = 0;
  readonly #connections: ConnectionTable;
  readonly #turn: Turn;
  #lookTimer: NodeJS.Timeout | null = null;
  #handshakes: Handshakes | null = null;
  #credentials: TlsCredentials | null;
  #maxMessageBytes: number;
  #server: Server | null = null;

  constructor(options: StreamOptions) {
    this.#options = options;
    const { senders, emit, sink, maxMessageBytes, credentials = null } = options;
    this.#kind = credentials === null ? 'tcp' : 'tls';
    this.#maxMessageBytes = maxMessageBytes;
    this.#credentials = credentials;
    this.#tally = new Tally(emit);
    this.#report = new StreamReport(this.#kind, this.#tally, emit);
    this.#gate = new SenderGate({ transport: this.#kind, senders, tally: this.#tally, emit });
    this.#batcher = new Batcher(this.#kind, sink);
    this.#origin = { at: 0, source: this.#kind, sender: '' };
    this.#connections = new ConnectionTable(options);
    this.#turn = new Turn(options.elapsed);
    if (credentials !== null) this.#handshakes = this.#createHandshakes(credentials);
    this.#perseverance = new Perseverance(
      () => this.#listen(),
      (error, pause) => options.onState(describeFailure(this.#kind, options.listen, error, pause)),
    );
  }

  start(): Promise<void> {
    return this.#perseverance.attempt();
  }

  async stop(): Promise<void> {
    await this.#perseverance.stop();
    if (this.#lookTimer !== null) clearInterval(this.#lookTimer);
    this.#lookTimer = null;
    const server = this.#server;
    this.#server = null;
    const closed: Promise<void>[] = [];
    if (server !== null) closed.push(new Promise((resolve) => server.close(() => resolve())));
    for (const { raw } of this.#connections) {
      closed.push(new Promise((resolve) => raw.once('close', () => resolve())));
      raw.destroy();
    }
    await Promise.all(closed);
    this.#batcher.flush();
    this.#gate.report();
    this.#tally.report();
  }

  configure(settings: StreamSettings): void {
    const { credentials } = settings;
    if (credentials !== undefined && this.#handshakes !== null) {
      this.#handshakes.setCredentials(credentials);
      const isDisbelieved = disbelief(this.#credentials ?? credentials, credentials);
      for (const { raw, certificate } of this.#connections)
        if (certificate !== null && isDisbelieved(certificate)) raw.destroy();
      this.#credentials = credentials;
    }
    this.#connections.setLimits(settings);
    this.#maxMessageBytes = settings.maxMessageBytes;
  }

  address(): ListenAddress | null {
    const bound = this.#server?.address();
    return bound === null || bound === undefined || typeof bound === 'string'
      ? null
      : { host: bound.address, port: bound.port };
  }

  #listen(): Promise<void> {
    const { listen, descriptor, ipv6Only = false, onState } = this.#options;
    const { host, port } = listen;
    const server = createServer(
      { keepAlive: true, keepAliveInitialDelay: KEEPALIVE_MILLISECONDS },
      (socket) => this.#accept(socket),
    );
    const where =
      descriptor === undefined
        ? { host, port, ipv6Only, backlog: BACKLOG }
        : { fd: duplicateSocket(descriptor) };
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(where, () => {
        server.removeAllListeners('error');
        server.on('error', (error) => this.#fail(server, error));
        this.#server = server;
        const bound = this.address() ?? listen;
        onState({
          source: this.#kind,
          listener: `${this.#kind} ${formatEndpoint(host, port)}`,
          health: 'up',
          detail: `${this.#kind} ${formatEndpoint(bound.host, bound.port)}`,
          advice: '',
        });
        resolve();
      });
    });
  }

  /** Listens anew; the connections there are go on. */
  #fail(server: Server, error: Error): void {
    if (this.#server !== server) return;
    this.#server = null;
    server.close();
    this.#perseverance.retryAfter(error);
  }

  #createHandshakes(credentials: TlsCredentials): Handshakes {
    return new Handshakes({
      ...this.#options.handshakes,
      credentials,
      clock: this.#options.clock,
      onSecured: (socket, raw, certificate) => this.#openSecured(socket, raw, certificate),
      onFailed: (raw, failure) => this.#report.handshakeFailed(peerOf(raw), failure),
      onLimit: (raw, limit, what) => this.#report.limit(limit, peerOf(raw), what),
    });
  }

  #accept(socket: Socket): void {
    // A peer that resets its connection is told of by `close`; without a listener the error would be thrown.
    socket.on('error', () => {});
    const peer = peerOf(socket);
    // A certificate may let in who has no permitted address.
    const isOpenToAll = this.#credentials !== null && this.#credentials.clientCa !== null;
    const sender = isOpenToAll ? null : this.#gate.admit(socket.remoteAddress ?? '');
    const connection = newConnection(socket, peer, sender, this.#options.elapsed());
    const isRefused = sender === null && !isOpenToAll;
    if (isRefused || !this.#enter(connection)) {
      socket.destroy();
      return;
    }
    socket.on('close', () => this.#connections.leave(socket));
    if (this.#handshakes !== null) this.#handshakes.begin(socket, peer);
    else this.#receive(socket, connection);
  }

  /**
   * Counts one more connection, or tells what keeps it out. Where there is no room for it, the oldest unfinished
   * handshake makes some, as honest ones do not grow old; how many may begin keeps others from breaking off these.
   */
  #enter(connection: Connection): boolean {
    const { peer } = connection;
    if (this.#handshakes?.admits(peer) === false) {
      this.#report.limit('handshakes', peer, 'TLS handshakes refused');
      return false;
    }
    let limit = this.#connections.enter(connection);
    if (limit !== null && this.#makeRoom(limit, connection)) limit = this.#connections.enter(connection);
    if (limit !== null) this.#report.limit(limit, peer, 'connections refused');
    return limit === null;
  }

  /** Closes one for a new one that has met a limit; false when all stay. */
  #makeRoom(limit: LimitName, newcomer: Connection): boolean {
    const oldest = this.#handshakes?.breakOffOldest(limit === 'connections' ? null : newcomer.peer) ?? null;
    if (oldest !== null) {
      this.#connections.leave(oldest.raw);
      return true;
    }
    const victim = this.#connections.victimOf(limit, newcomer);
    if (victim === null) return false;
    this.#report.limit(limit, victim.peer, 'connections closed to make room for others');
    this.#connections.leave(victim.raw);
    victim.raw.destroy();
    return true;
  }

  #openSecured(socket: Socket, raw: Socket, certificate: X509Certificate | null): void {
    const connection = this.#connections.get(raw);
    const names = certificate === null ? [] : namesOf(certificate);
    const sender = this.#gate.admit(raw.remoteAddress ?? '', names);
    if (connection === null || sender === null) {
      raw.destroy();
      return;
    }
    connection.sender = sender;
    connection.certificate = certificate;
    this.#receive(socket, connection);
  }

  /** Without TLS `socket` is the connection itself. */
  #receive(socket: Socket, connection: Connection): void {
    const { clock, elapsed, pauseMilliseconds } = this.#options;
    const { raw, certificate, sender: admitted } = connection;
    if (admitted === null) return;
    let sender = admitted;
    const number = ++this.#opened;
    const maxMessageBytes = this.#maxMessageBytes;
    const names = certificate === null ? [] : namesOf(certificate);
    const pause = () => socket.pause();
    const resume = () => socket.resume();
    const reader = new ConnectionReader({
      maxMessageBytes,
      pauseMilliseconds,
      begin: () => {
        this.#origin.at = clock.now();
        this.#origin.connection = number;
      },
      end: (messages) => this.#connections.spoke(connection, messages, elapsed()),
      take: (bytes, start, end, isCut) => {
        if (isCut && end - start >= maxMessageBytes) this.#report.cut(sender, maxMessageBytes);
        this.#take(bytes, start, end, isCut, sender);
      },
      onUnseparated: () => this.#report.unseparated(sender),
      onDamaged: () => {
        this.#report.rejected('malformed', sender.identity);
        raw.destroy();
      },
      pause,
      resume,
    });
    this.#report.connection(admitted, 'opened');
    this.#lookTimer ??= setInterval(() => this.#closeSilent(), lookInterval(this.#options)).unref();
    socket.on('data', (chunk: Buffer) => {
      const renewed = this.#gate.renew(sender, names);
      if (renewed === null) {
        raw.destroy();
        return;
      }
      sender = renewed;
      connection.sender = renewed;
      this.#turn.begin();
      this.#batcher.addBytes(chunk.length);
      reader.push(chunk);
      // A reader that waits itself goes on by itself.
      if (!socket.isPaused()) this.#turn.end(pause, resume);
    });
    // Over TLS anybody on the way can end a connection with a forged FIN, and Node.js does not say whether the client
    // has (close_notify, RFC 8446 section 6.1): a last line without its end is a cut one there.
    let isEnded = false;
    socket.on('end', () => {
      isEnded = true;
    });
    socket.on('close', () => {
      reader.end(isEnded && this.#kind === 'tcp');
      this.#report.connection(admitted, 'closed');
    });
  }

  /** Bytes alone keep no connection open: only messages do. */
  #closeSilent(): void {
    const now = this.#options.elapsed();
    for (const { raw, sender, since, messages } of this.#connections) {
      if (sender === null || !isSilent(this.#options, now - since, messages)) continue;
      this.#report.limit('idle-time', sender.address, 'connections without a message closed');
      raw.destroy();
    }
  }

  #take(bytes: Buffer, start: number, end: number, isCut: boolean, sender: Sender): void {
    this.#origin.sender = sender.identity;
    if (!sender.admits(this.#origin.at)) return;
    if (!isCompressed(bytes, start, end)) {
      this.#parse(bytes, start, end, isCut, sender);
      return;
    }
    const message = isCut ? null : inflateMessage(bytes, start, end, this.#maxMessageBytes);
    if (message === null) this.#report.rejected('malformed', sender.identity);
    else this.#parse(message, 0, message.length, false, sender);
  }

  #parse(bytes: Buffer, start: number, end: number, isCut: boolean, sender: Sender): void {
    const record = this.#parser.parse(bytes, start, end, this.#origin, isCut, this.#options.prefilter);
    const { dialect } = this.#parser;
    if (record === null) this.#report.rejected('empty', sender.identity);
    else if (record !== 'skipped') this.#batcher.add(sender.take(record, end - start, dialect));
    else {
      sender.count(this.#parser, end - start, dialect);
      this.#batcher.addSkipped();
    }
  }
}

/** The peer's canonical address; '' when it has gone already. */
function peerOf(socket: Socket): string {
  return parseAddress(socket.remoteAddress ?? '') ?? '';
}
