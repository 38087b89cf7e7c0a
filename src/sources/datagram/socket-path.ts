/** The file of a unix socket of datagrams: made where everybody may write, taken over from a daemon that died. */
import { lstatSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { OperationalError } from '../../core/errors.ts';
import {
  bindUnixDatagram,
  type DatagramSocket,
  isUnixDatagramAnswered,
} from '../../native/datagram-socket.ts';
import { makeDirectory } from '../../native/make-directory.ts';

/** Mode 0666, as that of /dev/log: what a record is worth depends on who sent it, which the kernel says. */
const SOCKET_UMASK = 0o111;

export type BoundPath = {
  readonly socket: DatagramSocket;
  /** Removes the file, if it is still the one that was made. Never throws. */
  remove(): void;
};

/**
 * Binds a socket to `path`. Makes its directory, and removes a socket that nobody receives at. Throws OperationalError:
 * EADDRINUSE when somebody does, `not-a-socket` when another kind of file is there, or the system's code.
 */
export function bindSocketPath(path: string): BoundPath {
  return translated(path, () => {
    makeDirectory(dirname(path), 0o755);
    removeStale(path);
    // The file must never be there with a mode that keeps senders out, or that anybody could narrow.
    const previous = process.umask(SOCKET_UMASK);
    try {
      const socket = bindUnixDatagram(path);
      const made = identityOf(path);
      return { socket, remove: () => removeIfSame(path, made) };
    } finally {
      process.umask(previous);
    }
  });
}

function removeStale(path: string): void {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return;
  if (!status.isSocket()) {
    throw new OperationalError(`${path} is a file of another kind`, { code: 'not-a-socket' });
  }
  if (isUnixDatagramAnswered(path)) {
    throw new OperationalError(`somebody receives at ${path}`, { code: 'EADDRINUSE', retriable: true });
  }
  unlinkSync(path);
}

function removeIfSame(path: string, made: string): void {
  try {
    if (identityOf(path) === made) unlinkSync(path);
  } catch {
    // Gone, or no longer ours to remove; whoever comes next finds it stale.
  }
}

function identityOf(path: string): string {
  const status = lstatSync(path, { throwIfNoEntry: false });
  return status === undefined ? '' : `${status.dev}:${status.ino}`;
}

function translated<Result>(path: string, action: () => Result): Result {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof OperationalError) throw cause;
    const { code = 'EUNKNOWN', message } = cause as NodeJS.ErrnoException;
    throw new OperationalError(`cannot make ${path}: ${message}`, { code, retriable: true, cause });
  }
}
