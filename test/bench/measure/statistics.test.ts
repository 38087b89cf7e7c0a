import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median, percentile, sum } from './statistics.ts';

const TEN = [7, 1, 10, 3, 9, 5, 2, 8, 6, 4];

test('a percentile is the value of the sample that so many percent do not exceed', () => {
  assert.equal(percentile(TEN, 50), 5);
  assert.equal(percentile(TEN, 90), 9);
  assert.equal(percentile(TEN, 91), 10);
  assert.equal(percentile(TEN, 100), 10);
  assert.equal(percentile(TEN, 0), 1);
});

test('the median of one value is that value', () => {
  assert.equal(median([42]), 42);
});

test('nothing has no percentile', () => {
  assert.throws(() => percentile([], 50), /nothing/);
});

test('the sum of nothing is zero', () => {
  assert.equal(sum([]), 0);
  assert.equal(sum(TEN), 55);
});
