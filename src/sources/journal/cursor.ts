/**
 * What a journal cursor says about its entry: `s=ID;i=SEQNUM;b=BOOT;m=MONOTONIC;t=REALTIME;x=HASH`, numbers in
 * hexadecimal. The text is opaque by contract (sd_journal_get_cursor(3)), so it is read only to tell how large a gap
 * is and where to go on when its entry is gone; every use works without it.
 */
import type { Microseconds } from '../../core/time.ts';

export type CursorParts = {
  /** Entries that journald numbered in one sequence share this. */
  readonly sequence: string;
  readonly number: number;
  readonly boot: string;
  readonly at: Microseconds;
};

/** Reads a cursor; null when it has no such parts. */
export function parseCursor(cursor: string): CursorParts | null {
  const parts = new Map(cursor.split(';').map((part) => [part.slice(0, 2), part.slice(2)]));
  const sequence = parts.get('s=') ?? '';
  const boot = parts.get('b=') ?? '';
  const number = hexadecimal(parts.get('i='));
  const at = hexadecimal(parts.get('t='));
  return sequence === '' || number === null || at === null ? null : { sequence, number, boot, at };
}

/** How many entries were lost between one cursor and a later one, or null when that can not be told. */
export function entriesBetween(before: string, after: string): number | null {
  const [first, second] = [parseCursor(before), parseCursor(after)];
  if (first === null || second === null || first.sequence !== second.sequence) return null;
  return second.number > first.number ? second.number - first.number - 1 : null;
}

function hexadecimal(text: string | undefined): number | null {
  const value = text !== undefined && /^[0-9a-f]{1,16}$/.test(text) ? Number.parseInt(text, 16) : Number.NaN;
  return Number.isSafeInteger(value) ? value : null;
}
