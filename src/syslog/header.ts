/**
 * What a header says, as places in the bytes: the parsers of the formats fill one Header over and over, so that a
 * message costs no object but its record.
 */
import type { Microseconds } from '../core/time.ts';

/**
 * The shape that a message was recognised by. A closed list, so it can be counted by name:
 *
 * - `rfc5424`, `rfc3164`: as the RFCs have them
 * - `iso-time`: RFC 3164 with an ISO 8601 time, as rsyslog forwards by default between its own
 * - `no-hostname`: a time, then the tag (busybox, OpenWrt, FreeBSD and so pfSense)
 * - `no-time`: the tag alone (many libraries), or with a time of `-`
 * - `no-tag`: a time and a host name, then text
 * - `no-pri`: a line as in a file, with a time and a tag, but no PRI
 * - `cisco`: a sequence number or a `%FACILITY-SEVERITY-MNEMONIC` (IOS, XR, NX-OS, ASA)
 * - `routeros`: MikroTik's topics instead of a tag
 * - `unifi`: model, MAC and firmware of a UniFi device around the host name, or the host name twice
 * - `cef`, `leef`: ArcSight's and QRadar's event formats in place of the tag
 * - `raw`: none of these; the text is taken as it is
 */
export type Dialect =
  | 'rfc5424'
  | 'rfc3164'
  | 'iso-time'
  | 'no-hostname'
  | 'no-time'
  | 'no-tag'
  | 'no-pri'
  | 'cisco'
  | 'routeros'
  | 'unifi'
  | 'cef'
  | 'leef'
  | 'raw';

/** Longer claims are not believed to be what they stand in place of, and are left in the text. */
export const MAX_HOSTNAME_BYTES = 255;
export const MAX_IDENTIFIER_BYTES = 128;
export const MAX_PID_BYTES = 128;

/** Ranges in the bytes of the message, each empty (start equal to end) when the header lacks it. */
export type Header = {
  dialect: Dialect;
  timestamp: Microseconds;
  hostnameStart: number;
  hostnameEnd: number;
  identifierStart: number;
  identifierEnd: number;
  pidStart: number;
  pidEnd: number;
  messageStart: number;
  /** STRUCTURED-DATA with its brackets. */
  dataStart: number;
  dataEnd: number;
};

export function createHeader(): Header {
  return {
    dialect: 'raw',
    timestamp: -1,
    hostnameStart: 0,
    hostnameEnd: 0,
    identifierStart: 0,
    identifierEnd: 0,
    pidStart: 0,
    pidEnd: 0,
    messageStart: 0,
    dataStart: 0,
    dataEnd: 0,
  };
}

/** Makes it the header of a message without one, whose text begins at `messageStart`. */
export function resetHeader(header: Header, messageStart: number): void {
  header.dialect = 'raw';
  header.timestamp = -1;
  header.hostnameStart = 0;
  header.hostnameEnd = 0;
  header.identifierStart = 0;
  header.identifierEnd = 0;
  header.pidStart = 0;
  header.pidEnd = 0;
  header.messageStart = messageStart;
  header.dataStart = 0;
  header.dataEnd = 0;
}

/** Bytes that mean something in more than one of the formats. */
export const BLANK = 0x20;
export const HYPHEN = 0x2d;
export const PERIOD = 0x2e;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const PERCENT = 0x25;
export const LEFT_BRACKET = 0x5b;
export const RIGHT_BRACKET = 0x5d;

export function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

export function isUpperCase(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x41 && byte <= 0x5a;
}

export function isLowerCase(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x61 && byte <= 0x7a;
}

/** Where the word that begins at `start` ends: at the next blank, or at `end`. */
export function findBlank(bytes: Buffer, start: number, end: number): number {
  let position = start;
  while (position < end && bytes[position] !== BLANK) position++;
  return position;
}
