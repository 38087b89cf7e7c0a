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
import { statSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { ChangeColumns, KeyColumns } from './columns.ts';
import { changesToColumns } from './columns.ts';
import { DamagedStateError, describeFailure, isDamage, isDamageOnReading } from './failures.ts';
import { prepareFile, quarantine } from './file-place.ts';
import {
  type Reading,
  type Row,
  readBan,
  readBanLog,
  readClock,
  readCount,
  readCursor,
  readTotals,
  readWindow,
} from './rows.ts';
import { type Salvage, salvage } from './salvage.ts';
import { APPLICATION_ID, JOURNAL_SOURCE, MIGRATIONS, type Migration, migrate, PAGE_BYTES } from './schema.ts';
import { SessionLog, type SessionText } from './session-log.ts';
import type { StatePoint, StoredState } from './store.ts';

export type StateFileOptions = {
  readonly path: string;
  /** The file is full at this size. */
  readonly maxBytes: number;
  /** The schema; other than MIGRATIONS in tests only. */
  readonly migrations?: readonly Migration[];
};

/** What was wrong with the file, and has been put right. */
export type Repair =
  /** It had nothing in it, not even what an empty state has. */
  | { readonly kind: 'empty' }
  | {
      readonly kind: 'damaged';
      readonly reason: string;
      /** Where the damaged file lies now. */
      readonly keptAs: string;
      /** What the new file has of it. */
      readonly bans: number;
      readonly windows: number;
      readonly hasCursor: boolean;
      /** Rows that made no sense, some of which are kept in part. */
      readonly unsound: number;
      /** Tables that could not be read to their ends. */
      readonly broken: readonly string[];
    };

export type OpenedState = {
  readonly file: StateFile;
  readonly content: StoredState;
  /** Null for a file that was sound, and for a new one. */
  readonly repair: Repair | null;
};

const WAL_LIMIT_BYTES = 16 * 1_024 * 1_024;
const LAST_ORDINAL = `SELECT max(ordinal) AS ordinal
  FROM (SELECT ordinal FROM windows UNION ALL SELECT ordinal FROM bans)`;

/**
 * Opens the file and reads it, making it and its directory where they are missing. A damaged file is renamed, and a new
 * one begun with what could be read of it. Throws OperationalError.
 */
export function openStateFile(options: StateFileOptions): OpenedState {
  try {
    const found = prepareFile(options.path);
    try {
      if (found === 'stub') throw new DamagedStateError('it is cut off');
      return { ...openAndRead(options), repair: found === 'empty' ? { kind: 'empty' } : null };
    } catch (error) {
      if (!isDamage(error)) throw error;
      return replace(options, (error as Error).message);
    }
  } catch (error) {
    throw describeFailure(error, options.path) ?? error;
  }
}

/** Sets the file aside, and begins another with what can be read of it. */
function replace(options: StateFileOptions, reason: string): OpenedState {
  const keptAs = quarantine(options.path);
  const saved = salvage(keptAs);
  prepareFile(options.path);
  const file = new StateFile(options);
  try {
    const content = file.begin(saved);
    const { bans, windows } = content.ledger;
    const { unsound, broken } = saved;
    const kept = { bans: bans.length, windows: windows.length, hasCursor: content.journalPosition !== null };
    return { file, content, repair: { kind: 'damaged', reason, keptAs, ...kept, unsound, broken } };
  } catch (error) {
    file.close();
    throw error;
  }
}

function openAndRead(options: StateFileOptions): { file: StateFile; content: StoredState } {
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
  readonly #sessionLog: SessionLog;
  #ordinal = 0;

  /** Opens, checks and migrates a file that is there. Throws what SQLite says, and DamagedStateError. */
  constructor(options: StateFileOptions) {
    this.#path = options.path;
    this.#database = new DatabaseSync(options.path, { timeout: 0 });
    try {
      whileReading(() => {
        configure(this.#database, options.maxBytes);
        checkContent(this.#database);
      });
      migrate(this.#database, options.migrations ?? MIGRATIONS);
      this.#statements = whileReading(() => prepareStatements(this.#database));
      this.#sessionLog = whileReading(() => new SessionLog(this.#database));
      this.#inode = statSync(options.path).ino;
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** Everything in the file, in the order of its writing. Throws what SQLite says, and DamagedStateError. */
  read(): StoredState {
    return whileReading(() => {
      const ledger = {
        windows: this.#values('SELECT * FROM windows ORDER BY ordinal', readWindow),
        bans: this.#values('SELECT * FROM bans ORDER BY ordinal', readBan),
        totals: this.#values('SELECT * FROM totals', readTotals),
      };
      const cursor = `SELECT position FROM positions WHERE source = '${JOURNAL_SOURCE}'`;
      const content = {
        ledger,
        journalPosition: this.#values(cursor, readCursor)[0] ?? null,
        banLogPosition: this.#values('SELECT session, serial FROM ban_log', readBanLog)[0] ?? null,
        clock: this.#values('SELECT at, boot, steady FROM clock', readClock)[0] ?? null,
      };
      const sessions = this.#sessionLog.read();
      if (sessions === null) throw new DamagedStateError('a row makes no sense');
      const ordinal = readCount(this.#database.prepare(LAST_ORDINAL).get()?.ordinal ?? 0);
      if (ordinal === null) throw new DamagedStateError('an ordinal is no number');
      this.#ordinal = ordinal;
      return { ...content, sessions };
    });
  }

  /** Puts what was saved of another file into this one, which is new, and returns it. */
  begin({ ledger, journalPosition, clock }: Salvage): StoredState {
    const { windows, bans, totals } = ledger;
    const changes = { windows, bans, totals, rewritten: [], windowsGone: [], bansGone: [] };
    this.#transact(() => {
      this.#putChanges(changesToColumns(changes));
      if (journalPosition !== null) this.#statements.putPosition.run(JOURNAL_SOURCE, journalPosition);
      if (clock !== null) this.#statements.putClock.run(clock.at, clock.boot, clock.steady);
    });
    return { ledger, journalPosition, clock, banLogPosition: null, sessions: [] };
  }

  /**
   * Stores all of it in one transaction, or throws what SQLite says, or DamagedStateError, with nothing stored. Returns
   * how many sessions made room for others.
   */
  commit(
    changes: ChangeColumns,
    { journalPosition, banLogPosition, clock }: Omit<StatePoint, 'sessions'>,
    sessions: SessionText | null,
  ): number {
    this.#checkPresence();
    this.#transact(() => {
      this.#putChanges(changes);
      if (journalPosition !== null) this.#statements.putPosition.run(JOURNAL_SOURCE, journalPosition);
      this.#statements.putBanLog.run(banLogPosition.session, banLogPosition.serial);
      this.#statements.putClock.run(clock.at, clock.boot, clock.steady);
      if (sessions !== null) this.#sessionLog.add(sessions);
    });
    return this.#sessionLog.settle();
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

  #transact(write: () => void): void {
    const database = this.#database;
    database.exec('BEGIN IMMEDIATE');
    try {
      write();
      database.exec('COMMIT');
    } catch (error) {
      // Some errors end the transaction by themselves.
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }

  #putChanges(changes: ChangeColumns): void {
    this.#remove(changes);
    this.#putWindows(changes);
    this.#putBans(changes);
    for (const { jail, failures, bans } of changes.totals)
      this.#statements.putTotals.run(jail, failures, bans);
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

  /** The values of the rows; throws DamagedStateError when one of them is not as this program writes it. */
  #values<Value>(query: string, read: (row: Row) => Reading<Value>): Value[] {
    return this.#database
      .prepare(query)
      .all()
      .map((row) => {
        const reading = read(row);
        if (reading?.isSound === true) return reading.value;
        throw new DamagedStateError('a row makes no sense');
      });
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
    putClock: database.prepare(
      `INSERT INTO clock (only, at, boot, steady) VALUES (1, ?, ?, ?)
       ON CONFLICT DO UPDATE SET at = excluded.at, boot = excluded.boot, steady = excluded.steady`,
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
