/** Every command against a running daemon: what it does, prints and exits with. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { VERSION } from '../../../src/core/version.ts';
import type { BanListReport, BanReport, StatusReport } from '../../../src/http/control.ts';
import { waitForElement, waitForNoElement } from '../../bed/kernel.ts';
import { HOST } from '../../bed/namespace.ts';
import { bailiff } from '../../bed/services/daemon.ts';
import { keysOf, openScene, type Scene, SOON_MILLISECONDS, sceneMissing } from '../scene.ts';

const CONFIGURATION = `
[trust]
addresses = ["192.0.2.0/28"]
[jail.sshd]
ignore = ["198.51.100.7"]
ban_time = "20m"
`;

describe('the commands', { skip: sceneMissing }, () => {
  let scene: Scene;
  before(async () => {
    scene = await openScene({ configuration: CONFIGURATION });
  });
  after(() => scene?.bed.close());

  const run = (...words: string[]) => scene.daemon.command(...words);
  const missingSocket = () => `${scene.bed.directory}/nobody.sock`;

  test('ban: an address, for the ban time of the jail', async () => {
    const { status, stdout } = await run('ban', '203.0.113.9', '--jail', 'sshd');
    assert.equal(status, 0);
    assert.match(stdout, /^203\.0\.113\.9 is banned in sshd for 20m, until /);
    const element = await waitForElement(scene.bed, 'ban4', '203.0.113.9', SOON_MILLISECONDS);
    assert.ok((element.timeoutSeconds ?? 0) > 1_190 && (element.timeoutSeconds ?? 0) <= 1_200);
  });

  test('ban: for a time, which a second ban makes longer and never shorter', async () => {
    const expires = async () =>
      (await waitForElement(scene.bed, 'ban4', '203.0.113.10', SOON_MILLISECONDS)).expiresSeconds ?? 0;
    await run('ban', '203.0.113.10', '--jail', 'sshd', '--for', '1h');
    assert.ok((await expires()) > 3_590 && (await expires()) <= 3_600);
    await run('ban', '203.0.113.10', '--jail', 'sshd', '--for', '2h');
    assert.ok((await expires()) > 7_190 && (await expires()) <= 7_200);
    assert.equal((await run('ban', '203.0.113.10', '--jail', 'sshd', '--for', '1m')).status, 0);
    assert.ok((await expires()) > 7_000);
  });

  test('ban: forever, a network, and an IPv6 address as its /64', async () => {
    const forever = await run('ban', '203.0.113.11', '--jail', 'sshd', '--for', 'forever', '--json');
    const report = JSON.parse(forever.stdout) as BanReport;
    assert.deepEqual(
      [report.offender, report.until, report.remainingSeconds, report.cause, report.enforced],
      ['203.0.113.11', 'forever', null, 'operator', true],
    );
    assert.equal(
      (await waitForElement(scene.bed, 'ban4', '203.0.113.11', SOON_MILLISECONDS)).expiresSeconds,
      null,
    );
    assert.match(
      (await run('ban', '198.51.101.77/24', '--jail', 'sshd')).stdout,
      /^198\.51\.101\.0\/24 is banned/,
    );
    assert.deepEqual(await keysOf(scene.bed, 'ban4_24'), ['198.51.101.0']);
    assert.match(
      (await run('ban', '2001:db8:1:2::9', '--jail', 'sshd')).stdout,
      /^2001:db8:1:2::\/64 is banned/,
    );
    assert.deepEqual(await keysOf(scene.bed, 'ban6_64'), ['2001:db8:1:2::']);
  });

  for (const [address, whose] of [
    ['127.0.0.1', 'loopback'],
    ['198.51.100.7', 'the ignore list'],
    ['198.51.100.0/24', 'a network around the ignore list'],
    ['192.0.2.3', 'trust'],
    [HOST.ipv4, 'this host'],
    [HOST.ipv6, 'this host'],
    ['198.0.0.0/8', 'a network around this host'],
    ['0.0.0.0/0', 'everybody'],
  ] as const) {
    test(`ban: refuses ${address}, of ${whose}, and says why`, async () => {
      const { status, stdout, stderr } = await run('ban', address, '--jail', 'sshd');
      assert.equal(status, 1);
      assert.equal(stdout, '');
      assert.match(stderr, /^bailiff: .*is not banned: it is/);
    });
  }

  test('ban: a jail that there is not is told, with those that there are', async () => {
    const { status, stderr } = await run('ban', '203.0.113.12', '--jail', 'shop');
    assert.equal(status, 1);
    assert.match(stderr, /there is no jail "shop"; the active ones are: sshd/);
  });

  test('status, status JAIL and bans: the same numbers in JSON', async () => {
    const status = JSON.parse((await run('status', '--json')).stdout) as StatusReport;
    const jail = JSON.parse((await run('status', 'sshd', '--json')).stdout) as {
      bans: BanReport[];
      currentBans: number;
    };
    const { bans } = JSON.parse((await run('bans', '--json')).stdout) as BanListReport;
    assert.equal(status.version, VERSION);
    assert.equal(status.configuration, scene.daemon.configurationPath);
    assert.equal(status.dryRun, false);
    assert.deepEqual(
      status.components.map(({ component, health }) => `${component} ${health}`),
      ['configuration up', 'journal up', 'syslog off', 'firewall up', 'state up', 'metrics up', 'control up'],
    );
    assert.equal(jail.currentBans, bans.length);
    assert.equal(status.jails[0]?.currentBans, bans.length);
    assert.deepEqual(
      jail.bans.map(({ offender }) => offender).toSorted(),
      bans.map(({ offender }) => offender).toSorted(),
    );
    assert.ok(bans.every(({ enforced }) => enforced));
    assert.equal((await run('status', 'shop')).status, 1);
  });

  test('unban: lifts what it names, by any address of the network, and is done too when there is nothing', async () => {
    const lifted = await run('unban', '203.0.113.9');
    assert.equal(lifted.status, 0);
    assert.match(lifted.stdout, /^203\.0\.113\.9 is no longer banned in sshd/);
    await waitForNoElement(scene.bed, 'ban4', '203.0.113.9', SOON_MILLISECONDS);
    const again = await run('unban', '203.0.113.9');
    assert.deepEqual([again.status, again.stdout], [0, '203.0.113.9 was not banned; nothing changed\n']);
    assert.match((await run('unban', '2001:db8:1:2::1234')).stdout, /^2001:db8:1:2::\/64 is no longer/);
    assert.deepEqual(await keysOf(scene.bed, 'ban6_64'), []);
    assert.equal((await run('unban', '198.51.101.0/24', '--jail', 'sshd')).status, 0);
    assert.deepEqual(await keysOf(scene.bed, 'ban4_24'), []);
  });

  test('unban --all: lifts the rest', async () => {
    const { status, stdout } = await run('unban', '--all');
    assert.equal(status, 0);
    assert.match(stdout, /lifted 2 bans/);
    assert.deepEqual(await keysOf(scene.bed, 'ban4'), []);
    assert.match((await run('unban', '--all')).stdout, /nobody was banned/);
    assert.match((await run('bans')).stdout, /nobody is banned/);
  });

  test('ping and version', async () => {
    assert.deepEqual(await run('ping'), { status: 0, stdout: 'pong\n', stderr: '' });
    assert.equal((await bailiff(scene.bed, 'version')).stdout, `bailiff ${VERSION}\n`);
    const json = await bailiff(scene.bed, 'version', '--json');
    assert.deepEqual(JSON.parse(json.stdout), { version: VERSION });
  });

  test('check: is 0 for the configuration that runs, and 4 for one with a mistake, at its place', async () => {
    const good = await bailiff(scene.bed, 'check', '--config', scene.daemon.configurationPath);
    assert.equal(good.status, 0, good.stderr);
    assert.match(good.stdout, /jails: sshd/);
    const path = `${scene.bed.directory}/bad.toml`;
    await scene.bed.run(['tee', path], { input: '[jail.sshd]\nmax_rety = 3\n' });
    const bad = await bailiff(scene.bed, 'check', '--config', path);
    assert.equal(bad.status, 4);
    assert.match(bad.stderr, /bad\.toml:2:1: .*max_rety.*max_retry/);
  });

  test('exit status 2 is for the command line, 3 for a daemon that is not there', async () => {
    for (const words of [['bann'], ['ban', 'x', '--jail', 'sshd'], ['unban']]) {
      assert.equal((await bailiff(scene.bed, ...words)).status, 2, words.join(' '));
    }
    for (const words of [['ping'], ['status'], ['bans'], ['unban', '--all'], ['reload']]) {
      const { status, stderr } = await bailiff(scene.bed, ...words, '--socket', missingSocket());
      assert.equal(status, 3, words.join(' '));
      assert.match(stderr, /the daemon is not running: nobody answers on/);
    }
  });

  test('run: is 78 for a first configuration with a mistake, which it names', async () => {
    const path = `${scene.bed.directory}/bad.toml`;
    await scene.bed.run(['tee', path], { input: 'jail = 1\n' });
    const { status, stdout, stderr } = await bailiff(
      scene.bed,
      'run',
      '--config',
      path,
      '--socket',
      missingSocket(),
      '--state-dir',
      `${scene.bed.directory}/no-state`,
    );
    assert.equal(status, 78);
    assert.match(stdout + stderr, /bad\.toml:1:\d+: /);
  });

  test('the socket is for its owner and group, and speaks plain HTTP', async () => {
    const { bed, daemon } = scene;
    assert.equal((await bed.run(['stat', '--format=%a', daemon.socketPath])).stdout, '660\n');
    assert.deepEqual(await daemon.api('/v1/ping'), { status: 200, body: { answer: 'pong' } });
    const body = { address: '203.0.113.20', jail: 'sshd', for: '90s' };
    assert.equal((await daemon.api('/v1/bans', { method: 'POST', body })).status, 200);
    assert.equal((await daemon.api('/v1/bans/203.0.113.20', { method: 'DELETE' })).status, 200);
    assert.equal((await daemon.api('/v1/nothing')).status, 404);
    const wrong = await daemon.api('/v1/bans', { method: 'POST', body: { ...body, address: '; drop' } });
    assert.equal(wrong.status, 400);
  });

  test('nothing that the commands were given has made the daemon leak a descriptor', () => {
    const open = readdirSync(`/proc/${scene.daemon.pid}/fd`).length;
    assert.ok(open < 100, `${open} descriptors are open`);
    assert.match(readFileSync(`/proc/${scene.daemon.pid}/status`, 'utf8'), /^State:\s+[SR]/m);
  });
});
