/** Starts without something that the daemon would like to have: it says what is missing, and works without. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { waitForElement } from '../bed/kernel.ts';
import { type Bed, openBed } from '../bed/namespace.ts';
import { requirements } from '../bed/requirements.ts';
import { bailiff } from '../bed/services/daemon.ts';
import { Journald } from '../bed/services/journald.ts';
import { PATIENCE_MILLISECONDS, waitFor } from '../bed/waiting.ts';
import {
  CONFIGURATION,
  componentOf,
  failedLogin,
  failLogins,
  keysOf,
  SOON_MILLISECONDS,
  sceneMissing,
  startDaemon,
  statusOf,
  waitForBan,
  warningOf,
} from './scene.ts';

const skip = sceneMissing;
const LISTENING = `${CONFIGURATION}\n[syslog]\nudp = ["127.0.0.1:5514"]\n`;

function sendFailure(bed: Bed, address: string) {
  const server = ['--server', '127.0.0.1', '--port', '5514', '--udp'];
  return bed.run(['logger', ...server, '--tag', 'sshd', failedLogin(address)]);
}

test('without a journald it bans by syslog, and reads the journal when there is one', {
  skip: skip || (requirements('logger') ?? false),
}, async () => {
  await using bed = await openBed();
  // The machine's own journal, if it has one, is none of the bed's business.
  await bed.run(['mkdir', '-p', '/var/log/journal']);
  const daemon = await startDaemon(bed, { configuration: LISTENING });
  assert.notEqual((await componentOf(daemon, 'journal')).health, 'up');
  assert.notEqual((await warningOf(daemon, 'journal-absent')).action, '');
  for (let time = 0; time < 3; time++) await sendFailure(bed, '203.0.113.1');
  await waitForElement(bed, 'ban4', '203.0.113.1', SOON_MILLISECONDS);

  const journald = await Journald.start(bed);
  await failLogins(journald, '203.0.113.2', 3);
  await waitFor('the ban by the journal', PATIENCE_MILLISECONDS, async () =>
    (await keysOf(bed, 'ban4')).includes('203.0.113.2') ? true : null,
  );
  assert.equal((await componentOf(daemon, 'journal')).health, 'up');
});

/** Root without a single capability: it reads what is root's, and the kernel refuses its firewall. */
const POWERLESS = ['setpriv', '--bounding-set=-all', '--inh-caps=-all', '--'];

test('without the right to use nftables it decides and reports, and says what it needs', {
  skip,
}, async () => {
  await using bed = await openBed();
  const journald = await Journald.start(bed);
  const daemon = await startDaemon(bed, { wrapper: POWERLESS });
  const { health, detail } = await componentOf(daemon, 'firewall');
  assert.equal(health, 'degraded');
  assert.match(detail, /^dry run: /);
  const { text, action } = await warningOf(daemon, 'firewall-unavailable');
  assert.match(text, /operation not permitted/);
  assert.match(action, /root|CAP_NET_ADMIN/);
  await failLogins(journald, '203.0.113.1', 3);
  await daemon.waitForLine(/banned 203\.0\.113\.1 in sshd/, SOON_MILLISECONDS);
  assert.equal((await bed.run(['nft', 'list', 'tables'])).stdout, '');
  const { stdout } = await daemon.command('status');
  assert.match(stdout, /^firewall +degraded /m);
  assert.match(stdout, /-> /);
});

test('as an ordinary user it runs in its own directories', {
  skip: skip || (requirements('root') ?? false),
}, async (context) => {
  await using bed = await openBed();
  const ordinary = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'];
  const main = new URL('../../src/main.ts', import.meta.url).pathname;
  const readable = await bed.run([...ordinary, process.execPath, main, 'version'], { anyStatus: true });
  if (readable.status !== 0) {
    context.skip('needs a checkout that other users can read');
    return;
  }
  await Journald.start(bed);
  const directory = `${bed.directory}/bailiff`;
  await bed.run([
    'sh',
    '-c',
    `chmod 755 "$1" && mkdir "$2" && chown 65534 "$2"`,
    'sh',
    bed.directory,
    directory,
  ]);
  const daemon = await startDaemon(bed, { wrapper: ordinary });
  const { components, warnings } = await statusOf(daemon);
  const lacking = components.filter(({ health }) => health === 'degraded' || health === 'down');
  assert.deepEqual(
    lacking.map(({ component }) => component),
    ['journal', 'firewall'],
  );
  for (const { code, action } of warnings) assert.notEqual(action, '', code);
  assert.deepEqual(warnings.map(({ severity }) => severity).slice(0, 2), ['error', 'error']);
});

test('with --dry-run it decides, bans nobody, and has a state of its own', { skip }, async () => {
  await using bed = await openBed();
  const journald = await Journald.start(bed);
  const daemon = await startDaemon(bed, { arguments: ['--dry-run'] });
  await failLogins(journald, '203.0.113.1', 3);
  await daemon.waitForLine(/banned 203\.0\.113\.1 in sshd/, SOON_MILLISECONDS);
  assert.match(
    (await daemon.command('status')).stdout,
    /dry run: bans are decided and recorded, but not enforced/,
  );
  assert.equal((await bed.run(['nft', 'list', 'tables'])).stdout, '');
  assert.match((await bed.run(['ls', `${daemon.directory}/state`])).stdout, /^dry-run$/m);
});

test('with a state directory that cannot be written it bans, and says that it keeps nothing', {
  skip,
}, async () => {
  await using bed = await openBed();
  const journald = await Journald.start(bed);
  // Nothing can be made below /proc, not even by root.
  const daemon = await startDaemon(bed, {
    arguments: ['--state-dir', '/proc/nowhere'],
  });
  assert.equal((await componentOf(daemon, 'state')).health, 'degraded');
  assert.match((await warningOf(daemon, 'state-not-kept')).action, /--state-dir/);
  await failLogins(journald, '203.0.113.1', 3);
  await waitForElement(bed, 'ban4', '203.0.113.1', SOON_MILLISECONDS);
});

test('with the ports of its listeners taken it runs, names who to look for, and listens when they are free', {
  skip,
}, async () => {
  await using bed = await openBed();
  const journald = await Journald.start(bed);
  const squatter = await bed.start([
    process.execPath,
    '-e',
    `const { createServer } = require('node:net');
     createServer().listen(9185, '127.0.0.1', () => {
       require('node:dgram').createSocket('udp4').bind(5514, '127.0.0.1', () => console.log('taken'));
     });`,
  ]);
  await squatter.waitForLine(/taken/, SOON_MILLISECONDS);
  const daemon = await startDaemon(bed, { configuration: LISTENING });
  for (const [name, code, port] of [
    ['metrics', 'metrics-down', 9185],
    ['syslog', 'syslog-listener-down', 5514],
  ] as const) {
    const { health } = await componentOf(daemon, name);
    assert.ok(health === 'degraded' || health === 'down', `${name} is ${health}`);
    const { action } = await warningOf(daemon, code);
    assert.match(action, new RegExp(`ss -.* 'sport = :${port}'`));
  }
  await failLogins(journald, '203.0.113.1', 3);
  await waitForBan(daemon, '203.0.113.1');
  squatter.kill('SIGKILL');
  await squatter.ended;
  await waitFor('the syslog listener', PATIENCE_MILLISECONDS, async () =>
    (await componentOf(daemon, 'syslog')).health === 'up' ? true : null,
  );
});

test('a second daemon on the same socket or state says so and goes, and the first is not harmed', {
  skip,
}, async () => {
  await using bed = await openBed();
  const journald = await Journald.start(bed);
  const daemon = await startDaemon(bed);
  const { configurationPath: config, directory, socketPath } = daemon;
  const second = (socket: string, state: string) =>
    bailiff(bed, 'run', '--config', config, '--socket', socket, '--state-dir', state);
  const sameState = await second(`${directory}/other.sock`, `${directory}/state`);
  assert.equal(sameState.status, 1);
  assert.match(
    sameState.stderr,
    /^bailiff: cannot use the state in .*: process \d+ has it open; stop the other/m,
  );
  const sameSocket = await second(socketPath, `${directory}/other-state`);
  assert.equal(sameSocket.status, 1);
  assert.match(sameSocket.stderr, /^bailiff: another bailiff listens on .*bailiff\.sock; /m);
  assert.equal((await daemon.command('ping')).stdout, 'pong\n');
  await failLogins(journald, '203.0.113.1', 3);
  await waitForBan(daemon, '203.0.113.1');
});

test('after a reboot with a mistake in a file the bans are there, and the jail of before goes on', {
  skip,
}, async () => {
  await using bed = await openBed();
  const journald = await Journald.start(bed);
  const daemon = await startDaemon(bed, { files: { 'conf.d/a.toml': '' } });
  await failLogins(journald, '203.0.113.1', 3);
  await waitForBan(daemon, '203.0.113.1');
  await daemon.stop();
  await bed.run(['nft', 'flush', 'ruleset']);
  await bed.run(['nft', 'delete', 'table', 'inet', 'bailiff'], { anyStatus: true });
  writeFileSync(join(daemon.directory, 'conf.d/a.toml'), '[jail.sshd]\nbantime = 3\n');
  await daemon.restart();
  await daemon.waitForLine(/^\S+ ready$/, SOON_MILLISECONDS);
  await waitForElement(bed, 'ban4', '203.0.113.1', SOON_MILLISECONDS);
  const { text, action } = await warningOf(daemon, 'configuration-not-in-force');
  assert.match(text, /a\.toml:2:1: .*bantime.*; in force is the configuration of /);
  assert.match(action, /bailiff check/);
  await failLogins(journald, '203.0.113.2', 3);
  await waitForBan(daemon, '203.0.113.2');
  const { stdout } = await daemon.command('status');
  assert.match(stdout, /^ERROR +what the files say now is not in force/m);
  assert.match(stdout, /^configuration +degraded /m);
});
