import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSuppression } from '../../src/senders/suppression.ts';

test("rsyslog's word of what its inputs have dropped is read, as 8.2302 writes it", () => {
  const limit = 'messages lost due to rate-limiting (10 allowed within 2 seconds)';
  for (const [head, input] of [
    ['imuxsock[pid: 7741, name: /usr/bin/python3]', 'imuxsock'],
    ['imudp(127.0.0.1/15514/IPv4)', 'imudp'],
    ['tcperver', 'imtcp'],
    ['imjournal', 'imjournal'],
    ['imother', 'an input'],
  ] as const)
    assert.deepEqual(readSuppression(`${head}: 90 ${limit}`), { input, count: 90 }, head);
});

test('its other messages say nothing of a loss', () => {
  for (const message of [
    'imudp(127.0.0.1/15514/IPv4) from <y>: begin to drop messages due to rate-limiting',
    'imuxsock: 0 messages lost due to rate-limiting (10 allowed within 2 seconds)',
    'imuxsock: 99999999999 messages lost due to rate-limiting (10 allowed within 2 seconds)',
    'imuxsock: 90 messages lost due to rate-limiting (10 allowed within 2 seconds) or so',
    '',
  ])
    assert.equal(readSuppression(message), null, message);
});
