/**
 * Datagrams that were taken from the kernel and are still to be read, the oldest first. Taking one costs half of what
 * reading it does, so whoever is behind takes first: the kernel's buffer holds 40,000 short datagrams, this holds
 * twelve times as many. Memory is taken in blocks as it is needed, used again, and given back when it no longer is: new
 * blocks all the time would make V8 collect the whole heap for them, 20 to 80 ms each time, in the midst of a flood.
 */

/** Where a datagram lies while it is being read, and what was known of it when it came. */
export type HeldDatagram<Sender> = {
  bytes: Buffer;
  start: number;
  end: number;
  /** Bytes that were sent: more than are here when it was cut. */
  sentLength: number;
  sender: Sender;
  /** When it was taken from the kernel, in microseconds. */
  at: number;
};

/** A block ends with whichever of the two is full first. */
const BLOCK_BYTES = 1024 * 1024;
const BLOCK_DATAGRAMS = 8_192;

/** 64 MiB of text, with what is known of each some 75 MiB. */
export const MAX_BACKLOG_BLOCKS = 64;

type Block<Sender> = {
  readonly bytes: Buffer;
  /** Of each datagram, where it ends; it begins where the one before it does. */
  readonly ends: Uint32Array;
  readonly sentLengths: Uint32Array;
  readonly times: Float64Array;
  /** Those behind `held` are of before. */
  readonly senders: Sender[];
  held: number;
  read: number;
};

export class DatagramBacklog<Sender> {
  readonly #blocks: Block<Sender>[] = [];
  /** Blocks that have been read, for what comes next. */
  readonly #spare: Block<Sender>[] = [];
  /** The most blocks that were in use at once since trim(). */
  #mostBlocks = 0;

  get isEmpty(): boolean {
    return this.#blocks.length === 0;
  }

  /** Ask before each portion that is held: what one call of recvmmsg brings may exceed the limit by two blocks. */
  get isFull(): boolean {
    return this.#blocks.length >= MAX_BACKLOG_BLOCKS;
  }

  /** Copies bytes[start, end), which are at most 64 KiB. */
  hold(bytes: Buffer, start: number, end: number, sentLength: number, sender: Sender, at: number): void {
    const block = this.#roomFor(end - start);
    const index = block.held++;
    const offset = index === 0 ? 0 : (block.ends[index - 1] ?? 0);
    bytes.copy(block.bytes, offset, start, end);
    block.ends[index] = offset + (end - start);
    block.sentLengths[index] = sentLength;
    block.times[index] = at;
    block.senders[index] = sender;
  }

  /** Hands the oldest over, at most `count`; the object is the same each time. */
  release(count: number, read: (held: HeldDatagram<Sender>) => void): void {
    for (let left = count; left > 0; ) {
      const [block] = this.#blocks;
      if (block === undefined) return;
      const last = Math.min(block.held, block.read + left);
      left -= last - block.read;
      this.#releaseUntil(block, last, read);
      if (block.read < block.held) continue;
      this.#blocks.shift();
      block.held = 0;
      block.read = 0;
      this.#spare.push(block);
    }
  }

  /** Call now and then: gives back the memory that has not been needed since the last time. */
  trim(): void {
    this.#spare.length = Math.min(this.#spare.length, this.#mostBlocks - this.#blocks.length);
    this.#mostBlocks = this.#blocks.length;
  }

  #releaseUntil(block: Block<Sender>, last: number, read: (held: HeldDatagram<Sender>) => void): void {
    const { bytes, ends, sentLengths, times, senders } = block;
    const [first] = senders;
    if (first === undefined) return;
    const held: HeldDatagram<Sender> = { bytes, start: 0, end: 0, sentLength: 0, sender: first, at: 0 };
    for (; block.read < last; block.read++) {
      const index = block.read;
      held.start = index === 0 ? 0 : (ends[index - 1] ?? 0);
      held.end = ends[index] ?? 0;
      held.sentLength = sentLengths[index] ?? 0;
      held.sender = senders[index] ?? first;
      held.at = times[index] ?? 0;
      read(held);
    }
  }

  #roomFor(length: number): Block<Sender> {
    const newest = this.#blocks.at(-1);
    const used = newest?.held ?? 0;
    const isRoom = used < BLOCK_DATAGRAMS && (newest?.ends[used - 1] ?? 0) + length <= BLOCK_BYTES;
    if (newest !== undefined && isRoom) return newest;
    const block = this.#spare.pop() ?? createBlock<Sender>();
    this.#blocks.push(block);
    this.#mostBlocks = Math.max(this.#mostBlocks, this.#blocks.length);
    return block;
  }
}

function createBlock<Sender>(): Block<Sender> {
  return {
    bytes: Buffer.allocUnsafeSlow(BLOCK_BYTES),
    ends: new Uint32Array(BLOCK_DATAGRAMS),
    sentLengths: new Uint32Array(BLOCK_DATAGRAMS),
    times: new Float64Array(BLOCK_DATAGRAMS),
    senders: [],
    held: 0,
    read: 0,
  };
}
