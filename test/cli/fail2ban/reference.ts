/** The real fail2ban in a directory of its own, with the jails of counting-control.ts: what ours is held against. */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { PATIENCE_MILLISECONDS } from '../../bed/waiting.ts';
import { makeDirectory } from '../../http/running-server.ts';
import type { Outcome } from '../fake-terminal.ts';

const CLIENT = '/usr/bin/fail2ban-client';
const SERVER = '/usr/bin/fail2ban-server';
/** Milliseconds; it usually takes 0.2 s. */
const START_TIME = PATIENCE_MILLISECONDS;

/** The releases that are imitated. What only the later one knows is asked of no other. */
export const RELEASES = ['1.0.2', '1.1.0'] as const;
export type Release = (typeof RELEASES)[number];

/** The release that is installed, or why there is nothing to compare with. */
export function findReference(): { readonly release: Release } | { readonly missing: string } {
  if (![CLIENT, SERVER].every((path) => existsSync(path))) return { missing: 'fail2ban is not installed' };
  const version = spawnSync(CLIENT, ['-V'], { encoding: 'utf8' }).stdout.trim();
  const release = RELEASES.find((known) => known === version);
  return release === undefined
    ? { missing: `fail2ban is ${version}, and the output here that of ${RELEASES.join(' and ')}` }
    : { release };
}

export type Reference = {
  readonly directory: string;
  readonly client: (words: readonly string[]) => Promise<Outcome>;
};

/** Starts it with the jails sshd and mail, which read a file that stays empty; it ends with the test. */
export async function startReference(t: TestContext): Promise<Reference> {
  const directory = makeDirectory(t);
  writeConfiguration(directory);
  const server = spawn(SERVER, ['-c', directory, '-f', 'start'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((resolve) => server.once('close', resolve));
  t.after(async () => {
    server.kill('SIGKILL');
    await ended;
  });
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('fail2ban does not start')), START_TIME);
    let said = '';
    const listen = (text: Buffer): void => {
      said += text.toString();
      if (!said.includes('Server ready')) return;
      clearTimeout(timer);
      resolve();
    };
    server.stdout.on('data', listen);
    server.stderr.on('data', listen);
    ended.then(() => reject(new Error(`fail2ban ended: ${said}`)));
  });
  return { directory, client: (words) => runClient(directory, words) };
}

/** As long as its server has not been started, the client alone. */
export function runClient(directory: string, words: readonly string[]): Promise<Outcome> {
  const env = { ...process.env, TZ: 'UTC' };
  return new Promise((resolve) => {
    execFile(CLIENT, ['-c', directory, ...words], { env }, (error, out, complaint) => {
      const status = error === null ? 0 : Number(error.code);
      resolve({ status, out: out.replace(/\n$/, ''), error: complaint.trimEnd() });
    });
  });
}

export function writeConfiguration(directory: string): void {
  for (const name of ['filter.d', 'action.d', 'jail.d', 'fail2ban.d']) mkdirSync(join(directory, name));
  const files: Readonly<Record<string, string>> = {
    'fail2ban.conf': `[Definition]
loglevel = INFO
logtarget = STDERR
syslogsocket = auto
socket = ${directory}/server.sock
pidfile = ${directory}/server.pid
dbfile = None
dbpurgeage = 1d
dbmaxmatches = 10
allowipv6 = auto
[Thread]
stacksize = 0
`,
    'filter.d/plain.conf': '[Definition]\nfailregex = ^fail <HOST>$\nignoreregex =\n',
    'action.d/nftables.conf': '[Definition]\nactionban =\nactionunban =\n',
    'jail.conf': `[DEFAULT]
backend = polling
usedns = no
filter = plain
logpath = ${directory}/log
action = nftables
maxretry = 5
findtime = 600
bantime = 600
ignoreip = 127.0.0.0/8 ::1
[sshd]
enabled = true
[mail]
enabled = true
`,
    log: '',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
}
