import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BailiffEvent } from '../../src/core/event.ts';
import { Tally } from '../../src/senders/tally.ts';

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
