/** Directories that are missing. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * As mkdirSync with `recursive`, which never comes back where the kernel makes no directories, as in /proc. `mode` is
 * that of the last one; those above it are for everybody to pass through. Throws the system's error.
 */
export function makeDirectory(path: string, mode: number): void {
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
