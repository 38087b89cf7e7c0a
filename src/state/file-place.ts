/** Where the state file lies: made for its owner alone, and set aside when it is damaged. */
import {
  chmodSync,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { makeDirectory } from '../native/make-directory.ts';
import { PAGE_BYTES } from './schema.ts';

/** Damaged files that are kept for whoever looks into them; the oldest goes. */
export const MAX_QUARANTINED_FILES = 3;

/**
 * What was found where the file should be: one, none, one of no length, or less than the first page of one, which
 * SQLite would take for none.
 */
export type Found = 'file' | 'nothing' | 'empty' | 'stub';

/**
 * Makes the directory (0700) and an empty file (0600) where they are missing, and closes a file to others. An existing
 * file is not opened here: closing it again would free this process's locks on it (fcntl(2)).
 */
export function prepareFile(path: string): Found {
  makeDirectory(dirname(path), 0o700);
  try {
    closeSync(openSync(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600));
    return 'nothing';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const found = lstatSync(path);
    if (found.isFile() && (found.mode & 0o077) !== 0) chmodSync(path, 0o600);
    if (!found.isFile() || found.size >= PAGE_BYTES) return 'file';
    const wal = statSync(`${path}-wal`, { throwIfNoEntry: false });
    return found.size === 0 && (wal?.size ?? 0) === 0 ? 'empty' : 'stub';
  }
}

/** Renames the file and its WAL to the next free `NAME.damaged-N`; returns the new path. */
export function quarantine(path: string): string {
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
