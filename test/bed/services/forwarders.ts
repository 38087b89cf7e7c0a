/**
 * Real syslog daemons inside a bed that pass on what programs log, as they do on the servers that send to us: rsyslogd,
 * syslog-ng and busybox syslogd. `logger --socket` writes to them.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bed } from '../namespace.ts';
import type { BedProcess } from '../process.ts';
import { unpackedDirectory } from '../unpacked.ts';
import { PATIENCE_MILLISECONDS, waitFor } from '../waiting.ts';

export type Forwarder = {
  /** The socket that local programs log to. */
  readonly socketPath: string;
  /** Sends off what it holds and ends. */
  stop(): Promise<void>;
};

const START_TIMEOUT_MILLISECONDS = PATIENCE_MILLISECONDS;

/** rsyslogd with what a file in /etc/rsyslog.d would have, such as `action(type="omfwd" target="127.0.0.1" port="514")`. */
export async function startRsyslog(bed: Bed, text: string): Promise<Forwarder> {
  const directory = makeDirectory(bed, 'rsyslog');
  const socketPath = join(directory, 'log.sock');
  const configuration = join(directory, 'rsyslog.conf');
  writeFileSync(
    configuration,
    `global(workDirectory="${directory}")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="${socketPath}" UseSysTimeStamp="off")
${text}
`,
  );
  const pidFile = join(directory, 'rsyslog.pid');
  const running = await bed.start(['rsyslogd', '-n', '-i', pidFile, '-f', configuration]);
  await waitForSocket(bed, running, socketPath);
  return forwarderOf(running, socketPath);
}

/** syslog-ng with what a file in /etc/syslog-ng/conf.d would have: the source of the host is `s_src`, as in Debian. */
export async function startSyslogNg(bed: Bed, text: string): Promise<Forwarder> {
  const found = findSyslogNg();
  if (found === null) throw new Error('syslog-ng is not here');
  const directory = makeDirectory(bed, 'syslog-ng');
  const socketPath = join(directory, 'log.sock');
  const configuration = join(directory, 'syslog-ng.conf');
  writeFileSync(
    configuration,
    `@version: 3.35
source s_src { unix-dgram("${socketPath}"); };
${text}
`,
  );
  const files = [
    '-R',
    join(directory, 'persist'),
    '-c',
    join(directory, 'control'),
    '-p',
    join(directory, 'pid'),
  ];
  const running = await bed.start([...found.argv, '-F', '-f', configuration, ...files, '--no-caps'], {
    environment: found.environment,
  });
  await waitForSocket(bed, running, socketPath);
  return forwarderOf(running, socketPath);
}

/** busybox syslogd, which listens on the bed's /dev/log in place of its journald; `target` is `HOST:PORT`. */
export async function startBusybox(bed: Bed, target: string): Promise<Forwarder> {
  const socketPath = '/dev/log';
  await bed.run(['rm', '-f', socketPath]);
  const running = await bed.start(['busybox', 'syslogd', '-n', '-R', target]);
  await waitForSocket(bed, running, socketPath);
  return forwarderOf(running, socketPath);
}

/** How syslog-ng is started: as it is installed, or as it was unpacked; null where it is neither. */
export function findSyslogNg(): { argv: readonly string[]; environment: Record<string, string> } | null {
  const installed = '/usr/sbin/syslog-ng';
  if (existsSync(installed)) return { argv: [installed], environment: {} };
  const unpacked = unpackedDirectory('syslog-ng-core');
  const program = join(unpacked, installed);
  if (!existsSync(program)) return null;
  const libraries = join(unpacked, 'libraries');
  return {
    argv: [program, `--module-path=${libraries}`],
    environment: { LD_LIBRARY_PATH: libraries },
  };
}

let directories = 0;

/** One for each start: what an earlier one has left must not be taken for this one's. */
function makeDirectory(bed: Bed, name: string): string {
  const directory = join(bed.directory, `${name}-${++directories}`);
  mkdirSync(directory);
  return directory;
}

/** Asked inside the bed, whose /dev is its own. */
async function waitForSocket(bed: Bed, running: BedProcess, path: string): Promise<void> {
  await waitFor(`the socket ${path}`, START_TIMEOUT_MILLISECONDS, async () => {
    if (running.result !== null) return 'ended';
    const { status } = await bed.run(['test', '-S', path], { anyStatus: true });
    return status === 0 ? 'there' : null;
  });
  if (running.result !== null) throw new Error(`it ended: ${running.output}`);
}

function forwarderOf(running: BedProcess, socketPath: string): Forwarder {
  return {
    socketPath,
    async stop() {
      running.kill('SIGTERM');
      await running.ended;
    },
  };
}
