/**
 * The tables of the state file, as the list of steps that made them. A file remembers which steps it has had; opening
 * it takes the ones that follow. A step that has been released is never edited: a change of the schema is a new step.
 */
import type { DatabaseSync } from 'node:sqlite';
import { OperationalError } from '../core/errors.ts';
import { DamagedStateError, isDamageOnReading } from './failures.ts';

export type Migration = {
  /** For people who look into the file. */
  readonly name: string;
  readonly statements: string;
};

/** `application_id` of the file header (SQLite file format, section 1.3.15): the letters `bail`. */
export const APPLICATION_ID = 0x62_61_69_6c;

export const PAGE_BYTES = 4_096;

/** Whose position is in the table of positions. */
export const JOURNAL_SOURCE = 'journal';

/**
 * Version N of the schema is what the first N steps make.
 *
 * - seen_at: microseconds as 64-bit floats in the order of this machine's bytes, one for each unit of weight.
 * - ordinal: grows with every write; the order of windows and bans.
 * - ban_log: one row. A program that changed bans without it would make followers of the log diverge, which is why it
 *   is a step of its own, that earlier programs refuse.
 * - STRICT, so that a value of another type is an error here and not a surprise in the ledger.
 */
export const MIGRATIONS: readonly Migration[] = [
  {
    name: 'windows, bans, totals and positions',
    statements: `
      CREATE TABLE windows (
        jail TEXT NOT NULL,
        offender TEXT NOT NULL,
        seen_at BLOB NOT NULL,
        ordinal INTEGER NOT NULL,
        PRIMARY KEY (jail, offender)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE bans (
        jail TEXT NOT NULL,
        offender TEXT NOT NULL,
        since INTEGER NOT NULL,
        until INTEGER NOT NULL,
        cause TEXT NOT NULL,
        failures INTEGER NOT NULL,
        ordinal INTEGER NOT NULL,
        PRIMARY KEY (jail, offender)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE totals (
        jail TEXT NOT NULL PRIMARY KEY,
        failures INTEGER NOT NULL,
        bans INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE positions (
        source TEXT NOT NULL PRIMARY KEY,
        position TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;`,
  },
  {
    name: 'the position of the bans in the ban log',
    statements: `
      CREATE TABLE ban_log (
        only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
        session TEXT NOT NULL,
        serial INTEGER NOT NULL
      ) STRICT;`,
  },
  {
    name: 'what the clocks said at the last commit',
    statements: `
      CREATE TABLE clock (
        only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
        at INTEGER NOT NULL,
        boot TEXT NOT NULL,
        steady INTEGER NOT NULL
      ) STRICT;`,
  },
  {
    name: 'sessions of filters, as a log of what has changed with each commit',
    statements: `
      CREATE TABLE sessions (
        ordinal INTEGER NOT NULL PRIMARY KEY,
        latest INTEGER NOT NULL,
        count INTEGER NOT NULL,
        text TEXT NOT NULL
      ) STRICT;`,
  },
];

/**
 * Brings the file to the last of the versions, in one transaction, and returns the version that it had before (0 for
 * an empty file). Throws OperationalError `state-version`, with the file untouched, when it is of a later one.
 */
export function migrate(database: DatabaseSync, migrations: readonly Migration[] = MIGRATIONS): number {
  const version = versionOf(database, migrations);
  if (version > migrations.length) {
    throw new OperationalError(
      `cannot use the state in ${database.location()}: it is of version ${version}, and this bailiff knows versions up to ${migrations.length}`,
      {
        code: 'state-version',
        advice: 'install the newer bailiff again, or choose an empty directory with --state-dir',
      },
    );
  }
  if (version === migrations.length) return version;
  database.exec('BEGIN IMMEDIATE');
  try {
    if (version === 0) createVersionTable(database);
    const record = database.prepare('INSERT INTO migrations (version, name) VALUES (?, ?)');
    for (const [index, migration] of migrations.entries()) {
      if (index < version) continue;
      database.exec(migration.statements);
      record.run(index + 1, migration.name);
    }
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
  return version;
}

function createVersionTable(database: DatabaseSync): void {
  database.exec(`PRAGMA application_id = ${APPLICATION_ID};
    CREATE TABLE migrations (version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL) STRICT;`);
}

function readSteps(database: DatabaseSync) {
  try {
    return database.prepare('SELECT version, name FROM migrations ORDER BY version').all();
  } catch (error) {
    throw isDamageOnReading(error) ? new DamagedStateError((error as Error).message) : error;
  }
}

/** Throws DamagedStateError for a list of versions that no program can have written: a gap, or another name. */
function versionOf(database: DatabaseSync, migrations: readonly Migration[]): number {
  const table = database.prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migrations'`);
  if (table.get() === undefined) return 0;
  const steps = readSteps(database);
  for (const [index, { version, name }] of steps.entries()) {
    const known = migrations[index]?.name ?? name;
    if (version !== index + 1 || name !== known) throw new DamagedStateError('its versions have gaps');
  }
  return steps.length;
}
