/**
 * From one message's bytes to a record: the PRI, then whichever format follows. Nothing is refused for its form,
 * nothing is thrown, and the work is linear in the length; a text that no format fits is the message, with no
 * identifier.
 */
import { type LogRecord, markCut, type SourceKind } from '../core/record.ts';
import type { Microseconds } from '../core/time.ts';
import { BLANK, createHeader, type Dialect, isDigit, resetHeader } from './header.ts';
import { readRfc3164 } from './rfc3164.ts';
import { readRfc5424, skipByteOrderMark } from './rfc5424.ts';
import { StringCache } from './string-cache.ts';
import { createTimeReader } from './timestamp.ts';

/** Where and when a message came in; who sent it as canonical text. A source may reuse one object. */
export type Origin = { at: Microseconds; source: SourceKind; sender: string };

/**
 * Reads messages, one after the other; it holds what one of them needs, so that each costs no object but its record.
 */
export class SyslogParser {
  readonly #header = createHeader();
  readonly #time = createTimeReader();
  readonly #strings = new StringCache();

  /** How the last message was recognised. */
  get dialect(): Dialect {
    return this.#header.dialect;
  }

  /**
   * The record of the message in bytes[start, end): a whole datagram, or a frame, with the terminator that some clients
   * send in it. Null when there is nothing but that. `isCut` says that the message went on behind `end`.
   */
  parse(bytes: Buffer, start: number, end: number, origin: Origin, isCut = false): LogRecord | null {
    const textEnd = isCut ? end : trimTerminator(bytes, start, end);
    if (textEnd <= start) return null;
    const begin = skipByteOrderMark(bytes, start, textEnd);
    const priorityEnd = findPriorityEnd(bytes, begin, textEnd);
    const priority = priorityEnd < 0 ? -1 : readPriority(bytes, begin, priorityEnd);
    this.#readHeader(bytes, priorityEnd < 0 ? begin : priorityEnd, textEnd, origin.at, priorityEnd >= 0);
    const header = this.#header;
    const message = bytes.toString('utf8', header.messageStart, textEnd);
    return {
      at: origin.at,
      source: origin.source,
      sender: origin.sender,
      hostname: this.#strings.get(bytes, header.hostnameStart, header.hostnameEnd),
      identifier: this.#strings.get(bytes, header.identifierStart, header.identifierEnd),
      pid: this.#strings.get(bytes, header.pidStart, header.pidEnd),
      facility: priority < 0 ? -1 : priority >> 3,
      severity: priority < 0 ? -1 : priority & 7,
      message: isCut ? markCut(message) : message,
      timestamp: header.timestamp,
      trusted: null,
    };
  }

  #readHeader(bytes: Buffer, start: number, end: number, at: Microseconds, hasPriority: boolean): void {
    const header = this.#header;
    resetHeader(header, start);
    if (hasPriority && readRfc5424(bytes, start, end, header, this.#time)) return;
    let position = start;
    while (hasPriority && position < end && bytes[position] === BLANK) position++;
    // Some libraries mark the text they are given, which is all behind the PRI or all behind the tag.
    position = skipByteOrderMark(bytes, position, end);
    resetHeader(header, position);
    readRfc3164(bytes, position, end, at, hasPriority, header, this.#time);
    header.messageStart = skipByteOrderMark(bytes, header.messageStart, end);
  }
}

const LARGEST_PRIORITY = 191;

/** Behind `<`, one to three digits and `>` at `start`, or -1. */
function findPriorityEnd(bytes: Buffer, start: number, end: number): number {
  if (bytes[start] !== 0x3c) return -1;
  let position = start + 1;
  while (position < end && position < start + 4 && isDigit(bytes[position])) position++;
  return position > start + 1 && position < end && bytes[position] === 0x3e ? position + 1 : -1;
}

/** The number in the PRI, or -1 when it stands for no facility. */
function readPriority(bytes: Buffer, start: number, end: number): number {
  let priority = 0;
  for (let position = start + 1; position < end - 1; position++) {
    priority = priority * 10 + (bytes[position] ?? 0) - 0x30;
  }
  return priority > LARGEST_PRIORITY ? -1 : priority;
}

/**
 * Before the one LF, CR LF or NUL that may end the message, and one that a relay has escaped as `#012` or `#000`
 * (rsyslog, escapeControlCharactersOnReceive).
 */
function trimTerminator(bytes: Buffer, start: number, end: number): number {
  let position = end;
  if (position > start && bytes[position - 1] === 0x00) position--;
  if (position > start && bytes[position - 1] === 0x0a) position--;
  if (position > start && bytes[position - 1] === 0x0d) position--;
  if (bytes[position - 4] !== 0x23 || position - 4 < start) return position;
  const isEscaped = endsWith(bytes, position, ESCAPED_LINE_FEED) || endsWith(bytes, position, ESCAPED_NUL);
  return isEscaped ? position - 4 : position;
}

const ESCAPED_LINE_FEED = Buffer.from('#012');
const ESCAPED_NUL = Buffer.from('#000');

function endsWith(bytes: Buffer, end: number, tail: Buffer): boolean {
  return bytes.compare(tail, 0, tail.length, end - tail.length, end) === 0;
}
