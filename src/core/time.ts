/**
 * Time as a value. Nothing in the pure layers reads a clock; whoever drives them passes `at`, in microseconds since
 * 1970 UTC, never decreasing. Microseconds are what journald stamps, and stay exact in a double until the year 2255.
 */

/** An instant (UTC) or a length of time, in microseconds. */
export type Microseconds = number;

export const MILLISECOND: Microseconds = 1_000;
export const SECOND: Microseconds = 1_000_000;
export const MINUTE: Microseconds = 60 * SECOND;
export const HOUR: Microseconds = 60 * MINUTE;
export const DAY: Microseconds = 24 * HOUR;
export const WEEK: Microseconds = 7 * DAY;

/** The deadline that never comes, and the length of a permanent ban. Ordered after every other instant. */
export const FOREVER: Microseconds = Number.MAX_SAFE_INTEGER;

/** The longest finite duration that is accepted: ten years. nftables stores a timeout in 64-bit milliseconds. */
export const MAX_DURATION: Microseconds = 3_650 * DAY;

/** What hands out the current time; the daemon has the only one that reads the machine's clock. */
export interface Clock {
  now(): Microseconds;
}

const UNITS: ReadonlyMap<string, Microseconds> = new Map([
  ['us', 1],
  ['ms', MILLISECOND],
  ['s', SECOND],
  ['m', MINUTE],
  ['h', HOUR],
  ['d', DAY],
  ['w', WEEK],
]);

const PART = /(\d{1,12})(us|ms|s|m|h|d|w)/y;

/**
 * Reads a duration as people write it: `90`, `"10m"`, `"1d12h"`; a bare number is in seconds. `-1` and `"forever"`
 * are permanent. Returns null for anything else, for zero, and for more than MAX_DURATION.
 */
export function parseDuration(value: string | number): Microseconds | null {
  if (typeof value === 'number') return secondsToDuration(value);
  const text = value.trim().toLowerCase();
  if (text === 'forever') return FOREVER;
  if (/^-?\d{1,12}$/.test(text)) return secondsToDuration(Number(text));
  let total = 0;
  PART.lastIndex = 0;
  while (PART.lastIndex < text.length) {
    const part = PART.exec(text);
    if (part === null) return null;
    total += Number(part[1]) * (UNITS.get(part[2] ?? '') ?? Number.NaN);
  }
  return total > 0 && total <= MAX_DURATION ? total : null;
}

function secondsToDuration(seconds: number): Microseconds | null {
  if (seconds === -1) return FOREVER;
  const duration = Math.round(seconds * SECOND);
  return duration > 0 && duration <= MAX_DURATION ? duration : null;
}

/** Writes a duration with its two largest units, as `1d12h`, `10m`, `4m30s` or `250ms`; FOREVER as `forever`. */
export function formatDuration(duration: Microseconds): string {
  if (duration >= FOREVER) return 'forever';
  if (duration < SECOND) return `${Math.max(0, Math.round(duration / MILLISECOND))}ms`;
  let rest = Math.round(duration / SECOND) * SECOND;
  const parts: string[] = [];
  for (const [unit, size] of [
    ['d', DAY],
    ['h', HOUR],
    ['m', MINUTE],
    ['s', SECOND],
  ] as const) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join('');
}

/** Writes an instant in RFC 3339 with milliseconds, UTC; FOREVER as `forever`. */
export function formatInstant(at: Microseconds): string {
  return at >= FOREVER ? 'forever' : new Date(at / MILLISECOND).toISOString();
}
