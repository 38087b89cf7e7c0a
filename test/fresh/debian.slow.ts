/**
 * A fresh Debian with its own Node.js and npm, and nothing that no Debian goes without beside them and git: no procps,
 * no iproute2, no systemd. The run line of the README in a clone in /root, on Debian 13 the test line, too.
 */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeMinimalRoot, type Suite } from '../bed/debian-root.ts';
import { requirements } from '../bed/requirements.ts';
import {
  assertQuietInstall,
  cloneTo,
  type Finished,
  npmEnvironment,
  ownAuthorities,
  readmeLine,
  runLogged,
  summaryOf,
} from './fresh.ts';

const ENTER = join(import.meta.dirname, 'enter-root.sh');
const PACKAGES = ['ca-certificates', 'git', 'npm'];
const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt';

const skip = requirements('root', 'mmdebstrap') ?? false;

test('Debian 12 with its own npm runs the run line of the README', { skip }, async (t) => {
  const machine = makeMachine(t, 'bookworm');
  await runsTheRunLine(t, machine);
  // Their commands are scripts for a Node.js, and the one of Debian 12 is the oldest that there is.
  await machine.shell('lint', 'online', 'npm run --silent lint');
  await machine.shell('typecheck', 'online', 'npm run --silent typecheck');
});

test('Debian 13 with its own npm runs both lines of the README', { skip }, async (t) => {
  const machine = makeMachine(t, 'trixie');
  await runsTheRunLine(t, machine);
  const tested = await machine.shell('test', 'online', readmeLine('test'));
  t.diagnostic(summaryOf(tested));
  for (const [line] of tested.output.matchAll(/^ *﹣.*$/gm)) t.diagnostic(line.trim());
});

type Machine = {
  /** Runs a command in the clone, and fails with what was said unless its status is 0. */
  shell(name: string, network: 'online' | 'offline', command: string): Promise<Finished>;
};

function makeMachine(t: TestContext, suite: Suite): Machine {
  const directory = mkdtempSync(join(tmpdir(), 'bailiff-fresh-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const root = join(directory, 'root');
  makeMinimalRoot(suite, PACKAGES, root);
  const authorities = ownAuthorities();
  if (authorities !== null) copyFileSync(authorities, join(root, AUTHORITIES));
  for (const name of ['resolv.conf', 'hosts']) copyFileSync(`/etc/${name}`, join(root, 'etc', name));
  cloneTo(join(root, 'root/bailiff'));
  const env = npmEnvironment({
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/root',
    LANG: 'C.UTF-8',
    TMPDIR: '/tmp',
    ...(authorities === null ? {} : { NODE_EXTRA_CA_CERTS: AUTHORITIES }),
  });
  return {
    async shell(name, network, command) {
      const argv = ['sh', ENTER, network, root, 'sh', '-c', `cd bailiff && ${command}`];
      const finished = await runLogged(`${suite}-${name}`, argv, { cwd: directory, env });
      assert.equal(finished.status, 0, finished.output.slice(-20_000));
      return finished;
    },
  };
}

async function runsTheRunLine(t: TestContext, { shell }: Machine): Promise<void> {
  const versions = await shell('versions', 'online', 'echo $(node --version) $(npm --version)');
  const [install = '', start = ''] = readmeLine('start').split(' && ');
  const installed = await shell('ci', 'online', install);
  t.diagnostic(`Node.js and npm ${versions.output.trim()}: ${assertQuietInstall(installed)}`);
  // What the run line begins with needs the network, and what it goes on with should have none but its own.
  const prepared = await shell('prepare', 'online', 'sh packaging/prepare.sh run');
  assert.match(prepared.output, /prepare: installing/);
  assert.equal((await shell('prepare-again', 'online', 'sh packaging/prepare.sh run')).output, '');
  const started = await shell('start', 'offline', `sh test/fresh/start-ping-stop.sh ${start}`);
  assert.match(started.output, /^\S+ ready$/m);
  assert.match(started.output, /^answer: pong$/m);
  t.diagnostic('started, answered pong, stopped with status 0');
}
