/**
 * RFC 3164 and what devices make of it: `<PRI>Mmm dd hh:mm:ss HOSTNAME TAG: text`, where any part may be missing or be
 * something else. The RFC describes what was seen on the wire and so does this; a text that fits nowhere is kept whole.
 */
import type { Microseconds } from '../core/time.ts';
import {
  BLANK,
  COLON,
  type Dialect,
  findBlank,
  type Header,
  HYPHEN,
  isDigit,
  MAX_HOSTNAME_BYTES,
  PERCENT,
} from './header.ts';
import { readTag } from './tag.ts';
import { readTime, type TimeReader } from './timestamp.ts';
import {
  isEventNumber,
  isLevel,
  isUnifiDevice,
  readEventFormat,
  readMnemonic,
  readTopics,
  skipLocation,
  skipSequence,
} from './vendor.ts';

/**
 * Reads the header at `start`, behind the PRI, into `header`, which is reset. It always succeeds: the dialect is `raw`
 * and the whole text the message where nothing is recognised.
 *
 * Without a time, a host name cannot be told from text, so only a tag is looked for; without a PRI too, not even that:
 * a bare line is all text, and its writer shall not choose which filters read it, unless it says with its first word
 * that it is CEF or LEEF.
 */
export function readRfc3164(
  bytes: Buffer,
  start: number,
  end: number,
  at: Microseconds,
  hasPriority: boolean,
  header: Header,
  time: TimeReader,
): void {
  if (!hasPriority) {
    readBareLine(bytes, start, end, at, header, time);
    return;
  }
  if (readCisco(bytes, start, end, at, header, time)) return;
  if (readTime(bytes, start, end, at, time)) {
    header.timestamp = time.timestamp;
    readAfterTime(bytes, skipBlank(bytes, time.end, end), end, header, time);
    return;
  }
  const isNilTime = bytes[start] === HYPHEN && bytes[start + 1] === BLANK && start + 2 < end;
  if (isNilTime) {
    readAfterNilTime(bytes, start + 2, end, header);
    return;
  }
  const dialect = readProgram(bytes, start, end, header);
  if (dialect !== null) header.dialect = dialect === 'rfc3164' ? 'no-time' : dialect;
}

/** A line as it stands in a file: a header only when time and tag are both there, or an event format without any. */
function readBareLine(
  bytes: Buffer,
  start: number,
  end: number,
  at: Microseconds,
  header: Header,
  time: TimeReader,
): void {
  const event = readEventFormat(bytes, start, end, header);
  if (event !== null) {
    header.dialect = event;
    return;
  }
  if (!readTime(bytes, start, end, at, time)) return;
  header.timestamp = time.timestamp;
  readAfterTime(bytes, skipBlank(bytes, time.end, end), end, header, time);
  header.dialect = header.identifierEnd > header.identifierStart ? 'no-pri' : 'raw';
  if (header.dialect === 'raw') {
    header.hostnameEnd = header.hostnameStart;
    header.messageStart = start;
  }
}

/**
 * Behind the time: `[HOSTNAME] TAG: text`. A word of nothing but letters, digits, `.`, `-` and `_` can only be the host
 * name, so nearly every message is spared the tests for all that else may stand here (35 of 230 ns a header).
 */
function readAfterTime(bytes: Buffer, start: number, end: number, header: Header, time: TimeReader): void {
  const plainEnd = skipPlainWord(bytes, start, end);
  if (plainEnd > start && bytes[plainEnd] === BLANK) {
    header.dialect = 'no-tag';
    readAfterHostname(bytes, start, plainEnd, end, header, time);
    return;
  }
  const wordEnd = findBlank(bytes, start, end);
  if (!isAddressWord(bytes, start, wordEnd)) {
    const dialect = readProgram(bytes, start, end, header);
    if (dialect !== null) {
      header.dialect = dialect === 'rfc3164' ? 'no-hostname' : dialect;
      return;
    }
  }
  header.messageStart = start;
  header.dialect = 'no-tag';
  if (isHostname(bytes, start, wordEnd)) readAfterHostname(bytes, start, wordEnd, end, header, time);
  else if (isUnifiDevice(bytes, start, wordEnd)) readUnifi(bytes, start, wordEnd, end, header);
}

/** The word [start, wordEnd) is the host name. */
function readAfterHostname(
  bytes: Buffer,
  start: number,
  wordEnd: number,
  end: number,
  header: Header,
  time: TimeReader,
): void {
  header.hostnameStart = start;
  header.hostnameEnd = wordEnd;
  const next = skipBlank(bytes, wordEnd, end);
  header.messageStart = next;
  // ASA closes its device id with ` : `, and OpenWrt's logd writes the colon of a program without a name.
  const isClosed = next + 2 < end && bytes[next] === COLON && bytes[next + 1] === BLANK;
  const dialect = readProgram(bytes, isClosed ? next + 2 : next, end, header);
  if (dialect !== null) {
    header.dialect = dialect === 'rfc3164' && time.form === 'iso' ? 'iso-time' : dialect;
    return;
  }
  readAfterDecoration(bytes, next, end, header);
}

/**
 * What some devices put between host name and tag: UniFi's access points their model and firmware, its consoles the
 * host name again, ProCurve the number of the event, BIG-IP and SONiC the severity.
 */
function readAfterDecoration(bytes: Buffer, start: number, end: number, header: Header): void {
  const { hostnameStart, hostnameEnd } = header;
  const wordEnd = findBlank(bytes, start, end);
  const next = skipBlank(bytes, wordEnd, end);
  if (isUnifiDevice(bytes, start, wordEnd)) {
    header.dialect = 'unifi';
    header.messageStart = next;
    readProgram(bytes, next, end, header);
    return;
  }
  if (isLevel(bytes, start, wordEnd)) {
    if (readTag(bytes, next, end, header)) header.dialect = 'rfc3164';
    return;
  }
  const isRepeated = bytes.compare(bytes, hostnameStart, hostnameEnd, start, wordEnd) === 0;
  if (!isRepeated && !isEventNumber(bytes, start, wordEnd)) return;
  const dialect = readProgram(bytes, next, end, header);
  if (dialect !== null) header.dialect = isRepeated ? 'unifi' : dialect;
}

/** UniFi's device description, `("U7PG2,788a2045c0de,v4.0.66")`, in place of the host name. */
function readUnifi(bytes: Buffer, start: number, wordEnd: number, end: number, header: Header): void {
  header.dialect = 'unifi';
  header.hostnameStart = start;
  header.hostnameEnd = bytes[wordEnd - 1] === COLON ? wordEnd - 1 : wordEnd;
  header.messageStart = skipBlank(bytes, wordEnd, end);
  readProgram(bytes, header.messageStart, end, header);
}

/** Behind a time of `-`: `HOSTNAME TAG: text` or `TAG: text`. */
function readAfterNilTime(bytes: Buffer, start: number, end: number, header: Header): void {
  const dialect = readProgram(bytes, start, end, header);
  if (dialect !== null) {
    header.dialect = dialect === 'rfc3164' ? 'no-time' : dialect;
    return;
  }
  const wordEnd = findBlank(bytes, start, end);
  if (!isHostname(bytes, start, wordEnd)) return;
  const afterHostname = readProgram(bytes, skipBlank(bytes, wordEnd, end), end, header);
  if (afterHostname === null) return;
  header.hostnameStart = start;
  header.hostnameEnd = wordEnd;
  header.dialect = afterHostname === 'rfc3164' ? 'no-time' : afterHostname;
}

/**
 * IOS and NX-OS: `45: 000123: *Nov 20 14:13:37.123 UTC: %SEC_LOGIN-4-LOGIN_FAILED: text`, with the numbers and the time
 * each optional, and an origin-id (`45: router1: `) possible. Only with the mnemonic behind it all is it taken as such.
 */
function readCisco(
  bytes: Buffer,
  start: number,
  end: number,
  at: Microseconds,
  header: Header,
  time: TimeReader,
): boolean {
  let position = skipSequence(bytes, start, end);
  if (position === start && bytes[position] !== PERCENT) return false;
  let hostnameStart = position;
  let hostnameEnd = position;
  let isTimed = readTime(bytes, position, end, at, time);
  if (!isTimed && bytes[position] !== PERCENT) {
    const wordEnd = findBlank(bytes, position, end);
    if (bytes[wordEnd - 1] === COLON && isHostname(bytes, position, wordEnd - 1)) {
      hostnameStart = position;
      hostnameEnd = isUptime(bytes, position, wordEnd - 1) ? position : wordEnd - 1;
      position = skipUptime(bytes, skipSequence(bytes, skipBlank(bytes, wordEnd, end), end), end);
      isTimed = readTime(bytes, position, end, at, time);
    }
  }
  if (isTimed) position = skipBlank(bytes, time.end, end);
  if (!readMnemonic(bytes, position, end, header)) return readIosXr(bytes, position, end, at, header, time);
  header.dialect = 'cisco';
  header.hostnameStart = hostnameStart;
  header.hostnameEnd = hostnameEnd;
  header.timestamp = isTimed ? time.timestamp : -1;
  return true;
}

/**
 * IOS XR behind its number: `[HOSTNAME ]RP/0/RSP0/CPU0:Nov 20 14:13:17 UTC: exec[65777]: %SECURITY-LOGIN-... : text`.
 * False, and nothing changed, when it is something else.
 */
function readIosXr(
  bytes: Buffer,
  start: number,
  end: number,
  at: Microseconds,
  header: Header,
  time: TimeReader,
): boolean {
  const wordEnd = findBlank(bytes, start, end);
  const isNamed = skipLocation(bytes, start, wordEnd) === start && isHostname(bytes, start, wordEnd);
  const location = isNamed ? skipBlank(bytes, wordEnd, end) : start;
  const timeStart = skipLocation(bytes, location, end);
  if (timeStart === location || !readTime(bytes, timeStart, end, at, time)) return false;
  let position = skipBlank(bytes, time.end, end);
  // The zone and the process.
  for (let words = 0; words < 2 && bytes[position] !== PERCENT; words++) {
    const next = findBlank(bytes, position, end);
    if (bytes[next - 1] !== COLON) return false;
    position = skipBlank(bytes, next, end);
  }
  if (!readMnemonic(bytes, position, end, header)) return false;
  header.dialect = 'cisco';
  header.hostnameStart = start;
  header.hostnameEnd = isNamed ? wordEnd : start;
  header.timestamp = time.timestamp;
  return true;
}

/** Reads what says who wrote the text, in any form but a host name; null, and nothing changed, when nothing does. */
function readProgram(bytes: Buffer, start: number, end: number, header: Header): Dialect | null {
  if (readMnemonic(bytes, start, end, header)) return 'cisco';
  const event = readEventFormat(bytes, start, end, header);
  if (event !== null) return event;
  if (readTag(bytes, start, end, header)) return 'rfc3164';
  return readTopics(bytes, start, end, header) ? 'routeros' : null;
}

/** Behind the plain word at `start`; `start` when it is longer than a host name. */
function skipPlainWord(bytes: Buffer, start: number, end: number): number {
  const limit = Math.min(end, start + MAX_HOSTNAME_BYTES + 1);
  let position = start;
  while (position < limit && HOSTNAME_BYTES[bytes[position] ?? 0] === PLAIN) position++;
  return position - start > MAX_HOSTNAME_BYTES || position === end ? start : position;
}

/** Whether the word may be a host name, an address, or what a relay makes of them (`source@host/relay`). */
function isHostname(bytes: Buffer, start: number, end: number): boolean {
  if (end === start || end - start > MAX_HOSTNAME_BYTES) return false;
  for (let position = start; position < end; position++) {
    if (HOSTNAME_BYTES[bytes[position] ?? 0] === 0) return false;
  }
  return bytes[end - 1] !== COLON || (bytes[end - 2] === COLON && isAddressWord(bytes, start, end));
}

/** Whether the word is an IPv6 or a MAC address, which would else pass for a tag and its text. */
function isAddressWord(bytes: Buffer, start: number, end: number): boolean {
  if (end - start > MAX_HOSTNAME_BYTES) return false;
  let colons = 0;
  for (let position = start; position < end; position++) {
    const byte = bytes[position] ?? 0;
    const letter = byte | 0x20;
    if (byte === COLON) colons++;
    else if (!isDigit(byte) && (letter < 0x61 || letter > 0x66)) return false;
  }
  return colons >= 2;
}

/** Behind the uptime and the colon that closes it; `start` when there is none. */
function skipUptime(bytes: Buffer, start: number, end: number): number {
  const wordEnd = findBlank(bytes, start, end);
  const isClosed = wordEnd > start && bytes[wordEnd - 1] === COLON;
  return isClosed && isUptime(bytes, start, wordEnd - 1) ? skipBlank(bytes, wordEnd, end) : start;
}

/** Whether the word is what IOS writes when it has no time, `00:01:46` or `3w2d`. */
function isUptime(bytes: Buffer, start: number, end: number): boolean {
  if (!isDigit(bytes[start])) return false;
  for (let position = start; position < end; position++) {
    if (!isDigit(bytes[position]) && !UPTIME_UNITS.includes(bytes[position] ?? 0)) return false;
  }
  return !isDigit(bytes[end - 1]) || bytes[start + 2] === COLON;
}

/** A blank that ends a part of the header, and such others as pad it. */
function skipBlank(bytes: Buffer, start: number, end: number): number {
  let position = start;
  while (position < end && bytes[position] === BLANK) position++;
  return position;
}

/** What each byte is in a host name: 0 where it cannot be, PLAIN, or one that stands in other things as well. */
const HOSTNAME_BYTES = new Uint8Array(256);
const PLAIN = 1;
const AMBIGUOUS = 2;
for (const byte of Buffer.from('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_')) {
  HOSTNAME_BYTES[byte] = PLAIN;
}
for (const byte of Buffer.from(':/@%')) HOSTNAME_BYTES[byte] = AMBIGUOUS;

const UPTIME_UNITS = Buffer.from('ywdhms:');
