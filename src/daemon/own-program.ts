/** The program that this process runs, as the file system has it. */
import { readlinkSync } from 'node:fs';

/** What the kernel appends to the path of a program whose file is gone: proc_pid_exe(5). */
const DELETED = ' (deleted)';

/** Whether the file of this program was replaced or removed since it began, as an upgrade of its package does. */
export function isProgramReplaced(readLink: (path: string) => string = readlinkSync): boolean {
  try {
    return readLink('/proc/self/exe').endsWith(DELETED);
  } catch {
    // Without /proc nobody can tell.
    return false;
  }
}
