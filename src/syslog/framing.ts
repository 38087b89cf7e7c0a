/**
 * From the bytes of a stream to frames, one for each message (RFC 6587). The form is recognised anew at the start of
 * every message, so a relay may mix them, and a stream cut at any byte gives the same frames.
 *
 *     START --1..9--> COUNT --blank, then '<'--> BODY --last byte: frame--> START
 *       |               |                         \--limit: cut frame--> SKIP_BODY --last byte--> START
 *       |               +--anything else: the digits were text--> LINE
 *       +--other--> LINE --terminator: frame--> START
 *       |             \--limit: cut frame--> SKIP_LINE --terminator--> START
 *       +--LF, CR, NUL--> START
 *
 * A count is only taken as one when '<' follows it, or when the message before it was counted: a line without PRI that
 * begins with a number would otherwise swallow the start of the next, whose rest would be read as a message of its own.
 * A LF inside of a counted message is part of it, so text inside of one cannot begin another.
 *
 * Lines end with LF or CR LF. NUL ends them as well (RFC 6587 section 3.4.2) until the sender has ended one with LF:
 * the clients that end messages with LF may pass on a NUL that somebody smuggled into their text.
 */
import { assert } from '../core/errors.ts';

/**
 * Takes one message as bytes[start, end), which are valid until it returns. A counted message still has the LF that
 * some clients count. `isCut` says that the message went on, over the limit or beyond the end of its connection.
 */
export type FrameHandler = (bytes: Buffer, start: number, end: number, isCut: boolean) => void;

/** More digits are no count but text; the largest count is then skipped, not kept, beyond the length limit. */
export const MAX_COUNT_DIGITS = 9;

/** What a framer that has nothing to remember keeps of its buffer, so that idle connections cost nearly nothing. */
const KEPT_BUFFER_BYTES = 2048;

const LF = 10;
const CR = 13;
const NUL = 0;
const BLANK = 32;
const LESS_THAN = 60;

type State = 'start' | 'count' | 'count-blank' | 'body' | 'skip-body' | 'line' | 'skip-line';

const EMPTY = Buffer.alloc(0);

/** The framing of one connection. Give it every chunk in order, then `end`. */
export class Framer {
  readonly #maxMessageBytes: number;
  #state: State = 'start';
  /** COUNT: the number so far and its digits. BODY, SKIP_BODY: bytes that are still to come. */
  #count = 0;
  #digits = 0;
  #wasCounted = false;
  #endsWithLineFeed = false;
  /** The beginning of a message whose end has not arrived. */
  #buffer: Buffer = EMPTY;
  #length = 0;

  /** Longer messages are cut to `maxMessageBytes`. */
  constructor(maxMessageBytes: number) {
    assert(maxMessageBytes > MAX_COUNT_DIGITS, 'the length limit leaves room for the digits of a count');
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** Takes the next bytes of the stream and hands over each message that they complete. */
  push(chunk: Buffer, handler: FrameHandler): void {
    let position = 0;
    while (position < chunk.length) {
      switch (this.#state) {
        case 'start':
          position = this.#start(chunk, position);
          break;
        case 'count':
          position = this.#readCount(chunk, position);
          break;
        case 'count-blank':
          this.#checkCount(chunk[position]);
          break;
        case 'body':
          position = this.#readBody(chunk, position, handler);
          break;
        case 'line':
          position = this.#readLine(chunk, position, handler);
          break;
        case 'skip-body':
          position = this.#skipBody(chunk, position);
          break;
        case 'skip-line':
          position = this.#skipLine(chunk, position);
          break;
      }
    }
  }

  /**
   * The stream is over. A line without its terminator is whole when the sender closed the connection properly; whatever
   * else is left is handed over as cut.
   */
  end(isClosedBySender: boolean, handler: FrameHandler): void {
    if (this.#state === 'count' || this.#state === 'count-blank') this.#turnCountIntoLine();
    const isLine = this.#state === 'line';
    let end = Math.min(this.#length, this.#maxMessageBytes);
    const isCut = !isLine || !isClosedBySender || this.#length > this.#maxMessageBytes;
    if (isLine && !isCut && this.#buffer[end - 1] === CR) end--;
    if (end > 0) handler(this.#buffer, 0, end, isCut);
    this.#state = 'start';
    this.#release();
  }

  #start(chunk: Buffer, position: number): number {
    const byte = chunk[position] ?? 0;
    if (byte === LF || byte === CR || byte === NUL) return position + 1;
    if (byte >= 49 && byte <= 57) {
      this.#state = 'count';
      this.#count = 0;
      this.#digits = 0;
    } else this.#state = 'line';
    return position;
  }

  #readCount(chunk: Buffer, start: number): number {
    for (let position = start; position < chunk.length; position++) {
      const byte = chunk[position] ?? 0;
      if (byte >= 48 && byte <= 57 && this.#digits < MAX_COUNT_DIGITS) {
        this.#count = this.#count * 10 + (byte - 48);
        this.#digits++;
      } else {
        if (byte !== BLANK) {
          this.#turnCountIntoLine();
          return position;
        }
        this.#state = 'count-blank';
        return position + 1;
      }
    }
    return chunk.length;
  }

  #checkCount(byte: number | undefined): void {
    if (byte === LESS_THAN || this.#wasCounted) {
      this.#state = 'body';
      this.#wasCounted = true;
    } else this.#turnCountIntoLine();
  }

  /** The digits, and the blank after them, begin a line. They have no leading zero, so the number gives them back. */
  #turnCountIntoLine(): void {
    const text = Buffer.from(this.#state === 'count-blank' ? `${this.#count} ` : `${this.#count}`, 'latin1');
    this.#state = 'line';
    this.#append(text, 0, text.length, this.#maxMessageBytes + 1);
  }

  #readBody(chunk: Buffer, start: number, handler: FrameHandler): number {
    const available = chunk.length - start;
    if (this.#length === 0 && this.#count <= available && this.#count <= this.#maxMessageBytes) {
      this.#state = 'start';
      handler(chunk, start, start + this.#count, false);
      return start + this.#count;
    }
    const wanted = Math.min(this.#count, this.#maxMessageBytes - this.#length);
    const taken = Math.min(wanted, available);
    this.#append(chunk, start, start + taken, this.#maxMessageBytes);
    this.#count -= taken;
    if (taken === wanted) {
      const isCut = this.#count > 0;
      this.#state = isCut ? 'skip-body' : 'start';
      handler(this.#buffer, 0, this.#length, isCut);
      this.#release();
    }
    return start + taken;
  }

  #skipBody(chunk: Buffer, start: number): number {
    const skipped = Math.min(this.#count, chunk.length - start);
    this.#count -= skipped;
    if (this.#count === 0) this.#state = 'start';
    return start + skipped;
  }

  #readLine(chunk: Buffer, start: number, handler: FrameHandler): number {
    const found = this.#findTerminator(chunk, start);
    const end = found < 0 ? chunk.length : found;
    const max = this.#maxMessageBytes;
    if (found >= 0 && this.#length === 0) {
      this.#state = 'start';
      this.#handOverLine(chunk, start, end, handler);
      return end + 1;
    }
    // One byte more than the limit is kept, since a CR in that place belongs to the terminator.
    const taken = Math.min(end, start + (max + 1 - this.#length));
    this.#append(chunk, start, taken, max + 1);
    if (taken < end) {
      this.#state = 'skip-line';
      handler(this.#buffer, 0, max, true);
      this.#release();
      return taken;
    }
    if (found < 0) return end;
    this.#state = 'start';
    this.#handOverLine(this.#buffer, 0, this.#length, handler);
    this.#release();
    return end + 1;
  }

  #handOverLine(bytes: Buffer, start: number, terminator: number, handler: FrameHandler): void {
    const end = terminator > start && bytes[terminator - 1] === CR ? terminator - 1 : terminator;
    const isCut = end - start > this.#maxMessageBytes;
    this.#wasCounted = false;
    handler(bytes, start, isCut ? start + this.#maxMessageBytes : end, isCut);
  }

  #skipLine(chunk: Buffer, start: number): number {
    const found = this.#findTerminator(chunk, start);
    if (found < 0) return chunk.length;
    this.#state = 'start';
    this.#wasCounted = false;
    return found + 1;
  }

  /** Where the line that goes on at `start` ends, or -1 when that has not arrived. */
  #findTerminator(chunk: Buffer, start: number): number {
    if (this.#endsWithLineFeed) return chunk.indexOf(LF, start);
    for (let position = start; position < chunk.length; position++) {
      const byte = chunk[position];
      if (byte === LF) {
        this.#endsWithLineFeed = true;
        return position;
      }
      if (byte === NUL) return position;
    }
    return -1;
  }

  /** Grows by doubling up to `limit`, so a long message is copied a bounded number of times. */
  #append(bytes: Buffer, start: number, end: number, limit: number): void {
    const length = this.#length + (end - start);
    if (length > this.#buffer.length) {
      const size = Math.min(limit, Math.max(length, KEPT_BUFFER_BYTES, this.#buffer.length * 2));
      const grown = Buffer.allocUnsafeSlow(Math.max(size, length));
      this.#buffer.copy(grown, 0, 0, this.#length);
      this.#buffer = grown;
    }
    bytes.copy(this.#buffer, this.#length, start, end);
    this.#length = length;
  }

  #release(): void {
    this.#length = 0;
    if (this.#buffer.length > KEPT_BUFFER_BYTES) this.#buffer = EMPTY;
  }
}
