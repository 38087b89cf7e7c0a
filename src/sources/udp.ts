/**
 * Syslog over UDP (RFC 5426): one datagram is one message, and whatever the kernel had to drop is told.
 */
import type { ListenAddress } from '../config/plan.ts';
import type { DatagramReceiver } from '../native/datagram-receiver.ts';
import { adoptDatagramSocket, bindUdp, type DatagramSocket } from '../native/datagram-socket.ts';
import { type Origin, SyslogParser } from '../syslog/parse.ts';
import { DatagramListener, type KernelLoss } from './datagram-listener.ts';
import {
  Batcher,
  describeFailure,
  formatEndpoint,
  type ListenerOptions,
  type ListeningSource,
  Tally,
} from './listen.ts';
import { SenderGate } from './sender-gate.ts';

export type UdpOptions = ListenerOptions & {
  /** How often the kernel is asked what it dropped, in place of LOSS_INTERVAL_MILLISECONDS. */
  readonly lossIntervalMilliseconds?: number;
  /** A socket that is bound to `listen` already, and is left open. */
  readonly adopted?: AdoptedSocket;
};

/** A socket that outlives its listeners, and what they have told of its losses. */
export type AdoptedSocket = { readonly fd: number; readonly loss: KernelLoss };

/** A listener on one address. It never throws; what goes wrong is told by events and `onState`. */
export function createUdpSource(options: UdpOptions): ListeningSource {
  return new UdpSource(options);
}

class UdpSource implements ListeningSource {
  readonly #options: UdpOptions;
  readonly #gate: SenderGate;
  readonly #tally: Tally;
  readonly #batcher: Batcher;
  readonly #listener: DatagramListener;
  readonly #parser = new SyslogParser();
  readonly #origin: Origin = { at: 0, source: 'udp', sender: '' };
  readonly #loss: KernelLoss;

  constructor(options: UdpOptions) {
    this.#options = options;
    const { senders, emit, listen, adopted } = options;
    this.#tally = new Tally(emit);
    this.#gate = new SenderGate({ transport: 'udp', senders, tally: this.#tally, emit });
    this.#batcher = new Batcher('udp', options.sink);
    this.#loss = adopted?.loss ?? { told: 0 };
    this.#listener = new DatagramListener({
      source: 'udp',
      listener: `udp ${formatEndpoint(listen.host, listen.port)}`,
      maxMessageBytes: options.maxMessageBytes,
      lossIntervalMilliseconds: options.lossIntervalMilliseconds,
      loss: this.#loss,
      emit,
      onState: options.onState,
      open: () => this.#open(),
      endpoint: (socket) => endpointOf(socket) ?? formatEndpoint(listen.host, listen.port),
      begin: () => {
        this.#origin.at = options.clock.now();
      },
      take: (receiver, index) => this.#take(receiver, index),
      settle: () => this.#batcher.flush(),
      describeFailure: (error, pause) => describeFailure('udp', listen, error, pause),
    });
  }

  start(): Promise<void> {
    return this.#listener.start();
  }

  async stop(): Promise<void> {
    await this.#listener.stop(this.#options.adopted !== undefined);
    this.#batcher.flush();
    this.#gate.report();
    this.#tally.report();
  }

  address(): ListenAddress | null {
    const bound = this.#listener.socket?.address();
    return bound?.family === 'internet' ? { host: bound.host, port: bound.port } : null;
  }

  #open(): DatagramSocket {
    const { listen, ipv6Only = false, adopted } = this.#options;
    if (adopted !== undefined) return adoptDatagramSocket(adopted.fd);
    this.#loss.told = 0;
    return bindUdp({ ...listen, ipv6Only });
  }

  #take(receiver: DatagramReceiver, index: number): void {
    const sender = this.#gate.admit(receiver.peerOf(index));
    if (sender === null) return;
    const origin = this.#origin;
    origin.sender = sender.identity;
    if (!sender.admits(origin.at)) return;
    const start = receiver.startOf(index);
    const length = receiver.lengthOf(index);
    const sentLength = receiver.sentLengthOf(index);
    const isCut = length < sentLength;
    const record = this.#parser.parse(receiver.bytes, start, start + length, origin, isCut);
    if (isCut) this.#countCut(sender.identity);
    if (record === null) {
      this.#countEmpty(sender.identity);
      return;
    }
    this.#batcher.addBytes(sentLength);
    this.#batcher.add(sender.take(record, sentLength, this.#parser.dialect));
  }

  #countEmpty(peer: string): void {
    this.#tally.add('empty', peer, (sender, count) => ({
      kind: 'rejected',
      source: 'udp',
      sender,
      reason: 'empty',
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
}

function endpointOf(socket: DatagramSocket | null): string | null {
  const address = socket?.address();
  return address?.family === 'internet' ? formatEndpoint(address.host, address.port) : null;
}
