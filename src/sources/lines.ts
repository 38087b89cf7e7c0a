/** Bytes as they come in, cut into lines. */

/** Longer lines are cut to these many bytes, unless somebody asks for another limit. */
export const MAX_LINE_BYTES = 64 * 1024;

/**
 * Takes the line in bytes[start, end), without its line feed; the bytes are reused afterwards. `isCut` says that the
 * line went on behind `end`.
 */
export type TakeLine = (bytes: Buffer, start: number, end: number, isCut: boolean) => void;

const LINE_FEED = 0x0a;

/** Cuts chunks of any size into lines, and holds no more than the beginning of one line. */
export class LineSplitter {
  readonly #maxBytes: number;
  readonly #take: TakeLine;
  /** The beginning of a line whose end has not come yet. */
  readonly #head: Buffer;
  #headLength = 0;
  #isHeadCut = false;

  constructor(take: TakeLine, maxBytes = MAX_LINE_BYTES) {
    this.#take = take;
    this.#maxBytes = maxBytes;
    this.#head = Buffer.allocUnsafe(maxBytes);
  }

  push(chunk: Buffer): void {
    let start = 0;
    let end = chunk.indexOf(LINE_FEED);
    if (end >= 0 && this.#headLength > 0) {
      this.#append(chunk, 0, end);
      this.end();
      start = end + 1;
      end = chunk.indexOf(LINE_FEED, start);
    }
    while (end >= 0) {
      const isCut = end - start > this.#maxBytes;
      this.#take(chunk, start, isCut ? start + this.#maxBytes : end, isCut);
      start = end + 1;
      end = chunk.indexOf(LINE_FEED, start);
    }
    this.#append(chunk, start, chunk.length);
  }

  /** The last line, when it does not end in a line feed. */
  end(): void {
    if (this.#headLength > 0) this.#take(this.#head, 0, this.#headLength, this.#isHeadCut);
    this.#headLength = 0;
    this.#isHeadCut = false;
  }

  #append(chunk: Buffer, start: number, end: number): void {
    const room = this.#maxBytes - this.#headLength;
    if (end - start > room) this.#isHeadCut = true;
    this.#headLength += chunk.copy(this.#head, this.#headLength, start, Math.min(end, start + room));
  }
}
