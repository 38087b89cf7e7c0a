/**
 * Syslog over UDP (RFC 5426): one datagram is one message, and whatever the kernel had to drop is told.
 */
import type { ListenAddress } from '../../config/plan.ts';
import type { RejectReason } from '../../core/event.ts';
import type { DatagramReceiver } from '../../native/datagram-receiver.ts';
import { adoptDatagramSocket, bindUdp, type DatagramSocket } from '../../native/datagram-socket.ts';
import { type Sender, SenderGate } from '../../senders/gate.ts';
import { Tally } from '../../senders/tally.ts';
import { isCutLength } from '../../syslog/cuts.ts';
import { type Origin, SyslogParser } from '../../syslog/parse.ts';
import { inflateMessage, isCompressed } from '../compressed.ts';
import {
  Batcher,
  describeFailure,
  formatEndpoint,
  type ListenerOptions,
  type ListeningSource,
} from '../listen.ts';
import { DatagramBacklog, type HeldDatagram, MAX_BACKLOG_BLOCKS } from './backlog.ts';
import { type Backlog, DatagramListener, type KernelLoss } from './listener.ts';

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
      elapsed: options.elapsed,
      emit,
      onState: options.onState,
      open: () => this.#open(),
      endpoint: (socket) => endpointOf(socket) ?? formatEndpoint(listen.host, listen.port),
      begin: () => {
        this.#origin.at = options.clock.now();
      },
      take: (receiver, index) => this.#take(receiver, index),
      settle: () => this.#batcher.flush(),
      backlog: this.#createBacklog(),
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
    const sender = this.#admit(receiver, index);
    if (sender === null) return;
    const start = receiver.startOf(index);
    const end = start + receiver.lengthOf(index);
    this.#read(receiver.bytes, start, end, receiver.sentLengthOf(index), sender);
  }

  /** The sender of a datagram that is to be read; null for others, which have been counted. */
  #admit(receiver: DatagramReceiver, index: number): Sender | null {
    const sender = this.#gate.admit(receiver.peerOf(index));
    return sender?.admits(this.#origin.at) === true ? sender : null;
  }

  #read(bytes: Buffer, start: number, end: number, sentLength: number, sender: Sender): void {
    this.#origin.sender = sender.identity;
    const isCut = end - start < sentLength;
    if (!isCompressed(bytes, start, end)) {
      this.#parse(bytes, start, end, sentLength, isCut, sender);
      return;
    }
    const message = isCut ? null : inflateMessage(bytes, start, end, this.#options.maxMessageBytes);
    if (message === null) this.#countRejected('malformed', sender.identity);
    else this.#parse(message, 0, message.length, sentLength, false, sender);
  }

  #parse(
    bytes: Buffer,
    start: number,
    end: number,
    sentLength: number,
    isCut: boolean,
    sender: Sender,
  ): void {
    const mayBeCut = isCut || isCutLength(sentLength);
    const record = this.#parser.parse(bytes, start, end, this.#origin, mayBeCut, this.#options.prefilter);
    if (isCut) this.#countCut(sender.identity);
    if (record === null) {
      this.#countRejected('empty', sender.identity);
      return;
    }
    this.#batcher.addBytes(sentLength);
    const { dialect } = this.#parser;
    if (record !== 'skipped') this.#batcher.add(sender.take(record, sentLength, dialect));
    else {
      sender.count(this.#parser, sentLength, dialect);
      this.#batcher.addSkipped();
    }
  }

  /** Senders are admitted, and held to their rate, before anything of theirs is kept. */
  #createBacklog(): Backlog {
    const backlog = new DatagramBacklog<Sender>();
    const read = ({ bytes, start, end, sentLength, sender, at }: HeldDatagram<Sender>): void => {
      this.#origin.at = at;
      this.#read(bytes, start, end, sentLength, sender);
    };
    return {
      get isEmpty() {
        return backlog.isEmpty;
      },
      get isFull() {
        return backlog.isFull;
      },
      hold: (receiver, index) => {
        const sender = this.#admit(receiver, index);
        if (sender === null) return;
        const start = receiver.startOf(index);
        const end = start + receiver.lengthOf(index);
        const sentLength = receiver.sentLengthOf(index);
        backlog.hold(receiver.bytes, start, end, sentLength, sender, this.#origin.at);
      },
      release: (count) => backlog.release(count, read),
      onFull: () => this.#countFull(),
      trim: () => backlog.trim(),
    };
  }

  #countFull(): void {
    this.#tally.add('backlog', '', (_, count) => ({
      kind: 'limit',
      limit: 'backlog',
      detail: `udp datagrams that wait to be read fill ${MAX_BACKLOG_BLOCKS} MiB; what the kernel cannot hold is lost`,
      count,
    }));
  }

  #countRejected(reason: RejectReason, peer: string): void {
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
}

function endpointOf(socket: DatagramSocket | null): string | null {
  const address = socket?.address();
  return address?.family === 'internet' ? formatEndpoint(address.host, address.port) : null;
}
