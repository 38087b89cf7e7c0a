import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createJournalWriter,
  createLog,
  createPlainWriter,
  MAX_LINES_PER_SECOND,
} from '../../../src/daemon/log/log.ts';
import type { LogLine } from '../../../src/daemon/log/log-line.ts';

const LINE: LogLine = {
  severity: 'error',
  message: 'something broke',
  messageId: 'ab',
  fields: { BAILIFF_JAIL: 'x' },
};

test('a flood of one kind is cut and told, other kinds still get through', () => {
  const clock = { at: 1_000_000, now: () => clock.at };
  const lines: string[] = [];
  const log = createLog((line) => lines.push(line.message), clock);
  for (let index = 0; index < MAX_LINES_PER_SECOND + 7; index++) {
    log.observe({ kind: 'ignored', jail: 'sshd', address: '192.0.2.1', reason: 'ignore' });
  }
  log.observe({ kind: 'ready' });
  assert.equal(lines.length, MAX_LINES_PER_SECOND + 1);
  log.tick();
  assert.equal(lines.length, MAX_LINES_PER_SECOND + 1);
  clock.at += 1_000_000;
  log.tick();
  assert.equal(lines.at(-1), '7 more lines about "ignored" were left out');
  log.tick();
  assert.equal(lines.length, MAX_LINES_PER_SECOND + 2);
});

test('a terminal gets colours, a file does not', () => {
  const clock = { now: () => 1_795_185_275_000_000 };
  const texts: string[] = [];
  const output = { write: (text: string) => texts.push(text) };
  createPlainWriter(output, clock, true)(LINE);
  createPlainWriter(output, clock, false)(LINE);
  assert.match(texts[0] ?? '', /^\d\d:\d\d:\d\d \x1b\[31msomething broke\x1b\[0m\n$/);
  assert.match(texts[1] ?? '', /^\d\d:\d\d:\d\d something broke\n$/);
});

test('the journal gets fields', () => {
  const entries: object[] = [];
  createJournalWriter((fields) => entries.push(fields))(LINE);
  assert.deepEqual(entries, [
    {
      MESSAGE: 'something broke',
      MESSAGE_ID: 'ab',
      PRIORITY: '3',
      SYSLOG_IDENTIFIER: 'bailiff',
      BAILIFF_JAIL: 'x',
    },
  ]);
});
