/** The library that all of systemd's interfaces are in, and how its results become errors. */
import { constants } from 'node:os';
import type { LibraryHandle } from 'koffi';
import { OperationalError } from '../core/errors.ts';
import { type NativeLibrary, openLibrary } from './library.ts';

const SYSTEMD: NativeLibrary = {
  soname: 'libsystemd.so.0',
  debianPackage: 'libsystemd0',
  fedoraPackage: 'systemd-libs',
};

const ERRNO_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno).map(([name, value]) => [value, name]),
);

/** Errors that pass by themselves, or when the journal is opened again. */
const RETRIABLE = new Set([
  'EAGAIN',
  'EBADMSG',
  'EINTR',
  'EIO',
  'EMFILE',
  'ENFILE',
  'ENOENT',
  'ENOMEM',
  'ESTALE',
]);

let library: LibraryHandle | null = null;

/** Opens libsystemd when it is first needed. Throws OperationalError `library-missing`; a later call tries again. */
export function openSystemd(): LibraryHandle {
  library ??= openLibrary(SYSTEMD);
  return library;
}

/** Returns `result`, or throws what a negative one means: systemd's functions return -errno. */
export function checkResult(operation: string, result: number): number {
  if (result < 0) throw resultError(operation, result);
  return result;
}

/** The OperationalError of a negative result; its code is the name of the errno, such as `EACCES`. */
export function resultError(operation: string, result: number): OperationalError {
  const name = ERRNO_NAMES.get(-result) ?? `errno ${-result}`;
  return new OperationalError(`${operation}: ${name}`, { code: name, retriable: RETRIABLE.has(name) });
}
