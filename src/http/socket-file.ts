/** The file of the control socket: made for root and one group, and taken over from a daemon that died. */
import { chownSync, lstatSync, readFileSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { OperationalError } from '../core/errors.ts';
import { makeDirectory } from '../native/make-directory.ts';
import { listen } from './app.ts';

/** Its members may control the daemon: see status, ban and unban. */
export const CONTROL_GROUP = 'bailiff';
/** sockaddr_un's sun_path holds 108 bytes with the final NUL, unix(7). */
export const MAX_SOCKET_PATH_BYTES = 107;
/** Mode 0660: everything else is masked away. */
const SOCKET_UMASK = 0o117;
const PROBE_TIMEOUT_MILLISECONDS = 1_000;

/**
 * Listens on a unix socket at `path`, mode 0660, of the group `bailiff` when there is one and we may give it away.
 * Makes the directory, removes the socket of a daemon that is gone. Throws OperationalError: `already-running`,
 * `not-a-socket` (another kind of file is never removed), `socket-path-too-long`, or the system's code.
 */
export async function listenOnSocketFile(server: Server, path: string): Promise<void> {
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES) {
    throw new OperationalError(`cannot listen on ${path}: longer than ${MAX_SOCKET_PATH_BYTES} bytes`, {
      code: 'socket-path-too-long',
      advice: 'choose a shorter path with --socket',
    });
  }
  try {
    makeDirectory(dirname(path), 0o755);
    await removeStaleSocket(path);
    await bind(server, path);
    shareWithGroup(path);
  } catch (cause) {
    throw cause instanceof OperationalError ? cause : describeFailure(path, cause as NodeJS.ErrnoException);
  }
}

/**
 * Throws OperationalError `already-running` when somebody listens at `path`, before anything of theirs is touched.
 * Whatever else may be wrong there is left to listenOnSocketFile.
 */
export async function refuseIfAnswered(path: string): Promise<void> {
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES && (await probe(path)) === 'connected')
    throw alreadyRunning(path);
}

/**
 * The file must never be there with a wider mode, so the mask is set around the bind, which happens within listen().
 */
function bind(server: Server, path: string): Promise<void> {
  const previous = process.umask(SOCKET_UMASK);
  try {
    return listen(server, { path });
  } finally {
    process.umask(previous);
  }
}

async function removeStaleSocket(path: string): Promise<void> {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return;
  if (!status.isSocket()) {
    throw new OperationalError(`cannot listen on ${path}: a file of another kind is there`, {
      code: 'not-a-socket',
      advice: 'move it away, or choose another path with --socket',
    });
  }
  const outcome = await probe(path);
  if (outcome === 'ENOENT') return;
  if (outcome !== 'ECONNREFUSED') throw alreadyRunning(path);
  unlinkSync(path);
}

/** `connected`, or why not. Nobody listens only when the kernel says ECONNREFUSED; a busy daemon is alive. */
function probe(path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const settle = (outcome: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    const timer = setTimeout(() => settle('timeout'), PROBE_TIMEOUT_MILLISECONDS);
    socket.once('connect', () => settle('connected'));
    socket.once('error', (error: NodeJS.ErrnoException) => settle(error.code ?? 'unknown'));
  });
}

/** Without the group, or without the right to give the file to it, the socket stays with its owner alone. */
function shareWithGroup(path: string): void {
  const groupId = findGroupId(CONTROL_GROUP);
  if (groupId === null) return;
  try {
    chownSync(path, -1, groupId);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
  }
}

/** Looks into group(5) itself: nothing on the daemon's way asks a name service. */
function findGroupId(name: string): number | null {
  let text: string;
  try {
    text = readFileSync('/etc/group', 'utf8');
  } catch {
    return null;
  }
  const fields = text
    .split('\n')
    .map((line) => line.split(':'))
    .find((candidate) => candidate[0] === name);
  return /^\d+$/.test(fields?.[2] ?? '') ? Number(fields?.[2]) : null;
}

function alreadyRunning(path: string): OperationalError {
  return new OperationalError(`another bailiff listens on ${path}`, {
    code: 'already-running',
    advice: 'see it with: bailiff status; a second one needs its own --socket and --state-dir',
  });
}

function describeFailure(path: string, cause: NodeJS.ErrnoException): OperationalError {
  if (cause.code === 'EADDRINUSE') return alreadyRunning(path);
  const denied = cause.code === 'EACCES' || cause.code === 'EPERM' || cause.code === 'EROFS';
  return new OperationalError(`cannot listen on ${path}: ${cause.message}`, {
    code: cause.code ?? 'listen',
    advice: denied ? 'run as root, or choose a path that you may write to with --socket' : '',
    cause,
  });
}
