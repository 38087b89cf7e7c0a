/**
 * The time that a device writes in front of its messages, in the forms that are met in the wild. A time without a zone
 * is read as UTC and one without a year as the nearest to the arrival: nothing is decided by it.
 */
import type { Microseconds } from '../core/time.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../core/time.ts';
import { BLANK, COLON, COMMA, HYPHEN, isDigit, isUpperCase, PERCENT, PERIOD } from './header.ts';

/** The result of reading a time: how it was written, where it ended, and what it says (-1 for no such day). */
export type TimeReader = {
  form: 'iso' | 'bsd' | 'year-first';
  /** Behind the time and a zone that belongs to it; never more than the end of the message. */
  end: number;
  timestamp: Microseconds;
  /** The day that was read last, as a number, and its midnight: nearly every message has the same one. */
  day: number;
  midnight: Microseconds;
  /** As `day` and `midnight`, of a day without a year, and the day on which its message came, since 1970. */
  yearlessDay: number;
  nearest: Microseconds;
  today: number;
  /** The last `Mmm dd hh:mm:ss` as it was written, and what it said to who read it on that day. */
  readonly text: Uint8Array;
  textTimestamp: Microseconds;
  /** When that day began. */
  textMidnight: Microseconds;
};

export function createTimeReader(): TimeReader {
  return {
    form: 'bsd',
    end: 0,
    timestamp: -1,
    day: -1,
    midnight: -1,
    yearlessDay: -1,
    nearest: -1,
    today: -1,
    text: new Uint8Array(TEXT_BYTES),
    textTimestamp: -1,
    textMidnight: Number.NEGATIVE_INFINITY,
  };
}

/**
 * Reads a time at `start`, behind which a blank stands or nothing, into `reader`; false when there is none, and the
 * reader may hold anything then. Known are
 *
 *     2026-11-20T14:13:37.749843+00:00   RFC 3339; also with a blank for the T, a comma, +0000, or without zone
 *     Nov 20 14:13:37                    RFC 3164 section 4.1.2; also with a fraction
 *     Nov 20 2026 14:13:37               Cisco ASA
 *     Nov 20 14:13:37 2026               with the year behind, as asctime(3) has it
 *     *Nov 20 14:13:37.123 UTC           Cisco IOS: `*` not set, `.` not synchronised
 *     2026 Nov 20 14:13:37 UTC           Cisco NX-OS, HP
 */
export function readTime(
  bytes: Buffer,
  start: number,
  end: number,
  at: Microseconds,
  reader: TimeReader,
): boolean {
  if (!readAnyTime(bytes, start, end, at, reader)) return false;
  reader.end = skipClosingColon(bytes, reader.end, end);
  return reader.end === end || bytes[reader.end] === BLANK;
}

function readAnyTime(
  bytes: Buffer,
  start: number,
  end: number,
  at: Microseconds,
  reader: TimeReader,
): boolean {
  if (!isDigit(bytes[start])) return readBsdTime(bytes, start, end, at, -1, reader);
  const year = readDigits(bytes, start, 4, end);
  if (bytes[start + 4] === HYPHEN) return readIsoTime(bytes, start, end, reader);
  if (year < 0 || bytes[start + 4] !== BLANK) return false;
  return readBsdTime(bytes, start + 5, end, at, year, reader);
}

/** Reads an ISO 8601 time, as RFC 5424 section 6.2.3 has it but more generously, into `reader`; false when it is none,
 * whatever follows. */
export function readIsoTime(bytes: Buffer, start: number, end: number, reader: TimeReader): boolean {
  const year = readDigits(bytes, start, 4, end);
  const month = readPair(bytes, start + 5, end);
  const day = readPair(bytes, start + 8, end);
  if (year < 0 || month < 0 || day < 0) return false;
  if (bytes[start + 4] !== HYPHEN || bytes[start + 7] !== HYPHEN) return false;
  const separator = bytes[start + 10];
  if (separator !== 0x54 && separator !== 0x74 && separator !== BLANK) return false;
  const time = readClock(bytes, start + 11, end);
  if (time < 0) return false;
  const fractionEnd = skipFraction(bytes, start + 19, end);
  const fraction = readFraction(bytes, start + 19, fractionEnd);
  const offsetEnd = skipOffset(bytes, fractionEnd, end);
  const midnight = knownMidnight(year, month, day, reader);
  reader.form = 'iso';
  reader.end = offsetEnd;
  reader.timestamp =
    midnight < 0 ? -1 : Math.max(-1, midnight + time + fraction - readOffset(bytes, fractionEnd, offsetEnd));
  return true;
}

/** Reads `Mmm dd [yyyy] hh:mm:ss` and what may stand around it; `leadingYear` is the one in front of it, or -1. */
function readBsdTime(
  bytes: Buffer,
  start: number,
  end: number,
  at: Microseconds,
  leadingYear: number,
  reader: TimeReader,
): boolean {
  if (leadingYear < 0 && readSameTime(bytes, start, end, at, reader)) return true;
  const mark = bytes[start];
  let position = mark === 0x2a || mark === PERIOD ? start + 1 : start;
  const month = readMonth(bytes, position, end);
  if (month < 0 || bytes[position + 3] !== BLANK) return false;
  position += 4;
  if (bytes[position] === BLANK) position++;
  const dayDigits = isDigit(bytes[position + 1]) ? 2 : 1;
  const day = readDigits(bytes, position, dayDigits, end);
  position += dayDigits;
  if (day < 0 || bytes[position] !== BLANK) return false;
  position++;
  let year = leadingYear;
  if (year < 0 && bytes[position + 4] === BLANK) {
    year = readDigits(bytes, position, 4, end);
    if (year >= 0) position += 5;
  }
  const time = readClock(bytes, position, end);
  if (time < 0) return false;
  const secondsEnd = position + 8;
  position = skipFraction(bytes, secondsEnd, end);
  const fraction = readFraction(bytes, secondsEnd, position);
  if (year < 0 && isTrailingYear(bytes, position, end)) {
    year = readDigits(bytes, position + 1, 4, end);
    position += 5;
  }
  reader.form = leadingYear < 0 ? 'bsd' : 'year-first';
  reader.end = skipZoneName(bytes, position, end);
  const midnight =
    year < 0 ? nearestMidnight(month, day, at, reader) : knownMidnight(year, month, day, reader);
  reader.timestamp = midnight < 0 ? -1 : midnight + time + fraction;
  if (year < 0 && secondsEnd === position && secondsEnd === start + TEXT_BYTES) {
    for (let index = 0; index < TEXT_BYTES; index++) reader.text[index] = bytes[start + index] ?? 0;
    reader.textTimestamp = reader.timestamp;
    reader.textMidnight = dayOf(at) * DAY;
  }
  return true;
}

/**
 * Reads the time that was read last once more: most messages come within the second of the one before, and comparing
 * costs 20 of the 75 ns. False for any other, and for one that goes on with a fraction or a year.
 */
function readSameTime(
  bytes: Buffer,
  start: number,
  end: number,
  at: Microseconds,
  reader: TimeReader,
): boolean {
  const textEnd = start + TEXT_BYTES;
  const age = at - reader.textMidnight;
  if (textEnd > end || age < 0 || age >= DAY) return false;
  for (let index = TEXT_BYTES - 1; index >= 0; index--) {
    if (bytes[start + index] !== reader.text[index]) return false;
  }
  if (textEnd < end && bytes[textEnd] !== BLANK) return false;
  if (isTrailingYear(bytes, textEnd, end)) return false;
  reader.form = 'bsd';
  reader.end = skipZoneName(bytes, textEnd, end);
  reader.timestamp = reader.textTimestamp;
  return true;
}

/** `count` digits as a number, or -1. */
function readDigits(bytes: Buffer, start: number, count: number, end: number): number {
  if (start + count > end) return -1;
  let value = 0;
  for (let position = start; position < start + count; position++) {
    const digit = (bytes[position] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** Two digits as a number, or -1. */
function readPair(bytes: Buffer, start: number, end: number): number {
  if (start + 2 > end) return -1;
  const tens = (bytes[start] ?? 0) - 0x30;
  const ones = (bytes[start + 1] ?? 0) - 0x30;
  return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? -1 : tens * 10 + ones;
}

/** `hh:mm:ss` as a time of day, or -1. A leap second counts as the one after it. */
function readClock(bytes: Buffer, start: number, end: number): Microseconds {
  if (bytes[start + 2] !== COLON || bytes[start + 5] !== COLON) return -1;
  const hour = readPair(bytes, start, end);
  const minute = readPair(bytes, start + 3, end);
  const second = readPair(bytes, start + 6, end);
  if (hour < 0 || minute < 0 || second < 0 || hour > 23 || minute > 59 || second > 60) return -1;
  return hour * HOUR + minute * MINUTE + second * SECOND;
}

function skipFraction(bytes: Buffer, start: number, end: number): number {
  const mark = bytes[start];
  if (start + 1 >= end || (mark !== PERIOD && mark !== COMMA) || !isDigit(bytes[start + 1])) return start;
  let position = start + 1;
  while (position < end && isDigit(bytes[position])) position++;
  return position;
}

/** The fraction in [start, end), its mark included; digits beyond microseconds are dropped. */
function readFraction(bytes: Buffer, start: number, end: number): Microseconds {
  let value = 0;
  let unit = SECOND;
  for (let position = start + 1; position < end && unit > 1; position++) {
    unit /= 10;
    value += ((bytes[position] ?? 0) - 0x30) * unit;
  }
  return value;
}

/** Behind `Z`, `+hh:mm` or `+hhmm` at `start`; `start` when there is none. */
function skipOffset(bytes: Buffer, start: number, end: number): number {
  const mark = bytes[start];
  if (start >= end) return start;
  if (mark === 0x5a || mark === 0x7a) return start + 1;
  if ((mark !== PLUS && mark !== HYPHEN) || readDigits(bytes, start + 1, 2, end) < 0) return start;
  if (bytes[start + 3] === COLON && readDigits(bytes, start + 4, 2, end) >= 0) return start + 6;
  return readDigits(bytes, start + 3, 2, end) >= 0 ? start + 5 : start;
}

/** The offset in [start, end) as skipOffset has found it. */
function readOffset(bytes: Buffer, start: number, end: number): Microseconds {
  if (end - start < 5) return 0;
  const offset = readDigits(bytes, start + 1, 2, end) * HOUR + readDigits(bytes, end - 2, 2, end) * MINUTE;
  return bytes[start] === HYPHEN ? -offset : offset;
}

/** Whether ` yyyy` stands here and is a word; `2001:db8::7` is none. */
function isTrailingYear(bytes: Buffer, start: number, end: number): boolean {
  if (bytes[start] !== BLANK || readDigits(bytes, start + 1, 4, end) < FIRST_YEAR) return false;
  const wordEnd = skipClosingColon(bytes, start + 5, end);
  return wordEnd === end || bytes[wordEnd] === BLANK;
}

/**
 * Skips the name of a zone: UTC and GMT anywhere, others only where Cisco's mnemonic follows (`14:13:37 CET:
 * %SYS-5-...`), since a short word in capitals may as well be a host name or a tag.
 */
function skipZoneName(bytes: Buffer, start: number, end: number): number {
  if (start >= end || bytes[start] !== BLANK) return start;
  let position = start + 1;
  while (position < end && isUpperCase(bytes[position])) position++;
  const length = position - start - 1;
  if (length < 2 || length > MAX_ZONE_NAME_BYTES || !isWordEnd(bytes, position, end)) return start;
  const isColon = position + 2 < end && bytes[position] === COLON;
  if (isColon && bytes[position + 1] === BLANK && bytes[position + 2] === PERCENT) return position;
  const name = ((bytes[start + 1] ?? 0) << 16) | ((bytes[start + 2] ?? 0) << 8) | (bytes[start + 3] ?? 0);
  if (position < end && bytes[position] === COLON) return start;
  return length === 3 && (name === UTC || name === GMT) ? position : start;
}

/** Cisco closes the time with a colon. */
function skipClosingColon(bytes: Buffer, start: number, end: number): number {
  const isClosed = start + 1 < end && bytes[start] === COLON && bytes[start + 1] === BLANK;
  return isClosed ? start + 1 : start;
}

function isWordEnd(bytes: Buffer, position: number, end: number): boolean {
  return position === end || bytes[position] === BLANK || bytes[position] === COLON;
}

/** 1 to 12, or -1. Three letters, the first of them a capital. */
function readMonth(bytes: Buffer, start: number, end: number): number {
  if (start + 3 > end || !isUpperCase(bytes[start])) return -1;
  const name = ((bytes[start] ?? 0) << 16) | ((bytes[start + 1] ?? 0) << 8) | (bytes[start + 2] ?? 0);
  return MONTHS.indexOf(name) + 1 || -1;
}

/** Midnight (UTC) of a day, or -1 when there is no such day or it cannot be the time of a message. */
function midnightOf(year: number, month: number, day: number): Microseconds {
  if (year < FIRST_YEAR || year > LAST_YEAR || month < 1 || month > 12 || day < 1) return -1;
  const isLeapYear = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 && isLeapYear ? 29 : (DAYS_OF_MONTHS[month - 1] ?? 0);
  return day > days ? -1 : Date.UTC(year, month - 1, day) * 1_000;
}

/** As midnightOf, and remembered. */
function knownMidnight(year: number, month: number, day: number, reader: TimeReader): Microseconds {
  const key = (year * 100 + month) * 100 + day;
  if (key !== reader.day) {
    reader.midnight = midnightOf(year, month, day);
    reader.day = key;
  }
  return reader.midnight;
}

/** Midnight of a day in whichever year brings it nearest to the day of `at`, or -1 when there is no such day. */
function nearestMidnight(month: number, day: number, at: Microseconds, reader: TimeReader): Microseconds {
  const key = month * 100 + day;
  const today = dayOf(at);
  if (reader.yearlessDay !== key || reader.today !== today) {
    reader.yearlessDay = key;
    reader.today = today;
    reader.nearest = findNearest(month, day, today * DAY);
  }
  return reader.nearest;
}

function findNearest(month: number, day: number, at: Microseconds): Microseconds {
  const year = FIRST_YEAR + Math.floor(at / MEAN_YEAR);
  let nearest = midnightOf(year, month, day);
  if (nearest >= 0 && isNearest(nearest, at)) return nearest;
  for (let candidate = year - 1; candidate <= year + 1; candidate++) {
    const midnight = midnightOf(candidate, month, day);
    if (midnight < 0) continue;
    if (nearest < 0 || Math.abs(midnight - at) < Math.abs(nearest - at)) nearest = midnight;
  }
  return nearest;
}

/** Days since 1970. */
function dayOf(at: Microseconds): number {
  return Math.floor(at / DAY);
}

/** Whether no other year can bring the day nearer. */
function isNearest(midnight: Microseconds, at: Microseconds): boolean {
  return Math.abs(midnight - at) < MEAN_YEAR / 2 - 2 * DAY;
}

/** `Mmm dd hh:mm:ss` */
const TEXT_BYTES = 15;
const PLUS = 0x2b;
const FIRST_YEAR = 1970;
/** Far from where microseconds stop being exact in a double. */
const LAST_YEAR = 2199;
const MEAN_YEAR = 365.2425 * DAY;
const MAX_ZONE_NAME_BYTES = 5;
const DAYS_OF_MONTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const UTC = packed('UTC');
const GMT = packed('GMT');
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ').map(packed);

/** Three letters as one number. */
function packed(name: string): number {
  return (name.charCodeAt(0) << 16) | (name.charCodeAt(1) << 8) | name.charCodeAt(2);
}
