/**
 * Drop-ins: small files beside the configuration (`conf.d/NAME.toml`) that a command writes and takes away, so that
 * nobody's bailiff.toml is edited by a program. One that the configuration does not bear is taken back.
 */
import {
  chmodSync,
  closeSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { OperationalError } from '../../core/errors.ts';

/** The path of the drop-in of that name, which holds nothing but a-z, 0-9, - and _. */
export function dropInPath(configPath: string, name: string): string {
  return join(dirname(resolve(configPath)), 'conf.d', `${name}.toml`);
}

/**
 * Writes a new drop-in, whole or not at all: it is written under a name that is not read and then given its own. Throws
 * OperationalError `EEXIST` when there is one, or the system's code.
 */
export function writeDropIn(path: string, text: string): void {
  put(path, text, linkSync);
}

/** As writeDropIn, in place of the one that is there: whatever fails, that one stays. */
export function replaceDropIn(path: string, text: string): void {
  put(path, text, renameSync);
}

function put(path: string, text: string, giveName: (unread: string, path: string) => void): void {
  const unread = join(dirname(path), `.${process.pid}.new`);
  try {
    makeDirectory(dirname(path));
    try {
      writeThrough(unread, text);
      giveName(unread, path);
    } finally {
      // Where even that fails nothing was written, and the first error says why.
      if (existsSync(unread)) rmSync(unread, { force: true });
    }
    syncDirectory(dirname(path));
  } catch (cause) {
    throw describe(`cannot write ${path}`, cause as NodeJS.ErrnoException);
  }
}

/** The text of a drop-in; null when there is none. Throws OperationalError with the system's code. */
export function readDropIn(path: string): string | null {
  try {
    return existsSync(path) ? readFileSync(path, 'utf8') : null;
  } catch (cause) {
    throw describe(`cannot read ${path}`, cause as NodeJS.ErrnoException);
  }
}

/** Takes a drop-in away. Throws OperationalError with the system's code. */
export function removeDropIn(path: string): void {
  try {
    rmSync(path);
    syncDirectory(dirname(path));
  } catch (cause) {
    throw describe(`cannot remove ${path}`, cause as NodeJS.ErrnoException);
  }
}

/** Whoever the daemon runs as must be able to read it, whatever the umask here is. */
function makeDirectory(path: string): void {
  // A file of that name is told of by what is then to be opened in it.
  if (existsSync(path)) return;
  if (mkdirSync(path, { recursive: true }) !== undefined) chmodSync(path, 0o755);
}

function writeThrough(path: string, text: string): void {
  rmSync(path, { force: true });
  const descriptor = openSync(path, 'wx', 0o644);
  try {
    writeFileSync(descriptor, text);
    fchmodSync(descriptor, 0o644);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The name of a file is on the disk when its directory is. */
function syncDirectory(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['EEXIST', 'it is there already'],
  ['ENOTDIR', 'a part of its path is not a directory'],
  ['EACCES', 'not allowed'],
  ['EPERM', 'not allowed'],
  ['EROFS', 'the file system is read-only'],
  ['ENOSPC', 'the disk is full'],
]);

function describe(deed: string, cause: NodeJS.ErrnoException): OperationalError {
  const code = cause.code ?? 'drop-in';
  const isForbidden = code === 'EACCES' || code === 'EPERM';
  return new OperationalError(`${deed}: ${REASONS.get(code) ?? cause.message}`, {
    code,
    advice: isForbidden ? 'use sudo' : '',
    cause,
  });
}
