/**
 * Syslog over TCP (RFC 6587). A connection holds one framer and nothing else; all of them share a parser. No sender can
 * starve another: a chunk is at most 64 KiB, libuv takes at most 32 of them from one connection before it goes on to
 * the next (uv__read), and messages, connections, connections of one sender and idle time have their limits.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { ListenAddress } from '../config/plan.ts';
import { type Address, parseAddress } from '../core/address.ts';
import type { LimitName } from '../core/event.ts';
import { Framer } from '../syslog/framing.ts';
import { type Origin, SyslogParser } from '../syslog/parse.ts';
import {
  Batcher,
  describeFailure,
  formatEndpoint,
  type ListenerOptions,
  type ListeningSource,
  Perseverance,
  SenderGate,
  Tally,
} from './listen.ts';

export type StreamOptions = ListenerOptions & {
  readonly maxConnections: number;
  readonly maxConnectionsPerSender: number;
  /** In place of FIRST_MESSAGE_TIMEOUT_MILLISECONDS and IDLE_TIMEOUT_MILLISECONDS. */
  readonly firstMessageTimeoutMilliseconds?: number;
  readonly idleTimeoutMilliseconds?: number;
};

/** A connection that has not completed a message is closed after this much silence. */
export const FIRST_MESSAGE_TIMEOUT_MILLISECONDS = 5 * 60_000;

/**
 * One that has is kept for a day of silence: a client notices that it was closed only by losing its next message, and a
 * peer that is gone is found by keepalive.
 */
export const IDLE_TIMEOUT_MILLISECONDS = 24 * 60 * 60_000;

const KEEPALIVE_MILLISECONDS = 60_000;

/** A listener on one address. It never throws; what goes wrong is told by events and `onState`. */
export function createTcpSource(options: StreamOptions): ListeningSource {
  return new TcpSource(options);
}

class TcpSource implements ListeningSource {
  readonly #options: StreamOptions;
  readonly #gate: SenderGate;
  readonly #tally: Tally;
  readonly #batcher: Batcher;
  readonly #perseverance: Perseverance;
  readonly #parser = new SyslogParser();
  readonly #origin: Origin = { at: 0, source: 'tcp', sender: '' };
  readonly #connections = new Set<Socket>();
  readonly #connectionsOfSender = new Map<Address, number>();
  #server: Server | null = null;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#gate = new SenderGate(options.senders);
    this.#tally = new Tally(options.emit);
    this.#batcher = new Batcher('tcp', options.sink);
    this.#perseverance = new Perseverance(
      () => this.#listen(),
      (error, pause) => options.onState(describeFailure('tcp', options.listen, error, pause)),
    );
  }

  start(): Promise<void> {
    return this.#perseverance.attempt();
  }

  async stop(): Promise<void> {
    await this.#perseverance.stop();
    const server = this.#server;
    this.#server = null;
    const closed: Promise<void>[] = [];
    if (server !== null) closed.push(new Promise((resolve) => server.close(() => resolve())));
    for (const socket of this.#connections) {
      closed.push(new Promise((resolve) => socket.once('close', () => resolve())));
      socket.destroy();
    }
    await Promise.all(closed);
    this.#batcher.flush();
    this.#tally.report();
  }

  address(): ListenAddress | null {
    const bound = this.#server?.address();
    return bound === null || bound === undefined || typeof bound === 'string'
      ? null
      : { host: bound.address, port: bound.port };
  }

  #listen(): Promise<void> {
    const { listen, ipv6Only = false, onState } = this.#options;
    const server = createServer(
      { keepAlive: true, keepAliveInitialDelay: KEEPALIVE_MILLISECONDS },
      (socket) => this.#accept(socket),
    );
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: listen.host, port: listen.port, ipv6Only }, () => {
        server.removeAllListeners('error');
        server.on('error', (error) => this.#fail(server, error));
        this.#server = server;
        const bound = this.address() ?? listen;
        onState({
          source: 'tcp',
          listener: `tcp ${formatEndpoint(listen.host, listen.port)}`,
          health: 'up',
          detail: `tcp ${formatEndpoint(bound.host, bound.port)}`,
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

  #accept(socket: Socket): void {
    // A peer that resets its connection is told of by `close`; without a listener the error would be thrown.
    socket.on('error', () => {});
    const peer = socket.remoteAddress ?? '';
    const sender = this.#gate.admit(peer);
    const limit = sender === null ? null : this.#findLimit(sender);
    if (sender === null) this.#reject('unknown-sender', parseAddress(peer) ?? '');
    else if (limit !== null) this.#countLimit(limit, sender, 'connections refused');
    if (sender === null || limit !== null) {
      socket.destroy();
      return;
    }
    this.#open(socket, sender);
  }

  #findLimit(sender: Address): LimitName | null {
    const { maxConnections, maxConnectionsPerSender } = this.#options;
    if (this.#connections.size >= maxConnections) return 'connections';
    const ofSender = this.#connectionsOfSender.get(sender) ?? 0;
    return ofSender >= maxConnectionsPerSender ? 'connections-per-sender' : null;
  }

  #open(socket: Socket, sender: Address): void {
    const options = this.#options;
    const framer = new Framer(options.maxMessageBytes);
    let hasMessage = false;
    const take = (bytes: Buffer, start: number, end: number, isCut: boolean) => {
      if (!hasMessage) socket.setTimeout(options.idleTimeoutMilliseconds ?? IDLE_TIMEOUT_MILLISECONDS);
      hasMessage = true;
      this.#take(bytes, start, end, isCut, sender);
    };
    this.#count(socket, sender, 'opened');
    socket.setTimeout(options.firstMessageTimeoutMilliseconds ?? FIRST_MESSAGE_TIMEOUT_MILLISECONDS);
    socket.on('timeout', () => {
      this.#countLimit('idle-time', sender, 'silent connections closed');
      socket.destroy();
    });
    socket.on('data', (chunk: Buffer) => {
      this.#origin.at = options.clock.now();
      this.#batcher.addBytes(chunk.length);
      framer.push(chunk, take);
    });
    let isEnded = false;
    socket.on('end', () => {
      isEnded = true;
    });
    socket.on('close', () => {
      this.#origin.at = options.clock.now();
      framer.end(isEnded, take);
      this.#count(socket, sender, 'closed');
    });
  }

  #take(bytes: Buffer, start: number, end: number, isCut: boolean, sender: Address): void {
    this.#origin.sender = sender;
    const record = this.#parser.parse(bytes, start, end, this.#origin, isCut);
    if (end - start >= this.#options.maxMessageBytes && isCut) {
      this.#countLimit('message-length', sender, `messages cut at ${this.#options.maxMessageBytes} bytes`);
    }
    if (record === null) this.#reject('empty', sender);
    else this.#batcher.add(record);
  }

  #count(socket: Socket, sender: Address, change: 'opened' | 'closed'): void {
    const before = this.#connectionsOfSender.get(sender) ?? 0;
    const after = change === 'opened' ? before + 1 : before - 1;
    if (after === 0) this.#connectionsOfSender.delete(sender);
    else this.#connectionsOfSender.set(sender, after);
    if (change === 'opened') this.#connections.add(socket);
    else this.#connections.delete(socket);
    this.#options.emit({ kind: 'connection', source: 'tcp', sender, change, open: this.#connections.size });
  }

  #reject(reason: 'unknown-sender' | 'empty', peer: string): void {
    this.#tally.add(reason, peer, (sender, count) => ({
      kind: 'rejected',
      source: 'tcp',
      sender,
      reason,
      count,
    }));
  }

  #countLimit(limit: LimitName, peer: string, what: string): void {
    this.#tally.add(limit, peer, (sender, count) => ({
      kind: 'limit',
      limit,
      detail: `tcp ${what}, of ${sender || 'several senders'}`,
      count,
    }));
  }
}
