import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseWhen } from '../../../src/cli/render/when.ts';
import { NOW } from '../fake-terminal.ts';

test('a time is so long ago, or a date with or without a time of day', () => {
  const now = NOW * 1_000;
  const expectations: ReadonlyArray<readonly [string, string | null]> = [
    ['2h', '2026-11-20T22:11:53.000Z'],
    ['1d12h', '2026-11-19T12:11:53.000Z'],
    ['2026-11-20', '2026-11-20T00:00:00.000Z'],
    ['2026-11-20 08:30', '2026-11-20T08:30:00.000Z'],
    ['2026-11-20T08:30:15', '2026-11-20T08:30:15.000Z'],
    ['2026-11-20T08:30:15+02:00', '2026-11-20T06:30:15.000Z'],
    ['90', null],
    ['forever', null],
    ['2026-13-01', null],
    ['2026-11-20 25:00', null],
    ['yesterday', null],
    ['', null],
  ];
  for (const [text, expected] of expectations) {
    const at = parseWhen(text, now);
    assert.equal(at === null ? null : new Date(at / 1_000).toISOString(), expected, text);
  }
});
