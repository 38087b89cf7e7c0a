/**
 * Whole lives of a ledger, from seeds: `BAILIFF_SIM_SEED=7 BAILIFF_SIM_WORLDS=1` runs one again, more worlds search
 * further. A failing run prints its seed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PrefixSet } from '../../src/core/address/prefix-set.ts';
import type { Ban, Decision } from '../../src/core/ledger/decision.ts';
import { Ledger } from '../../src/core/ledger/ledger.ts';
import type { LedgerChanges, LedgerImage } from '../../src/core/ledger/snapshot.ts';
import { FOREVER } from '../../src/core/time.ts';
import { Random } from './random.ts';
import { IGNORED, PROTECTED, type Settings, type Step, writeWorld } from './world.ts';

const FIRST_SEED = Number(process.env.BAILIFF_SIM_SEED ?? 1);
const WORLDS = Number(process.env.BAILIFF_SIM_WORLDS ?? 60);
const STEPS = 1_500;

function forEachWorld(body: (steps: Step[], random: Random) => void): void {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + WORLDS; seed++) {
    const random = new Random(seed);
    try {
      body(writeWorld(random, STEPS), random);
    } catch (error) {
      throw new Error(`world of seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
}

const ANY_LIMITS = { maxOffenders: 1, maxBans: 1 };

/** Feeds one step and returns what was decided. */
function apply(ledger: Ledger, step: Step): Decision[] {
  const out: Decision[] = [];
  if (step.kind !== 'reconfigure') ledger.advance(step.at, step.at, out);
  if (step.kind === 'observe') ledger.observe(step.failure, step.at, out);
  else if (step.kind === 'ban') ledger.ban(step.ban, step.at, out);
  else if (step.kind === 'unban') ledger.unban(step.network, step.jail, step.at, out);
  else if (step.kind === 'unban-all') ledger.unbanAll(step.jail, step.at, out);
  else if (step.kind === 'reconfigure') ledger.reconfigure(step.settings, step.at, out);
  return out;
}

function lastSettings(steps: readonly Step[], index: number): Settings {
  const step = steps.slice(0, index + 1).findLast((candidate) => candidate.kind === 'reconfigure');
  assert.equal(step?.kind, 'reconfigure');
  return step.settings;
}

test('a restart at any point changes nothing: the decisions are those of an uninterrupted run', () => {
  forEachWorld((steps, random) => {
    let restarted = new Ledger(ANY_LIMITS);
    const uninterrupted = new Ledger(ANY_LIMITS);
    for (const [index, step] of steps.entries()) {
      assert.deepEqual(apply(restarted, step), apply(uninterrupted, step), `step ${index}`);
      if (!random.chance(0.02)) continue;
      const image: LedgerImage = structuredClone(restarted.image());
      restarted = new Ledger(ANY_LIMITS);
      restarted.restore(image, step.at);
      const decisions: Decision[] = [];
      restarted.reconfigure(lastSettings(steps, index), step.at, decisions);
      assert.deepEqual(decisions, [], `the restart after step ${index} decides nothing`);
    }
    assert.deepEqual(restarted.image(), uninterrupted.image());
  });
});

test('a store that applies the changes, some of them only at a second try, holds the image', () => {
  forEachWorld((steps, random) => {
    const ledger = new Ledger(ANY_LIMITS);
    const store = new Mirror();
    let underWay: LedgerChanges | null = null;
    const end = (isRefused: boolean): void => {
      if (underWay !== null && isRefused) ledger.returnChanges(underWay);
      else if (underWay !== null) store.apply(underWay);
      underWay = null;
    };
    for (const step of steps) {
      apply(ledger, step);
      if (!random.chance(0.2)) continue;
      if (underWay === null) underWay = structuredClone(ledger.takeChanges());
      else end(random.chance(0.3));
    }
    end(true);
    store.apply(ledger.takeChanges());
    assert.deepEqual(store.image(), sortedImage(ledger.image()));
  });
});

test('the ignored and the protected are never banned', () => {
  const ignored = new PrefixSet([IGNORED]);
  const untouchable = new PrefixSet(PROTECTED);
  forEachWorld((steps) => {
    const ledger = new Ledger(ANY_LIMITS);
    for (const step of steps) {
      for (const decision of apply(ledger, step)) {
        if (decision.kind !== 'ban' && decision.kind !== 'extend') continue;
        assert.equal(untouchable.overlaps(decision.ban.offender), false, decision.ban.offender);
        const jailStands = lastPolicyNames(steps, step).has(decision.ban.jail);
        assert.equal(jailStands && ignored.overlaps(decision.ban.offender), false, decision.ban.offender);
      }
    }
  });
});

test('every ban ends by its deadline, none ends twice, and the decisions alone tell who is banned', () => {
  forEachWorld((steps) => {
    const ledger = new Ledger(ANY_LIMITS);
    const banned = new Map<string, Ban>();
    for (const step of steps) {
      for (const decision of apply(ledger, step)) followDecision(banned, decision);
      assert.equal([...ledger.bans()].length, banned.size);
      for (const ban of ledger.bans()) assert.deepEqual(banned.get(`${ban.jail} ${ban.offender}`), ban);
      if (step.kind === 'advance')
        for (const ban of banned.values()) assert.ok(ban.until > step.at, 'overdue');
    }
    const end: Decision[] = [];
    ledger.advance(FOREVER - 1, FOREVER - 1, end);
    for (const decision of end) followDecision(banned, decision);
    assert.ok([...banned.values()].every((ban) => ban.until === FOREVER));
    assert.equal(ledger.nextDeadline(), null);
  });
});

test('memory stays within the limits, and the counts are those of the image', () => {
  forEachWorld((steps) => {
    const ledger = new Ledger(ANY_LIMITS);
    for (const [index, step] of steps.entries()) {
      apply(ledger, step);
      if (step.kind !== 'observe') continue;
      const { limits } = lastSettings(steps, index);
      const counts = ledger.counts(step.failure.jail);
      assert.ok(counts.offenders <= limits.maxOffenders);
      if (index % 50 !== 0) continue;
      const windows = ledger.image().windows.filter((window) => window.jail === step.failure.jail);
      assert.equal(counts.offenders, windows.length);
      assert.equal(
        counts.failures,
        windows.reduce((sum, window) => sum + window.seenAt.length, 0),
      );
    }
  });
});

test('a failure of low confidence never bans, and leaves every window short of an offence', () => {
  forEachWorld((steps) => {
    const ledger = new Ledger(ANY_LIMITS);
    for (const [index, step] of steps.entries()) {
      if (step.kind !== 'observe' || step.failure.confidence !== 'low') {
        apply(ledger, step);
        continue;
      }
      const decisions: Decision[] = [];
      const observation = ledger.observe(step.failure, step.at, decisions);
      assert.deepEqual(decisions, []);
      const { policies } = lastSettings(steps, index);
      const maxRetry = policies.find(({ name }) => name === step.failure.jail)?.maxRetry ?? 0;
      assert.ok(observation.outcome === 'ignored' || observation.count < maxRetry);
    }
  });
});

function lastPolicyNames(steps: readonly Step[], step: Step): Set<string> {
  return new Set(lastSettings(steps, steps.indexOf(step)).policies.map((policy) => policy.name));
}

function followDecision(banned: Map<string, Ban>, decision: Decision): void {
  if (decision.kind === 'forgive') return;
  const key = `${decision.ban.jail} ${decision.ban.offender}`;
  if (decision.kind === 'unban') assert.equal(banned.delete(key), true, `${key} was not banned`);
  else {
    assert.equal(banned.has(key), decision.kind === 'extend', key);
    banned.set(key, decision.ban);
  }
}

/** What a store does with changes. */
class Mirror {
  readonly #rows = {
    windows: new Map<string, object>(),
    bans: new Map<string, object>(),
    totals: new Map<string, object>(),
  };

  apply(changes: LedgerChanges): void {
    for (const jail of changes.rewritten) {
      for (const rows of [this.#rows.windows, this.#rows.bans]) {
        for (const key of [...rows.keys()]) if (key.startsWith(`${jail} `)) rows.delete(key);
      }
    }
    for (const kind of ['windows', 'bans'] as const) {
      const gone = new Set((kind === 'windows' ? changes.windowsGone : changes.bansGone).map(keyOf));
      for (const key of gone) this.#rows[kind].delete(key);
      for (const row of changes[kind]) {
        assert.equal(gone.has(keyOf(row)), false, 'a key is either changed or gone');
        // A window that is written again becomes the newest.
        if (kind === 'windows') this.#rows[kind].delete(keyOf(row));
        this.#rows[kind].set(keyOf(row), row);
      }
    }
    for (const totals of changes.totals) this.#rows.totals.set(totals.jail, totals);
  }

  image(): object {
    const values = (rows: Map<string, object>) => [...rows.entries()].sort(byKey).map(([, row]) => row);
    return {
      windows: byJail([...this.#rows.windows.values()]),
      bans: values(this.#rows.bans),
      totals: values(this.#rows.totals),
    };
  }
}

function sortedImage(image: LedgerImage): object {
  const sorted = <Row extends object>(rows: readonly Row[], key: (row: Row) => string) =>
    rows
      .map((row) => [key(row), row] as const)
      .sort(byKey)
      .map(([, row]) => row);
  return {
    windows: byJail(image.windows),
    bans: sorted(image.bans, keyOf),
    totals: sorted(
      image.totals.filter((totals) => totals.failures + totals.bans > 0),
      (totals) => totals.jail,
    ),
  };
}

/** Windows keep their order within a jail: a restored ledger must know which is the oldest. */
function byJail(rows: readonly object[]): object {
  return Object.groupBy(rows as readonly { jail: string }[], ({ jail }) => jail);
}

function keyOf(row: { jail: string; offender: string }): string {
  return `${row.jail} ${row.offender}`;
}

function byKey(one: readonly [string, unknown], other: readonly [string, unknown]): number {
  return one[0] < other[0] ? -1 : Number(one[0] > other[0]);
}
