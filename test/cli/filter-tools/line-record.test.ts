import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LINE_FORMS, type LineForm } from '../../../src/cli/filter-tools/filter-tool-options.ts';
import { createLineReader, LINE_BYTES } from '../../../src/cli/filter-tools/line-record.ts';
import type { LogRecord } from '../../../src/core/record.ts';
import { HOUR, MINUTE, SECOND } from '../../../src/core/time.ts';
import { NOW } from '../fake-terminal.ts';

const NOW_MICROSECONDS = NOW * 1_000;

/** What becomes of the lines, one after the other. */
function readLines(form: LineForm, lines: readonly string[], isCut = false): (LogRecord | null | string)[] {
  const reader = createLineReader(form, NOW_MICROSECONDS);
  return lines.map((line) => {
    const bytes = Buffer.from(line);
    return reader.read(bytes, 0, bytes.length, isCut);
  });
}

function readRecord(form: LineForm, line: string, isCut = false): LogRecord {
  const [record] = readLines(form, [line], isCut);
  assert.ok(typeof record === 'object' && record !== null, `${record}`);
  return record;
}

test('a syslog line has its identifier and pid', () => {
  const { identifier, pid, hostname, message, source } = readRecord(
    'syslog',
    'Nov 20 10:00:00 web door[7]: hi\r',
  );
  assert.deepEqual([identifier, pid, hostname, message, source], ['door', '7', 'web', 'hi', 'file']);
});

test('the time of a syslog line is its arrival; it never goes back, and never into the future', () => {
  const lines = [
    'no time at all',
    '2026-11-20T23:00:00Z web door: one',
    '2026-11-20T22:00:00Z web door: from before',
    '2026-11-20T23:01:00Z web door: a minute later',
    '2027-11-20T23:00:00Z web door: a forged one',
    'no time at all',
  ];
  const started = Date.parse('2026-11-20T23:00:00Z') * 1_000;
  assert.deepEqual(
    readLines('syslog', lines).map((record) => (record as LogRecord).at),
    [NOW_MICROSECONDS, started, started, started + MINUTE, started + MINUTE, started + MINUTE],
  );
  assert.ok(NOW_MICROSECONDS - started > HOUR && SECOND > 0);
});

test('a message is the whole line and has no identifier', () => {
  const line = 'Nov 20 10:00:00 web door[7]: hi';
  const { identifier, message } = readRecord('message', `${line}\r`);
  assert.deepEqual([identifier, message], ['', line]);
});

test('a JSON line may say everything, in any order, and null says nothing', () => {
  const reader = createLineReader('jsonl', NOW_MICROSECONDS);
  const read = (value: unknown) => {
    const bytes = Buffer.from(JSON.stringify(value));
    return reader.read(bytes, 0, bytes.length, false) as LogRecord;
  };
  const full = read({
    pid: 7,
    unit: 'door.service',
    identifier: 'door',
    sender: '192.0.2.1',
    id: 'a',
    message: 'm',
  });
  assert.deepEqual([full.pid, full.identifier, full.sender, full.message], ['7', 'door', '192.0.2.1', 'm']);
  assert.deepEqual(full.trusted, { unit: 'door.service', executable: '', uid: -1 });
  assert.equal(reader.id, 'a');
  const contained = read({
    message: 'm',
    executable: '/usr/bin/dockerd',
    uid: 0,
    container: 'door-1',
    image: 'example/door',
  });
  assert.deepEqual(contained.trusted, { unit: '', executable: '/usr/bin/dockerd', uid: 0 });
  assert.deepEqual(contained.container, { id: '', name: 'door-1', image: 'example/door' });
  const bare = read({ message: 'm', identifier: null, pid: null, unit: null, id: null });
  assert.deepEqual([bare.pid, bare.identifier, bare.trusted, reader.id], ['', '', null, undefined]);
});

test('a JSON line that is not understood says why', () => {
  const lines = ['{', '[]', '7', '{"message":1}', '{}', '', '  '];
  const noText = 'has no text as "message"';
  assert.deepEqual(readLines('jsonl', lines), [
    'is no JSON object',
    noText,
    'is no JSON object',
    noText,
    noText,
    null,
    null,
  ]);
  assert.deepEqual(readLines('jsonl', ['{"message":"m"}'], true), [
    `is longer than ${LINE_BYTES.jsonl} bytes`,
  ]);
});

test('a cut message cannot end in an address that is cut', () => {
  for (const form of ['syslog', 'message'] as const) {
    assert.equal(readRecord(form, 'refused root from 203.0.113.7', true).message, 'refused root from …');
  }
  const message = `${'x '.repeat(32_760)}from 203.0.113.77`;
  const shown = readRecord('jsonl', JSON.stringify({ message })).message;
  assert.ok(shown.endsWith('from …') && shown.length < 65_537, shown.slice(-30));
});

test('no line throws, whatever is in it', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...LINE_FORMS),
      fc.uint8Array({ maxLength: 300 }),
      fc.boolean(),
      (form, bytes, isCut) => {
        const record = createLineReader(form, NOW_MICROSECONDS).read(
          Buffer.from(bytes),
          0,
          bytes.length,
          isCut,
        );
        assert.ok(record === null || typeof record === 'string' || typeof record.message === 'string');
      },
    ),
    { seed: 20_261_120, numRuns: 2_000 },
  );
});
