/** Writing files that not everybody may read: never for a moment wider than they end up, and whole or not at all. */
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { OperationalError } from '../core/errors.ts';

/** The mode, and the group that the file is given; null for that of whoever writes it. */
export type FileAccess = { readonly mode: number; readonly group: number | null };

export const PRIVATE: FileAccess = { mode: 0o600, group: null };
export const PUBLIC: FileAccess = { mode: 0o644, group: null };

/** For its owner, and to be read by a group. */
export function readableBy(group: number): FileAccess {
  return { mode: 0o640, group };
}

/** The number of a group of this machine (group(5)), or null. */
export function findGroup(name: string, file = '/etc/group'): number | null {
  try {
    const line = readFileSync(file, 'utf8')
      .split('\n')
      .find((text) => text.startsWith(`${name}:`));
    const number = line?.split(':')[2] ?? '';
    return /^\d+$/.test(number) ? Number(number) : null;
  } catch {
    return null;
  }
}

/** Throws OperationalError when the file is there, or cannot be written. */
export function writeNewFile(path: string, content: string | Buffer, access: FileAccess): void {
  attempt(path, () => write(path, content, access));
}

/** The old file stays until the new one is whole. Throws OperationalError when it cannot be written. */
export function replaceFile(path: string, content: string | Buffer, access: FileAccess): void {
  const beside = `${path}.new`;
  attempt(path, () => {
    rmSync(beside, { force: true });
    write(beside, content, access);
    renameSync(beside, path);
  });
}

function write(path: string, content: string | Buffer, { mode, group }: FileAccess): void {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const descriptor = openSync(path, flags, 0o600);
  try {
    writeFileSync(descriptor, content);
    if (group !== null) fchownSync(descriptor, -1, group);
    fchmodSync(descriptor, mode);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function attempt(path: string, deed: () => void): void {
  try {
    deed();
  } catch (cause) {
    throw new OperationalError(`cannot write ${path}: ${(cause as Error).message}`, {
      code: 'certificate-file',
      advice: 'run it as root, or name another place with --directory',
      cause,
    });
  }
}
