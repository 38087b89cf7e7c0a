/** The machine that learns what is usual for a sender, and lives of senders from seeds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY, HOUR, MINUTE, type Microseconds, SECOND } from '../../src/core/time.ts';
import { SenderWatch, STORM_FACTOR, STORM_FLOOR, type WatchPlan } from '../../src/senders/watch.ts';
import { Random } from '../sim/random.ts';

const START = 1_795_000_000_000_000;
const LEARNING: WatchPlan = { silence: 'learned', dialect: null };

/** A sender whose life a test writes; what was told of it. */
class Life {
  at: Microseconds = START;
  readonly told: { readonly at: Microseconds; readonly change: string; readonly detail: string }[] = [];
  readonly watch: SenderWatch;

  constructor(plan: WatchPlan = LEARNING) {
    this.watch = new SenderWatch(plan, START);
  }

  get changes(): string[] {
    return this.told.map(({ change }) => change);
  }

  say(records = 1, dialect = 'rfc3164', clockSkew: Microseconds | null = null): void {
    const sent = { records, dialects: [{ dialect, count: records }], clockSkew };
    this.#note(this.watch.observe(sent, this.at));
  }

  /** Lets time pass, looking at it every `step`. */
  wait(duration: Microseconds, step: Microseconds = 10 * SECOND): void {
    const end = this.at + duration;
    while (this.at < end) {
      this.at = Math.min(end, this.at + step);
      this.#note(this.watch.advance(this.at));
    }
  }

  sayEvery(gap: Microseconds, duration: Microseconds, records = 1): void {
    for (const end = this.at + duration; this.at < end; ) {
      this.wait(gap, gap);
      this.say(records);
    }
  }

  #note(changes: ReturnType<SenderWatch['observe']>): void {
    for (const change of changes) this.told.push({ ...change, at: this.at });
  }
}

test('a sender that spoke every minute for a day is missed after five, and welcomed back', () => {
  const life = new Life();
  life.sayEvery(MINUTE, DAY);
  assert.deepEqual(life.changes, []);
  life.wait(HOUR);
  assert.deepEqual(life.changes, ['silent']);
  assert.equal(life.told[0]?.detail, 'has been silent for 5m, 1m at most before');
  assert.equal(life.watch.isSilent, true);
  life.say();
  assert.deepEqual(life.changes, ['silent', 'returned']);
  assert.equal(life.told[1]?.detail, 'is heard again after 1h');
  assert.equal(life.watch.isSilent, false);
});

test('one that is quiet every night is not missed at night', () => {
  const life = new Life();
  for (let day = 0; day < 14; day++) {
    life.sayEvery(5 * MINUTE, 14 * HOUR);
    life.wait(10 * HOUR, MINUTE);
  }
  assert.deepEqual(life.changes, []);
  life.wait(3 * DAY, MINUTE);
  assert.deepEqual(life.changes, ['silent']);
});

test('after an outage it is missed again, a little later', () => {
  const life = new Life();
  life.sayEvery(MINUTE, DAY);
  life.wait(2 * DAY, MINUTE);
  life.sayEvery(MINUTE, HOUR);
  life.wait(HOUR, MINUTE);
  assert.deepEqual(life.changes, ['silent', 'returned', 'silent']);
});

test('who has said little is not missed', () => {
  const life = new Life();
  for (let count = 0; count < 15; count++) {
    life.say();
    life.wait(2 * HOUR, MINUTE);
  }
  life.wait(30 * DAY, HOUR);
  assert.deepEqual(life.changes, []);
});

test('a length of time is taken at its word, also for one that was never heard of', () => {
  const life = new Life({ silence: 15 * MINUTE, dialect: null });
  life.wait(20 * MINUTE);
  assert.deepEqual([life.changes, life.told[0]?.detail], [['silent'], 'has not been heard of for 15m']);
  life.say();
  life.wait(14 * MINUTE);
  life.say();
  assert.deepEqual(life.changes, ['silent', 'returned']);
});

test('with "off" nobody is missed, and a silence that was told is forgotten', () => {
  const life = new Life({ silence: MINUTE, dialect: null });
  life.wait(HOUR);
  assert.equal(life.watch.isSilent, true);
  life.watch.configure({ silence: 'off', dialect: null });
  assert.equal(life.watch.isSilent, false);
  life.wait(DAY, MINUTE);
  life.say();
  assert.deepEqual(life.changes, ['silent']);
});

test('ten times the usual is a storm, once, until it is over', () => {
  const life = new Life();
  life.sayEvery(10 * SECOND, 2 * HOUR, 20);
  life.sayEvery(SECOND, 10 * MINUTE, 30);
  assert.deepEqual(life.changes, ['storm']);
  assert.match(life.told[0]?.detail ?? '', /^storms: \d+ records in this minute, usually 1\d\d$/);
  assert.equal(life.watch.isStorming, true);
  life.sayEvery(10 * SECOND, 10 * MINUTE, 20);
  assert.deepEqual(life.changes, ['storm', 'calm']);
});

test('a storm ends by silence, and by becoming the usual', () => {
  for (const after of [0, 50]) {
    const life = new Life();
    life.sayEvery(10 * SECOND, 2 * HOUR, 1);
    life.sayEvery(SECOND, 5 * MINUTE, 50);
    if (after === 0) life.wait(3 * MINUTE);
    else life.sayEvery(SECOND, 2 * HOUR, after);
    assert.deepEqual(life.changes, ['storm', 'calm']);
  }
});

test('few records are no storm, and neither is what comes before the usual is known', () => {
  const quiet = new Life();
  quiet.sayEvery(HOUR, DAY);
  quiet.wait(MINUTE);
  quiet.say(STORM_FACTOR * STORM_FLOOR - 1);
  assert.deepEqual(quiet.changes, []);
  const fresh = new Life();
  fresh.say(1_000_000);
  assert.deepEqual(fresh.changes, []);
});

test('another dialect is told once, after the usual ones are known', () => {
  const life = new Life();
  for (let count = 0; count < 60; count++) {
    life.say(1, 'rfc3164');
    life.say(1, 'no-tag');
  }
  assert.deepEqual(life.changes, []);
  for (let count = 0; count < 5; count++) life.say(1, 'rfc5424');
  assert.deepEqual(
    life.told.map(({ change, detail }) => [change, detail]),
    [['dialect', 'sends rfc5424, before rfc3164, no-tag']],
  );
});

test('another dialect than the expected one is told from the first record on', () => {
  const life = new Life({ silence: 'off', dialect: 'rfc5424' });
  life.say(1, 'rfc5424');
  life.say(1, 'raw');
  life.say(1, 'raw');
  assert.deepEqual(
    life.told.map(({ detail }) => detail),
    ['sends raw, not rfc5424'],
  );
});

test('whatever a sender does, silence and return take turns, storm and calm too, and little is told', () => {
  for (let seed = 1; seed <= 150; seed++) {
    const random = new Random(seed);
    const life = new Life({ silence: random.pick(['learned', 'off', 2 * MINUTE] as const), dialect: null });
    for (let step = 0; step < 400; step++) {
      const gap = random.pick([SECOND, 30 * SECOND, 10 * MINUTE, random.below(3 * DAY)]);
      life.wait(gap, Math.max(SECOND, gap / 4));
      life.say(1 + random.below(random.chance(0.1) ? 5_000 : 10), random.pick(['rfc3164', 'raw', 'cisco']));
    }
    const only = (...wanted: string[]) => life.changes.filter((change) => wanted.includes(change));
    for (const [begin, end] of [
      ['silent', 'returned'],
      ['storm', 'calm'],
    ] as const) {
      for (const [index, change] of only(begin, end).entries())
        assert.equal(change, index % 2 === 0 ? begin : end, `seed ${seed}`);
    }
    assert.ok(only('dialect').length <= 3, `seed ${seed}`);
    for (const { detail } of life.told) assert.doesNotMatch(detail, /NaN|Infinity|-\d/, `seed ${seed}`);
  }
});

test('what is days old by its clock is told once, and when it is of now again', () => {
  const life = new Life({ silence: 'off', dialect: null });
  for (const skew of [0, -HOUR, null, -3 * DAY, -2 * DAY, null, -2 * DAY, -MINUTE, 0])
    life.say(1, 'rfc5424', skew);
  assert.deepEqual(life.changes, ['old', 'current']);
  assert.match(life.told[0]?.detail ?? '', /^sends what is 3d old by its clock: /);
});
