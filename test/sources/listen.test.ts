import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BailiffEvent } from '../../src/core/event.ts';
import { describeFailure, formatEndpoint, Tally } from '../../src/sources/listen.ts';

test('a tally counts each key by itself until there are too many, then the rest together', () => {
  const events: BailiffEvent[] = [];
  const tally = new Tally((event) => events.push(event));
  const toEvent = (sender: string, count: number): BailiffEvent => ({
    kind: 'rejected',
    source: 'udp',
    sender,
    reason: 'unknown-sender',
    count,
  });
  for (let number = 0; number < 10_000; number++)
    tally.add('unknown-sender', `10.0.0.${number % 200}`, toEvent);
  tally.report();
  assert.ok(events.length <= 65);
  const counts = new Map(
    events.map((event) => (event.kind === 'rejected' ? [event.sender, event.count] : ['?', 0])),
  );
  assert.equal(counts.get('10.0.0.0'), 50);
  assert.equal(
    [...counts.values()].reduce((total, count) => total + count, 0),
    10_000,
  );
  assert.ok((counts.get('') ?? 0) > 0);
  tally.report();
  assert.equal(events.length, counts.size);
});

test('a listener that may not listen says what to do', () => {
  const error = Object.assign(new Error('bind EACCES'), { code: 'EACCES' });
  assert.deepEqual(describeFailure('udp', { host: '::1', port: 514 }, error, 1_000), {
    source: 'udp',
    listener: 'udp [::1]:514',
    health: 'down',
    detail: 'cannot listen on udp [::1]:514: no permission; trying again in 1 s',
    advice:
      'ports below 1024 need CAP_NET_BIND_SERVICE: run as root, or listen on a higher port such as 5514',
  });
  assert.match(describeFailure('tcp', { host: 'x', port: 1 }, new Error('strange'), 1_000).detail, /strange/);
  assert.equal(formatEndpoint('127.0.0.1', 514), '127.0.0.1:514');
});
