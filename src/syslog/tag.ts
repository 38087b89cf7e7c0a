/**
 * The tag: which program wrote a message, with its process. The record is routed by it, so text that merely looks like
 * one must not become it: only the place where a header has its tag is ever looked at, once.
 */
import {
  BLANK,
  COLON,
  type Header,
  LEFT_BRACKET,
  MAX_IDENTIFIER_BYTES,
  MAX_PID_BYTES,
  RIGHT_BRACKET,
} from './header.ts';

/**
 * Reads `name:`, `name[pid]:` or `name[pid]` and ONE blank at `start` into the header's identifier, pid and message. A
 * name is printable ASCII with a letter in it and without the signs that prose and values are full of; paths are names
 * as well (`postfix/smtpd`, `/usr/sbin/cron`, `su(pam_unix)`, `%ASA-6-605004`), the parts of `http://` and `Some::Class`
 * are not. False, and nothing changed, when there is none.
 */
export function readTag(bytes: Buffer, start: number, end: number, header: Header): boolean {
  const nameEnd = skipName(bytes, start, end);
  if (nameEnd === start) return false;
  let position = nameEnd;
  let pidStart = nameEnd;
  let pidEnd = nameEnd;
  if (bytes[position] === LEFT_BRACKET) {
    pidStart = position + 1;
    pidEnd = findPidEnd(bytes, pidStart, end);
    if (pidEnd < 0) return false;
    position = pidEnd + 1;
  }
  const hasColon = position < end && bytes[position] === COLON;
  if (hasColon) {
    position++;
    if (position < end && (bytes[position] === COLON || bytes[position] === SLASH)) return false;
  } else if (pidStart === nameEnd || (position < end && bytes[position] !== BLANK)) return false;
  header.identifierStart = start;
  header.identifierEnd = nameEnd;
  header.pidStart = pidStart;
  header.pidEnd = pidEnd;
  header.messageStart = position < end && bytes[position] === BLANK ? position + 1 : position;
  return true;
}

/** Behind the name at `start`; `start` when there is none, or when the message ends within it. */
function skipName(bytes: Buffer, start: number, end: number): number {
  const limit = Math.min(end, start + MAX_IDENTIFIER_BYTES + 1);
  let hasLetter = false;
  for (let position = start; position < limit; position++) {
    const kind = NAME_BYTES[bytes[position] ?? 0];
    if (kind === OTHER) return hasLetter ? position : start;
    if (kind === LETTER) hasLetter = true;
  }
  return start;
}

/** Where the bracket is that closes the pid, or -1: a pid has no blank and no bracket. */
function findPidEnd(bytes: Buffer, start: number, end: number): number {
  const limit = Math.min(end, start + MAX_PID_BYTES + 1);
  for (let position = start; position < limit; position++) {
    const byte = bytes[position] ?? 0;
    if (byte === RIGHT_BRACKET) return position;
    if (byte <= BLANK || byte >= 0x7f || byte === LEFT_BRACKET) return -1;
  }
  return -1;
}

const SLASH = 0x2f;
const OTHER = 0;
const LETTER = 1;
const MARK = 2;

/** What each byte is in a name. */
const NAME_BYTES = new Uint8Array(256);
for (const letter of Buffer.from('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'))
  NAME_BYTES[letter] = LETTER;
for (const mark of Buffer.from('0123456789_-./%@+~#()')) NAME_BYTES[mark] = MARK;
