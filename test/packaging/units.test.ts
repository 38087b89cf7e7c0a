/** The files that a package gives to systemd, the shell and AppArmor, as far as no machine is needed to judge them. */
import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { VITAL_TIMEOUT_MILLISECONDS } from '../../src/daemon/part.ts';
import { unpackedDirectory } from '../bed/unpacked.ts';

const PACKAGING = resolve(import.meta.dirname, '../../packaging');
const PARSER = 'apparmor_parser';
const PROFILE = readFileSync(join(PACKAGING, 'apparmor/bailiff'), 'utf8');
/** State, judgement, enforcement and control socket: each starts, and takes its plan. */
const VITAL_PARTS = 4;
const UNIT = join(PACKAGING, 'systemd/bailiff.service');

test('systemd gives the service an exposure of less than 2.0', (t) => {
  const words = ['security', '--offline=yes', '--no-pager', '--threshold=20', UNIT];
  const { error, status, stdout, stderr } = spawnSync('systemd-analyze', words, { encoding: 'utf8' });
  if (error !== undefined) return t.skip(`needs systemd-analyze: ${error.message}`);
  t.diagnostic(stdout.trim().split('\n').at(-1) ?? '');
  assert.equal(status, 0, `${stdout}${stderr}`);
});

test('the service has no right of root but the one that nftables needs', () => {
  const unit = readFileSync(UNIT, 'utf8');
  assert.match(unit, /^User=bailiff$/m);
  assert.match(unit, /^AmbientCapabilities=CAP_NET_ADMIN$/m);
  assert.match(unit, /^CapabilityBoundingSet=CAP_NET_ADMIN$/m);
  assert.match(unit, /^NoNewPrivileges=yes$/m);
});

test('the service leaves out what would break V8 or nftables', () => {
  assert.doesNotMatch(readFileSync(UNIT, 'utf8'), /^(?:MemoryDenyWriteExecute|PrivateUsers)=/m);
});

test('the service has limits that end a leak, and none that only slows it down', () => {
  const unit = readFileSync(UNIT, 'utf8');
  assert.match(unit, /^MemoryMax=2G$/m);
  assert.match(unit, /^TasksMax=64$/m);
  assert.doesNotMatch(unit, /^MemoryHigh=/m);
});

test('the service manager waits longer for a start than the daemon for its vital parts', () => {
  const [, minutes] = /^TimeoutStartSec=(\d+)min$/m.exec(readFileSync(UNIT, 'utf8')) ?? [];
  assert.ok(Number(minutes) * 60_000 > 2 * VITAL_PARTS * VITAL_TIMEOUT_MILLISECONDS);
});

test('the service sees the processes of others, whose units make their records credible', () => {
  assert.match(readFileSync(UNIT, 'utf8'), /^ProtectProc=default$/m);
});

test('systemd finds nothing to say about the sockets and the service that they start', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'bailiff-units-'));
  t.after(() => rmSync(directory, { recursive: true }));
  // The program is not installed here.
  const service = readFileSync(UNIT, 'utf8').replaceAll('/usr/bin/bailiff', '/bin/true');
  writeFileSync(join(directory, 'bailiff.service'), service);
  const sockets = globSync('*.socket', { cwd: join(PACKAGING, 'systemd') });
  for (const socket of sockets) cpSync(join(PACKAGING, 'systemd', socket), join(directory, socket));
  const files = sockets.map((socket) => join(directory, socket));
  const verify = spawnSync('systemd-analyze', ['verify', '--man=no', ...files], { encoding: 'utf8' });
  if (verify.error !== undefined) return t.skip(`needs systemd-analyze: ${verify.error.message}`);
  const own = verify.stderr.split('\n').filter((line) => line.includes('bailiff'));
  assert.deepEqual([verify.status, own], [0, []]);
});

test('guides enable sockets that there are, and restart the service, without which none of them opens', () => {
  const docs = resolve(PACKAGING, '../docs');
  const names = new Set(globSync('*.socket', { cwd: join(PACKAGING, 'systemd') }));
  const commands = globSync('**/*.md', { cwd: docs }).flatMap((file) => {
    const text = readFileSync(join(docs, file), 'utf8').replaceAll(/\s+/g, ' ');
    return [...text.matchAll(/systemctl (enable(?: [\w@.-]+)* bailiff-[\w.-]+)(.{0,60})/g)];
  });
  assert.ok(commands.length >= 3, 'the guides say how');
  for (const [all, words = '', rest = ''] of commands) {
    for (const unit of words.split(' ').slice(1)) assert.ok(names.has(unit), `${unit} in: ${all}`);
    // A socket whose service runs already does not start: --now would fail.
    assert.match(rest, /systemctl restart bailiff/, all);
  }
});

for (const name of ['udp', 'tcp', 'tls']) {
  test(`the socket for ${name} names its descriptor so, and is off until it is enabled`, () => {
    const socket = readFileSync(join(PACKAGING, `systemd/bailiff-syslog-${name}.socket`), 'utf8');
    assert.match(socket, new RegExp(`^FileDescriptorName=${name}$`, 'm'));
    assert.match(socket, /^Service=bailiff\.service$/m);
    const preset = readFileSync(join(PACKAGING, 'systemd/bailiff.preset'), 'utf8');
    assert.match(preset, new RegExp(`^disable bailiff-syslog-${name}\\.socket$`, 'm'));
  });
}

test('the scripts are ones that any shell reads', () => {
  const scripts = globSync(['bailiff', 'node.sh', 'prepare.sh', 'debian/p*', 'rpm/p*'], { cwd: PACKAGING });
  assert.equal(scripts.length, 9);
  for (const script of scripts) {
    const { status, stderr } = spawnSync('sh', ['-n', join(PACKAGING, script)], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  }
});

test("AppArmor's parser takes the profile", (t) => {
  const unpacked = unpackedDirectory('apparmor');
  const [found] = globSync([`/{usr/,}sbin/${PARSER}`, `${unpacked}/{usr/,}sbin/${PARSER}`]);
  if (found === undefined) return t.skip('needs AppArmor: sh packaging/prepare.sh test, as root');
  const policies = found.startsWith(unpacked) ? join(unpacked, 'etc/apparmor.d') : '/etc/apparmor.d';
  const words = ['--base', policies, '--skip-kernel-load', '--skip-cache', '--quiet'];
  for (const [text, expected] of [
    [PROFILE, 0],
    [PROFILE.replace('capability net_admin,', 'capability net_nonsense,'), 1],
  ] as const) {
    const { status, stderr } = runWith(text, [found, ...words]);
    assert.equal(status, expected, stderr);
  }
});

function runWith(input: string, [command = '', ...words]: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync(command, words, { input, encoding: 'utf8' });
}
