/**
 * From the bytes of a stream to frames, one for each message (RFC 6587). Whether a message is counted is found out at
 * its start; what ends those that are not is found out once for a connection, by where the sender's writes end
 * (`separator.ts`), and until then nothing is handed over that was not counted.
 *
 *     START --1..9--> COUNT --blank, then '<'--> BODY --last byte: frame--> START
 *       |               |                         \--limit: cut frame--> SKIP_BODY --last byte--> START
 *       |               +--anything else: the digits were text--> LINE
 *       +--other--> LINE --separator: frame--> START
 *       |             \--limit: cut frame--> SKIP_LINE --separator--> START
 *       +--LF, CR, NUL--> START
 *
 * A count is only taken as one when '<' follows it, or the mark of rsyslog's compression, or when the message before
 * it was counted: a line without PRI that begins with a number would otherwise swallow the start of the next, whose
 * rest would be read as a message of its own. No byte within a counted message ends it.
 *
 * Where LF ends messages, NUL is text, and the other way round. Should the first segment of a connection have misled
 * us, MISLEADING_SEGMENTS in a row that end with the other byte correct that. A sender that ends its messages with
 * nothing has one message in each segment (`segments.ts`).
 */
import { assert } from '../core/errors.ts';
import type { FrameHandler } from './frame.ts';
import { GrowingBuffer } from './growing-buffer.ts';
import { SegmentFramer } from './segments.ts';
import {
  beginsWithPriority,
  endingOf,
  guessSeparator,
  LF,
  NUL,
  type Separator,
  separatorOf,
} from './separator.ts';

/** More digits are no count but text; the largest count is then skipped, not kept, beyond the length limit. */
export const MAX_COUNT_DIGITS = 9;

/** Bytes that wait at most until it is known what ends a message. */
export const MAX_UNDECIDED_BYTES = 64 * 1024;

/** Segments in a row that show something else than what is believed to end messages, and none that shows that. */
export const MISLEADING_SEGMENTS = 3;

const CR = 13;
const BLANK = 32;
const LESS_THAN = 60;
/** What rsyslog puts before a compressed message, and the first byte of zlib's own header (RFC 1950). */
const COMPRESSED = 0x7a;
const ZLIB = 0x78;

type State = 'start' | 'count' | 'count-blank' | 'count-mark' | 'body' | 'skip-body' | 'line' | 'skip-line';

const COMPRESSED_MARK = Buffer.from([COMPRESSED]);

/** The framing of one connection. Give it every chunk in order, then `end`. */
export class Framer {
  readonly #maxMessageBytes: number;
  #state: State = 'start';
  /** COUNT: the number so far and its digits. BODY, SKIP_BODY: bytes that are still to come. */
  #count = 0;
  #digits = 0;
  #wasCounted = false;
  #separator: Separator = 'unknown';
  /** Segments in a row that ended with the byte that the separator is not. */
  #endings = 0;
  /** Segments in a row that began like a message while another one had no end. */
  #beginnings = 0;
  #lastChunkBytes = 0;
  #segments: SegmentFramer | null = null;
  /** The beginning of a message whose end has not arrived; all messages while the separator is unknown. */
  readonly #held = new GrowingBuffer();

  /** Longer messages are cut to `maxMessageBytes`. */
  constructor(maxMessageBytes: number) {
    assert(maxMessageBytes > MAX_COUNT_DIGITS, 'the length limit leaves room for the digits of a count');
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** What ends the messages that are not counted. */
  get separator(): Separator {
    return this.#separator;
  }

  /** Whether something is held back that a pause of the sender would explain: call `settle` after one. */
  get isWaiting(): boolean {
    if (this.#segments !== null) return this.#segments.isWaiting;
    return this.#separator === 'unknown' && this.#state === 'line' && this.#held.length > 0;
  }

  /** Takes the next bytes of the stream and hands over each message that they complete. */
  push(chunk: Buffer, handler: FrameHandler): void {
    if (chunk.length === 0) return;
    if (this.#segments === null && chunk[0] === LESS_THAN) this.#noteBeginning(chunk);
    this.#lastChunkBytes = chunk.length;
    if (this.#segments !== null) {
      this.#segments.push(chunk, this.#maxMessageBytes, handler);
      return;
    }
    this.#read(chunk, handler);
    this.#noteEnding(chunk, handler);
  }

  /** The sender has made a pause in which nobody's network would have held up the rest of a message. */
  settle(handler: FrameHandler): void {
    if (this.#segments === null && this.isWaiting) {
      const held = this.#held.bytes;
      const ending = endingOf(held);
      if (ending !== 'unknown') this.#decide(ending, handler);
      else if (beginsWithPriority(held) && !held.includes(LF) && !held.includes(NUL))
        this.#separateByNothing(SegmentFramer.of(held));
    }
    this.#segments?.settle(this.#maxMessageBytes, handler);
  }

  /**
   * The stream is over. A line without its terminator is whole when the sender closed the connection properly; whatever
   * else is left is handed over as cut.
   */
  end(isClosedBySender: boolean, handler: FrameHandler): void {
    if (this.#segments !== null) {
      this.#segments.end(isClosedBySender, this.#maxMessageBytes, handler);
      return;
    }
    if (this.#state === 'count' || this.#state === 'count-blank' || this.#state === 'count-mark')
      this.#turnCountIntoLine();
    if (this.#separator === 'unknown' && this.#state === 'line') this.#decideAtEnd(handler);
    const isLine = this.#state === 'line';
    let end = Math.min(this.#held.length, this.#maxMessageBytes);
    const isCut = !isLine || !isClosedBySender || this.#held.length > this.#maxMessageBytes;
    if (isLine && !isCut && this.#held.bytes[end - 1] === CR) end--;
    if (end > 0) handler(this.#held.bytes, 0, end, isCut);
    this.#state = 'start';
    this.#held.clear();
  }

  #read(chunk: Buffer, handler: FrameHandler): void {
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
          position = this.#checkCount(chunk, position);
          break;
        case 'count-mark':
          this.#checkMark(chunk[position]);
          break;
        case 'body':
          position = this.#readBody(chunk, position, handler);
          break;
        case 'line':
          position =
            this.#separator === 'unknown'
              ? this.#collect(chunk, position, handler)
              : this.#readLine(chunk, position, handler);
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

  #checkCount(chunk: Buffer, position: number): number {
    const byte = chunk[position];
    if (byte === LESS_THAN || this.#wasCounted) this.#beginBody();
    else if (byte === COMPRESSED && this.#count > 1) {
      this.#state = 'count-mark';
      return position + 1;
    } else this.#turnCountIntoLine();
    return position;
  }

  /** The byte behind the mark of a compressed message, which has been taken. */
  #checkMark(byte: number | undefined): void {
    if (byte !== ZLIB) {
      this.#turnCountIntoLine();
      return;
    }
    this.#beginBody();
    this.#held.append(COMPRESSED_MARK, 0, 1, this.#maxMessageBytes);
    this.#count--;
  }

  #beginBody(): void {
    this.#state = 'body';
    this.#wasCounted = true;
  }

  /** What has been read of a count begins a line. The digits have no leading zero, so the number gives them back. */
  #turnCountIntoLine(): void {
    const behind = this.#state === 'count' ? '' : this.#state === 'count-blank' ? ' ' : ' z';
    const text = Buffer.from(`${this.#count}${behind}`, 'latin1');
    this.#state = 'line';
    this.#held.append(text, 0, text.length, this.#maxMessageBytes + 1);
  }

  #readBody(chunk: Buffer, start: number, handler: FrameHandler): number {
    const available = chunk.length - start;
    if (this.#held.length === 0 && this.#count <= available && this.#count <= this.#maxMessageBytes) {
      this.#state = 'start';
      handler(chunk, start, start + this.#count, false);
      return start + this.#count;
    }
    const wanted = Math.min(this.#count, this.#maxMessageBytes - this.#held.length);
    const taken = Math.min(wanted, available);
    this.#held.append(chunk, start, start + taken, this.#maxMessageBytes);
    this.#count -= taken;
    if (taken === wanted) {
      const isCut = this.#count > 0;
      this.#state = isCut ? 'skip-body' : 'start';
      handler(this.#held.bytes, 0, this.#held.length, isCut);
      this.#held.clear();
    }
    return start + taken;
  }

  #skipBody(chunk: Buffer, start: number): number {
    const skipped = Math.min(this.#count, chunk.length - start);
    this.#count -= skipped;
    if (this.#count === 0) this.#state = 'start';
    return start + skipped;
  }

  /** The separator is unknown: keeps what comes until it is. */
  #collect(chunk: Buffer, start: number, handler: FrameHandler): number {
    const separator = separatorOf(chunk);
    const isTooMuch = this.#held.length + (chunk.length - start) > MAX_UNDECIDED_BYTES;
    if (separator === 'unknown' && !isTooMuch) {
      this.#held.append(chunk, start, chunk.length, MAX_UNDECIDED_BYTES);
      return chunk.length;
    }
    const guess = () => guessSeparator(this.#held.length > 0 ? this.#held.bytes : chunk.subarray(start));
    this.#decide(separator === 'unknown' ? guess() : separator, handler);
    return start;
  }

  /** From here on messages end with `separator`; reads what has waited for that. */
  #decide(separator: 'line-feed' | 'nul', handler: FrameHandler): void {
    this.#separator = separator;
    this.#endings = 0;
    this.#state = 'start';
    this.#read(this.#held.take(), handler);
  }

  /** Where a message has neither LF nor NUL at its end, what stands in it is text. */
  #decideAtEnd(handler: FrameHandler): void {
    const held = this.#held.bytes;
    if (endingOf(held) !== 'unknown' || !beginsWithPriority(held))
      this.#decide(guessSeparator(held), handler);
  }

  #separateByNothing(segments: SegmentFramer): void {
    this.#separator = 'none';
    this.#segments = segments;
    this.#held.clear();
  }

  /**
   * A chunk that begins like a message while another one has no end: the sender ends them with nothing. At once when it
   * has never ended one, after MISLEADING_SEGMENTS of them in a row otherwise.
   */
  #noteBeginning(chunk: Buffer): void {
    if (this.#state !== 'line' || this.#held.length === 0 || this.#wasCounted) return;
    const segments = SegmentFramer.after(this.#held.bytes, this.#lastChunkBytes, chunk);
    if (segments === null) return;
    this.#beginnings++;
    if (this.#separator === 'unknown' || this.#beginnings >= MISLEADING_SEGMENTS)
      this.#separateByNothing(segments);
  }

  /** Believes the ends of many segments more than that of the first one. */
  #noteEnding(chunk: Buffer, handler: FrameHandler): void {
    const ending = this.#wasCounted ? 'unknown' : separatorOf(chunk);
    if (ending === 'unknown') return;
    this.#beginnings = 0;
    this.#endings = ending === this.#separator ? 0 : this.#endings + 1;
    if (this.#endings < MISLEADING_SEGMENTS) return;
    // What has come of a line began in the middle of a message, or holds several: it is none.
    this.#held.clear();
    this.#decide(ending, handler);
  }

  #readLine(chunk: Buffer, start: number, handler: FrameHandler): number {
    const found = this.#findSeparator(chunk, start);
    const end = found < 0 ? chunk.length : found;
    const max = this.#maxMessageBytes;
    if (found >= 0 && this.#held.length === 0) {
      this.#state = 'start';
      this.#handOverLine(chunk, start, end, handler);
      return end + 1;
    }
    // One byte more than the limit is kept, since a CR in that place belongs to the terminator.
    const taken = Math.min(end, start + (max + 1 - this.#held.length));
    this.#held.append(chunk, start, taken, max + 1);
    if (taken < end) {
      this.#state = 'skip-line';
      handler(this.#held.bytes, 0, max, true);
      this.#held.clear();
      return taken;
    }
    if (found < 0) return end;
    this.#state = 'start';
    this.#handOverLine(this.#held.bytes, 0, this.#held.length, handler);
    this.#held.clear();
    return end + 1;
  }

  #handOverLine(bytes: Buffer, start: number, terminator: number, handler: FrameHandler): void {
    const end = terminator > start && bytes[terminator - 1] === CR ? terminator - 1 : terminator;
    const isCut = end - start > this.#maxMessageBytes;
    this.#wasCounted = false;
    handler(bytes, start, isCut ? start + this.#maxMessageBytes : end, isCut);
  }

  #skipLine(chunk: Buffer, start: number): number {
    const found = this.#findSeparator(chunk, start);
    if (found < 0) return chunk.length;
    this.#state = 'start';
    this.#wasCounted = false;
    return found + 1;
  }

  /** Where the line that goes on at `start` ends, or -1 when that has not arrived. */
  #findSeparator(chunk: Buffer, start: number): number {
    return chunk.indexOf(this.#separator === 'nul' ? NUL : LF, start);
  }
}
