/**
 * Whole lives of a daemon between journal and disk, from seeds: it reads a journal, hears datagrams, stores, is killed
 * at any point and starts again from what the disk holds, while the disk is slow, refuses, or loses its file.
 * `BAILIFF_SIM_SEED=7 BAILIFF_SIM_WORLDS=1` runs one again. A failing run prints its seed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ledger } from '../../src/core/ledger/ledger.ts';
import { HOUR, MINUTE, SECOND } from '../../src/core/time.ts';
import { BACKLOG_AGE } from '../../src/daemon/judgement/pipeline.ts';
import { Follower } from './follower.ts';
import { Disk, type Entry, Host, LIMITS, POLICIES } from './host.ts';
import { Random } from './random.ts';

const FIRST_SEED = Number(process.env.BAILIFF_SIM_SEED ?? 1);
const WORLDS = Number(process.env.BAILIFF_SIM_WORLDS ?? 40);
const STEPS = 400;

/** A few attackers who come back, and many who come once. */
function chooseAddress(random: Random): string {
  return random.chance(0.7)
    ? `203.0.113.${random.below(12)}`
    : `198.51.${random.below(100)}.${random.below(250)}`;
}

/** Mostly the daemon is away for a moment; sometimes the machine was off. */
function chooseAbsence(random: Random): number {
  return random.chance(0.3) ? random.below(2 * HOUR) : random.below(5 * SECOND);
}

/** What is written while there is no daemon. */
function beAway(host: Host, random: Random): void {
  const absence = chooseAbsence(random);
  for (let entries = random.below(5); entries > 0; entries--) {
    host.at += Math.floor(absence / 6);
    host.log(chooseAddress(random));
  }
  host.at += Math.floor(absence / 6);
}

/** Does one thing that can happen. */
async function step(host: Host, random: Random): Promise<void> {
  host.at += random.below(SECOND);
  const dice = random.next();
  if (dice < 0.35) {
    for (let entries = 1 + random.below(8); entries > 0; entries--) {
      host.at += random.below(SECOND);
      host.log(chooseAddress(random));
    }
  } else if (dice < 0.65) host.read(1 + random.below(20));
  else if (dice < 0.7) host.hear(chooseAddress(random));
  else if (dice < 0.75) host.tick();
  else if (dice < 0.77) host.reload();
  else if (dice < 0.8) host.disk.trouble = random.pick(['none', 'slow', 'full', 'damaged']);
  else if (dice < 0.93) await host.turn(random.chance(0.5));
  else if (dice < 0.96) await host.settle();
  else if (dice < 0.98) await host.kill(random.chance(0.5), () => beAway(host, random));
  else if (dice < 0.99) await host.restart(() => beAway(host, random));
  else {
    // A daemon that is up reads on: it never lets a backlog lie.
    host.readAll();
    host.at += random.below(15 * MINUTE);
  }
}

/** What a daemon would have come to that has never stopped and has judged each entry when it was written. */
function judgeAtOnce(journal: readonly Entry[], end: number): Ledger {
  const ledger = new Ledger(LIMITS);
  ledger.reconfigure({ policies: POLICIES, limits: LIMITS, protectedNetworks: [] }, 0, []);
  for (const { at, address } of journal) {
    ledger.advance(at, at, []);
    ledger.observe({ jail: 'sshd', address, seenAt: at, weight: 1 }, at, []);
  }
  ledger.advance(end, end - BACKLOG_AGE, []);
  return ledger;
}

function bansOf(ledger: Ledger): string[] {
  return [...ledger.bans('sshd')].map(({ offender, until }) => `${offender} until ${until}`).sort();
}

function windowsOf(ledger: Ledger): string[] {
  return ledger
    .image()
    .windows.filter(({ jail }) => jail === 'sshd')
    .map(({ offender, seenAt }) => `${offender}: ${seenAt.join(' ')}`)
    .sort();
}

test('each entry of the journal counts once, and the bans are those of a life without interruption', async () => {
  const seen = { kills: 0, refusals: 0, reread: 0 };
  for (let seed = FIRST_SEED; seed < FIRST_SEED + WORLDS; seed++) {
    const random = new Random(seed);
    const host = new Host(new Disk());
    try {
      for (let done = 0; done < STEPS; done++) await step(host, random);
      host.disk.trouble = 'none';
      await host.catchUp();
      await host.restart(() => {});
      await host.catchUp();
      const expected = judgeAtOnce(host.journal, host.at);
      const { ledger } = host;
      assert.equal(ledger.counts('sshd').totalFailures, host.journal.length);
      assert.deepEqual(bansOf(ledger), bansOf(expected));
      assert.deepEqual(windowsOf(ledger), windowsOf(expected));
      assert.deepEqual(host.kernelBans('sshd'), bansOf(expected));
      assert.ok(ledger.counts('web').totalFailures <= host.heard, 'no datagram counts twice either');
    } catch (error) {
      throw new Error(`world of seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
    seen.kills += host.kills;
    seen.refusals += host.disk.refusals;
    seen.reread += host.reread;
  }
  // Otherwise the worlds have become too kind to find anything.
  if (WORLDS >= 20) for (const count of Object.values(seen)) assert.ok(count > WORLDS, JSON.stringify(seen));
});

test('followers of the ban log hold the bans in force, whatever the disk has kept of them', async () => {
  const seen = { asked: 0, kept: 0, resets: 0 };
  for (let seed = FIRST_SEED; seed < FIRST_SEED + WORLDS; seed++) {
    const random = new Random(seed);
    const host = new Host(new Disk());
    const followers = [new Follower(), new Follower(), new Follower()];
    const ask = (follower: Follower): void => {
      const { position, resets } = follower;
      host.ask(follower);
      follower.mustHold(host.ledger);
      seen.asked++;
      const hasLivedOn = position !== null && position.session !== follower.position?.session;
      if (hasLivedOn && follower.resets === resets) seen.kept++;
    };
    try {
      for (let done = 0; done < STEPS; done++) {
        await step(host, random);
        if (random.chance(0.3)) ask(random.pick(followers));
      }
      for (const follower of followers) ask(follower);
    } catch (error) {
      throw new Error(`world of seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
    seen.resets += followers.reduce((sum, { resets }) => sum + resets, 0);
  }
  if (WORLDS >= 20) for (const count of Object.values(seen)) assert.ok(count > WORLDS, JSON.stringify(seen));
});
