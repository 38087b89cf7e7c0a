/** From a journal entry to the kernel, and what every witness of it says. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { readElements, waitForElement } from '../bed/kernel.ts';
import { requirements } from '../bed/requirements.ts';
import {
  bansOf,
  failedLogin,
  failLogins,
  jailOf,
  keysOf,
  openScene,
  type Scene,
  SOON_MILLISECONDS,
  sceneMissing,
  sshdEntry,
  statusOf,
  sumOf,
  waitForBan,
  waitForFailures,
} from './scene.ts';

describe('failures in the journal', { skip: sceneMissing }, () => {
  let scene: Scene;
  before(async () => {
    scene = await openScene();
  });
  after(() => scene?.bed.close());

  test('lead to a ban on which kernel, commands, API and metrics agree', async () => {
    const { bed, journald, daemon } = scene;
    await failLogins(journald, '203.0.113.9', 3);
    const element = await waitForElement(bed, 'ban4', '203.0.113.9', SOON_MILLISECONDS);
    // The ten minutes began when the entry was written; nft leaves out what is less than a second.
    assert.ok((element.timeoutSeconds ?? 0) > 595 && (element.timeoutSeconds ?? 0) <= 600);
    assert.ok((element.expiresSeconds ?? 0) > 590);
    assert.equal(element.comment, 'sshd');

    const ban = await waitForBan(daemon, '203.0.113.9');
    assert.deepEqual([ban.jail, ban.cause, ban.failures], ['sshd', 'offence', 3]);
    assert.ok((ban.remainingSeconds ?? 0) > 590 && (ban.remainingSeconds ?? 0) <= 600);

    const jail = await jailOf(daemon);
    assert.deepEqual(
      [jail.currentFailures, jail.totalFailures, jail.currentBans, jail.totalBans],
      [0, 3, 1, 1],
    );
    const jailText = (await daemon.command('status', 'sshd')).stdout;
    assert.match(jailText, /^sshd: 3 failures in 10m, ban of 10m$/m);
    assert.match(jailText, /^failures +0 +3 /m);
    assert.match(jailText, /^bans +1 +1/m);
    assert.match(jailText, /^203\.0\.113\.9 .* 3 +yes$/m);
    const statusText = (await daemon.command('status')).stdout;
    assert.match(statusText, /^sshd +0 +3 +1 +1 /m);
    assert.match(statusText, /^journal +up /m);
    assert.match(statusText, /^firewall +up /m);
    assert.match((await daemon.command('bans')).stdout, /^203\.0\.113\.9 +sshd .* yes$/m);

    const metrics = await daemon.metrics();
    assert.equal(sumOf(metrics, 'bailiff_failures_total', { jail: 'sshd' }), 3);
    assert.equal(sumOf(metrics, 'bailiff_bans_total', { jail: 'sshd' }), 1);
    assert.equal(sumOf(metrics, 'bailiff_active_bans', { jail: 'sshd' }), 1);
    assert.equal(metrics.get('bailiff_arrival_to_kernel_seconds_count'), 1);
  });

  test('are told in the log, with the ban after its failures', async () => {
    const { journald, daemon } = scene;
    await failLogins(journald, '203.0.113.10', 3);
    await daemon.waitForLine(/banned 203\.0\.113\.10 in sshd for 10m \(3 failures\)/, SOON_MILLISECONDS);
    const lines = daemon.output.split('\n').filter((line) => line.includes('203.0.113.10'));
    assert.deepEqual(
      lines.map((line) => line.replace(/^[\d:]+ /, '')),
      [
        'failure 1/3 of 203.0.113.10 in sshd (user "root")',
        'failure 2/3 of 203.0.113.10 in sshd (user "root")',
        'failure 3/3 of 203.0.113.10 in sshd (user "root")',
        'banned 203.0.113.10 in sshd for 10m (3 failures)',
      ],
    );
  });

  test('of many IPv6 addresses of one /64 count together', async () => {
    const { bed, journald, daemon } = scene;
    for (const host of ['1', '2:3', 'dead:beef']) await failLogins(journald, `2001:db8:1:2::${host}`, 1);
    const ban = await waitForBan(daemon, '2001:db8:1:2::/64');
    assert.equal(ban.failures, 3);
    assert.deepEqual(await keysOf(bed, 'ban6_64'), ['2001:db8:1:2::']);
  });

  test('do not count for loopback, this host, or anybody who is trusted', async () => {
    const { journald, daemon } = scene;
    for (const address of ['127.0.0.1', '::1', '198.18.0.1', '169.254.169.254']) {
      await failLogins(journald, address, 4);
    }
    const { totalFailures } = await jailOf(daemon);
    await failLogins(journald, '203.0.113.11', 3);
    await waitForBan(daemon, '203.0.113.11');
    assert.equal((await jailOf(daemon)).totalFailures, totalFailures + 3);
    const banned = (await bansOf(daemon)).map(({ offender }) => offender);
    for (const address of ['127.0.0.1', '198.18.0.1', '169.254.169.254']) {
      assert.ok(!banned.includes(address), address);
    }
  });

  test('do not let a user name choose who is banned', async () => {
    const { bed, journald, daemon } = scene;
    const { totalFailures } = await jailOf(daemon);
    const victim = '192.0.2.1';
    const names = [
      `x from ${victim} port 22`,
      `x from ${victim} port 22 ssh2`,
      `from ${victim} port 22 ssh2: Failed password for root from ${victim} port 22 ssh2`,
      `\nFailed password for root from ${victim} port 22 ssh2\n`,
    ];
    for (const name of names) {
      await journald.write(sshdEntry(failedLogin('203.0.113.12', `invalid user ${name}`)));
      await journald.write(sshdEntry(`Invalid user ${name} from 203.0.113.12 port 40022`));
    }
    await failLogins(journald, '203.0.113.13', 3);
    await waitForBan(daemon, '203.0.113.13');
    assert.ok((await jailOf(daemon)).totalFailures > totalFailures + 3, 'the true address was counted');
    assert.ok(!((await readElements(bed, 'ban4')) ?? []).some(({ key }) => key === victim));
    assert.ok(!(await bansOf(daemon)).some(({ offender }) => offender === victim));
    const counted = daemon.output.split('\n').filter((line) => line.includes(` of ${victim} in `));
    assert.deepEqual(counted, [], 'not even one failure is counted for the victim');
  });

  test('reach neither log nor metrics with their control characters', async () => {
    const { journald, daemon } = scene;
    const user = '\u001b[31mzebra\u0007\u202e"} 1';
    await journald.write(sshdEntry(failedLogin('203.0.113.14', user)));
    const line = await daemon.waitForLine(/failure 1\/3 of 203\.0\.113\.14/, SOON_MILLISECONDS);
    assert.match(line, /zebra/);
    assert.doesNotMatch(daemon.output, /[\x00-\x09\x0b-\x1f\x7f\u202e]/);
    assert.doesNotMatch(await daemon.metricsText(), /203\.0\.113\.14|zebra/);
  });

  test('that another user writes under the name of sshd do not count', {
    skip: requirements('root') ?? false,
  }, async () => {
    const { journald, daemon } = scene;
    const { totalFailures } = await jailOf(daemon);
    for (let time = 0; time < 4; time++) {
      await journald.write(sshdEntry(failedLogin('203.0.113.15')), { uid: 65_534 });
    }
    await failLogins(journald, '203.0.113.16', 3);
    await waitForBan(daemon, '203.0.113.16');
    assert.equal((await jailOf(daemon)).totalFailures, totalFailures + 3);
    assert.ok(!(await bansOf(daemon)).some(({ offender }) => offender === '203.0.113.15'));
  });

  test('count on when journald was rotated, killed and started again', async () => {
    const { journald, daemon } = scene;
    const { totalFailures } = await jailOf(daemon);
    await failLogins(journald, '203.0.113.18', 1);
    await journald.rotate();
    await failLogins(journald, '203.0.113.18', 1);
    await journald.sync();
    await journald.kill9();
    await journald.start();
    await failLogins(journald, '203.0.113.18', 1);
    assert.equal((await waitForBan(daemon, '203.0.113.18')).failures, 3);
    assert.equal((await jailOf(daemon)).totalFailures, totalFailures + 3);
  });

  test('count when they come from the unit or through /dev/log as well', {
    skip: requirements('root', 'units', 'logger') ?? false,
  }, async () => {
    const { bed, journald, daemon } = scene;
    const { totalFailures } = await jailOf(daemon);
    const line = failedLogin('203.0.113.17');
    await journald.write(sshdEntry(line), { uid: 65_534, unit: 'ssh.service' });
    await bed.run(['logger', '--tag', 'sshd', '--priority', 'auth.info', line]);
    await waitForFailures(daemon, totalFailures + 2);
    const { jails } = await statusOf(daemon);
    assert.equal(jails[0]?.totalFailures, totalFailures + 2);
  });
});
