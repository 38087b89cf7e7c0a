/** Marks of vendors that have no place in RFC 3164: where its tag would be, or around it. */
import {
  BLANK,
  COLON,
  COMMA,
  type Header,
  HYPHEN,
  isDigit,
  isLowerCase,
  isUpperCase,
  MAX_HOSTNAME_BYTES,
  MAX_IDENTIFIER_BYTES,
  PERCENT,
} from './header.ts';

/**
 * Cisco's `%FACILITY-SEVERITY-MNEMONIC: ` (also `%FACILITY-SUBFACILITY-SEVERITY-MNEMONIC: `) becomes the identifier,
 * with its percent sign, and what follows the message. False, and nothing changed, when none is at `start`.
 */
export function readMnemonic(bytes: Buffer, start: number, end: number, header: Header): boolean {
  if (start >= end || bytes[start] !== PERCENT) return false;
  const limit = Math.min(end, start + MAX_IDENTIFIER_BYTES);
  let position = start + 1;
  let hasSeverity = false;
  while (position < limit && isMnemonicByte(bytes[position])) {
    if (bytes[position] === HYPHEN && isDigit(bytes[position + 1]) && bytes[position + 2] === HYPHEN)
      hasSeverity = true;
    position++;
  }
  if (!hasSeverity || position >= limit) return false;
  // IOS XR puts a blank before the colon.
  const colon = bytes[position] === BLANK ? position + 1 : position;
  if (colon >= limit || bytes[colon] !== COLON) return false;
  header.identifierStart = start;
  header.identifierEnd = position;
  header.pidStart = position;
  header.pidEnd = position;
  header.messageStart = colon + 1 < end && bytes[colon + 1] === BLANK ? colon + 2 : colon + 1;
  return true;
}

/**
 * Behind the place in the chassis that IOS XR puts right before its time, `RP/0/RSP0/CPU0:`; `start` when there is
 * none.
 */
export function skipLocation(bytes: Buffer, start: number, end: number): number {
  const limit = Math.min(end, start + MAX_HOSTNAME_BYTES);
  let slashes = 0;
  for (let position = start; position < limit; position++) {
    const byte = bytes[position];
    if (byte === COLON) return slashes > 0 ? position + 1 : start;
    if (byte === SLASH) slashes++;
    else if (!isUpperCase(byte) && !isDigit(byte)) return start;
  }
  return start;
}

/**
 * Behind the numbers that Cisco counts messages with, `45: 000123: ` or NX-OS's bare `: `; `start` when there are
 * none.
 */
export function skipSequence(bytes: Buffer, start: number, end: number): number {
  let position = start;
  for (let numbers = 0; numbers < MAX_SEQUENCE_NUMBERS; numbers++) {
    let next = position;
    while (next < end && next - position < MAX_SEQUENCE_DIGITS && isDigit(bytes[next])) next++;
    const isNumber = next > position || numbers === 0;
    if (!isNumber || next + 1 >= end || bytes[next] !== COLON || bytes[next + 1] !== BLANK) return position;
    position = next + 2;
  }
  return position;
}

/**
 * MikroTik's topics, `system,error,critical login failure ...` or with a colon behind them, become the identifier. They
 * always hold a severity, which tells them from prose. False, and nothing changed, when there are none.
 */
export function readTopics(bytes: Buffer, start: number, end: number, header: Header): boolean {
  const limit = Math.min(end, start + MAX_IDENTIFIER_BYTES);
  let hasSeverity = false;
  let wordStart = start;
  let position = start;
  for (; position < limit; position++) {
    const byte = bytes[position];
    if (isLowerCase(byte) || isDigit(byte) || byte === HYPHEN) continue;
    if (position === wordStart || (byte !== COMMA && wordStart === start)) return false;
    hasSeverity ||= isSeverity(bytes, wordStart, position);
    if (byte !== COMMA) break;
    wordStart = position + 1;
  }
  const mark = bytes[position];
  if (position >= limit || !hasSeverity || (mark !== BLANK && mark !== COLON)) return false;
  const afterMark = position + 1;
  header.identifierStart = start;
  header.identifierEnd = position;
  header.messageStart =
    mark === COLON && afterMark < end && bytes[afterMark] === BLANK ? afterMark + 1 : afterMark;
  return true;
}

/**
 * `CEF:0|...` or `LEEF:1.0|...` at `start`: the name becomes the identifier, and the message keeps all of it, since the
 * version belongs to the format. Null, and nothing changed, when it is neither.
 */
export function readEventFormat(
  bytes: Buffer,
  start: number,
  end: number,
  header: Header,
): 'cef' | 'leef' | null {
  const isLeef = bytes[start] === 0x4c;
  const nameEnd = isLeef ? start + 4 : start + 3;
  if (nameEnd + 1 >= end || bytes[nameEnd] !== COLON || !isDigit(bytes[nameEnd + 1])) return null;
  const name = isLeef ? LEEF : CEF;
  for (let index = 0; index < name.length; index++) {
    if (bytes[start + index] !== name[index]) return null;
  }
  header.identifierStart = start;
  header.identifierEnd = nameEnd;
  header.messageStart = start;
  return isLeef ? 'leef' : 'cef';
}

/**
 * Whether the word is a severity as syslog.conf(5) calls it, `info`, in capitals `INFO`, or one behind a facility,
 * `auth.info`: F5's BIG-IP and SONiC write it between host name and tag, as do busybox's syslogd in its files and
 * syslog-ng's $LEVEL.
 */
export function isLevel(bytes: Buffer, start: number, end: number): boolean {
  if (end - start > MAX_LEVEL_BYTES) return false;
  const word = bytes.toString('latin1', start, end);
  const dot = word.indexOf('.');
  if (dot > 0) return FACILITIES.has(word.slice(0, dot)) && LEVELS.has(word.slice(dot + 1));
  return LEVELS.has(word) || (LEVELS.has(word.toLowerCase()) && word === word.toUpperCase());
}

/**
 * Whether the word describes a UniFi device: parts between commas, one of which is its MAC address in twelve
 * hexadecimal digits. `U7PG2,788a2045c0de,v4.0.66:`, `("U7PG2,788a2045c0de,v4.0.66")`,
 * `788a2045c0de,UAP-AC-Pro-5.60.9:`.
 */
export function isUnifiDevice(bytes: Buffer, start: number, end: number): boolean {
  if (end - start > MAX_HOSTNAME_BYTES) return false;
  let commas = 0;
  let digits = 0;
  let hasMac = false;
  for (let position = start; position <= end; position++) {
    const byte = position < end ? bytes[position] : COMMA;
    if (byte === COMMA) {
      if (position < end) commas++;
      hasMac ||= digits === MAC_DIGITS;
      digits = 0;
    } else if (byte === undefined || byte <= BLANK || byte > 0x7e) return false;
    else digits = digits >= 0 && isHexDigit(byte) ? digits + 1 : -1;
  }
  return hasMac && commas > 0;
}

/** Whether the word is the number that ProCurve and Aruba switches give an event, `00419`. */
export function isEventNumber(bytes: Buffer, start: number, end: number): boolean {
  if (end - start !== EVENT_DIGITS) return false;
  for (let position = start; position < end; position++) if (!isDigit(bytes[position])) return false;
  return true;
}

/** Three is what IOS can write: its message count, its sequence number, and one more behind an origin-id. */
const MAX_SEQUENCE_NUMBERS = 3;
const MAX_SEQUENCE_DIGITS = 10;
const MAC_DIGITS = 12;
const EVENT_DIGITS = 5;
const SLASH = 0x2f;
const CEF = Buffer.from('CEF');
const LEEF = Buffer.from('LEEF');
/** RFC 5424, table 2, by the names of syslog.conf(5), with those that are deprecated there. */
const LEVELS: ReadonlySet<string> = new Set(
  'emerg panic alert crit err error warning warn notice info debug'.split(' '),
);
/** RFC 5424, table 1, by the same names. */
const FACILITIES: ReadonlySet<string> = new Set([
  ...'kern user mail daemon auth security syslog lpr news uucp cron authpriv ftp'.split(' '),
  ...Array.from({ length: 8 }, (_, number) => `local${number}`),
]);
/** `authpriv.warning` is the longest. */
const MAX_LEVEL_BYTES = 16;
const SEVERITIES = ['critical', 'error', 'warning', 'info', 'debug'].map((word) => Buffer.from(word));

function isSeverity(bytes: Buffer, start: number, end: number): boolean {
  for (const word of SEVERITIES) {
    if (word.length === end - start && bytes.compare(word, 0, word.length, start, end) === 0) return true;
  }
  return false;
}

function isMnemonicByte(byte: number | undefined): boolean {
  return isUpperCase(byte) || isLowerCase(byte) || isDigit(byte) || byte === HYPHEN || byte === 0x5f;
}

function isHexDigit(byte: number | undefined): boolean {
  return (
    isDigit(byte) ||
    (byte !== undefined && ((byte >= 0x61 && byte <= 0x66) || (byte >= 0x41 && byte <= 0x46)))
  );
}
