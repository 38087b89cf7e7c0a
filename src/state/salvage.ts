/**
 * What can still be read of a damaged state file. SQLite gives the rows in the order of their keys up to a page that is
 * damaged, and from the other end back to it; and where the first page is the damaged one, with the schema in it, that
 * of an empty file takes its place, since every file of ours is laid out alike.
 */
import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { ClockReading } from '../core/ledger/clock-reading.ts';
import { EMPTY_IMAGE, type LedgerImage } from '../core/ledger/snapshot.ts';
import {
  type Reading,
  type Row,
  readBan,
  readClock,
  readCount,
  readCursor,
  readTotals,
  readWindow,
} from './rows.ts';
import { JOURNAL_SOURCE, migrate, PAGE_BYTES } from './schema.ts';

export type Salvage = {
  /** In the order of its writing. */
  readonly ledger: LedgerImage;
  readonly journalPosition: string | null;
  readonly clock: ClockReading | null;
  /** Rows that made no sense; of a ban's, what does is kept. */
  readonly unsound: number;
  /** Tables that could not be read to their ends. */
  readonly broken: readonly string[];
};

const NOTHING: Salvage = {
  ledger: EMPTY_IMAGE,
  journalPosition: null,
  clock: null,
  unsound: 0,
  broken: ['windows', 'bans', 'totals', 'positions'],
};

/** How the copy is made that is tried to be read. */
type Attempt = { readonly withWal: boolean; readonly withNewFirstPage: boolean };

const ATTEMPTS: readonly Attempt[] = [
  { withWal: true, withNewFirstPage: false },
  { withWal: true, withNewFirstPage: true },
  { withWal: false, withNewFirstPage: true },
];

/** Reads what there is, and leaves the file as it is; nothing when there is no room for a copy. */
export function salvage(path: string): Salvage {
  const copy = `${path}.copy`;
  let best = NOTHING;
  for (const attempt of ATTEMPTS) {
    try {
      removeDatabase(copy);
      copyDatabase(path, copy, attempt);
      const found = readCopy(copy);
      if (worth(found) > worth(best)) best = found;
      if (best.broken.length === 0) break;
    } catch (error) {
      if (!isOfTheWorld(error)) throw error;
    } finally {
      removeDatabase(copy);
    }
  }
  return best;
}

/** Of two readings the one with more bans, then with more of the rest. */
function worth({ ledger, journalPosition, broken }: Salvage): number {
  const rest = ledger.windows.length + ledger.totals.length + (journalPosition === null ? 0 : 1);
  return ledger.bans.length * 2 ** 32 + rest * 8 - broken.length;
}

function copyDatabase(path: string, copy: string, { withWal, withNewFirstPage }: Attempt): void {
  copyFileSync(path, copy);
  if (withWal && existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${copy}-wal`);
  if (withNewFirstPage) writeFirstPage(copy);
}

/** Offsets in the header of the file (SQLite file format, section 1.3). */
const HEADER = { change: 24, pages: 28, freelist: 32, freePages: 36, versionValidFor: 92 } as const;

/** Writes the first page of an empty file of ours, for as many pages as there are. */
function writeFirstPage(copy: string): void {
  const page = firstPage(`${copy}.new`);
  const pages = Math.max(1, Math.floor(statSync(copy).size / PAGE_BYTES));
  page.writeUInt32BE(pages, HEADER.pages);
  page.writeUInt32BE(0, HEADER.freelist);
  page.writeUInt32BE(0, HEADER.freePages);
  page.writeUInt32BE(page.readUInt32BE(HEADER.change), HEADER.versionValidFor);
  const file = openSync(copy, 'r+');
  try {
    writeSync(file, page, 0, page.length, 0);
  } finally {
    closeSync(file);
  }
}

function firstPage(path: string): Buffer {
  removeDatabase(path);
  try {
    const database = new DatabaseSync(path);
    try {
      database.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA journal_mode = WAL`);
      migrate(database);
    } finally {
      database.close();
    }
    const page = Buffer.alloc(PAGE_BYTES);
    const file = openSync(path, 'r');
    readSync(file, page, 0, page.length, 0);
    closeSync(file);
    return page;
  } finally {
    removeDatabase(path);
  }
}

function readCopy(path: string): Salvage {
  const database = new DatabaseSync(path);
  try {
    database.exec(
      'PRAGMA locking_mode = EXCLUSIVE; PRAGMA trusted_schema = OFF; PRAGMA writable_schema = ON',
    );
    return readTables(new Tables(database));
  } finally {
    database.close();
  }
}

function readTables(tables: Tables): Salvage {
  const windows = tables.read('windows', ['jail', 'offender'], readWindow);
  const bans = tables.read('bans', ['jail', 'offender'], readBan);
  const totals = tables.read('totals', ['jail'], readTotals);
  const isJournal = (row: Row) => (row.source === JOURNAL_SOURCE ? readCursor(row) : null);
  const journalPosition = tables.read('positions', ['source'], isJournal)[0] ?? null;
  const { unsound, broken } = tables;
  const clock = tables.read('clock', ['only'], readClock)[0] ?? null;
  // Without a place in the journal its last entries are read again: what they have counted must not count twice.
  const ledger = { windows: journalPosition === null ? [] : windows, bans, totals };
  return { ledger, journalPosition, clock, unsound, broken };
}

class Tables {
  readonly #database: DatabaseSync;
  readonly broken: string[] = [];
  unsound = 0;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** What can be read, one value for each key, in the order of writing. */
  read<Value>(table: string, key: readonly string[], read: (row: Row) => Reading<Value>): Value[] {
    const found = new Map<string, { readonly value: Value; readonly ordinal: number }>();
    const take = (row: Row): void => {
      const reading = read(row);
      if (reading?.isSound !== true) this.unsound++;
      const name = JSON.stringify(key.map((column) => `${row[column]}`));
      if (reading !== null) found.set(name, { value: reading.value, ordinal: readCount(row.ordinal) ?? 0 });
    };
    const { unsound } = this;
    if (!this.#scan(`SELECT * FROM ${table} ORDER BY ${key.join(', ')}`, take)) {
      this.broken.push(table);
      this.#scan(`SELECT * FROM ${table} ORDER BY ${key.map((column) => `${column} DESC`).join(', ')}`, take);
      // Rows may have been seen from both ends.
      this.unsound = Math.max(unsound, this.unsound);
    }
    return [...found.values()].sort((one, other) => one.ordinal - other.ordinal).map(({ value }) => value);
  }

  /** Whether the rows could be read to the end. */
  #scan(query: string, take: (row: Row) => void): boolean {
    try {
      const statement = this.#database.prepare(query);
      statement.setReadBigInts(true);
      for (const row of statement.iterate()) take(row);
      return true;
    } catch (error) {
      if (!isOfTheWorld(error)) throw error;
      return false;
    }
  }
}

/** What SQLite says of a file, and the file system of a place. */
function isOfTheWorld(error: unknown): boolean {
  const { code, syscall } = error as NodeJS.ErrnoException;
  return (
    code === 'ERR_SQLITE_ERROR' || syscall !== undefined || (error as Error).name === 'DamagedStateError'
  );
}

function removeDatabase(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true });
}
