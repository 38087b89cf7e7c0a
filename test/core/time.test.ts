import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  DAY,
  FOREVER,
  formatDuration,
  formatInstant,
  HOUR,
  MINUTE,
  parseDuration,
  SECOND,
} from '../../src/core/time.ts';

test('durations are read as people write them', () => {
  for (const [text, duration] of [
    ['10m', 10 * MINUTE],
    ['1h', HOUR],
    ['1d12h', 36 * HOUR],
    ['90', 90 * SECOND],
    ['250ms', SECOND / 4],
    [' 1W ', 7 * DAY],
    ['-1', FOREVER],
    ['forever', FOREVER],
    [600, 600 * SECOND],
    [-1, FOREVER],
  ] as const) {
    assert.equal(parseDuration(text), duration, String(text));
  }
});

test('what is no duration is refused', () => {
  for (const value of ['', '0', '0s', 'm', '1x', '1h-', '-2', '1.5h', '1 h', '99999d', 0, -2, Number.NaN]) {
    assert.equal(parseDuration(value), null, String(value));
  }
});

test('a duration is written with its two largest units', () => {
  for (const [duration, text] of [
    [36 * HOUR, '1d12h'],
    [10 * MINUTE, '10m'],
    [270 * SECOND, '4m30s'],
    [DAY + SECOND, '1d'],
    [0.25 * SECOND, '250ms'],
    [59.9996 * SECOND, '1m'],
    [-5, '0ms'],
    [FOREVER, 'forever'],
  ] as const) {
    assert.equal(formatDuration(duration), text);
  }
});

test('what is written with at most two units is read back as it was', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 59 }), fc.integer({ min: 0, max: 59 }), (minutes, seconds) => {
      const duration = minutes * MINUTE + seconds * SECOND;
      assert.equal(parseDuration(formatDuration(duration)), duration);
    }),
  );
});

test('an instant is written in RFC 3339', () => {
  assert.equal(formatInstant(1_795_185_275_519_221), '2026-11-20T14:34:35.519Z');
  assert.equal(formatInstant(FOREVER), 'forever');
});
