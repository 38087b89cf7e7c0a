import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addFailure } from '../../../src/core/ledger/failure-window.ts';

test('failures within find_time count, older ones leave', () => {
  const window: number[] = [];
  assert.equal(addFailure(window, 100, 1, 50, 5), 1);
  assert.equal(addFailure(window, 149, 1, 50, 5), 2);
  assert.equal(addFailure(window, 150, 1, 50, 5), 2, 'the one at 100 is just too old');
  assert.deepEqual(window, [149, 150]);
});

test('a failure that arrives late is put where it belongs', () => {
  const window = [100, 140];
  assert.equal(addFailure(window, 120, 1, 50, 5), 3);
  assert.deepEqual(window, [100, 120, 140]);
  assert.equal(addFailure(window, 80, 1, 50, 5), 3, 'older than the window: it does not count');
});

test('weight counts as that many failures, never more than make an offence', () => {
  const window: number[] = [];
  assert.equal(addFailure(window, 10, 3, 50, 5), 3);
  assert.equal(addFailure(window, 11, 4, 50, 5), 5);
  assert.equal(window.length, 5);
});

test('the window is ascending, within find_time and bounded, whatever comes', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(500), fc.integer({ min: 1, max: 4 }))), (failures) => {
      const window: number[] = [];
      for (const [seenAt, weight] of failures) {
        assert.equal(addFailure(window, seenAt, weight, 100, 6), window.length);
        assert.ok(window.length <= 6);
        assert.deepEqual(
          window,
          window.toSorted((a, b) => a - b),
        );
        assert.ok((window.at(-1) ?? 0) - (window[0] ?? 0) < 100);
      }
    }),
  );
});
