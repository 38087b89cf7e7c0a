/** Other programs in the ruleset: what they take away comes back, what they bring is taken over. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ElementWatch, readElements, waitForElement, waitForNoElement } from '../bed/kernel.ts';
import { ATTACKERS_IPV4, HOST } from '../bed/namespace.ts';
import { tryConnect } from '../bed/reachability.ts';
import {
  bansOf,
  CONFIGURATION,
  failLogins,
  openScene,
  type Scene,
  SOON_MILLISECONDS,
  sceneMissing,
  waitForBan,
} from './scene.ts';

const [attacker = ''] = ATTACKERS_IPV4;
const TRUSTED = '198.51.100.200';

describe('the table', { skip: sceneMissing }, () => {
  let scene: Scene;
  let watch: ElementWatch;
  before(async () => {
    scene = await openScene({ configuration: `${CONFIGURATION}\n[trust]\naddresses = ["${TRUSTED}"]\n` });
    watch = await ElementWatch.start(scene.bed);
    await failLogins(scene.journald, attacker, 3);
    await waitForBan(scene.daemon, attacker);
  });
  after(() => scene?.bed.close());

  for (const robbery of [
    `delete element inet bailiff ban4 { ${attacker} }`,
    'flush ruleset',
    'delete table inet bailiff',
    'flush set inet bailiff ban4',
  ]) {
    test(`is as it should be again after: nft ${robbery.replace(attacker, 'ADDRESS')}`, async () => {
      const { bed } = scene;
      watch.forget();
      const back = watch.added('ban4', attacker, SOON_MILLISECONDS);
      await bed.run(['nft', robbery]);
      await back;
      const element = await waitForElement(bed, 'ban4', attacker, SOON_MILLISECONDS);
      assert.ok((element.expiresSeconds ?? 0) > 500, 'with the time that was left');
      assert.equal(await tryConnect(bed, { from: attacker, to: HOST.ipv4, port: 22 }), 'dropped');
    });
  }

  test('tells in the log and the metrics that somebody was at it', async () => {
    const { daemon } = scene;
    await daemon.waitForLine(
      /firewall: somebody removed the table; it is back with 1 element/,
      SOON_MILLISECONDS,
    );
    await daemon.waitForLine(/firewall: the kernel differed: 1 missing/, SOON_MILLISECONDS);
  });

  test('has an element that somebody added by hand taken over, as a ban of the jail in its comment', async () => {
    const { bed, daemon } = scene;
    await bed.run(['nft', 'add element inet bailiff ban4 { 203.0.113.77 timeout 1h comment "sshd" }']);
    const ban = await waitForBan(daemon, '203.0.113.77');
    assert.deepEqual([ban.jail, ban.cause], ['sshd', 'restore']);
    assert.ok((ban.remainingSeconds ?? 0) > 3_500);
    assert.ok((await readElements(bed, 'ban4'))?.some(({ key }) => key === '203.0.113.77'));
    assert.equal((await daemon.command('unban', '203.0.113.77')).status, 0);
    await waitForNoElement(bed, 'ban4', '203.0.113.77', SOON_MILLISECONDS);
  });

  test('has an element without a word and without an end become a permanent ban', async () => {
    const { bed, daemon } = scene;
    await bed.run(['nft', 'add element inet bailiff ban4 { 203.0.113.78 }']);
    const ban = await waitForBan(daemon, '203.0.113.78');
    assert.deepEqual([ban.jail, ban.until], ['restored', 'forever']);
  });

  test('never keeps an element for somebody who is trusted, or for this host', async () => {
    const { bed, daemon } = scene;
    for (const address of [TRUSTED, HOST.ipv4]) {
      await bed.run(['nft', `add element inet bailiff ban4 { ${address} timeout 1h }`]);
      await waitForNoElement(bed, 'ban4', address, SOON_MILLISECONDS);
    }
    const offenders = (await bansOf(daemon)).map(({ offender }) => offender);
    for (const address of [TRUSTED, HOST.ipv4]) assert.ok(!offenders.includes(address));
  });
});
