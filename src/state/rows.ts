/**
 * The rows of the tables as values. Every one is read as if an enemy had written it: a failing disk, a hand that
 * slipped or another program may have. A ban is kept as long as it says who is banned and until when; what else of it
 * makes no sense is as with a ban that was found in the kernel.
 */
import { parseNetwork } from '../core/address/address.ts';
import { type BanLogPosition, formatPosition, parsePosition } from '../core/ledger/ban-log.ts';
import { type ClockReading, MAX_BOOT_LENGTH } from '../core/ledger/clock-reading.ts';
import { type Ban, type Cause, RESTORED_JAIL } from '../core/ledger/decision.ts';
import type { FailureWindow, JailTotals } from '../core/ledger/snapshot.ts';
import { NAME } from '../core/text/name.ts';
import { FOREVER, MAX_DURATION, type Microseconds } from '../core/time.ts';

/** As SQLite gives it: of any columns, with values of any type. */
export type Row = Readonly<Record<string, unknown>>;

/** A value, and whether its row was as this program writes them; null for a row of which nothing can be used. */
export type Reading<Value> = { readonly value: Value; readonly isSound: boolean } | null;

/** What a Ban may say; a Record, so that the type checker misses none. */
const CAUSES: Readonly<Record<Cause, true>> = {
  offence: true,
  operator: true,
  restore: true,
  expiry: true,
  reload: true,
  eviction: true,
};

/** The longest cursor of a journal, with room. */
const MAX_CURSOR_LENGTH = 1_024;

/** Instants of one window: as many as the largest max_retry is far. */
const MAX_INSTANTS = 100_000;

export function readWindow(row: Row): Reading<FailureWindow> {
  const offender = readOffender(row.offender);
  const jail = readJail(row.jail);
  const seenAt = readInstants(row.seen_at);
  if (offender === null || jail === null || seenAt === null) return null;
  return { value: { jail, offender, seenAt }, isSound: true };
}

export function readBan(row: Row): Reading<Ban> {
  const offender = readOffender(row.offender);
  const until = readCount(row.until);
  if (offender === null || until === null) return null;
  const jail = readJail(row.jail);
  const cause = readCause(row.cause);
  const since = readCount(row.since);
  const failures = readCount(row.failures);
  const isSound = jail !== null && cause !== null && since !== null && failures !== null;
  // An extension keeps the beginning of the ban that it extends.
  if (until < FOREVER && until - (since ?? until) > 2 * MAX_DURATION) return null;
  const value = {
    jail: jail ?? RESTORED_JAIL,
    offender,
    since: since ?? Math.max(0, until - MAX_DURATION),
    until,
    cause: cause ?? 'restore',
    failures: failures ?? 0,
  };
  return { value, isSound };
}

export function readTotals(row: Row): Reading<JailTotals> {
  const jail = readJail(row.jail);
  const [failures, bans] = [readCount(row.failures), readCount(row.bans)];
  if (jail === null || failures === null || bans === null) return null;
  return { value: { jail, failures, bans }, isSound: true };
}

export function readCursor(row: Row): Reading<string> {
  const { position } = row;
  if (typeof position !== 'string' || position.length > MAX_CURSOR_LENGTH) return null;
  return /^[\x20-\x7e]+$/.test(position) ? { value: position, isSound: true } : null;
}

export function readBanLog(row: Row): Reading<BanLogPosition> {
  const serial = readCount(row.serial);
  if (serial === null || typeof row.session !== 'string') return null;
  const value = parsePosition(formatPosition({ session: row.session, serial }));
  return value === null ? null : { value, isSound: true };
}

export function readClock(row: Row): Reading<ClockReading> {
  const { boot } = row;
  const [at, steady] = [readCount(row.at), readCount(row.steady)];
  if (at === null || steady === null || typeof boot !== 'string' || boot.length > MAX_BOOT_LENGTH)
    return null;
  return { value: { at, boot, steady }, isSound: true };
}

/** Null for anything but a whole number from 0 on that a double holds exactly. */
export function readCount(value: unknown): number | null {
  const number = typeof value === 'bigint' ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : null;
}

/** Null for anything but the canonical text of an address or network. */
function readOffender(value: unknown): string | null {
  return typeof value === 'string' && parseNetwork(value) === value ? value : null;
}

function readJail(value: unknown): string | null {
  return typeof value === 'string' && NAME.test(value) ? value : null;
}

function readCause(value: unknown): Cause | null {
  return typeof value === 'string' && Object.hasOwn(CAUSES, value) ? (value as Cause) : null;
}

/** Null for anything but one or more instants in ascending order. */
function readInstants(blob: unknown): Microseconds[] | null {
  if (!(blob instanceof Uint8Array)) return null;
  const size = Float64Array.BYTES_PER_ELEMENT;
  if (blob.length === 0 || blob.length % size !== 0 || blob.length > MAX_INSTANTS * size) return null;
  const instants = [...new Float64Array(Uint8Array.from(blob).buffer)];
  const ascending = instants.every(
    (at, index) => Number.isSafeInteger(at) && at >= (instants[index - 1] ?? 0),
  );
  return ascending ? instants : null;
}
