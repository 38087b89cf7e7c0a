import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayBeRepeat, repeatOf } from '../../src/syslog/repeat.ts';
import { read } from './reading.ts';

const LAST = read('<38>Nov 30 22:47:41 vm sshd[99]: Failed password for joe from 203.0.113.9 port 5 ssh2');

function messageOf(text: string, last = LAST): string | null {
  return repeatOf(read(text), last)?.message ?? null;
}

const REPEATED = `message repeated 4 times: [ ${LAST.message}]`;

test('what BSD and syslog-ng say was repeated is the message before', () => {
  assert.equal(messageOf('<38>Nov 30 22:47:41 vm last message repeated 4 times'), REPEATED);
  const suppressed = "Last message 'Failed password for ' repeated 4 times, suppressed by syslog-ng on vm";
  assert.equal(messageOf(`<38>Nov 30 22:48:41 vm sshd[99]: ${suppressed}`), REPEATED);
  const freebsd = read('<38>Nov 30 22:47:41 sshd[99]: Failed password');
  const repeat = '<38>Nov 30 22:47:41 last message repeated 4 times';
  assert.equal(messageOf(repeat, freebsd), 'message repeated 4 times: [ Failed password]');
});

test('nothing is repeated for another host, another program, or by a program', () => {
  assert.equal(messageOf('<38>Nov 30 22:47:41 other last message repeated 4 times'), null);
  assert.equal(messageOf('<38>Nov 30 22:47:41 vm app: last message repeated 4 times'), null);
  assert.equal(messageOf('<38>Nov 30 22:47:41 vm last message repeated 44444 times'), null);
  const other = "Last message 'Accepted' repeated 4 times, suppressed by syslog-ng on vm";
  assert.equal(messageOf(`<38>Nov 30 22:48:41 vm sshd[99]: ${other}`), null);
  assert.equal(repeatOf(read('<38>Nov 30 22:47:41 vm last message repeated 4 times'), null), null);
});

test('it is known by how it begins', () => {
  for (const text of ['last message repeated 4', "Last message 'x", 'message repeated 4']) {
    assert.equal(mayBeRepeat(Buffer.from(`: ${text}`), 2, text.length + 2), true);
  }
  assert.equal(mayBeRepeat(Buffer.from('last message'), 0, 12), false);
});
