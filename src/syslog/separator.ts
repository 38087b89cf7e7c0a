/**
 * What ends the messages of a sender that does not count their bytes (RFC 6587 section 3.4.2 leaves it open): LF, NUL,
 * or nothing at all. Each of these bytes can stand in the text of a client too, so none of them is believed for itself:
 * what counts is where the sender's writes end, which nobody decides who only has his text in a message.
 */
import { isDigit } from './header.ts';

export type Separator = 'line-feed' | 'nul' | 'none' | 'unknown';

/**
 * TCP cuts a longer write in pieces: 536 bytes is the least that a path must carry (RFC 9293 section 3.7.1). Where a
 * shorter segment ends, the sender's write has ended.
 */
export const SHORTEST_FULL_SEGMENT = 536;

export const LF = 10;
export const NUL = 0;
const LESS_THAN = 60;
const GREATER_THAN = 62;

/** What ends the messages of a sender of whom a chunk is so; `unknown` when that cannot be told from it. */
export function separatorOf(chunk: Buffer): 'line-feed' | 'nul' | 'unknown' {
  return chunk.length < SHORTEST_FULL_SEGMENT ? endingOf(chunk) : 'unknown';
}

/** What the bytes end with. */
export function endingOf(bytes: Buffer): 'line-feed' | 'nul' | 'unknown' {
  const last = bytes[bytes.length - 1];
  if (last === LF) return 'line-feed';
  return last === NUL ? 'nul' : 'unknown';
}

/**
 * What most likely ends messages of which only `bytes` are known, the first at their beginning. LF, as most senders
 * have it, unless it is NUL that other messages stand behind.
 */
export function guessSeparator(bytes: Buffer): 'line-feed' | 'nul' {
  const ending = endingOf(bytes);
  if (ending !== 'unknown') return ending;
  if (!bytes.includes(NUL)) return 'line-feed';
  return !bytes.includes(LF) || (isBeforeMessages(bytes, NUL) && !isBeforeMessages(bytes, LF))
    ? 'nul'
    : 'line-feed';
}

/** Whether bytes[start, end) begin with a PRI. */
export function beginsWithPriority(bytes: Buffer): boolean {
  if (bytes[0] !== LESS_THAN) return false;
  let position = 1;
  while (position < 4 && isDigit(bytes[position])) position++;
  return position > 1 && bytes[position] === GREATER_THAN;
}

function isBeforeMessages(bytes: Buffer, separator: number): boolean {
  for (let found = bytes.indexOf(separator); found >= 0; found = bytes.indexOf(separator, found + 1)) {
    if (found + 1 < bytes.length && bytes[found + 1] !== LESS_THAN) return false;
  }
  return true;
}
