import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Deadlines } from '../../../src/core/ledger/deadlines.ts';

test('deadlines come out in the order of time', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1_000)), fc.nat(3), (times, divisor) => {
      const deadlines = new Deadlines();
      for (const [key, until] of times.entries()) deadlines.push({ until, key: String(key) });
      const holds = (until: number) => divisor === 0 || until % (divisor + 1) !== 0;
      deadlines.compact(({ until }) => holds(until));
      const out: number[] = [];
      for (let first = deadlines.pop(); first !== null; first = deadlines.pop()) out.push(first.until);
      assert.deepEqual(
        out,
        times.filter(holds).sort((a, b) => a - b),
      );
      assert.equal(deadlines.peek(), null);
    }),
  );
});
