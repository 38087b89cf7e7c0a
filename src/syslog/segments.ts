/**
 * The framing of a sender that ends its messages with nothing (RFC 6587 forbids it; winston-syslog, pino-socket, and
 * Python's SysLogHandler without its NUL do it): each of its writes is a message, and mostly comes as a segment of its
 * own. One that begins with a PRI begins a message, but behind a segment so long that TCP may have cut a message there:
 * a client's text must not begin one. Two messages in one segment are one, since a PRI within may be a client's.
 */
import type { FrameHandler } from './frame.ts';
import { beginsWithPriority, SHORTEST_FULL_SEGMENT } from './separator.ts';

export class SegmentFramer {
  /** The message whose end has not been seen; empty when there is none. */
  #pending: Buffer;
  #lastBytes: number;

  private constructor(pending: Buffer, lastBytes: number) {
    this.#pending = Buffer.from(pending);
    this.#lastBytes = lastBytes;
  }

  /** Of a sender whose only message so far is `pending`, or the beginning of it. */
  static of(pending: Buffer): SegmentFramer {
    return new SegmentFramer(pending, pending.length);
  }

  /**
   * Of a sender that has sent `pending`, the last of it in a segment of `lastBytes`, and now sends `segment`; null when
   * that does not show that it ends its messages with nothing.
   */
  static after(pending: Buffer, lastBytes: number, segment: Buffer): SegmentFramer | null {
    if (lastBytes >= SHORTEST_FULL_SEGMENT) return null;
    if (!beginsWithPriority(segment)) return null;
    return beginsWithPriority(pending) ? new SegmentFramer(pending, lastBytes) : null;
  }

  get isWaiting(): boolean {
    return this.#pending.length > 0;
  }

  push(segment: Buffer, maxMessageBytes: number, handler: FrameHandler): void {
    const isBeginning = beginsWithPriority(segment);
    const isBehindFull = this.#lastBytes >= SHORTEST_FULL_SEGMENT;
    this.#lastBytes = segment.length;
    if (isBeginning) {
      this.#handOver(isBehindFull, maxMessageBytes, handler);
      this.#pending = isBehindFull ? EMPTY : Buffer.from(segment);
    } else if (this.#pending.length > 0) {
      const room = Math.max(0, maxMessageBytes + 1 - this.#pending.length);
      if (room > 0) this.#pending = Buffer.concat([this.#pending, segment.subarray(0, room)]);
    }
  }

  /** After a pause of the sender: what has come is all of its message. */
  settle(maxMessageBytes: number, handler: FrameHandler): void {
    this.#handOver(false, maxMessageBytes, handler);
  }

  /** The connection is over. */
  end(isClosedBySender: boolean, maxMessageBytes: number, handler: FrameHandler): void {
    this.#handOver(!isClosedBySender, maxMessageBytes, handler);
  }

  #handOver(isCut: boolean, maxMessageBytes: number, handler: FrameHandler): void {
    const pending = this.#pending;
    this.#pending = EMPTY;
    const end = Math.min(pending.length, maxMessageBytes);
    if (end > 0) handler(pending, 0, end, isCut || pending.length > end);
  }
}

const EMPTY = Buffer.alloc(0);
