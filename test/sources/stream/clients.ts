/**
 * Real syslog clients for tests, from Debian's packages: util-linux logger, and rsyslogd with a configuration of its
 * own.
 */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PATIENCE_MILLISECONDS, waitFor } from '../../bed/waiting.ts';

const LOGGER = '/usr/bin/logger';
const RSYSLOGD = '/usr/sbin/rsyslogd';

const run = promisify(execFile);

/** Why the tests with logger are skipped; false when they can run. */
export const noLogger: string | false = existsSync(LOGGER) ? false : 'util-linux logger is not installed';
export const noRsyslog: string | false =
  noLogger || (existsSync(RSYSLOGD) ? false : 'rsyslogd is not installed (package rsyslog)');

/** Logs one message as the program `sshd`, auth.info, to a port of 127.0.0.1 or another host, or to a local socket. */
export async function log(message: string, options: readonly string[]): Promise<void> {
  await run(LOGGER, ['-t', 'sshd', '-i', '-p', 'auth.info', ...options, '--', message], {
    timeout: PATIENCE_MILLISECONDS,
  });
}

export type Rsyslog = {
  /** The socket that it reads from, as /dev/log. */
  readonly socket: string;
  readonly stop: () => Promise<void>;
};

/**
 * Starts an rsyslogd that forwards all it gets with omfwd, whose parameters are given: `port="514" protocol="udp"`.
 * `globals` are further parameters of global().
 */
export async function startRsyslog(parameters: string, globals: readonly string[] = []): Promise<Rsyslog> {
  const directory = await mkdtemp(join(tmpdir(), 'bailiff-rsyslog-'));
  const socket = join(directory, 'log');
  const configuration = [
    `global(${[`workDirectory="${directory}"`, ...globals].join(' ')})`,
    'module(load="imuxsock" SysSock.Use="off")',
    `input(type="imuxsock" Socket="${socket}" UseSysTimeStamp="off")`,
    `action(type="omfwd" target="127.0.0.1" ${parameters})`,
    '',
  ].join('\n');
  const file = join(directory, 'rsyslog.conf');
  await writeFile(file, configuration);
  const child = spawn(RSYSLOGD, ['-n', '-i', join(directory, 'pid'), '-f', file], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await waitFor('the socket of rsyslogd', PATIENCE_MILLISECONDS, () => existsSync(socket) || null);
  } catch (error) {
    await stop();
    throw error;
  }
  return { socket, stop };
}
