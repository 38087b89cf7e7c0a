import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BailiffEvent } from '../../src/core/event.ts';
import { PrefixSet } from '../../src/core/prefix-set.ts';
import { describeFailure, formatEndpoint, SenderGate, Tally } from '../../src/sources/listen.ts';

test('a sender is known by its canonical address, however the socket writes it', () => {
  const gate = new SenderGate(new PrefixSet(['192.0.2.0/24', 'fe80::/10']));
  for (let round = 0; round < 2; round++) {
    assert.equal(gate.admit('192.0.2.7'), '192.0.2.7');
    assert.equal(gate.admit('::ffff:192.0.2.7'), '192.0.2.7');
    assert.equal(gate.admit('fe80::1%eth0'), 'fe80::1');
    assert.equal(gate.admit('198.51.100.1'), null);
    assert.equal(gate.admit('::ffff:198.51.100.1'), null);
    assert.equal(gate.admit(''), null);
  }
});

test('forged addresses do not make the gate forget who may send', () => {
  const gate = new SenderGate(new PrefixSet(['192.0.2.7']));
  for (let number = 0; number < 20_000; number++)
    assert.equal(gate.admit(`10.0.${number >> 8}.${number & 255}`), null);
  assert.equal(gate.admit('192.0.2.7'), '192.0.2.7');
});

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
