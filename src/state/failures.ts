/** What SQLite and the file system say, as the errors and advice that a person can act on. */
import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { OperationalError } from '../core/errors.ts';

/** The content of the file is not what this program has written: it has to be set aside. */
export class DamagedStateError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DamagedStateError';
  }
}

/** Primary result codes, https://sqlite.org/rescode.html; the low byte of what node:sqlite calls `errcode`. */
const SQLITE = {
  ERROR: 1,
  PERM: 3,
  BUSY: 5,
  READONLY: 8,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  CANTOPEN: 14,
  NOTADB: 26,
} as const;

/** Whether an error of SQLite says that the file is damaged. */
export function isDamage(error: unknown): boolean {
  const code = resultCode(error);
  return error instanceof DamagedStateError || code === SQLITE.CORRUPT || code === SQLITE.NOTADB;
}

/**
 * The same for an error while reading tables that a migration has made: one that is missing, or a number beyond 2^53,
 * is damage too.
 */
export function isDamageOnReading(error: unknown): boolean {
  if (isDamage(error) || resultCode(error) === SQLITE.ERROR) return true;
  return (error as NodeJS.ErrnoException).code === 'ERR_OUT_OF_RANGE';
}

/** The OperationalError for an error of SQLite or of the file system about the file; null when it is a bug. */
export function describeFailure(error: unknown, path: string): OperationalError | null {
  if (error instanceof OperationalError) return error;
  if (!(error instanceof Error)) return null;
  const code = resultCode(error);
  const systemCode = (error as NodeJS.ErrnoException).code ?? '';
  if (code === SQLITE.BUSY) return describeLock(error, path);
  if (isDamage(error)) {
    return failure(error, `the state in ${path} is damaged`, {
      code: 'state-damaged',
      advice: 'a new file is begun; look for what removes it, and for a failing disk with: journalctl -k',
      retriable: true,
    });
  }
  if (code === SQLITE.FULL || systemCode === 'ENOSPC' || systemCode === 'EDQUOT') {
    return failure(error, `cannot write the state to ${path}`, {
      code: 'state-full',
      advice: `free space there: df -h ${dirname(path)}`,
      retriable: true,
    });
  }
  if (code === SQLITE.IOERR || systemCode === 'EIO') {
    return failure(error, `cannot read or write the state in ${path}`, {
      code: 'state-io',
      advice: 'look for a failing disk with: journalctl -k',
      retriable: true,
    });
  }
  const denied = code === SQLITE.CANTOPEN || code === SQLITE.READONLY || code === SQLITE.PERM;
  if (!denied && (error as NodeJS.ErrnoException).syscall === undefined) return null;
  return failure(error, `cannot use ${path} for the state`, {
    code: 'state-unwritable',
    advice: `run as the owner of ${dirname(path)}, or choose a directory that can be written with --state-dir`,
    retriable: false,
  });
}

type FailureOptions = { readonly code: string; readonly advice: string; readonly retriable: boolean };

function failure(cause: Error, what: string, options: FailureOptions): OperationalError {
  return new OperationalError(`${what}: ${cause.message}`, { ...options, cause });
}

function describeLock(error: Error, path: string): OperationalError {
  const holder = lockHolder(path);
  const process = holder === null ? 'another process' : `process ${holder}`;
  return new OperationalError(`cannot use the state in ${path}: ${process} has it open`, {
    code: 'state-locked',
    advice: 'stop the other bailiff (systemctl stop bailiff), or choose another directory with --state-dir',
    cause: error,
  });
}

/**
 * The process that holds a lock on the file, from /proc/locks (proc_locks(5)): it tells by inode and cannot go stale as
 * a file with a number in it would. Null when it does not say, or the process is in another PID namespace.
 */
function lockHolder(path: string): number | null {
  try {
    const { ino } = statSync(path);
    for (const line of readFileSync('/proc/locks', 'latin1').split('\n')) {
      const [, , , access, holder, file] = line.trim().split(/\s+/);
      if (access === 'WRITE' && file?.endsWith(`:${ino}`) && Number(holder) > 0) return Number(holder);
    }
  } catch {
    return null;
  }
  return null;
}

function resultCode(error: unknown): number {
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  return code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? errcode & 0xff : 0;
}
