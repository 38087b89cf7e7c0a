import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findClocks } from '../../../src/cli/doctor/senders.ts';
import { warningOf } from '../../../src/core/warning/standing.ts';

const sayOf = (clockSkewSeconds: number | null) =>
  findClocks([{ name: 'nas1', sender: '192.0.2.7', clockSkewSeconds }]).map(
    (raised) => warningOf(raised, 0).text,
  );

for (const [skew, ...said] of [
  [null],
  [12],
  [-95, 'the clock of nas1 is 1m35s behind'],
  [7_204, 'the clock of nas1 is 2h ahead, which looks like another time zone'],
  [-19_800, 'the clock of nas1 is 5h30m behind, which looks like another time zone'],
  [1_200, 'the clock of nas1 is 20m ahead'],
] as const) {
  test(`a clock that is ${skew} s off says ${said[0] ?? 'nothing'}`, () => {
    assert.deepEqual(sayOf(skew), said);
  });
}

test('a sender without a name is called by its address', () => {
  const [raised] = findClocks([{ name: null, sender: '192.0.2.7', clockSkewSeconds: 600 }]);
  assert.equal(raised?.subject, '192.0.2.7');
});
