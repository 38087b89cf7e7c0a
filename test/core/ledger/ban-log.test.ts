/**
 * The ban log from outside: followers with copies of the bans, and lives of a ledger, from seeds.
 * `BAILIFF_SIM_SEED=7 BAILIFF_SIM_WORLDS=1` runs one again. A failing run prints its seed.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type BanChange,
  BanLog,
  type BanLogPosition,
  compareRank,
  formatPosition,
  MAX_LOGGED_CHANGES,
  parsePosition,
} from '../../../src/core/ledger/ban-log.ts';
import type { Ban, Decision } from '../../../src/core/ledger/decision.ts';
import { Ledger } from '../../../src/core/ledger/ledger.ts';
import { Follower } from '../../sim/follower.ts';
import { Random } from '../../sim/random.ts';
import { type Settings, type Step, writeWorld } from '../../sim/world.ts';

const FIRST_SEED = Number(process.env.BAILIFF_SIM_SEED ?? 1);
const WORLDS = Number(process.env.BAILIFF_SIM_WORLDS ?? 60);
const STEPS = 1_500;
/** So few that followers fall out of them. */
const CAPACITY = 16;
const FOLLOWERS = 5;
const ANY_LIMITS = { maxOffenders: 1, maxBans: 1 };

const BAN: Ban = {
  jail: 'sshd',
  offender: '203.0.113.9',
  since: 1_000_000,
  until: 2_000_000,
  cause: 'offence',
  failures: 5,
};

/** A ledger with its log, whose ends and beginnings are those of a daemon that stores one with the other. */
class Host {
  ledger = new Ledger(ANY_LIMITS);
  log: BanLog;
  #lives = 0;
  #disk: { readonly bans: readonly Ban[]; readonly position: BanLogPosition } | null = null;
  #settings: Settings | null = null;

  constructor() {
    this.log = this.#openLog(null);
  }

  apply(step: Step): void {
    const out: Decision[] = [];
    const { ledger } = this;
    if (step.kind !== 'reconfigure') ledger.advance(step.at, step.at, out);
    if (step.kind === 'observe') ledger.observe(step.failure, step.at, out);
    else if (step.kind === 'ban') ledger.ban(step.ban, step.at, out);
    else if (step.kind === 'unban') ledger.unban(step.network, step.jail, step.at, out);
    else if (step.kind === 'unban-all') ledger.unbanAll(step.jail, step.at, out);
    else if (step.kind === 'reconfigure') {
      this.#settings = step.settings;
      ledger.reconfigure(step.settings, step.at, out);
    }
    this.#record(out);
  }

  commit(): void {
    this.#disk = structuredClone({ bans: [...this.ledger.bans()], position: this.log.position });
  }

  /** The next life knows what the disk holds, whoever has heard of more. */
  restart(at: number): void {
    this.ledger = new Ledger(ANY_LIMITS);
    this.log = this.#openLog(this.#disk?.position ?? null);
    const out: Decision[] = [];
    this.ledger.restore({ windows: [], bans: this.#disk?.bans ?? [], totals: [] }, at);
    if (this.#settings !== null) this.ledger.reconfigure(this.#settings, at, out);
    this.#record(out);
  }

  /** Somebody puts an old copy of the disk in its place. */
  get disk() {
    return this.#disk;
  }
  set disk(copy) {
    this.#disk = copy;
  }

  #openLog(stored: BanLogPosition | null): BanLog {
    const session = `life-${this.#lives++}`;
    const log = new BanLog({ session, bans: () => this.ledger.bans(), capacity: CAPACITY });
    log.resume(stored);
    return log;
  }

  #record(decisions: readonly Decision[]): void {
    for (const decision of decisions) if (decision.kind !== 'forgive') this.log.record(decision);
  }
}

describe('a follower', () => {
  it('holds exactly the bans in force, whenever it asks, and whatever becomes of the daemon and its disk', () => {
    const seen = { asked: 0, resets: 0, restarts: 0, lost: 0, restored: 0, carriedOver: 0 };
    for (let seed = FIRST_SEED; seed < FIRST_SEED + WORLDS; seed++) {
      const random = new Random(seed);
      try {
        live(random, seen);
      } catch (error) {
        throw new Error(`world of seed ${seed}: ${(error as Error).message}`, { cause: error });
      }
    }
    // Otherwise the worlds have become too kind to find anything.
    if (WORLDS >= 20)
      for (const count of Object.values(seen)) assert.ok(count > WORLDS, JSON.stringify(seen));
  });

  it('gets the changes that it has missed, and all bans when it has missed too many', () => {
    const { log, record } = createLog({ capacity: 3 });
    const start = log.position;
    const changes = [1, 2, 3].map(record);
    assert.deepEqual(log.since(start), { kind: 'changes', position: position('life', 3), changes });
    assert.deepEqual(log.since(position('life', 2)), {
      kind: 'changes',
      position: position('life', 3),
      changes: changes.slice(2),
    });
    record(4);
    assert.equal(log.since(start).kind, 'reset');
    assert.equal(log.since(position('life', 1)).kind, 'changes');
  });

  it('gets all bans when it comes with nothing, with another session, or from ahead', () => {
    const { log, record } = createLog({});
    record(1);
    for (const from of [null, position('death', 1), position('life', 2), position('life', -1)])
      assert.deepEqual(log.since(from), { kind: 'reset', position: position('life', 1), bans: [BAN] });
  });

  it('that was up to date when the daemon ended misses nothing of the next life', () => {
    const { log, record } = createLog({ stored: position('before', 41) });
    assert.deepEqual(log.position, position('before', 41));
    assert.deepEqual(log.since(position('before', 41)), {
      kind: 'changes',
      position: position('before', 41),
      changes: [],
    });
    const change = record(1);
    assert.deepEqual(log.since(position('before', 41)), {
      kind: 'changes',
      position: position('life', 42),
      changes: [change],
    });
  });

  it('that was told of more than the disk gets all bans, also when the serial has come there again', () => {
    const { log, record } = createLog({ stored: position('before', 41) });
    for (const number of [1, 2]) record(number);
    assert.equal(log.since(position('before', 43)).kind, 'reset');
    assert.equal(log.since(position('before', 40)).kind, 'reset');
    assert.equal(log.since(position('life', 41)).kind, 'reset', 'which no life has given');
  });
});

describe('positions', () => {
  it('are text of a session and a serial', () => {
    for (const text of ['life.0', 'x_-9.41', `${'s'.repeat(32)}.999999999999999`]) {
      const parsed = parsePosition(text);
      assert.ok(parsed !== null);
      assert.equal(formatPosition(parsed), text);
    }
  });

  it('are nothing else', () => {
    const others = [
      '',
      '.',
      'life',
      'life.',
      '.1',
      'life.-1',
      'life.01',
      'life.1.2',
      'life.1e3',
      'a b.1',
      'life.1\n',
    ];
    for (const text of [...others, `${'s'.repeat(33)}.1`, 'life.1000000000000000'])
      assert.equal(parsePosition(text), null, text);
  });
});

describe('the memory of the log', () => {
  it('ends at its limit', () => {
    const { log, record } = createLog({});
    for (let number = 0; number <= MAX_LOGGED_CHANGES; number++) record(number);
    assert.equal(log.since(position('life', 0)).kind, 'reset');
    const news = log.since(position('life', 1));
    assert.ok(news.kind === 'changes');
    assert.deepEqual([news.changes.length, news.changes[0]?.at], [MAX_LOGGED_CHANGES, 1]);
  });
});

describe('the rank of bans', () => {
  it('puts the latest first, and of those that began together the wider', () => {
    const bans = [
      { ...BAN, offender: 'narrow', since: 1 },
      { ...BAN, offender: '198.51.100.0/24', since: 2 },
      { ...BAN, offender: '198.51.100.7', since: 2 },
      { ...BAN, offender: '2001:db8::/48', since: 3 },
    ];
    const ranked = [...bans].sort(compareRank).map(({ offender }) => offender);
    assert.deepEqual(ranked, ['2001:db8::/48', '198.51.100.0/24', '198.51.100.7', 'narrow']);
  });
});

type Seen = Record<'asked' | 'resets' | 'restarts' | 'lost' | 'restored' | 'carriedOver', number>;

/** One world: steps of a ledger, and between them commits, ends of the daemon, old disks, and followers that ask. */
function live(random: Random, seen: Seen): void {
  const host = new Host();
  const followers = Array.from({ length: FOLLOWERS }, () => new Follower());
  let copy = host.disk;
  const ask = (follower: Follower): void => {
    follower.take(host.log.since(follower.position));
    follower.mustHold(host.ledger);
    seen.asked++;
  };
  for (const step of writeWorld(random, STEPS)) {
    host.apply(step);
    if (random.chance(0.15)) ask(random.pick(followers));
    if (random.chance(0.3)) host.commit();
    if (random.chance(0.01)) copy = host.disk;
    if (!random.chance(0.02)) continue;
    if (random.chance(0.5)) {
      host.commit();
      for (const follower of followers) ask(follower);
    } else seen.lost++;
    if (random.chance(0.1)) {
      host.disk = copy;
      seen.restored++;
    }
    const before = followers[0]?.resets;
    host.restart(step.at);
    seen.restarts++;
    if (random.chance(0.5)) ask(followers[0] ?? new Follower());
    if (followers[0]?.resets === before) seen.carriedOver++;
  }
  for (const follower of followers) {
    ask(follower);
    seen.resets += follower.resets;
  }
}

/** A log of one ban in force, and what records the change of a number in it. */
function createLog(options: { readonly stored?: BanLogPosition; readonly capacity?: number }) {
  const log = new BanLog({ session: 'life', bans: () => [BAN], ...options });
  log.resume(options.stored ?? null);
  const record = (number: number): BanChange => {
    const change: BanChange = { kind: 'extend', ban: { ...BAN, until: number }, at: number };
    log.record(change);
    return change;
  };
  return { log, record };
}

function position(session: string, serial: number): BanLogPosition {
  return { session, serial };
}
