import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FOREVER, HOUR, SECOND } from '../../src/core/time.ts';
import { DryRunFirewall } from '../../src/firewall/dry-run.ts';

test('a dry run remembers elements until they end, as the kernel would', async () => {
  let now = 1_000 * SECOND;
  const firewall = new DryRunFirewall({ now: () => now });
  await firewall.install([]);
  const upsert = (key: string, timeout: number) => ({ set: 'ban4', key, timeout, comment: 'sshd' });
  await firewall.apply({
    upserts: [upsert('203.0.113.9', HOUR), upsert('203.0.113.10', FOREVER), upsert('203.0.113.11', SECOND)],
    deletes: [],
  });
  await firewall.apply({ upserts: [], deletes: [{ set: 'ban4', key: '203.0.113.10' }] });
  now += SECOND;
  assert.deepEqual(await firewall.list(), [
    { set: 'ban4', key: '203.0.113.9', expires: HOUR - SECOND, comment: 'sshd', packets: 0, bytes: 0 },
  ]);
  assert.equal(await firewall.check(), 'intact');
  await firewall.removeTable();
  assert.deepEqual(await firewall.list(), []);
});
