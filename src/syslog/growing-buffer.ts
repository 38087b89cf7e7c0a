/** Bytes of a stream that are kept until the rest of their message comes. */

/** What is kept of an empty buffer's memory, so that idle connections cost nearly nothing. */
const KEPT_BYTES = 2048;

const EMPTY = Buffer.alloc(0);

export class GrowingBuffer {
  #memory: Buffer = EMPTY;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What it holds, valid until it changes; `bytes.length` is `length`. */
  get bytes(): Buffer {
    return this.#memory.subarray(0, this.#length);
  }

  /** Grows by doubling up to `limit`, so a long message is copied a bounded number of times. */
  append(bytes: Buffer, start: number, end: number, limit: number): void {
    const length = this.#length + (end - start);
    if (length > this.#memory.length) {
      const size = Math.min(limit, Math.max(length, KEPT_BYTES, this.#memory.length * 2));
      const grown = Buffer.allocUnsafeSlow(Math.max(size, length));
      this.#memory.copy(grown, 0, 0, this.#length);
      this.#memory = grown;
    }
    bytes.copy(this.#memory, this.#length, start, end);
    this.#length = length;
  }

  clear(): void {
    this.#length = 0;
    if (this.#memory.length > KEPT_BYTES) this.#memory = EMPTY;
  }

  /** What it holds as a buffer that outlives it; it is empty then. */
  take(): Buffer {
    const taken = Buffer.from(this.bytes);
    this.clear();
    return taken;
  }
}
