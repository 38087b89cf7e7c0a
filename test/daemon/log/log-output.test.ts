import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogLine } from '../../../src/daemon/log/log-line.ts';
import { withFallback } from '../../../src/daemon/log/log-output.ts';
import { failureOf } from '../parts.ts';

const LINE: LogLine = { severity: 'notice', message: 'ready', messageId: 'ab', fields: {} };

test('a line that the journal does not take is written plainly, and the daemon goes on', () => {
  const plain: LogLine[] = [];
  const refuse = (): void => {
    throw failureOf('ENOBUFS');
  };
  withFallback(refuse, (line) => plain.push(line))(LINE);
  assert.deepEqual(plain, [LINE]);
});

test('a line that it takes is written once', () => {
  const [journal, plain]: [LogLine[], LogLine[]] = [[], []];
  withFallback(
    (line) => journal.push(line),
    (line) => plain.push(line),
  )(LINE);
  assert.deepEqual([journal, plain], [[LINE], []]);
});

test('a bug stays one', () => {
  const broken = (): void => {
    throw new TypeError('no such field');
  };
  assert.throws(() => withFallback(broken, () => {})(LINE), TypeError);
});
