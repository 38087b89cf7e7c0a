import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR, MILLISECOND, MINUTE, SECOND } from '../../src/core/time.ts';
import { createSystemClock } from '../../src/daemon/clock.ts';

const ORIGIN = 1_795_185_275_000;

/** A machine: time passes, the time of day is set. Lengths are in microseconds. */
function machine() {
  let elapsed = 0;
  let setBy = 0;
  /** What the next reading of the time of day is delayed by. */
  let delay = 0;
  const clocks = {
    origin: ORIGIN,
    elapsed: () => elapsed,
    sinceBoot: () => elapsed + 5_000,
    boot: 'this boot',
    timeOfDay: () => {
      elapsed += delay;
      delay = 0;
      return Math.floor(ORIGIN + elapsed + setBy);
    },
  };
  return {
    clock: createSystemClock(clocks),
    pass: (duration: number) => {
      elapsed += duration / MILLISECOND;
    },
    set: (step: number) => {
      setBy += step / MILLISECOND;
    },
    delayNextReading: (duration: number) => {
      delay = duration / MILLISECOND;
    },
  };
}

test('it tells the time of day in microseconds', () => {
  const { clock, pass } = machine();
  assert.equal(clock.now(), ORIGIN * MILLISECOND);
  pass(1_234_567);
  assert.equal(clock.now(), ORIGIN * MILLISECOND + 1_234_567);
  assert.equal(clock.wall.now(), clock.now());
  assert.equal(clock.lead(), 0);
});

test('set forward, or after a sleep of the machine, it follows', () => {
  const { clock, set } = machine();
  const before = clock.now();
  set(HOUR);
  assert.equal(clock.now() - before, HOUR);
  assert.equal(clock.lead(), 0);
});

test('it says what is to be stored: its own time, and that of a clock which nobody sets', () => {
  const { clock, set, pass } = machine();
  const before = clock.reading();
  assert.deepEqual(before, { at: ORIGIN * MILLISECOND, boot: 'this boot', steady: 5 * SECOND });
  set(-HOUR);
  pass(MINUTE);
  assert.deepEqual(clock.reading(), { ...before, at: before.at + MINUTE, steady: 65 * SECOND });
});

test('set back, it goes on at its pace, ahead of the time of day by the step', () => {
  const { clock, set, pass } = machine();
  const before = clock.now();
  set(-2 * HOUR);
  assert.equal(clock.now(), before);
  pass(MINUTE);
  assert.equal(clock.now(), before + MINUTE, 'time does not stand still until the other has caught up');
  assert.equal(clock.lead(), 2 * HOUR);
  assert.equal(clock.wall.now(), before + MINUTE - 2 * HOUR);
});

test('set forward after it was set back, the lead shrinks first', () => {
  const { clock, set } = machine();
  const before = clock.now();
  set(-2 * HOUR);
  clock.now();
  set(HOUR);
  assert.deepEqual([clock.now() - before, clock.lead()], [0, HOUR]);
  set(3 * HOUR);
  assert.deepEqual([clock.now() - before, clock.lead()], [2 * HOUR, 0]);
});

test('it never goes back, whatever the steps', () => {
  const { clock, set, pass } = machine();
  let last = clock.now();
  for (const step of [-SECOND, 3 * SECOND, -HOUR, HOUR, -99 * MILLISECOND, -99 * MILLISECOND, 5, -HOUR]) {
    set(step);
    pass(10);
    const now = clock.now();
    assert.ok(now >= last, `${step}: ${now} < ${last}`);
    last = now;
  }
});

test('by how much it was set is told once, whichever way', () => {
  const { clock, pass, set } = machine();
  assert.equal(clock.takeStep(), 0);
  set(HOUR);
  pass(SECOND);
  set(-3 * HOUR);
  assert.equal(clock.takeStep(), -2 * HOUR);
  assert.equal(clock.takeStep(), 0);
});

test('a thread that was put aside between two readings has not seen the time of day being set', () => {
  const { clock, pass, delayNextReading } = machine();
  const before = clock.now();
  delayNextReading(3 * SECOND);
  assert.equal(clock.now() - before, 3 * SECOND);
  pass(SECOND);
  assert.equal(clock.now() - before, 4 * SECOND);
  assert.equal(clock.lead(), 0);
});

test('the clock of this machine agrees with the time of day', () => {
  const clock = createSystemClock();
  const before = Date.now();
  const now = clock.now() / MILLISECOND;
  assert.ok(now > before - 100 && now < Date.now() + 100, `${now} after ${before}`);
});
