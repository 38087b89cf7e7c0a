/**
 * Sessions in the state file: each commit adds one text with those that have changed, and the oldest texts go. Nothing
 * has to be found again for that, which keeps the cost of a commit at one row, however many sessions there are.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { parseAddress } from '../core/address/address.ts';
import { type KeptSession, MAX_KEPT_SESSION_LENGTH, MAX_KEPT_SESSIONS } from '../core/kept-session.ts';
import { MINUTE, type Microseconds } from '../core/time.ts';
import { type Reading, type Row, readCount } from './rows.ts';

/** Sessions that change together, as they are stored. */
export type SessionText = {
  /** When the last of their lines came. */
  readonly latest: Microseconds;
  readonly count: number;
  readonly text: string;
};

/** Sessions whose last line came so much before the latest are over: longer than SESSION_TIME in match/session.ts. */
export const KEEPING_TIME: Microseconds = 5 * MINUTE;

/** Characters of all texts. */
export const MAX_TEXT_LENGTH = 8 * 1_024 * 1_024;

type Entry = {
  readonly ordinal: number;
  readonly latest: Microseconds;
  readonly count: number;
  readonly length: number;
};

/** Of the entries: where they begin, and what they come to from there. */
type Stand = { readonly first: number; readonly count: number; readonly length: number };

/** Entries that are gone and not cleared away yet. */
const MAX_GONE_ENTRIES = 1_024;

/** Lays out sessions for their way to the disk; null for none. The last MAX_KEPT_SESSIONS of them. */
export function sessionsToText(sessions: readonly KeptSession[]): SessionText | null {
  if (sessions.length === 0) return null;
  const kept = sessions.slice(-MAX_KEPT_SESSIONS);
  const latest = kept.reduce((last, { at }) => Math.max(last, at), 0);
  const rows = kept.map((one) => [
    one.filter,
    one.scope,
    one.key,
    one.at,
    one.address,
    one.user,
    one.marks,
    one.openRank,
    one.countedRank,
  ]);
  return { latest, count: kept.length, text: JSON.stringify(rows) };
}

export class SessionLog {
  readonly #put: StatementSync;
  readonly #drop: StatementSync;
  readonly #database: DatabaseSync;
  /** Oldest first; those before the stand's first are gone. */
  #entries: Entry[] = [];
  #stand: Stand = { first: 0, count: 0, length: 0 };
  #pending: { readonly entry: Entry; readonly stand: Stand; readonly dropped: number } | null = null;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#put = database.prepare('INSERT INTO sessions (ordinal, latest, count, text) VALUES (?, ?, ?, ?)');
    this.#drop = database.prepare('DELETE FROM sessions WHERE ordinal <= ?');
  }

  /** What is stored, each session as it was last; null when a row makes no sense. */
  read(): readonly KeptSession[] | null {
    const entries: Entry[] = [];
    const sessions = new Map<string, KeptSession>();
    for (const row of this.#database.prepare('SELECT * FROM sessions ORDER BY ordinal').all()) {
      const reading = readEntry(row);
      if (reading === null) return null;
      entries.push(reading.value.entry);
      for (const session of reading.value.sessions) {
        const name = JSON.stringify([session.filter, session.scope, session.key]);
        sessions.delete(name);
        sessions.set(name, session);
      }
    }
    this.#entries = entries;
    const sum = (part: 'count' | 'length') => entries.reduce((total, entry) => total + entry[part], 0);
    this.#stand = { first: 0, count: sum('count'), length: sum('length') };
    return [...sessions.values()];
  }

  /** Adds a text in the transaction under way, and drops what is too old or too much. */
  add({ latest, count: added, text }: SessionText): void {
    const last = this.#entries.at(-1);
    const entry = { ordinal: (last?.ordinal ?? 0) + 1, latest, count: added, length: text.length };
    this.#put.run(entry.ordinal, latest, added, text);
    let { first, count, length } = this.#stand;
    count += entry.count;
    length += entry.length;
    let dropped = 0;
    for (let old = this.#entries[first]; old !== undefined; old = this.#entries[first]) {
      const isOver = old.latest < latest - KEEPING_TIME;
      if (!isOver && count <= MAX_KEPT_SESSIONS && length <= MAX_TEXT_LENGTH) break;
      if (!isOver) dropped += old.count;
      count -= old.count;
      length -= old.length;
      first++;
    }
    const end = this.#entries[first - 1];
    if (end !== undefined && first > this.#stand.first) this.#drop.run(end.ordinal);
    this.#pending = { entry, stand: { first, count, length }, dropped };
  }

  /** The transaction has been committed; returns how many sessions made room that were not over. */
  settle(): number {
    if (this.#pending === null) return 0;
    const { entry, stand, dropped } = this.#pending;
    this.#pending = null;
    this.#entries.push(entry);
    this.#stand = stand;
    if (stand.first > MAX_GONE_ENTRIES) {
      this.#entries = this.#entries.slice(stand.first);
      this.#stand = { ...stand, first: 0 };
    }
    return dropped;
  }
}

function readEntry(row: Row): Reading<{ readonly entry: Entry; readonly sessions: readonly KeptSession[] }> {
  const [ordinal, latest, count] = [readCount(row.ordinal), readCount(row.latest), readCount(row.count)];
  if (ordinal === null || latest === null || count === null || typeof row.text !== 'string') return null;
  if (row.text.length > MAX_TEXT_LENGTH) return null;
  const sessions = readSessions(row.text);
  if (sessions === null || sessions.length !== count) return null;
  return { value: { entry: { ordinal, latest, count, length: row.text.length }, sessions }, isSound: true };
}

function readSessions(text: string): readonly KeptSession[] | null {
  let rows: unknown;
  try {
    rows = JSON.parse(text);
  } catch {
    return null;
  }
  if (!Array.isArray(rows) || rows.length > MAX_KEPT_SESSIONS) return null;
  const sessions = rows.map(readSession);
  return sessions.every((session) => session !== null) ? sessions : null;
}

function readSession(row: unknown): KeptSession | null {
  if (!Array.isArray(row) || row.length !== 9) return null;
  const [filter, scope, key, at, address, user, marks, openRank, countedRank] = row as unknown[];
  const texts = [filter, scope, key, address, user];
  const numbers = [at, marks, openRank, countedRank];
  if (!texts.every((text) => typeof text === 'string' && text.length <= MAX_KEPT_SESSION_LENGTH)) return null;
  if (!numbers.every((number) => readCount(number) !== null)) return null;
  if (address !== '' && parseAddress(`${address}`) !== address) return null;
  return { filter, scope, key, at, address, user, marks, openRank, countedRank } as KeptSession;
}
