/** Stops, kills and restarts under a stream of failures: nothing is lost, nothing counted twice, no ban let go. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { waitForElement } from '../bed/kernel.ts';
import { ATTACKERS_IPV4, HOST } from '../bed/namespace.ts';
import type { Daemon } from '../bed/services/daemon.ts';
import type { Journald } from '../bed/services/journald.ts';
import {
  bansOf,
  failedLogin,
  jailOf,
  keysOf,
  openScene,
  SOON_MILLISECONDS,
  sceneMissing,
  sshdEntry,
  sumOf,
  waitForBan,
  waitForFailures,
} from './scene.ts';

const skip = sceneMissing;
const MAX_RETRY = 3;
const [attacker = '', honest = ''] = ATTACKERS_IPV4;

/** Prints who sends a datagram, once for each. */
const RECEIVE = `
const seen = new Set();
require('node:dgram').createSocket('udp4')
  .on('message', (_, { address }) => { if (!seen.has(address)) console.log(address); seen.add(address); })
  .bind(7777, '0.0.0.0', () => console.log('listening'));`;

/** Sends a datagram every millisecond, as an attacker who wants to be in as soon as the door opens. */
const KNOCK = `
const [from, to] = process.argv.slice(1);
const socket = require('node:dgram').createSocket('udp4').bind(0, from, () => {
  setInterval(() => socket.send('knock', 7777, to), 1);
});`;

/** Writes failures of ever new addresses, each of which fails MAX_RETRY times in a row, and remembers what it wrote. */
class Attackers {
  readonly #journald: Journald;
  written = 0;

  constructor(journald: Journald) {
    this.#journald = journald;
  }

  async fail(times: number): Promise<void> {
    for (let time = 0; time < times; time++) {
      await this.#journald.write(sshdEntry(failedLogin(addressOf(Math.floor(this.written / MAX_RETRY)))));
      this.written++;
    }
  }

  /** Those who have failed often enough. */
  banned(): string[] {
    return Array.from({ length: Math.floor(this.written / MAX_RETRY) }, (_, index) => addressOf(index));
  }
}

/** One address after the other; the first is that of somebody who is really there. */
function addressOf(index: number): string {
  if (index === 0) return attacker;
  return `203.0.${100 + Math.floor(index / 200)}.${1 + (index % 200)}`;
}

async function assertAllAgree(daemon: Daemon, keys: readonly string[], attackers: Attackers): Promise<void> {
  const jail = await jailOf(daemon);
  const expected = attackers.banned().toSorted();
  assert.equal(jail.totalFailures, attackers.written);
  assert.equal(jail.totalBans, expected.length);
  assert.equal(jail.currentBans, expected.length);
  assert.equal(jail.currentFailures, attackers.written % MAX_RETRY);
  assert.deepEqual((await bansOf(daemon)).map(({ offender }) => offender).toSorted(), expected);
  assert.deepEqual(keys, expected);
  assert.equal(sumOf(await daemon.metrics(), 'bailiff_active_bans', { jail: 'sshd' }), expected.length);
}

test('each failure is counted once and each ban holds, however the daemon ends and whenever', {
  skip,
}, async () => {
  const { bed, journald, daemon } = await openScene();
  await using _ = bed;
  const attackers = new Attackers(journald);
  await attackers.fail(4);
  await waitForElement(bed, 'ban4', attacker, SOON_MILLISECONDS);
  // The one who is banned first knocks from here to the end: the door must not be open for a moment.
  const door = await bed.start([process.execPath, '-e', RECEIVE]);
  await door.waitForLine(/listening/, SOON_MILLISECONDS);
  for (const from of [attacker, honest]) {
    await bed.start([process.execPath, '-e', KNOCK, from, HOST.ipv4], { at: 'attacker' });
  }
  await door.waitForLine(new RegExp(`^${honest}$`), SOON_MILLISECONDS);

  const ways = [
    { end: () => daemon.kill9(), after: 0, meanwhile: () => journald.rotate() },
    { end: () => daemon.kill9(), after: 7, meanwhile: async () => {} },
    { end: () => daemon.stop(), after: 20, meanwhile: () => journald.rotate() },
    { end: () => daemon.kill9(), after: 50, meanwhile: async () => {} },
  ];
  for (const { end, after, meanwhile } of ways) {
    const before = attackers.written;
    const stream = attackers.fail(90);
    await waitForFailures(daemon, before + after);
    await end();
    await stream;
    await meanwhile();
    assert.ok((await keysOf(bed, 'ban4')).includes(addressOf(0)), 'bans stay while the daemon is down');
    const further = attackers.fail(20);
    await daemon.restart();
    await further;
    await waitForFailures(daemon, attackers.written);
  }
  for (const address of attackers.banned().slice(-1)) await waitForBan(daemon, address);
  await assertAllAgree(daemon, await keysOf(bed, 'ban4'), attackers);
  const { packets } = await waitForElement(bed, 'ban4', attacker, SOON_MILLISECONDS);
  assert.ok((packets ?? 0) > 1_000, `${packets} packets were dropped`);
  assert.equal(door.output, `listening\n${honest}\n`);
});

/** Times that the daemon is killed just when it has announced a ban; some hundreds of them by hand. */
const KILLS = Number(process.env.BAILIFF_KILLS ?? 5);

/** Whom this run of the daemon has announced as banned, in its log. */
function announcedBy(daemon: Daemon): string[] {
  return [...daemon.output.matchAll(/ banned (\S+) in sshd .*\)$/gm)].map((found) => found[1] ?? '');
}

test(`a ban that was announced is in the kernel, whenever the daemon is killed, ${KILLS} times`, {
  skip,
}, async () => {
  const { bed, journald, daemon } = await openScene();
  await using _ = bed;
  const attackers = new Attackers(journald);
  for (let kill = 0; kill < KILLS; kill++) {
    const stream = attackers.fail(60);
    const victim = addressOf(Math.floor(attackers.written / MAX_RETRY) + randomInt(18));
    await daemon.waitForLine(new RegExp(` banned ${victim.replaceAll('.', '\\.')} `), SOON_MILLISECONDS);
    await daemon.kill9();
    const announced = announcedBy(daemon);
    const missing = async (): Promise<string[]> => {
      const held = new Set(await keysOf(bed, 'ban4'));
      return announced.filter((address) => !held.has(address));
    };
    assert.deepEqual(await missing(), [], `of ${announced.length} when the daemon was killed`);
    await stream;
    await daemon.restart();
    assert.deepEqual(await missing(), [], 'nor after the restart');
    await waitForFailures(daemon, attackers.written);
  }
  for (const address of attackers.banned().slice(-1)) await waitForBan(daemon, address);
  await assertAllAgree(daemon, await keysOf(bed, 'ban4'), attackers);
});

test('a restart goes on with a failure count that was under way, with its time', { skip }, async () => {
  const { bed, journald, daemon } = await openScene();
  await using _ = bed;
  const attackers = new Attackers(journald);
  await attackers.fail(2);
  await waitForFailures(daemon, 2);
  await daemon.stop();
  await daemon.restart();
  assert.equal((await jailOf(daemon)).currentFailures, 2);
  await attackers.fail(1);
  const ban = await waitForBan(daemon, addressOf(0));
  assert.deepEqual([ban.failures, ban.cause], [3, 'offence']);
});

test('an attempt of which a kill, a restart or a reload lies between two lines counts once', {
  skip,
}, async () => {
  const { bed, journald, daemon } = await openScene();
  await using _ = bed;
  const write = (message: string) => journald.write({ ...sshdEntry(message), SYSLOG_PID: '77' });
  const start = `Invalid user admin from ${attacker} port 40022`;
  const result = `Failed password for invalid user admin from ${attacker} port 40022 ssh2`;
  const between = [
    async () => {
      await daemon.kill9();
      await daemon.restart();
    },
    async () => {
      await daemon.stop();
      await daemon.restart();
    },
    async () => {
      await daemon.api('/v1/reload', { method: 'POST' });
    },
  ];
  for (const [index, interrupt] of between.entries()) {
    await write(start);
    await waitForFailures(daemon, 2 * index + 1);
    await interrupt();
    await write(result);
    // Another offender's, behind it: by then the result has been dealt with.
    await write(`Failed password for root from 198.51.100.${index} port 40022 ssh2`);
    await waitForFailures(daemon, 2 * index + 2);
    assert.equal((await jailOf(daemon)).totalFailures, 2 * index + 2);
  }
});

test('entries that were vacuumed away after they were read are not missed, and the rest is read', {
  skip,
}, async () => {
  const { bed, journald, daemon } = await openScene();
  await using _ = bed;
  const attackers = new Attackers(journald);
  await attackers.fail(30);
  await waitForFailures(daemon, 30);
  await daemon.stop();
  await journald.rotate();
  await journald.vacuum();
  assert.equal(journald.files().length, 1, 'the file with the position is gone');
  await attackers.fail(31);
  await daemon.restart();
  await waitForFailures(daemon, attackers.written);
  await waitForBan(daemon, attackers.banned().at(-1) ?? '');
  await assertAllAgree(daemon, await keysOf(bed, 'ban4'), attackers);
});

test('bans that the state has lost are taken over from the kernel', { skip }, async () => {
  const { bed, journald, daemon } = await openScene();
  await using _ = bed;
  const attackers = new Attackers(journald);
  await attackers.fail(3);
  const { until } = await waitForBan(daemon, addressOf(0));
  await daemon.kill9();
  await journald.rotate();
  await journald.vacuum();
  await bed.run(['rm', '-r', `${daemon.directory}/state`]);
  await daemon.restart();
  const ban = await waitForBan(daemon, addressOf(0));
  assert.deepEqual([ban.jail, ban.cause], ['sshd', 'restore']);
  assert.ok(Math.abs(Date.parse(ban.until) - Date.parse(until)) < 3_000, 'it ends when it would have ended');
});

test('a table that was lost while the daemon was down is filled again from the state', { skip }, async () => {
  const { bed, journald, daemon } = await openScene();
  await using _ = bed;
  const attackers = new Attackers(journald);
  await attackers.fail(6);
  await waitForBan(daemon, addressOf(1));
  await daemon.kill9();
  await bed.run(['nft', 'flush', 'ruleset']);
  await daemon.restart();
  await waitForElement(bed, 'ban4', addressOf(0), SOON_MILLISECONDS);
  const element = await waitForElement(bed, 'ban4', addressOf(1), SOON_MILLISECONDS);
  assert.ok((element.expiresSeconds ?? 0) > 580 && (element.expiresSeconds ?? 0) <= 600);
  await assertAllAgree(daemon, await keysOf(bed, 'ban4'), attackers);
});
