/**
 * The state file: one SQLite database that one process has to itself. Everything here is synchronous and belongs in
 * the worker.
 *
 * - WAL and synchronous=FULL: a commit that returned is on the disk, and one that did not is not there at all.
 * - The exclusive lock is the kernel's, held by the process: kill -9 frees it, and nothing stale stays behind. It also
 *   keeps the WAL's index in memory, so that there is no third file.
 * - The WAL is moved into the file every 1,000 pages and cut back to WAL_LIMIT_BYTES. Pages that become free are used
 *   again, so the file stays as large as the most that it ever held; it is never shrunk, which would cost writes.
 */
import {
  chmodSync,
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { parseNetwork } from '../core/address/address.ts';
import { type BanLogPosition, formatPosition, parsePosition } from '../core/ledger/ban-log.ts';
import type { Ban, Cause } from '../core/ledger/decision.ts';
import type { FailureWindow, JailTotals, LedgerImage } from '../core/ledger/snapshot.ts';
import type { Microseconds } from '../core/time.ts';
import type { ChangeColumns, KeyColumns } from './columns.ts';
import { DamagedStateError, describeFailure, isDamage, isDamageOnReading } from './failures.ts';
import { APPLICATION_ID, MIGRATIONS, type Migration, migrate } from './schema.ts';

export type StateFileOptions = {
  readonly path: string;
  /** The file is full at this size. */
  readonly maxBytes: number;
  /** The schema; other than MIGRATIONS in tests only. */
  readonly migrations?: readonly Migration[];
};

export type StateContent = {
  readonly ledger: LedgerImage;
  readonly journalPosition: string | null;
  /** Null when none was stored, or when bans that were stored with it are left out. */
  readonly banLogPosition: BanLogPosition | null;
  /** Rows that make no sense (a word for an address, times out of order) and were left out. */
  readonly unusableRows: number;
};

/** How many damaged files are kept for a person to look at; the oldest is removed for a newer one. */
export const MAX_QUARANTINED_FILES = 3;

const PAGE_BYTES = 4_096;
const WAL_LIMIT_BYTES = 16 * 1_024 * 1_024;
const JOURNAL_SOURCE = 'journal';

const LAST_ORDINAL = `SELECT max(ordinal) AS ordinal
  FROM (SELECT ordinal FROM windows UNION ALL SELECT ordinal FROM bans)`;

/** What a Ban may say; a Record, so that the type checker misses none. */
const CAUSES: Readonly<Record<Cause, true>> = {
  offence: true,
  operator: true,
  restore: true,
  expiry: true,
  reload: true,
  eviction: true,
};

/**
 * Opens the file and reads it, making it and its directory where they are missing. A damaged file is renamed and a new
 * one begun; `quarantinedAs` is its new name then, else null. Throws OperationalError.
 */
export function openStateFile(options: StateFileOptions): {
  readonly file: StateFile;
  readonly content: StateContent;
  readonly quarantinedAs: string | null;
} {
  try {
    prepareFile(options.path);
    try {
      return { ...openAndRead(options), quarantinedAs: null };
    } catch (error) {
      if (!isDamage(error)) throw error;
      const quarantinedAs = quarantine(options.path);
      prepareFile(options.path);
      return { ...openAndRead(options), quarantinedAs };
    }
  } catch (error) {
    throw describeFailure(error, options.path) ?? error;
  }
}

function openAndRead(options: StateFileOptions): { file: StateFile; content: StateContent } {
  const file = new StateFile(options);
  try {
    return { file, content: file.read() };
  } catch (error) {
    file.close();
    throw error;
  }
}

export class StateFile {
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  readonly #path: string;
  readonly #inode: number;
  #ordinal = 0;

  /** Opens, checks and migrates a file that is there. Throws what SQLite says, and DamagedStateError. */
  constructor(options: StateFileOptions) {
    this.#path = options.path;
    this.#database = new DatabaseSync(options.path, { timeout: 0 });
    try {
      configure(this.#database, options.maxBytes);
      checkContent(this.#database);
      migrate(this.#database, options.migrations ?? MIGRATIONS);
      this.#statements = whileReading(() => prepareStatements(this.#database));
      this.#inode = statSync(options.path).ino;
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** Everything in the file, in the order of its writing. Throws what SQLite says, and DamagedStateError. */
  read(): StateContent {
    return whileReading(() => {
      const windows = this.#rows('SELECT * FROM windows ORDER BY ordinal').map(rowToWindow);
      const bans = this.#rows('SELECT * FROM bans ORDER BY ordinal').map(rowToBan);
      const totals = this.#rows('SELECT * FROM totals').map(rowToTotals);
      const position = this.#rows(`SELECT position FROM positions WHERE source = '${JOURNAL_SOURCE}'`)[0];
      const banLog = this.#rows('SELECT session, serial FROM ban_log')[0];
      this.#ordinal = Number(this.#rows(LAST_ORDINAL)[0]?.ordinal ?? 0);
      const ledger = { windows: windows.filter(isUsable), bans: bans.filter(isUsable), totals };
      return {
        ledger,
        journalPosition: position === undefined ? null : String(position.position),
        banLogPosition: bans.every(isUsable) ? rowToPosition(banLog) : null,
        unusableRows: windows.length - ledger.windows.length + bans.length - ledger.bans.length,
      };
    });
  }

  /** Stores all of it in one transaction, or throws what SQLite says, or DamagedStateError, with nothing stored. */
  commit(changes: ChangeColumns, journalPosition: string | null, { session, serial }: BanLogPosition): void {
    this.#checkPresence();
    const database = this.#database;
    database.exec('BEGIN IMMEDIATE');
    try {
      this.#remove(changes);
      this.#putWindows(changes);
      this.#putBans(changes);
      for (const { jail, failures, bans } of changes.totals)
        this.#statements.putTotals.run(jail, failures, bans);
      if (journalPosition !== null) this.#statements.putPosition.run(JOURNAL_SOURCE, journalPosition);
      this.#statements.putBanLog.run(session, serial);
      database.exec('COMMIT');
    } catch (error) {
      // Some errors end the transaction by themselves.
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }

  /** Moves the WAL into the file and gives up the lock. */
  close(): void {
    this.#database.close();
  }

  /** SQLite would go on writing to a file that somebody has removed, and nothing of it would be found again. */
  #checkPresence(): void {
    if (statSync(this.#path, { throwIfNoEntry: false })?.ino === this.#inode) return;
    throw new DamagedStateError('somebody has removed or replaced the file');
  }

  #remove({ rewritten, windowsGone, bansGone }: ChangeColumns): void {
    const { dropWindows, dropBans, dropTotals, dropWindow, dropBan } = this.#statements;
    for (const jail of rewritten) for (const drop of [dropWindows, dropBans, dropTotals]) drop.run(jail);
    removeKeys(dropWindow, windowsGone);
    removeKeys(dropBan, bansGone);
  }

  #putWindows({ windows }: ChangeColumns): void {
    let offset = windows.seenAt.byteOffset;
    for (const [row, offender] of windows.offenders.entries()) {
      const bytes = (windows.lengths[row] ?? 0) * Float64Array.BYTES_PER_ELEMENT;
      const seenAt = new Uint8Array(windows.seenAt.buffer, offset, bytes);
      this.#statements.putWindow.run(windows.jails[row] ?? '', offender, seenAt, ++this.#ordinal);
      offset += bytes;
    }
  }

  #putBans({ bans }: ChangeColumns): void {
    for (const [row, offender] of bans.offenders.entries()) {
      this.#statements.putBan.run(
        bans.jails[row] ?? '',
        offender,
        bans.since[row] ?? 0,
        bans.until[row] ?? 0,
        bans.causes[row] ?? '',
        bans.failures[row] ?? 0,
        ++this.#ordinal,
      );
    }
  }

  #rows(query: string): Record<string, unknown>[] {
    return this.#database.prepare(query).all();
  }
}

/** Runs what reads tables that a migration has made: a missing one is damage then, and no bug. */
function whileReading<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw isDamageOnReading(error) ? new DamagedStateError((error as Error).message) : error;
  }
}

type Statements = ReturnType<typeof prepareStatements>;

/** A window moves to the end when it is written again, as in the ledger; a ban keeps its place. */
function prepareStatements(database: DatabaseSync) {
  return {
    putWindow: database.prepare(
      `INSERT INTO windows (jail, offender, seen_at, ordinal) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET seen_at = excluded.seen_at, ordinal = excluded.ordinal`,
    ),
    putBan: database.prepare(
      `INSERT INTO bans (jail, offender, since, until, cause, failures, ordinal) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET since = excluded.since, until = excluded.until, cause = excluded.cause,
         failures = excluded.failures`,
    ),
    putTotals: database.prepare(
      `INSERT INTO totals (jail, failures, bans) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET failures = excluded.failures, bans = excluded.bans`,
    ),
    putPosition: database.prepare(
      `INSERT INTO positions (source, position) VALUES (?, ?)
       ON CONFLICT DO UPDATE SET position = excluded.position`,
    ),
    dropWindow: database.prepare('DELETE FROM windows WHERE jail = ? AND offender = ?'),
    dropBan: database.prepare('DELETE FROM bans WHERE jail = ? AND offender = ?'),
    putBanLog: database.prepare(
      `INSERT INTO ban_log (only, session, serial) VALUES (1, ?, ?)
       ON CONFLICT DO UPDATE SET session = excluded.session, serial = excluded.serial`,
    ),
    dropWindows: database.prepare('DELETE FROM windows WHERE jail = ?'),
    dropBans: database.prepare('DELETE FROM bans WHERE jail = ?'),
    dropTotals: database.prepare('DELETE FROM totals WHERE jail = ?'),
  };
}

function removeKeys(statement: StatementSync, keys: KeyColumns): void {
  for (const [row, offender] of keys.offenders.entries()) statement.run(keys.jails[row] ?? '', offender);
}

/** The lock has to be asked for before the first look at the file; the rest is of the connection, not of the file. */
function configure(database: DatabaseSync, maxBytes: number): void {
  database.exec(`PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 1000;
    PRAGMA journal_size_limit = ${WAL_LIMIT_BYTES};
    PRAGMA max_page_count = ${Math.max(1, Math.floor(maxBytes / PAGE_BYTES))};`);
}

/** Throws DamagedStateError for a database of another program, and for one whose pages do not fit together. */
function checkContent(database: DatabaseSync): void {
  const tables = database.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`).all();
  if (tables.length === 0) return;
  const id = database.prepare('PRAGMA application_id').get()?.application_id;
  if (id !== APPLICATION_ID || tables.every(({ name }) => name !== 'migrations')) {
    throw new DamagedStateError('it is a database of another program');
  }
  const verdict = String(database.prepare('PRAGMA quick_check(1)').get()?.quick_check);
  if (verdict !== 'ok') throw new DamagedStateError(verdict.replaceAll('\n', ' '));
}

/**
 * Makes the directory (0700) and an empty file (0600) where they are missing, and closes a file to others. An existing
 * file is not opened here: closing it again would free this process's locks on it (fcntl(2)).
 */
function prepareFile(path: string): void {
  makeDirectory(dirname(path), 0o700);
  try {
    closeSync(openSync(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const found = lstatSync(path);
    if (found.isFile() && (found.mode & 0o077) !== 0) chmodSync(path, 0o600);
  }
}

/** As mkdirSync with `recursive`, which never returns where the kernel makes no directories, as in /proc. */
function makeDirectory(path: string, mode: number): void {
  try {
    mkdirSync(path, mode);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    makeDirectory(dirname(path), 0o755);
    mkdirSync(path, mode);
  }
}

/** Renames the file and its WAL to the next free `NAME.damaged-N`; returns the new path. */
function quarantine(path: string): string {
  const prefix = `${basename(path)}.damaged-`;
  const numbers = readdirSync(dirname(path))
    .filter((name) => name.startsWith(prefix) && /^\d{1,9}$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((a, b) => a - b);
  const aside = join(dirname(path), `${prefix}${(numbers.at(-1) ?? 0) + 1}`);
  renameSync(path, aside);
  try {
    renameSync(`${path}-wal`, `${aside}-wal`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  for (const number of numbers.slice(0, Math.max(0, numbers.length + 1 - MAX_QUARANTINED_FILES))) {
    for (const suffix of ['', '-wal'])
      rmSync(join(dirname(path), `${prefix}${number}${suffix}`), { force: true });
  }
  return aside;
}

function rowToWindow(row: Record<string, unknown>): FailureWindow | null {
  const offender = readOffender(row);
  const seenAt = readInstants(row.seen_at);
  if (offender === null || seenAt === null) return null;
  return { jail: String(row.jail), offender, seenAt };
}

function rowToBan(row: Record<string, unknown>): Ban | null {
  const offender = readOffender(row);
  const cause = String(row.cause);
  const [since, until, failures] = [Number(row.since), Number(row.until), Number(row.failures)];
  const usable = offender !== null && isCause(cause) && since >= 0 && until >= 0 && failures >= 0;
  return usable ? { jail: String(row.jail), offender, since, until, cause, failures } : null;
}

function rowToTotals(row: Record<string, unknown>): JailTotals {
  return { jail: String(row.jail), failures: Number(row.failures), bans: Number(row.bans) };
}

/** Null for none, and for one that nobody can ask with. */
function rowToPosition(row: Record<string, unknown> | undefined): BanLogPosition | null {
  if (row === undefined) return null;
  return parsePosition(formatPosition({ session: String(row.session), serial: Number(row.serial) }));
}

/** Null for anything but the canonical text of an address or network. */
function readOffender(row: Record<string, unknown>): string | null {
  const text = String(row.offender);
  return parseNetwork(text) === text ? text : null;
}

/** Null for anything but one or more instants in ascending order. */
function readInstants(blob: unknown): Microseconds[] | null {
  if (!(blob instanceof Uint8Array)) return null;
  if (blob.length === 0 || blob.length % Float64Array.BYTES_PER_ELEMENT !== 0) return null;
  const instants = [...new Float64Array(Uint8Array.from(blob).buffer)];
  const ascending = instants.every(
    (at, index) => Number.isSafeInteger(at) && at >= (instants[index - 1] ?? 0),
  );
  return ascending ? instants : null;
}

function isCause(text: string): text is Cause {
  return Object.hasOwn(CAUSES, text);
}

function isUsable<Row>(row: Row | null): row is Row {
  return row !== null;
}
