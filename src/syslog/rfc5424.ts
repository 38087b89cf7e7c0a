/** RFC 5424: `<PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA [MSG]`, read from behind the PRI. */
import {
  BLANK,
  COLON,
  findBlank,
  type Header,
  HYPHEN,
  isDigit,
  LEFT_BRACKET,
  MAX_HOSTNAME_BYTES,
  MAX_IDENTIFIER_BYTES,
  MAX_PID_BYTES,
  RIGHT_BRACKET,
} from './header.ts';
import { readTag } from './tag.ts';
import { readIsoTime, type TimeReader } from './timestamp.ts';

/**
 * Reads the header at `start`, where VERSION stands, into `header`. False when it is no header of RFC 5424: the
 * version must be 1, the TIMESTAMP nil or a time, and HOSTNAME, APP-NAME (be it empty), PROCID and MSGID must be there,
 * in printable ASCII; all of it lets no mere text pass that begins with "1 ". The header may hold anything then.
 *
 * STRUCTURED-DATA that is missing or broken is left in the message: the fields before it were well formed.
 */
export function readRfc5424(
  bytes: Buffer,
  start: number,
  end: number,
  header: Header,
  time: TimeReader,
): boolean {
  if (bytes[start] !== 0x31 || bytes[start + 1] !== BLANK) return false;
  const hostnameStart = readTimestamp(bytes, start + 2, end, header, time);
  if (hostnameStart < 0) return false;
  const identifierStart = skipField(bytes, hostnameStart, end, MAX_HOSTNAME_BYTES);
  const pidStart = skipName(bytes, identifierStart, end);
  const messageIdStart = skipField(bytes, pidStart, end, MAX_PID_BYTES);
  const dataStart = skipField(bytes, messageIdStart, end, MAX_MESSAGE_ID_BYTES);
  if (dataStart < 0) return false;
  header.dialect = 'rfc5424';
  header.hostnameStart = hostnameStart;
  header.hostnameEnd = endOfField(bytes, hostnameStart, identifierStart);
  header.identifierStart = identifierStart;
  header.identifierEnd = endOfField(bytes, identifierStart, pidStart);
  header.pidStart = pidStart;
  header.pidEnd = endOfField(bytes, pidStart, messageIdStart);
  splitTag(bytes, header);
  readData(bytes, dataStart, end, header);
  // Who gives no APP-NAME may have put the tag of RFC 3164 where its text begins.
  if (header.identifierEnd === header.identifierStart) readTagOfText(bytes, end, header);
  return true;
}

const MAX_MESSAGE_ID_BYTES = 128;

/** The start of HOSTNAME, or -1. */
function readTimestamp(bytes: Buffer, start: number, end: number, header: Header, time: TimeReader): number {
  header.timestamp = -1;
  if (bytes[start] === HYPHEN && bytes[start + 1] === BLANK) return start + 2;
  if (!readIsoTime(bytes, start, end, time) || bytes[time.end] !== BLANK) return -1;
  header.timestamp = time.timestamp;
  return time.end + 1;
}

/**
 * Behind the field at `start` and its blank; -1 when it is empty, too long, not printable ASCII, or not ended by a
 * blank.
 */
function skipField(bytes: Buffer, start: number, end: number, maxBytes: number): number {
  if (start < 0) return -1;
  const limit = Math.min(end, start + maxBytes + 1);
  for (let position = start; position < limit; position++) {
    const byte = bytes[position] ?? 0;
    if (byte === BLANK) return position === start ? -1 : position + 1;
    if (byte < BLANK || byte > 0x7e) return -1;
  }
  return -1;
}

/**
 * As skipField for APP-NAME, which a program without a name leaves empty instead of nil. A PROCID must follow then, a
 * number or nil, or it is one blank too many in front of something else.
 */
function skipName(bytes: Buffer, start: number, end: number): number {
  if (start < 0 || bytes[start] !== BLANK) return skipField(bytes, start, end, MAX_IDENTIFIER_BYTES);
  const first = bytes[start + 1];
  return isDigit(first) || (first === HYPHEN && bytes[start + 2] === BLANK) ? start + 1 : -1;
}

/** The end of the field whose successor begins at `next`; empty for the nil value. */
function endOfField(bytes: Buffer, start: number, next: number): number {
  return next - start === 2 && bytes[start] === HYPHEN ? start : next - 1;
}

/** Some libraries put a whole tag, `name[pid]:`, where APP-NAME belongs; PROCID goes before the pid in it. */
function splitTag(bytes: Buffer, header: Header): void {
  const { identifierEnd, pidStart, pidEnd } = header;
  const last = bytes[identifierEnd - 1];
  if (last !== COLON && last !== RIGHT_BRACKET) return;
  if (!readTag(bytes, header.identifierStart, identifierEnd, header)) return;
  if (header.messageStart !== identifierEnd) header.identifierEnd = identifierEnd;
  else if (pidEnd === pidStart) return;
  header.pidStart = pidStart;
  header.pidEnd = pidEnd;
}

function readTagOfText(bytes: Buffer, end: number, header: Header): void {
  const { pidStart, pidEnd } = header;
  if (!readTag(bytes, header.messageStart, end, header) || header.pidEnd > header.pidStart) return;
  header.pidStart = pidStart;
  header.pidEnd = pidEnd;
}

/** The text begins behind STRUCTURED-DATA, its blank, one more that rsyslog writes, and a BOM. */
function readData(bytes: Buffer, dataStart: number, end: number, header: Header): void {
  header.messageStart = dataStart;
  const dataEnd = skipStructuredData(bytes, dataStart, end);
  if (dataEnd < 0) return;
  if (bytes[dataStart] === LEFT_BRACKET) {
    header.dataStart = dataStart;
    header.dataEnd = dataEnd;
  }
  let position = dataEnd;
  if (position < end && bytes[position] === BLANK) position++;
  if (position < end && bytes[position] === BLANK) position++;
  header.messageStart = skipByteOrderMark(bytes, position, end);
}

/**
 * Behind `-` or the last element at `start`; -1 when it is neither. A value may hold any byte, `"`, `\` and `]`
 * escaped.
 */
function skipStructuredData(bytes: Buffer, start: number, end: number): number {
  if (bytes[start] === HYPHEN && findBlank(bytes, start, end) === start + 1) return start + 1;
  let position = start;
  while (position < end && bytes[position] === LEFT_BRACKET) {
    position = skipElement(bytes, position + 1, end);
    if (position < 0) return -1;
  }
  return position > start && (position === end || bytes[position] === BLANK) ? position : -1;
}

/** Behind the bracket that closes the element whose SD-ID begins at `start`, or -1. */
function skipElement(bytes: Buffer, start: number, end: number): number {
  let isQuoted = false;
  for (let position = start; position < end; position++) {
    const byte = bytes[position];
    if (byte === 0x22) isQuoted = !isQuoted;
    else if (isQuoted && byte === 0x5c) position++;
    else if (!isQuoted && byte === RIGHT_BRACKET) return position > start ? position + 1 : -1;
  }
  return -1;
}

/** RFC 5424 section 6.4: a BOM says that the text is UTF-8, which it is taken for anyway. */
export function skipByteOrderMark(bytes: Buffer, start: number, end: number): number {
  const isMark =
    start + 3 <= end && bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf;
  return isMark ? start + 3 : start;
}
