/**
 * Receives datagrams, whatever the socket: opens it in spite of everything, takes what is there in bounded portions,
 * and tells what the kernel had to drop.
 */

import { OperationalError } from '../../core/errors.ts';
import type { Emit } from '../../core/event.ts';
import type { SourceKind } from '../../core/record.ts';
import { DatagramReceiver, MAX_RECEIVED } from '../../native/datagram-receiver.ts';
import { type DatagramSocket, RECEIVE_BUFFER_BYTES } from '../../native/datagram-socket.ts';
import type { Elapsed } from '../../native/machine-clocks.ts';
import { type ListenerState, Perseverance } from '../listen.ts';

export type DatagramListenerOptions = {
  readonly elapsed: Elapsed;
  readonly source: SourceKind;
  /** Throws OperationalError. */
  open(): DatagramSocket;
  /** Where it receives, for people; `socket` is null when it could not be opened. */
  endpoint(socket: DatagramSocket | null): string;
  /** Its name for as long as it lives: where it was told to receive. */
  readonly listener: string;
  /** What is longer is cut. */
  readonly maxMessageBytes: number;
  /** Before the datagrams of one call. */
  begin(): void;
  /** One datagram, in `receiver` until this returns. */
  take(receiver: DatagramReceiver, index: number): void;
  /** After the last datagram of a turn of the event loop. */
  settle(): void;
  /** For a socket whose senders do not wait; without it, what the kernel cannot hold is lost. */
  readonly backlog?: Backlog;
  readonly emit: Emit;
  readonly onState: (state: ListenerState) => void;
  describeFailure(error: unknown, retryMilliseconds: number): ListenerState;
  readonly lossIntervalMilliseconds: number | undefined;
  /** What has been told of a socket's losses before, where it outlives the listener. */
  readonly loss: KernelLoss;
};

/** Where datagrams wait while the kernel has more of them than can be read at once. */
export type Backlog = {
  readonly isEmpty: boolean;
  readonly isFull: boolean;
  /** Keeps one datagram, in place of `take`. */
  hold(receiver: DatagramReceiver, index: number): void;
  /** Takes the oldest that were kept, at most `count`. */
  release(count: number): void;
  /** It is full, and the kernel's buffer fills. */
  onFull(): void;
  /** Gives back the memory that has not been needed since the last time. */
  trim(): void;
};

/** How many datagrams of a socket the kernel has dropped, as far as that has been told. */
export type KernelLoss = { told: number };

/**
 * Calls of recvmmsg in one turn of the event loop: in a flood, everything else waits for 512 datagrams at a time, which
 * is a millisecond.
 */
const CALLS_PER_TURN = 4;

/**
 * Whoever finds that many calls full, one after the other, reads more slowly than they come. He is behind then, and
 * empties the socket before he reads on, so many calls in one turn at most. Of a burst of 500,000 at 1,100,000 a second
 * 200,000 were lost without it.
 */
const CALLS_UNTIL_BEHIND = 32;
const CALLS_PER_TURN_BEHIND = 32;

/**
 * To be woken for a single datagram takes several times what the datagram itself does. Whoever is woken again within
 * this time therefore stops waiting, and looks by itself every PACE_MILLISECONDS (as a network card's driver does),
 * until that finds fewer than MIN_PACED. At 100,000 a second a datagram then costs 2.4 µs in all, where looking every
 * millisecond makes it 3.0, every four 2.5, and being woken 3.2.
 */
const BUSY_MILLISECONDS = 0.5;
const PACE_MILLISECONDS = 2;
const MIN_PACED = 3;

/** When it stops, what the kernel holds is taken first: a receive buffer of 16 MiB full of short datagrams. */
const CALLS_AT_END = 512;

/** How often the kernel is asked what it has dropped. */
const LOSS_INTERVAL_MILLISECONDS = 10_000;

/** For so long at most is memory kept that a burst has needed. */
const TRIM_INTERVAL_MILLISECONDS = 10_000;

const WORD = 2 ** 32;

export class DatagramListener {
  readonly #options: DatagramListenerOptions;
  readonly #perseverance: Perseverance;
  #receiver: DatagramReceiver | null = null;
  #socket: DatagramSocket | null = null;
  #lossTimer: NodeJS.Timeout | null = null;
  #trimTimer: NodeJS.Timeout | null = null;
  #paceTimer: NodeJS.Timeout | null = null;
  #wokenAt = 0;
  #fullCalls = 0;
  #isBehind = false;
  #isLosing = false;

  constructor(options: DatagramListenerOptions) {
    this.#options = options;
    this.#perseverance = new Perseverance(
      async () => this.#listen(),
      (error, pause) => options.onState(options.describeFailure(error, pause)),
    );
  }

  /** Null while nothing can be received. */
  get socket(): DatagramSocket | null {
    return this.#socket;
  }

  /** Resolves when it receives, or has said why not. */
  start(): Promise<void> {
    return this.#perseverance.attempt();
  }

  /** Takes what is there, unless the socket is kept by somebody else for whoever comes next. */
  async stop(isKept: boolean): Promise<void> {
    await this.#perseverance.stop();
    if (this.#socket !== null) {
      this.#releaseAll();
      if (!isKept) this.#receive(CALLS_AT_END);
      this.#reportLoss();
    }
    this.#close();
  }

  #listen(): void {
    const socket = this.#options.open();
    socket.watch(
      () => this.#wake(),
      (error) => this.#fail(error),
    );
    this.#socket = socket;
    this.#receiver = new DatagramReceiver(socket.descriptor, this.#options.maxMessageBytes);
    const interval = this.#options.lossIntervalMilliseconds ?? LOSS_INTERVAL_MILLISECONDS;
    this.#lossTimer = setInterval(() => this.#reportLoss(), interval).unref();
    this.#trimTimer = setInterval(() => this.#options.backlog?.trim(), TRIM_INTERVAL_MILLISECONDS).unref();
    this.#tell(0);
  }

  /** A bound socket seldom fails; when it does, a new one is the only remedy. */
  #fail(error: unknown): void {
    if (!(error instanceof OperationalError)) throw error;
    this.#close();
    this.#perseverance.retryAfter(error);
  }

  #close(): void {
    if (this.#lossTimer !== null) clearInterval(this.#lossTimer);
    this.#lossTimer = null;
    if (this.#trimTimer !== null) clearInterval(this.#trimTimer);
    this.#trimTimer = null;
    if (this.#paceTimer !== null) clearTimeout(this.#paceTimer);
    this.#paceTimer = null;
    this.#releaseAll();
    this.#socket?.close();
    this.#socket = null;
    this.#receiver = null;
  }

  /** There is something to receive. */
  #wake(): void {
    const now = this.#options.elapsed();
    const isBusy = now - this.#wokenAt < BUSY_MILLISECONDS;
    this.#wokenAt = now;
    this.#work();
    if (!(isBusy || this.#isBehind) || this.#socket === null) return;
    this.#socket.pause();
    this.#paceTimer = setTimeout(() => this.#pace(), PACE_MILLISECONDS);
  }

  /** A moment has passed in which nobody was woken. */
  #pace(): void {
    const count = this.#work();
    if (this.#socket === null) return;
    if (this.#isBehind || count >= CALLS_PER_TURN * MAX_RECEIVED) setImmediate(() => this.#pace());
    else if (count >= MIN_PACED) this.#paceTimer?.refresh();
    else this.#socket.resume();
  }

  /** Does what one turn of the event loop is to do. Returns how many it has taken from the kernel. */
  #work(): number {
    if (this.#isBehind) return this.#catchUp();
    const count = this.#receive(CALLS_PER_TURN);
    const isFull = count >= CALLS_PER_TURN * MAX_RECEIVED;
    this.#fullCalls = isFull ? this.#fullCalls + CALLS_PER_TURN : 0;
    this.#isBehind = this.#options.backlog !== undefined && this.#fullCalls >= CALLS_UNTIL_BEHIND;
    return count;
  }

  /** Empties the socket first, and reads when it is empty or no more can be held. */
  #catchUp(): number {
    const { backlog, begin, settle } = this.#options;
    const receiver = this.#receiver;
    if (backlog === undefined || receiver === null) return 0;
    let total = 0;
    let isDry = false;
    for (let call = 0; call < CALLS_PER_TURN_BEHIND && !isDry && !backlog.isFull; call++) {
      const count = this.#receiveOnce(receiver);
      if (this.#receiver === null) return total;
      if (count > 0) begin();
      for (let index = 0; index < count; index++) backlog.hold(receiver, index);
      total += count;
      isDry = count < MAX_RECEIVED;
      if (backlog.isFull) backlog.onFull();
    }
    if (isDry || backlog.isFull) backlog.release(CALLS_PER_TURN * MAX_RECEIVED);
    settle();
    if (!isDry || !backlog.isEmpty) return total;
    this.#isBehind = false;
    this.#fullCalls = 0;
    return total;
  }

  /** Nothing that was taken from the kernel may be forgotten. */
  #releaseAll(): void {
    const { backlog, settle } = this.#options;
    this.#isBehind = false;
    this.#fullCalls = 0;
    if (backlog === undefined || backlog.isEmpty) return;
    backlog.release(Number.POSITIVE_INFINITY);
    settle();
  }

  /** Returns how many it has taken. */
  #receive(calls: number): number {
    const receiver = this.#receiver;
    if (receiver === null) return 0;
    const { begin, take, settle } = this.#options;
    let total = 0;
    for (let call = 0; call < calls; call++) {
      const count = this.#receiveOnce(receiver);
      if (count > 0) begin();
      for (let index = 0; index < count; index++) take(receiver, index);
      total += count;
      if (count < MAX_RECEIVED) break;
    }
    settle();
    return total;
  }

  #receiveOnce(receiver: DatagramReceiver): number {
    try {
      return receiver.receive();
    } catch (error) {
      this.#fail(error);
      return 0;
    }
  }

  #reportLoss(): void {
    const socket = this.#socket;
    if (socket === null) return;
    const { loss, source, emit } = this.#options;
    const drops = this.#readDrops(socket);
    if (drops === null) return;
    const count = (drops - loss.told + WORD) % WORD;
    loss.told = drops;
    if (count > 0) emit({ kind: 'kernel-loss', source, listener: this.#options.endpoint(socket), count });
    if (count > 0 || this.#isLosing) this.#tell(count);
    this.#isLosing = count > 0;
  }

  #readDrops(socket: DatagramSocket): number | null {
    try {
      return socket.drops();
    } catch (error) {
      this.#fail(error);
      return null;
    }
  }

  #tell(lost: number): void {
    const { source, listener, endpoint, onState } = this.#options;
    const socket = this.#socket;
    if (socket === null) return;
    const bytes = socket.bufferBytes();
    const megabytes = Math.round((bytes / 1024 / 1024) * 10) / 10;
    const trouble = lost === 0 ? '' : `, ${lost} datagrams lost since its receive buffer was full`;
    onState({
      source,
      listener,
      health: lost === 0 ? 'up' : 'degraded',
      detail: `${source} ${endpoint(socket)} (receive buffer ${megabytes} MiB)${trouble}`,
      advice: lost === 0 ? '' : lossAdvice(bytes),
    });
  }
}

function lossAdvice(bufferBytes: number): string {
  return bufferBytes < RECEIVE_BUFFER_BYTES
    ? `allow a larger buffer, then restart: sysctl -w net.core.rmem_max=${RECEIVE_BUFFER_BYTES}`
    : 'let the busiest senders use TCP, which waits instead of losing';
}
