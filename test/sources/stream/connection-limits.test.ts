import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionCount } from '../../../src/sources/stream/connection-limits.ts';

test('connections are counted in and out, of each peer and of all', () => {
  const count = new ConnectionCount({ maxConnections: 3, maxConnectionsPerSender: 2 });
  assert.deepEqual(
    ['a', 'a', 'a', 'b', 'c'].map((peer) => count.enter(peer)),
    [null, null, 'connections-per-sender', null, 'connections'],
  );
  count.leave('a');
  assert.deepEqual([count.enter('c'), count.enter('a')], [null, 'connections']);
});

test('a peer with as many as it may have hears of its own limit, also where there is room for nobody', () => {
  const count = new ConnectionCount({ maxConnections: 2, maxConnectionsPerSender: 1 });
  assert.deepEqual([count.enter('a'), count.enter('b')], [null, null]);
  assert.deepEqual([count.enter('a'), count.enter('c')], ['connections-per-sender', 'connections']);
});

test('new limits are for connections to come', () => {
  const count = new ConnectionCount({ maxConnections: 1, maxConnectionsPerSender: 1 });
  count.enter('a');
  count.setLimits({ maxConnections: 2, maxConnectionsPerSender: 2 });
  assert.deepEqual([count.enter('a'), count.enter('b')], [null, 'connections']);
});
