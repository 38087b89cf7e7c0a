import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMatcher } from '../../src/match/matcher.ts';
import { TIMED_INTERVAL } from '../../src/match/tally.ts';
import { filterOf, recordOf, ruleOf } from './records.ts';

const refused = filterOf([ruleOf('refused connection of <address>')], {}, 'refused');
const denied = filterOf([ruleOf('[<word>] denied access to <address>')], {}, 'denied');

/** Near misses by filter, after these messages. */
function nearMisses(...messages: readonly string[]): Readonly<Record<string, number>> {
  const matcher = createMatcher([refused, denied]);
  for (const message of messages) matcher.match(recordOf({ message }), []);
  return Object.fromEntries(
    matcher.takeCounters().filters.map((counters) => [counters.filter, counters.nearMisses]),
  );
}

describe('a near miss', () => {
  it('is a record that begins as a rule does, or contains what it needs, and that nothing matches', () => {
    assert.deepEqual(nearMisses('refused connection of nobody'), { refused: 1 });
    assert.deepEqual(nearMisses('door 3 denied access to 203.0.113.9'), { denied: 1 });
    assert.deepEqual(nearMisses('something else', 'refused to start'), {});
  });

  it('may lack what the rule needs behind such a beginning', () => {
    const matcher = createMatcher([filterOf([ruleOf('refused entry to <address> at gate <int>')])]);
    matcher.match(recordOf({ message: 'refused entry to 203.0.113.9 at door 3' }), []);
    assert.equal(matcher.takeCounters().filters[0]?.nearMisses, 1);
  });

  it('is none when any rule of any filter matches the record', () => {
    assert.deepEqual(nearMisses('refused connection of 203.0.113.9'), {});
    const all = filterOf([ruleOf('<any>', { kind: 'note' })], {}, 'all');
    const matcher = createMatcher([refused, all]);
    matcher.match(recordOf({ message: 'refused connection of nobody' }), []);
    assert.deepEqual(matcher.takeCounters().filters, []);
  });

  it('needs the whole beginning, also where that begins beyond ASCII', () => {
    const matcher = createMatcher([filterOf([ruleOf('échec de connexion de <address>')])]);
    matcher.match(recordOf({ message: 'something else' }), []);
    assert.deepEqual(matcher.takeCounters().filters, []);
    matcher.match(recordOf({ message: 'échec de connexion de nobody' }), []);
    assert.equal(matcher.takeCounters().filters[0]?.nearMisses, 1);
  });

  it('is counted once, for the first filter that came near', () => {
    assert.deepEqual(nearMisses('refused connection of nobody, denied access to nobody'), { refused: 1 });
  });

  it('is told once', () => {
    const matcher = createMatcher([refused]);
    matcher.match(recordOf({ message: 'refused connection of nobody' }), []);
    assert.equal(matcher.takeCounters().filters.length, 1);
    assert.deepEqual(matcher.takeCounters().filters, []);
  });

  it('needs more than what access logs and JSON have in common', () => {
    const status = { field: 'status', optional: false, pattern: { form: 'values', values: [401] } } as const;
    const access = filterOf([ruleOf({ form: 'access', fields: [status] })], {}, 'access');
    const json = filterOf([ruleOf({ form: 'json', fields: [status] }, { kind: 'note' })], {}, 'json');
    const matcher = createMatcher([access, json]);
    matcher.match(recordOf({ message: '{"y":1}' }), []);
    matcher.match(recordOf({ message: 'nobody - - [x] "GET /" 200 1' }), []);
    assert.deepEqual(matcher.takeCounters().filters, []);
  });
});

describe('the time of a filter', () => {
  /** A clock that goes on by a second whenever it is asked. */
  function clockOf(): { readonly clock: () => number; asked(): number } {
    let asked = 0;
    return { clock: () => ++asked * 1_000_000, asked: () => asked };
  }

  it('is what one record in an interval takes, as if all had taken that, without what the clock takes', () => {
    let now = 0;
    const steps = [0, 3, 3, 13 + 3];
    const clock = (): number => {
      now += steps.shift() ?? 0;
      return now;
    };
    const matcher = createMatcher([refused], clock);
    for (let count = 0; count < TIMED_INTERVAL; count++) {
      matcher.match(recordOf({ message: 'refused connection of 203.0.113.9' }), []);
    }
    const [counters] = matcher.takeCounters().filters;
    assert.deepEqual(counters, { filter: 'refused', nearMisses: 0, busyMicroseconds: 13 * TIMED_INTERVAL });
  });

  it('asks the clock for one record in an interval only, and never without a clock', () => {
    const { clock, asked } = clockOf();
    const matcher = createMatcher([refused, denied], clock);
    const record = recordOf({ message: 'refused connection of 203.0.113.9' });
    for (let count = 1; count < TIMED_INTERVAL; count++) matcher.match(record, []);
    assert.equal(asked(), 0);
    matcher.match(record, []);
    assert.ok(asked() > 0 && asked() <= 6);
    const unclocked = createMatcher([refused]);
    for (let count = 0; count < 2 * TIMED_INTERVAL; count++) unclocked.match(record, []);
    assert.deepEqual(unclocked.takeCounters().filters, []);
  });
});
