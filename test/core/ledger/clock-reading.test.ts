import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ClockReading, leadOf } from '../../../src/core/ledger/clock-reading.ts';
import { DAY, HOUR, MILLISECOND, MINUTE, SECOND } from '../../../src/core/time.ts';

const NOON = 1_795_132_800_000_000;
const STORED: ClockReading = { at: NOON, boot: 'first', steady: HOUR };

for (const [what, now, lead] of [
  ['time has passed as it should', { at: NOON + MINUTE, boot: 'first', steady: HOUR + MINUTE }, 0],
  ['the machine slept', { at: NOON + DAY, boot: 'first', steady: HOUR + MINUTE }, 0],
  ['the clock was set forward', { at: NOON + DAY, boot: 'first', steady: HOUR }, 0],
  ['it was set back', { at: NOON - 2 * HOUR, boot: 'first', steady: HOUR + MINUTE }, 2 * HOUR + MINUTE],
  ['set back by less than has passed', { at: NOON, boot: 'first', steady: HOUR + MINUTE }, MINUTE],
  ['set back, and the machine was booted', { at: NOON - DAY, boot: 'second', steady: MINUTE }, DAY],
  ['no boot is known', { at: NOON + SECOND, boot: '', steady: 3 * HOUR }, 0],
  ['two clocks were not read at once', { at: NOON - 900 * MILLISECOND, boot: 'first', steady: HOUR }, 0],
] as const) {
  test(`${what}: stored times are ${lead === 0 ? 'not ahead' : 'ahead'}`, () => {
    assert.equal(leadOf(STORED, now), lead);
  });
}

test('without a stored reading, or a known boot, nothing is known', () => {
  const now = { at: NOON - HOUR, boot: '', steady: HOUR };
  assert.equal(leadOf(null, now), 0);
  assert.equal(leadOf({ ...now, at: NOON }, { ...now, at: NOON, steady: 9 * HOUR }), 0);
});
