/**
 * Lives of a machine whose clock is set forward and back at any time, that sleeps and boots, and of a daemon on it that
 * is killed and starts again, from seeds: no ban lasts longer than it was made for.
 * `BAILIFF_SIM_SEED=7 BAILIFF_SIM_WORLDS=1` runs one again. A failing run prints its seed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ClockReading, leadOf } from '../../src/core/ledger/clock-reading.ts';
import { Ledger } from '../../src/core/ledger/ledger.ts';
import type { LedgerImage } from '../../src/core/ledger/snapshot.ts';
import { DAY, FOREVER, HOUR, MILLISECOND, MINUTE, type Microseconds, SECOND } from '../../src/core/time.ts';
import { createSystemClock, type SystemClock } from '../../src/daemon/clock.ts';
import { LIMITS, POLICIES } from './host.ts';
import { Random } from './random.ts';

const FIRST_SEED = Number(process.env.BAILIFF_SIM_SEED ?? 1);
const WORLDS = Number(process.env.BAILIFF_SIM_WORLDS ?? 200);
const STEPS = 200;
const BAN_TIME = POLICIES[0]?.banTime ?? 0;

/** Steps of the clock below a second are taken for what two readings differ by; there are so many at the most. */
const TOLERANCE = STEPS * SECOND;

/** Whose true time nobody on it knows. */
class Machine {
  /** True time. */
  at: Microseconds = 1_795_000_000_000_000;
  #setBy: Microseconds = 0;
  #boots = 0;
  #bootedAt = this.at;
  #slept: Microseconds = 0;

  /** As a process finds it that starts now. */
  newClock(): SystemClock {
    const startedAt = this.#steady();
    return createSystemClock({
      origin: (this.at + this.#setBy) / MILLISECOND,
      timeOfDay: () => Math.floor((this.at + this.#setBy) / MILLISECOND),
      elapsed: () => (this.#steady() - startedAt) / MILLISECOND,
      sinceBoot: () => this.#steady() / MILLISECOND,
      boot: `boot ${this.#boots}`,
    });
  }

  /** The kernel takes no time before 1970. */
  set(step: Microseconds): void {
    this.#setBy = Math.max(this.#setBy + step, DAY - this.at);
  }

  sleep(duration: Microseconds): void {
    this.at += duration;
    this.#slept += duration;
  }

  boot(): void {
    this.#boots++;
    this.#bootedAt = this.at;
    this.#slept = 0;
  }

  #steady(): Microseconds {
    return this.at - this.#bootedAt - this.#slept;
  }
}

/** A ban as a witness knows it: until when it may be in force, by true time. */
type Witness = Map<string, Microseconds>;

class World {
  readonly machine = new Machine();
  readonly witness: Witness = new Map();
  #clock = this.machine.newClock();
  #ledger = new Ledger(LIMITS);
  #committedAt = this.machine.at;
  #disk: { readonly image: LedgerImage; readonly clock: ClockReading } | null = null;

  constructor() {
    this.#configure();
  }

  ban(address: string): void {
    const at = this.#clock.now();
    for (let time = 0; time < 3; time++) {
      this.#ledger.observe({ jail: 'sshd', address, seenAt: at, weight: 1 }, at, []);
    }
    this.witness.set(address, this.machine.at + BAN_TIME);
  }

  commit(): void {
    this.#committedAt = this.machine.at;
    this.#disk = { image: structuredClone(this.#ledger.image()), clock: this.#clock.reading() };
  }

  tick(): void {
    const at = this.#clock.now();
    this.#ledger.advance(at, at, []);
  }

  /** A clock that goes on while others halt looks as if it had been set forward: what was ahead is less so then. */
  sleep(duration: Microseconds): void {
    this.machine.sleep(duration);
    for (const [address, until] of this.witness) this.witness.set(address, until + duration);
    this.tick();
  }

  /** The daemon has ended meanwhile. A machine that was off has no clock that goes on since the last commit. */
  restart(hasBooted: boolean): void {
    if (hasBooted) {
      this.machine.boot();
      const unknown = this.machine.at - this.#committedAt;
      for (const [address, until] of this.witness) this.witness.set(address, until + unknown);
    }
    this.#clock = this.machine.newClock();
    this.#ledger = new Ledger(LIMITS);
    const reading = this.#clock.reading();
    const { image, clock } = this.#disk ?? { image: { windows: [], bans: [], totals: [] }, clock: null };
    const isSame = this.#ledger.restore(image, reading.at, leadOf(clock, reading));
    this.#configure();
    if (!isSame || clock?.boot !== reading.boot) this.commit();
  }

  /** How long each ban is still to last. */
  rests(): Map<string, Microseconds> {
    const at = this.#clock.now();
    return new Map([...this.#ledger.bans()].map(({ offender, until }) => [offender, until - at]));
  }

  check(): void {
    for (const [offender, rest] of this.rests()) {
      const honest = (this.witness.get(offender) ?? 0) - this.machine.at;
      assert.ok(rest <= Math.max(0, honest) + TOLERANCE, `${offender}: ${rest} instead of ${honest}`);
    }
  }

  #configure(): void {
    const settings = { policies: POLICIES, limits: LIMITS, protectedNetworks: [] };
    this.#ledger.reconfigure(settings, this.#clock.now(), []);
  }
}

function chooseStep(random: Random): Microseconds {
  const length = random.pick([SECOND / 2, 2 * SECOND, 10 * MINUTE, 3 * HOUR, DAY, 3_650 * DAY]);
  return Math.round(length * (random.chance(0.5) ? 1 : -1) * (0.5 + random.next()));
}

function live(world: World, random: Random): void {
  const { machine } = world;
  machine.at += random.below(MINUTE);
  const dice = random.next();
  if (dice < 0.3) world.ban(`203.0.113.${random.below(200)}`);
  else if (dice < 0.5) world.commit();
  else if (dice < 0.7) world.tick();
  else if (dice < 0.8) machine.set(chooseStep(random));
  else if (dice < 0.85) {
    world.sleep(random.below(MINUTE));
  } else {
    const hasBooted = random.chance(0.3);
    machine.at += random.below(10 * MINUTE);
    if (random.chance(0.3)) machine.set(chooseStep(random));
    world.restart(hasBooted);
  }
}

test('no ban lasts longer than it was made for, however the clock is set, over restarts and boots', () => {
  let kept = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + WORLDS; seed++) {
    const random = new Random(seed);
    const world = new World();
    try {
      for (let step = 0; step < STEPS; step++) {
        live(world, random);
        world.check();
        kept += world.rests().size;
      }
    } catch (error) {
      throw new Error(`world of seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
  assert.ok(kept > WORLDS * STEPS, 'bans live on');
});

test('a clock that was ten years ahead while it banned makes an hour of an hour', () => {
  const machine = new Machine();
  machine.set(3_650 * DAY);
  const wrong = machine.newClock();
  const ban = { jail: 'sshd', offender: '203.0.113.9', cause: 'offence', failures: 3 } as const;
  const image = {
    windows: [],
    totals: [],
    bans: [{ ...ban, since: wrong.now(), until: wrong.now() + HOUR }],
  };
  const stored = wrong.reading();
  machine.set(-3_650 * DAY);
  machine.at += 10 * MINUTE;
  for (const [boots, rest] of [
    [false, 50 * MINUTE],
    [true, HOUR],
  ] as const) {
    if (boots) machine.boot();
    const reading = machine.newClock().reading();
    const ledger = new Ledger(LIMITS);
    ledger.restore(image, reading.at, leadOf(stored, reading));
    const until = [...ledger.bans()][0]?.until ?? FOREVER;
    assert.ok(Math.abs(until - reading.at - rest) < SECOND, `${(until - reading.at) / MINUTE} minutes`);
  }
});
