import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SECOND } from '../../src/core/time.ts';
import { RateLimiter } from '../../src/senders/message-rate.ts';

const START = 1_795_000_000_000_000;

test('a burst is taken at once, and what follows at the rate', () => {
  const limiter = new RateLimiter({ messagesPerSecond: 10, burst: 3 });
  assert.deepEqual(
    [0, 0, 0, 0, 50_000, 100_000, 150_000].map((offset) => limiter.take(START + offset)),
    [true, true, true, false, false, true, false],
  );
});

test('a time of silence gives no more than a burst', () => {
  const limiter = new RateLimiter({ messagesPerSecond: 10, burst: 3 });
  limiter.take(START);
  const later = START + 3_600 * SECOND;
  assert.deepEqual(
    [0, 0, 0, 0].map(() => limiter.take(later)),
    [true, true, true, false],
  );
});

test('no order of times takes more than the burst and the rate allow, and none of them loses what it has', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000 }),
      fc.integer({ min: 1, max: 100 }),
      fc.array(fc.integer({ min: -SECOND, max: 10 * SECOND }), { maxLength: 300 }),
      (messagesPerSecond, burst, offsets) => {
        const limiter = new RateLimiter({ messagesPerSecond, burst });
        const taken = offsets.filter((offset) => limiter.take(START + offset)).length;
        const span = Math.max(0, ...offsets) - Math.min(0, ...offsets);
        assert.ok(taken <= burst + (span / SECOND) * messagesPerSecond + 1e-6);
        assert.ok(taken >= Math.min(burst, offsets.length));
      },
    ),
    { seed: 7 },
  );
});
