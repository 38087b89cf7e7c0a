import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createTimeReader, readIsoTime, readTime } from '../../src/syslog/timestamp.ts';
import { AT } from './reading.ts';

/** The instant and what is left behind the time, `2026-11-20T14:13:37.000Z| rest`; null when there is no time. */
function readText(text: string, at = AT): string | null {
  const reader = createTimeReader();
  const bytes = Buffer.from(text);
  if (!readTime(bytes, 0, bytes.length, at, reader)) return null;
  const instant = reader.timestamp < 0 ? '-' : new Date(reader.timestamp / 1_000).toISOString();
  return `${instant}|${text.slice(reader.end)}`;
}

test('every form of a time that devices write is read', () => {
  for (const [text, expected] of [
    ['2026-11-20T14:13:37.749843+00:00 vm', '2026-11-20T14:13:37.749Z| vm'],
    ['2026-11-20T14:13:37Z vm', '2026-11-20T14:13:37.000Z| vm'],
    ['2026-11-20T14:13:37+01:30 vm', '2026-11-20T12:43:37.000Z| vm'],
    ['2026-11-20T14:13:37-0800 vm', '2026-11-20T22:13:37.000Z| vm'],
    ['2026-11-20 14:13:37,5 vm', '2026-11-20T14:13:37.500Z| vm'],
    ['2026-11-20T14:13:37', '2026-11-20T14:13:37.000Z|'],
    ['2026-11-20T14:13:37Z: %ASA', '2026-11-20T14:13:37.000Z| %ASA'],
    ['Nov 20 14:13:37 vm', '2026-11-20T14:13:37.000Z| vm'],
    ['Nov  5 04:13:37 vm', '2026-11-05T04:13:37.000Z| vm'],
    ['Nov 5 04:13:37 vm', '2026-11-05T04:13:37.000Z| vm'],
    ['Nov 05 04:13:37 vm', '2026-11-05T04:13:37.000Z| vm'],
    ['Nov 20 14:13:37.123 vm', '2026-11-20T14:13:37.123Z| vm'],
    ['Nov 20 2024 14:13:37: %ASA', '2024-11-20T14:13:37.000Z| %ASA'],
    ['Nov 20 14:13:37 2024 vm', '2024-11-20T14:13:37.000Z| vm'],
    ['*Nov 20 14:13:37.123 UTC: %SYS-5-X:', '2026-11-20T14:13:37.123Z| %SYS-5-X:'],
    ['.Nov 20 14:13:37 CEST: %SYS-5-X:', '2026-11-20T14:13:37.000Z| %SYS-5-X:'],
    ['2024 Nov 20 14:13:37 UTC: %AUTH', '2024-11-20T14:13:37.000Z| %AUTH'],
    ['Nov 20 14:13:37 UTC vm', '2026-11-20T14:13:37.000Z| vm'],
    ['Nov 20 14:13:37', '2026-11-20T14:13:37.000Z|'],
  ] as const) {
    assert.equal(readText(text), expected, text);
  }
});

test('what is no time is not read as one', () => {
  for (const text of [
    '',
    'Nov',
    'Nov 20',
    'Nov 20 14:13',
    'Nov 20 14:13:3',
    'Nov 20 24:00:00 x',
    'Nov 20 14:60:00 x',
    'nov 20 14:13:37 x',
    'Nox 20 14:13:37 x',
    'Nov xx 14:13:37 x',
    '2026',
    '2026-11-20',
    '2026-11-20T',
    '2026/11/20 14:13:37 x',
    '20261120T141337Z x',
    '1700000000 x',
    '14:13:37 x',
  ]) {
    assert.equal(readText(text), null, text);
  }
});

test('a time of a day that does not exist is skipped and said to be unknown', () => {
  for (const text of [
    'Nov 31 14:13:37 x',
    'Feb 30 14:13:37 x',
    'Nov 0 14:13:37 x',
    '2026-13-01T14:13:37Z x',
  ]) {
    assert.equal(readText(text), '-| x', text);
  }
  assert.equal(readText('1969-01-01T00:00:00Z x'), '-| x');
  assert.equal(readText('1970-01-01T00:00:00+05:00 x'), '-| x');
  assert.equal(readText('9999-01-01T00:00:00Z x'), '-| x');
});

test('a short word in capitals behind the time is a zone only where it can be nothing else', () => {
  assert.equal(readText('Nov 20 14:13:37 CRON: x'), '2026-11-20T14:13:37.000Z| CRON: x');
  assert.equal(readText('Nov 20 14:13:37 NAS smbd: x'), '2026-11-20T14:13:37.000Z| NAS smbd: x');
  assert.equal(readText('Nov 20 14:13:37 UTC: x'), '2026-11-20T14:13:37.000Z| UTC: x');
});

test('a missing year is the one that brings the time nearest to the arrival', () => {
  const year = (text: string, at: number) => readText(text, at * 1_000)?.slice(0, 10);
  assert.equal(year('Dec 31 23:59:59 x', Date.UTC(2027, 0, 1, 0, 0, 5)), '2026-12-31');
  assert.equal(year('Jan  1 00:00:05 x', Date.UTC(2026, 11, 31, 23, 59)), '2027-01-01');
  assert.equal(year('Jun 30 00:00:00 x', Date.UTC(2026, 11, 29)), '2026-06-30');
  assert.equal(year('Jul  2 00:00:00 x', Date.UTC(2026, 0, 3)), '2026-07-02');
  assert.equal(year('Feb 29 00:00:00 x', Date.UTC(2028, 2, 1)), '2028-02-29');
  assert.equal(year('Feb 29 00:00:00 x', Date.UTC(2027, 11, 1)), '2028-02-29');
  assert.equal(year('Feb 29 00:00:00 x', Date.UTC(2026, 2, 1)), '-| x');
});

test('a time without year is read back for every second of half a year around the arrival', () => {
  const day = 86_400_000;
  const instants = fc.integer({ min: Date.UTC(1971, 0, 1) / 1_000, max: Date.UTC(2198, 0, 1) / 1_000 });
  const property = fc.property(instants, fc.integer({ min: -180 * day, max: 180 * day }), (seconds, skew) => {
    const date = new Date(seconds * 1_000);
    const [, dayOfMonth, month, , clock] = date.toUTCString().split(/[ ,]+/);
    const text = `${month} ${dayOfMonth} ${clock} x`;
    const reader = createTimeReader();
    const at = Math.max(0, date.getTime() + skew) * 1_000;
    assert.ok(readTime(Buffer.from(text), 0, text.length, at, reader));
    assert.equal(reader.timestamp, date.getTime() * 1_000);
  });
  fc.assert(property, { seed: 3164, numRuns: 2_000 });
});

test('nothing beyond the end of the message is read', () => {
  const text = '2026-11-20T14:13:37.749843+00:00';
  const reader = createTimeReader();
  const bytes = Buffer.from(`${text}99999`);
  for (let end = 0; end < 19; end++) assert.equal(readIsoTime(bytes, 0, end, reader), false);
  for (let end = 19; end <= text.length; end++) {
    assert.ok(readIsoTime(bytes, 0, end, reader));
    assert.ok(reader.end <= end);
  }
});

test('a reader that has read other times before reads the same as a new one', () => {
  const texts = fc.constantFrom(
    'Feb 29 00:00:00 x',
    'Feb 28 23:59:59 2028 x',
    'Nov 20 14:13:37 x',
    'Nov 20 14:13:37',
    'Nov 20 14:13:37.5 x',
    'Nov 20 14:13:37 2024 x',
    'Nov 20 14:13:37 2024:db8:: x',
    'Nov 20 14:13:37 UTC x',
    '*Nov 2 14:13:37 x',
    'Nov 31 14:13:37 x',
    '2024 Nov 20 14:13:37 x',
    '2026-11-20T14:13:37Z x',
    '2028-02-29T00:00:00Z x',
  );
  const instants = fc.integer({ min: Date.UTC(2023, 0, 1), max: Date.UTC(2030, 0, 1) });
  const usual = fc.constantFrom(AT / 1_000, AT / 1_000 + 1, Date.UTC(2028, 10, 20));
  const property = fc.property(
    fc.array(fc.tuple(texts, fc.oneof(instants, usual)), { maxLength: 12 }),
    (times) => {
      const used = createTimeReader();
      for (const [text, milliseconds] of times) {
        const at = milliseconds * 1_000;
        const unused = createTimeReader();
        assert.ok(readTime(Buffer.from(text), 0, text.length, at, used));
        assert.ok(readTime(Buffer.from(text), 0, text.length, at, unused));
        assert.equal(used.timestamp, unused.timestamp, `${text} at ${milliseconds}`);
        assert.equal(used.end, unused.end, text);
        assert.equal(used.form, unused.form, text);
      }
    },
  );
  fc.assert(property, { seed: 5424, numRuns: 1_000 });
});
