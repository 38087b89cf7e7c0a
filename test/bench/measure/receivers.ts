/** The processes that messages are sent to: programs of ours that count them, and rsyslogd, which writes them down. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { readThreadTimes } from './processor-time.ts';
import { sum } from './statistics.ts';

/** A program that prints its port, then, for each line on its input, a line of JSON. */
export type Sink<Report> = {
  readonly pid: number;
  readonly port: number;
  report(): Promise<Report>;
  stop(): Promise<void>;
};

export type Rsyslogd = { readonly pid: number; readonly output: string; stop(): Promise<void> };

export const RSYSLOGD = '/usr/sbin/rsyslogd';
export const TASKSET = '/usr/bin/taskset';

const START_MILLISECONDS = 500;

/** Runs a program of this directory with the flags that the packages give Node.js, on one core if that is named. */
export async function startSink<Report>(program: string, work: string, core = ''): Promise<Sink<Report>> {
  const words = [
    process.execPath,
    ...readNodeFlags(),
    join(import.meta.dirname, '../programs', program),
    work,
  ];
  const child = spawnOn(core, words, ['pipe', 'pipe', 'inherit']);
  const lines = linesOf(child);
  const port = Number(await nextLine(lines));
  return {
    pid: child.pid ?? 0,
    port,
    report: async () => {
      const line = nextLine(lines);
      child.stdin?.write('\n');
      return JSON.parse(await line) as Report;
    },
    stop: async () => {
      child.stdin?.end();
      await ended(child);
    },
  };
}

/** Runs rsyslogd with the lines of its configuration that make its input, and the defaults of its package otherwise. */
export async function startRsyslogd(input: readonly string[], core = ''): Promise<Rsyslogd> {
  const directory = mkdtempSync(join(tmpdir(), 'bailiff-bench-'));
  const [output, configuration, pidFile] = ['out.log', 'rsyslog.conf', 'pid'].map((name) =>
    join(directory, name),
  ) as [string, string, string];
  const action = `*.* action(type="omfile" file="${output}")`;
  writeFileSync(output, '');
  writeFileSync(configuration, [`global(workDirectory="${directory}")`, ...input, action, ''].join('\n'));
  const child = spawnOn(core, [RSYSLOGD, '-n', '-i', pidFile, '-f', configuration], 'ignore');
  await pause(START_MILLISECONDS);
  return {
    pid: child.pid ?? 0,
    output,
    stop: async () => {
      child.kill('SIGTERM');
      await ended(child);
      rmSync(directory, { recursive: true });
    },
  };
}

/** Processor time of all threads that the process has, in nanoseconds. */
export function cpuOf(pid: number): number {
  return sum(readThreadTimes(pid).map(({ nanoseconds }) => nanoseconds));
}

export function spawnOn(
  core: string,
  words: readonly string[],
  stdio: 'ignore' | ('pipe' | 'ignore' | 'inherit')[],
): ChildProcess {
  const [program = '', ...others] = core === '' ? words : [TASKSET, '-c', core, ...words];
  return spawn(program, others, { stdio });
}

export function linesOf(child: ChildProcess): Interface {
  if (child.stdout === null) throw new Error('it has no output');
  return createInterface({ input: child.stdout });
}

export function nextLine(lines: Interface): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (): void => reject(new Error('it ended'));
    lines.once('close', fail);
    lines.once('line', (line) => {
      lines.off('close', fail);
      resolve(line);
    });
  });
}

export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => child.once('exit', resolve));
}

/** What the packages give Node.js, so that what is measured is what gets installed. */
function readNodeFlags(): readonly string[] {
  const script = readFileSync(join(import.meta.dirname, '../../../packaging/bailiff'), 'utf8');
  return /^flags='(.*)'$/m.exec(script)?.[1]?.split(' ') ?? [];
}
