/** What a ban costs in a table that holds many. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR } from '../../src/core/time.ts';
import type { ElementKey, FirewallBatch } from '../../src/firewall/firewall.ts';
import { openBed } from '../bed/namespace.ts';
import { requirements } from '../bed/requirements.ts';
import { openBedFirewall } from './bed-firewall.ts';

const skip = requirements('namespaces', 'nft') ?? false;

const ban = (elements: readonly ElementKey[]): FirewallBatch => ({
  upserts: elements.map((element) => ({ ...element, timeout: HOUR, comment: 'sshd' })),
  deletes: [],
});

test('with a hundred thousand bans one more costs what the first did', { skip }, async () => {
  await using bed = await openBed();
  const firewall = await openBedFirewall(bed);
  await firewall.install([]);
  const key = (index: number) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
  const medianOf = async (start: number): Promise<number> => {
    const times: number[] = [];
    for (let index = start; index < start + 101; index++) {
      const startedAt = performance.now();
      await firewall.apply(ban([{ set: 'ban4', key: key(index) }]));
      times.push(performance.now() - startedAt);
    }
    return times.sort((a, b) => a - b)[50] ?? 0;
  };
  const empty = await medianOf(0);
  for (let start = 1_000; start < 101_000; start += 1_000) {
    const elements = Array.from({ length: 1_000 }, (_, index) => ({
      set: 'ban4',
      key: key(start + index),
    }));
    assert.deepEqual(await firewall.apply(ban(elements)), []);
  }
  const full = await medianOf(200_000);
  assert.ok(full < empty * 5 + 2, `${full} ms against ${empty} ms`);
  await firewall.close();
});
