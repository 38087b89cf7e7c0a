import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLineReader } from '../../../src/cli/filter-tools/line-record.ts';
import type { LogRecord } from '../../../src/core/record.ts';
import { NOW } from '../fake-terminal.ts';

const MESSAGE = 'Username or password is incorrect. Try again. IP: 203.0.113.9. Username: alice.';

/** A line as dockerd 26.1.5 writes it. */
function lineOf(log: string, parts: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ log, stream: 'stdout', ...parts, time: '2026-11-20T21:49:08.237038237Z' });
}

function readAll(
  form: 'syslog' | 'message' | 'jsonl',
  lines: readonly string[],
): (LogRecord | null | string)[] {
  const reader = createLineReader(form, NOW * 1_000);
  return lines.map((line) => reader.read(Buffer.from(line), 0, Buffer.byteLength(line), false));
}

function textsOf(lines: readonly string[]): unknown[] {
  return readAll('syslog', lines).map((record) => (typeof record === 'object' ? record?.message : record));
}

test('a line of Docker’s json-file is the message in it, whatever the form that was asked for', () => {
  for (const form of ['syslog', 'message', 'jsonl'] as const) {
    const [record] = readAll(form, [lineOf(`${MESSAGE}\n`)]) as [LogRecord];
    assert.deepEqual([record.message, record.identifier], [MESSAGE, ''], form);
    assert.equal(record.at, Date.parse('2026-11-20T21:49:08.237Z') * 1_000);
  }
});

test('a tag that the container was given is its identifier', () => {
  const [record] = readAll('message', [lineOf('hi\n', { attrs: { tag: 'vaultwarden' } })]) as [LogRecord];
  assert.equal(record.identifier, 'vaultwarden');
});

test('the message of a JSON record may be such a line, and its own identifier counts', () => {
  const line = JSON.stringify({
    id: 7,
    identifier: 'door',
    message: lineOf('hi\n', { attrs: { tag: 'x' } }),
  });
  const [record] = readAll('jsonl', [line]) as [LogRecord];
  assert.deepEqual([record.message, record.identifier], ['hi', 'door']);
});

test('of a line that dockerd has broken the beginning is cut, and the rest begins with what a client wrote', () => {
  const other = { stream: 'stderr' };
  assert.deepEqual(
    textsOf([
      lineOf('login of x'),
      lineOf('an error\n', other),
      lineOf('login of y'),
      lineOf(`${MESSAGE}\n`),
      lineOf('whole\n'),
    ]),
    ['login of x…', 'an error', undefined, undefined, 'whole'],
  );
});

test('JSON that only begins alike is left as it is', () => {
  for (const line of [
    '{"log":"x"}',
    '{"log":"x","stream":"other","time":""}',
    '{"log":"x","stream":',
    '{"log":"", "a": 1}',
  ]) {
    assert.deepEqual(
      readAll('message', [line]).map((record) => (record as LogRecord).message),
      [line],
    );
  }
});
