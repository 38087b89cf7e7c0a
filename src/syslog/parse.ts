/**
 * From one message's bytes to a record: the PRI, then whichever format follows. Nothing is refused for its form,
 * nothing is thrown, and the work is linear in the length; a text that no format fits is the message, with no
 * identifier.
 */
import { type LogRecord, markCut, type SourceKind } from '../core/record.ts';
import type { Microseconds } from '../core/time.ts';
import { BLANK, createHeader, type Dialect, isDigit, resetHeader } from './header.ts';
import { mayBeRepeat } from './repeat.ts';
import { readRfc3164 } from './rfc3164.ts';
import { readRfc5424, skipByteOrderMark } from './rfc5424.ts';
import { StringCache } from './string-cache.ts';
import { createTimeReader } from './timestamp.ts';

/**
 * Where and when a message came in; who sent it as canonical text; over which connection, where there are some. A
 * source may reuse one object.
 */
export type Origin = { at: Microseconds; source: SourceKind; sender: string; connection?: number };

/**
 * Whether any rule may match the message that the UTF-8 in bytes[start, end) is, of a program of this identifier. Yes,
 * when that cannot be told from bytes.
 */
export type Prefilter = (identifier: string, bytes: Buffer, start: number, end: number) => boolean;

/** A message that has a header, and that the prefilter has left out. */
export type Skipped = 'skipped';

/**
 * Reads messages, one after the other; it holds what one of them needs, so that each costs no object but its record.
 */
export class SyslogParser {
  readonly #header = createHeader();
  readonly #time = createTimeReader();
  readonly #strings = new StringCache();
  /** Of the message read last. */
  #bytes: Buffer = EMPTY;
  #priority = -1;
  #textEnd = 0;
  #at: Microseconds = 0;

  /** How the last message was recognised. */
  get dialect(): Dialect {
    return this.#header.dialect;
  }

  /** As in the last message's record, had it become one. The bytes that it was read from must still be there. */
  get hostname(): string {
    return this.#strings.get(this.#bytes, this.#header.hostnameStart, this.#header.hostnameEnd);
  }

  /** As in the last message's record. */
  get timestamp(): Microseconds {
    return this.#header.timestamp;
  }

  /** As in the last message's record. */
  get at(): Microseconds {
    return this.#at;
  }

  /**
   * The record of the message in bytes[start, end): a whole datagram, or a frame, with the white space and NULs that
   * some clients end it with. Null when there is nothing but that. `isCut` says that the message went on behind `end`.
   *
   * Where `prefilter` is given, only what it lets through becomes a record. Of other messages the header is read, and nothing
   * decoded but the identifier: HEADER_COST instead of FULL_COST.
   */
  parse(bytes: Buffer, start: number, end: number, origin: Origin, isCut?: boolean): LogRecord | null;
  parse(
    bytes: Buffer,
    start: number,
    end: number,
    origin: Origin,
    isCut: boolean,
    prefilter: Prefilter | undefined,
  ): LogRecord | Skipped | null;
  parse(
    bytes: Buffer,
    start: number,
    end: number,
    origin: Origin,
    isCut = false,
    prefilter?: Prefilter,
  ): LogRecord | Skipped | null {
    if (!this.#scan(bytes, start, end, origin.at, isCut)) return null;
    const { identifierStart, identifierEnd, messageStart, dataStart, dataEnd } = this.#header;
    const identifier = this.#strings.get(bytes, identifierStart, identifierEnd);
    // A mark stands where a message was cut, so its bytes are not what it says.
    const mayMatch =
      prefilter === undefined ||
      isCut ||
      prefilter(identifier, bytes, messageStart, this.#textEnd) ||
      (dataEnd > dataStart && prefilter(identifier, bytes, dataStart, this.#textEnd)) ||
      mayBeRepeat(bytes, messageStart, this.#textEnd);
    return mayMatch ? this.#record(origin, identifier, isCut) : 'skipped';
  }

  /** Reads the header. False when the message is empty. */
  #scan(bytes: Buffer, start: number, end: number, at: Microseconds, isCut: boolean): boolean {
    const textEnd = isCut ? end : trimEnd(bytes, start, end);
    if (textEnd <= start) return false;
    const begin = skipCount(bytes, skipByteOrderMark(bytes, start, textEnd), textEnd, end);
    const priorityEnd = findPriorityEnd(bytes, begin, textEnd);
    this.#bytes = bytes;
    this.#textEnd = textEnd;
    this.#at = at;
    this.#priority = priorityEnd < 0 ? -1 : readPriority(bytes, begin, priorityEnd);
    this.#readHeader(bytes, priorityEnd < 0 ? begin : priorityEnd, textEnd, at, priorityEnd >= 0);
    return true;
  }

  #record(origin: Origin, identifier: string, isCut: boolean): LogRecord {
    const header = this.#header;
    const { dataStart, dataEnd } = header;
    const bytes = this.#bytes;
    const priority = this.#priority;
    const message = bytes.toString('utf8', header.messageStart, this.#textEnd);
    return {
      at: origin.at,
      source: origin.source,
      sender: origin.sender,
      hostname: this.hostname,
      identifier,
      pid: this.#strings.get(bytes, header.pidStart, header.pidEnd),
      facility: priority < 0 ? -1 : priority >> 3,
      severity: priority < 0 ? -1 : priority & 7,
      message: isCut ? markCut(message) : message,
      timestamp: header.timestamp,
      trusted: null,
      structuredData: dataEnd === dataStart ? '' : bytes.toString('utf8', dataStart, dataEnd),
      connection: origin.connection ?? 0,
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

const EMPTY = Buffer.alloc(0);
const LARGEST_PRIORITY = 191;

/**
 * Behind the MSG-LEN of octet counting (RFC 6587, 3.4.1), which some clients put before a message in a datagram, too;
 * `start` when there is none. It must be the length of all that follows, with or without the padding at its end, and
 * a PRI must follow.
 */
function skipCount(bytes: Buffer, start: number, textEnd: number, end: number): number {
  let position = start;
  let count = 0;
  while (position < start + MAX_COUNT_DIGITS && isDigit(bytes[position])) {
    count = count * 10 + (bytes[position] ?? 0) - 0x30;
    position++;
  }
  if (position === start || bytes[position] !== BLANK) return start;
  position++;
  const isLength = count >= textEnd - position && count <= end - position;
  return isLength && findPriorityEnd(bytes, position, textEnd) >= 0 ? position : start;
}

const MAX_COUNT_DIGITS = 5;

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
 * Before the white space and NULs that end the message, in any number: journald leaves them out of what it keeps
 * (WHITESPACE in its string-util.h), and a rule must match what came in either way. A LF or NUL that a relay has
 * escaped as `#012` or `#000` (rsyslog, escapeControlCharactersOnReceive) is one of them.
 */
function trimEnd(bytes: Buffer, start: number, end: number): number {
  let position = end;
  for (;;) {
    while (position > start && isPadding(bytes[position - 1])) position--;
    if (bytes[position - 4] !== NUMBER_SIGN || position - 4 < start) return position;
    const isEscaped = endsWith(bytes, position, ESCAPED_LINE_FEED) || endsWith(bytes, position, ESCAPED_NUL);
    if (!isEscaped) return position;
    position -= 4;
  }
}

function isPadding(byte: number | undefined): boolean {
  if (byte === undefined || byte > BLANK) return false;
  return byte === BLANK || byte === 0x0a || byte === 0x0d || byte === 0x00 || byte === 0x09;
}

const NUMBER_SIGN = 0x23;
const ESCAPED_LINE_FEED = Buffer.from('#012');
const ESCAPED_NUL = Buffer.from('#000');

function endsWith(bytes: Buffer, end: number, tail: Buffer): boolean {
  return bytes.compare(tail, 0, tail.length, end - tail.length, end) === 0;
}
