/** Reloading: what changes comes into force, what is wrong leaves everything as it was, and both are told. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, beforeEach, describe, test } from 'node:test';
import { waitForElement } from '../bed/kernel.ts';
import { requirements } from '../bed/requirements.ts';
import { waitFor } from '../bed/waiting.ts';
import {
  bansOf,
  componentOf,
  failedLogin,
  failLogins,
  jailOf,
  openScene,
  type Scene,
  SOON_MILLISECONDS,
  sceneMissing,
  statusOf,
  waitForBan,
  waitForFailures,
} from './scene.ts';

const jail = (name: string, maxRetry: number, banTime: string, further = '') =>
  `[jail.${name}]\nfilters = ["sshd"]\nmax_retry = ${maxRetry}\nban_time = "${banTime}"\n${further}\n`;

/** With a rule, but without the samples that a filter of the user's may leave out. */
const SHOP_FILTER = `
description = "a shop"
identifiers = ["shop"]
[journal]
uids = [0]
[[rules]]
name = "denied"
template = 'denied <address>'
samples = [
  { line = "denied 203.0.113.9", address = "203.0.113.9", user = "" },
  { line = "granted 203.0.113.9", match = false },
]
`;

describe('a reload', { skip: sceneMissing }, () => {
  let scene: Scene;
  before(async () => {
    scene = await openScene({ configuration: jail('sshd', 3, '10m') });
  });
  after(() => scene?.bed.close());
  beforeEach(() => {
    scene.daemon.configure(jail('sshd', 3, '10m'));
  });

  async function reload(configuration: string) {
    scene.daemon.configure(configuration);
    return scene.daemon.command('reload');
  }

  test('brings a new max_retry and ban_time into force, and keeps bans and counts', async () => {
    const { bed, journald, daemon } = scene;
    await failLogins(journald, '203.0.113.1', 3);
    const before = await waitForBan(daemon, '203.0.113.1');
    await failLogins(journald, '203.0.113.2', 1);
    await waitForFailures(daemon, 4);
    const { status, stdout } = await reload(jail('sshd', 2, '1h'));
    assert.deepEqual([status, stdout], [0, 'reloaded; jails: sshd, manual\n']);
    await failLogins(journald, '203.0.113.2', 1);
    const element = await waitForElement(bed, 'ban4', '203.0.113.2', SOON_MILLISECONDS);
    assert.ok((element.timeoutSeconds ?? 0) > 3_590);
    assert.equal((await waitForBan(daemon, '203.0.113.1')).until, before.until);
    assert.match((await daemon.command('status', 'sshd')).stdout, /2 failures in 10m, ban of 1h/);
  });

  test('takes SIGHUP for the same', async () => {
    const { daemon } = scene;
    daemon.configure(jail('sshd', 7, '10m'));
    process.kill(daemon.pid, 'SIGHUP');
    await waitFor('the new policy', SOON_MILLISECONDS, async () =>
      (await jailOf(daemon)).maxRetry === 7 ? true : null,
    );
  });

  test('of a file with mistakes is refused, names their places, and leaves the old one running', async () => {
    const { journald, daemon } = scene;
    assert.equal((await reload(jail('sshd', 3, '10m'))).status, 0);
    const { status, stderr } = await reload('[jail.sshd]\nmax_retry = "many"\nban_tim = "1h"\n');
    assert.equal(status, 4);
    assert.match(stderr, /bailiff\.toml:2:13: /);
    assert.match(stderr, /^ +2 \| max_retry = "many"$/m);
    assert.match(stderr, /^ +\| +\^$/m);
    assert.match(stderr, /bailiff\.toml:3:1: .*ban_tim.*ban_time/);
    assert.match(stderr, /reload refused: the old configuration goes on/);
    await daemon.waitForLine(/reload refused.*bailiff\.toml:2:13/, SOON_MILLISECONDS);
    assert.equal((await jailOf(daemon)).maxRetry, 3);
    await failLogins(journald, '203.0.113.3', 3);
    await waitForBan(daemon, '203.0.113.3');
  });

  test('of a file that is gone or no TOML is refused as well', async () => {
    const { daemon } = scene;
    assert.equal((await reload('[jail.sshd\n')).status, 4);
    rmSync(daemon.configurationPath);
    const { status, stderr } = await daemon.command('reload');
    assert.equal(status, 4);
    assert.match(stderr, /bailiff\.toml/);
    assert.equal((await jailOf(daemon)).name, 'sshd');
  });

  test('adds a jail and takes one away; the bans of that stay until they end', async () => {
    const { journald, daemon } = scene;
    await reload(jail('sshd', 3, '10m') + jail('strict', 1, '30m'));
    await failLogins(journald, '203.0.113.4', 1);
    const ban = await waitForBan(daemon, '203.0.113.4');
    assert.equal(ban.jail, 'strict');
    await reload(jail('sshd', 3, '10m'));
    assert.equal((await daemon.command('status', 'strict')).status, 1);
    assert.ok((await bansOf(daemon)).some(({ offender }) => offender === '203.0.113.4'));
    const { totalFailures } = await jailOf(daemon);
    await failLogins(journald, '203.0.113.5', 1);
    await waitForFailures(daemon, totalFailures + 1);
    assert.ok(!(await bansOf(daemon)).some(({ offender }) => offender === '203.0.113.5'));
    assert.equal((await daemon.command('unban', '203.0.113.4')).status, 0);
  });

  test('adds a syslog listener and takes it away', { skip: requirements('logger') ?? false }, async () => {
    const { bed, daemon } = scene;
    const listening = async () =>
      (await bed.run(['ss', '-H', '-lun', 'sport = :5514'])).stdout.includes('127.0.0.1:5514');
    assert.equal(await listening(), false);
    await reload(`${jail('sshd', 1, '10m')}[syslog]\nudp = ["127.0.0.1:5514"]\n`);
    assert.equal(await listening(), true);
    assert.match((await componentOf(daemon, 'syslog')).detail, /udp 127\.0\.0\.1:5514/);
    const logger = ['logger', '--server', '127.0.0.1', '--port', '5514', '--udp', '--tag', 'sshd'];
    await bed.run([...logger, failedLogin('203.0.113.6')]);
    await waitForBan(daemon, '203.0.113.6');
    await reload(jail('sshd', 3, '10m'));
    assert.equal(await listening(), false);
    assert.equal((await componentOf(daemon, 'syslog')).health, 'off');
  });

  test('lifts the ban of somebody who is trusted or ignored from now on', async () => {
    const { bed, daemon } = scene;
    for (const address of ['203.0.113.30', '203.0.113.31', '203.0.113.32']) {
      assert.equal((await daemon.command('ban', address, '--jail', 'sshd')).status, 0);
    }
    const spared = jail('sshd', 3, '10m', 'ignore = ["203.0.113.31"]');
    await reload(`${spared}[trust]\naddresses = ["203.0.113.30"]\n`);
    const offenders = (await bansOf(daemon)).map(({ offender }) => offender);
    assert.deepEqual(
      ['203.0.113.30', '203.0.113.31', '203.0.113.32'].filter((address) => offenders.includes(address)),
      ['203.0.113.32'],
    );
    const { stdout } = await bed.run(['nft', 'list', 'table', 'inet', 'bailiff']);
    assert.match(stdout, /203\.0\.113\.30/, 'in the set of who is trusted');
    assert.doesNotMatch(stdout, /203\.0\.113\.31/);
  });

  test('reads filters again; one with a mistake harms only the jail that needs it', async () => {
    const { journald, daemon } = scene;
    const filters = `${daemon.directory}/filters`;
    mkdirSync(filters, { recursive: true });
    writeFileSync(`${filters}/shop.toml`, SHOP_FILTER);
    const both = `${jail('sshd', 3, '10m')}[jail.shop]\nmax_retry = 1\n`;
    assert.equal((await reload(both)).status, 0);
    await journald.write({ SYSLOG_IDENTIFIER: 'shop', MESSAGE: 'denied 203.0.113.40' });
    assert.equal((await waitForBan(daemon, '203.0.113.40')).jail, 'shop');

    writeFileSync(`${filters}/shop.toml`, SHOP_FILTER.replace('<address>', '<adress>'));
    const refused = await daemon.command('reload');
    assert.equal(refused.status, 0, 'the rest is applied');
    assert.match(refused.stderr, /shop\.toml:\d+:\d+: /);
    const { jails, refusedFilters, refusedJails } = await statusOf(daemon);
    assert.deepEqual(
      jails.map(({ name }) => name),
      ['sshd', 'manual'],
    );
    assert.deepEqual(
      refusedFilters.map(({ name }) => name),
      ['shop'],
    );
    assert.deepEqual(
      refusedJails.map(({ name }) => name),
      ['shop'],
    );
    assert.equal((await componentOf(daemon, 'configuration')).health, 'degraded');
    assert.match((await daemon.command('status')).stdout, /^filter shop stays out:$/m);
    await failLogins(journald, '203.0.113.41', 3);
    await waitForBan(daemon, '203.0.113.41');

    writeFileSync(`${filters}/shop.toml`, SHOP_FILTER);
    assert.equal((await daemon.command('reload')).stderr, '');
    assert.equal((await componentOf(daemon, 'configuration')).health, 'up');
  });
});
