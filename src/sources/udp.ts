/** Syslog over UDP (RFC 5426): one datagram is one message, and whatever the kernel had to drop is told. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIP } from 'node:net';
import type { ListenAddress } from '../config/plan.ts';
import { parseAddress } from '../core/address.ts';
import type { ComponentHealth } from '../core/event.ts';
import { type Origin, SyslogParser } from '../syslog/parse.ts';
import { readKernelDrops } from './kernel-drops.ts';
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

export type UdpOptions = ListenerOptions & {
  /** How often the kernel is asked what it dropped. */
  readonly lossIntervalMilliseconds?: number;
};

/** Asked for; the kernel gives at most net.core.rmem_max, and half of what it gives is its own overhead. */
export const RECEIVE_BUFFER_BYTES = 16 * 1024 * 1024;

const LOSS_INTERVAL_MILLISECONDS = 10_000;

/** A listener on one address. It never throws; what goes wrong is told by events and `onState`. */
export function createUdpSource(options: UdpOptions): ListeningSource {
  return new UdpSource(options);
}

class UdpSource implements ListeningSource {
  readonly #options: UdpOptions;
  readonly #gate: SenderGate;
  readonly #tally: Tally;
  readonly #batcher: Batcher;
  readonly #perseverance: Perseverance;
  readonly #parser = new SyslogParser();
  readonly #origin: Origin = { at: 0, source: 'udp', sender: '' };
  #socket: Socket | null = null;
  #lossTimer: NodeJS.Timeout | null = null;
  #lost = 0;
  #isLosing = false;

  constructor(options: UdpOptions) {
    this.#options = options;
    this.#gate = new SenderGate(options.senders);
    this.#tally = new Tally(options.emit);
    this.#batcher = new Batcher('udp', options.sink);
    this.#perseverance = new Perseverance(
      () => this.#listen(),
      (error, pause) => options.onState(describeFailure('udp', options.listen, error, pause)),
    );
  }

  start(): Promise<void> {
    return this.#perseverance.attempt();
  }

  async stop(): Promise<void> {
    await this.#perseverance.stop();
    const socket = this.#socket;
    if (socket !== null) {
      await this.#reportLoss();
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    }
    this.#forget();
    this.#batcher.flush();
    this.#tally.report();
  }

  address(): ListenAddress | null {
    if (this.#socket === null) return null;
    const { address, port } = this.#socket.address();
    return { host: address, port };
  }

  #listen(): Promise<void> {
    const { listen, ipv6Only = false } = this.#options;
    const socket = createSocket({
      type: isIP(listen.host) === 6 ? 'udp6' : 'udp4',
      ipv6Only,
      recvBufferSize: RECEIVE_BUFFER_BYTES,
    });
    socket.on('message', (datagram, peer) => this.#receive(datagram, peer));
    return new Promise((resolve, reject) => {
      socket.once('error', (error) => {
        socket.close();
        reject(error);
      });
      socket.bind(listen.port, listen.host, () => {
        socket.removeAllListeners('error');
        socket.on('error', (error) => this.#fail(socket, error));
        this.#socket = socket;
        this.#lost = 0;
        const interval = this.#options.lossIntervalMilliseconds ?? LOSS_INTERVAL_MILLISECONDS;
        this.#lossTimer = setInterval(() => void this.#reportLoss(), interval).unref();
        this.#tell('up', '', '');
        resolve();
      });
    });
  }

  /** A bound socket seldom fails; when it does, a new one is the only remedy. */
  #fail(socket: Socket, error: Error): void {
    this.#forget();
    socket.close();
    this.#perseverance.retryAfter(error);
  }

  #forget(): void {
    this.#socket = null;
    if (this.#lossTimer !== null) clearInterval(this.#lossTimer);
    this.#lossTimer = null;
  }

  #receive(datagram: Buffer, peer: RemoteInfo): void {
    const sender = this.#gate.admit(peer.address);
    if (sender === null) {
      this.#reject('unknown-sender', parseAddress(peer.address) ?? '');
      return;
    }
    const { clock, maxMessageBytes } = this.#options;
    const isCut = datagram.length > maxMessageBytes;
    this.#origin.at = clock.now();
    this.#origin.sender = sender;
    const record = this.#parser.parse(
      datagram,
      0,
      isCut ? maxMessageBytes : datagram.length,
      this.#origin,
      isCut,
    );
    if (isCut) this.#countCut(sender);
    if (record === null) {
      this.#reject('empty', sender);
      return;
    }
    this.#batcher.addBytes(datagram.length);
    this.#batcher.add(record);
  }

  #reject(reason: 'unknown-sender' | 'empty', peer: string): void {
    this.#tally.add(reason, peer, (sender, count) => ({
      kind: 'rejected',
      source: 'udp',
      sender,
      reason,
      count,
    }));
  }

  #countCut(peer: string): void {
    const limit = this.#options.maxMessageBytes;
    this.#tally.add('message-length', peer, (sender, count) => ({
      kind: 'limit',
      limit: 'message-length',
      detail: `udp messages of ${sender || 'several senders'} cut at ${limit} bytes`,
      count,
    }));
  }

  /** Asks the kernel what it has dropped since the last time. */
  async #reportLoss(): Promise<void> {
    const socket = this.#socket;
    const bound = this.address();
    const address = parseAddress(bound?.host ?? '');
    if (bound === null || address === null) return;
    const drops = await readKernelDrops(address, bound.port);
    if (drops === null || this.#socket !== socket) return;
    const count = Math.max(0, drops - this.#lost);
    this.#lost += count;
    if (count > 0) {
      const listener = formatEndpoint(bound.host, bound.port);
      this.#options.emit({ kind: 'kernel-loss', source: 'udp', listener, count });
      this.#tell(
        'degraded',
        `, ${count} datagrams lost since its receive buffer was full`,
        this.#lossAdvice(),
      );
    } else if (this.#isLosing) this.#tell('up', '', '');
    this.#isLosing = count > 0;
  }

  #lossAdvice(): string {
    return this.#bufferBytes() < RECEIVE_BUFFER_BYTES
      ? `allow a larger buffer, then restart: sysctl -w net.core.rmem_max=${RECEIVE_BUFFER_BYTES}`
      : 'let the busiest senders use TCP, which waits instead of losing';
  }

  /** The kernel answers with twice of what it granted (socket(7), SO_RCVBUF). */
  #bufferBytes(): number {
    return (this.#socket?.getRecvBufferSize() ?? 0) / 2;
  }

  #tell(health: ComponentHealth, trouble: string, advice: string): void {
    const { listen, onState } = this.#options;
    const bound = this.address() ?? listen;
    const megabytes = Math.round((this.#bufferBytes() / 1024 / 1024) * 10) / 10;
    onState({
      source: 'udp',
      listener: `udp ${formatEndpoint(listen.host, listen.port)}`,
      health,
      detail: `udp ${formatEndpoint(bound.host, bound.port)} (receive buffer ${megabytes} MiB)${trouble}`,
      advice,
    });
  }
}
