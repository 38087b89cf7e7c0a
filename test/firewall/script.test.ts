import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { DAY, FOREVER, HOUR, MILLISECOND, MINUTE, SECOND } from '../../src/core/time.ts';
import { type FirewallBatch, MAX_BATCH_ELEMENTS } from '../../src/firewall/firewall.ts';
import { banSet, STANDARD_BAN_SETS } from '../../src/firewall/layout.ts';
import {
  batchScript,
  installScript,
  MAX_TRUSTED_NETWORKS,
  removeScript,
  withoutNested,
} from '../../src/firewall/script.ts';

async function assertGolden(name: string, script: string): Promise<void> {
  const golden = await readFile(new URL(`../golden/${name}.nft`, import.meta.url), 'utf8');
  assert.equal(script, golden.replace(/^#.*\n/gm, ''));
}

const upsert = (set: string, key: string, timeout: number, comment = 'sshd') => ({
  set,
  key,
  timeout,
  comment,
});

test('a table is made with its sets and rules, trust first, in one transaction', async () => {
  await assertGolden('install', installScript('bailiff', STANDARD_BAN_SETS, []));
});

test('other prefix lengths add one rule each, and trust is loaded whole', async () => {
  const sets = [...STANDARD_BAN_SETS, banSet(4, 24, false), banSet(6, 48, false), banSet(6, 128, true)];
  const trust = ['192.0.2.0/24', '198.51.100.7', '192.0.2.9', '2001:db8:1::/48'];
  await assertGolden('install-prefixes', installScript('guard', sets, trust));
});

test('a batch adds, deletes and adds with the timeout; a deletion adds first, so that nothing can be missing', async () => {
  const batch: FirewallBatch = {
    upserts: [
      upsert('ban4', '203.0.113.9', 10 * MINUTE),
      upsert('ban4', '203.0.113.10', FOREVER, 'web.probes'),
      upsert('ban6_64', '2001:db8::', 3_650 * DAY),
      upsert(
        'ban4_port',
        '203.0.113.11 . tcp . 22',
        DAY + 2 * HOUR + 3 * MINUTE + 4 * SECOND + 5 * MILLISECOND,
      ),
    ],
    deletes: [
      { set: 'ban4', key: '198.51.100.1' },
      { set: 'ban4_24', key: '198.51.100.0' },
    ],
  };
  await assertGolden('batch', batchScript('bailiff', batch));
});

test('a timeout is never so short that it would mean none', () => {
  const script = batchScript('bailiff', { upserts: [upsert('ban4', '203.0.113.9', 1)], deletes: [] });
  assert.match(script, /timeout 1ms /);
});

test('the table is removed whether it is there or not', () => {
  assert.equal(removeScript('bailiff'), 'add table inet bailiff\ndelete table inet bailiff\n');
});

test('nothing gets into a script that could be more than a name or an address', () => {
  const script = (set: string, key: string, comment: string) =>
    batchScript('bailiff', { upserts: [upsert(set, key, SECOND, comment)], deletes: [] });
  for (const comment of ['', 'a"b', 'a b', 'a\nb', 'a;b', 'ä', 'x'.repeat(129)]) {
    assert.throws(() => script('ban4', '203.0.113.9', comment), /assertion failed/, comment);
  }
  for (const key of ['203.0.113.9 }; flush ruleset; {', 'example.org', '@trust4', '0.0.0.0/0']) {
    assert.throws(() => script('ban4', key, 'sshd'), /assertion failed/, key);
    assert.throws(() => batchScript('bailiff', { upserts: [], deletes: [{ set: 'ban4', key }] }));
  }
  assert.throws(() => script('trust4', '203.0.113.9', 'sshd'), /assertion failed/);
  assert.throws(() => installScript('a b', [], []), /assertion failed/);
  assert.throws(() => installScript('bailiff', [], ['203.0.113.9/24']), /assertion failed/);
  assert.throws(() => removeScript('x; flush ruleset'), /assertion failed/);
});

test('a transaction is bounded', () => {
  const deletes = Array.from({ length: MAX_BATCH_ELEMENTS + 1 }, (_, index) => ({
    set: 'ban4',
    key: `10.0.${index >> 8}.${index & 255}`,
  }));
  assert.throws(() => batchScript('bailiff', { upserts: [], deletes }), /bounded/);
  const trust = Array.from(
    { length: MAX_TRUSTED_NETWORKS + 1 },
    (_, index) => `10.0.${index >> 8}.${index & 255}`,
  );
  assert.throws(() => installScript('bailiff', [], trust), /bounded/);
});

test('networks inside others are left out of interval sets, which refuse overlaps', () => {
  assert.deepEqual(
    withoutNested([
      '10.1.2.3',
      '10.0.0.0/8',
      '10.1.0.0/16',
      '11.0.0.1',
      '11.0.0.1',
      '2001:db8::1',
      '2001:db8::/32',
    ]),
    ['10.0.0.0/8', '11.0.0.1', '2001:db8::/32'],
  );
});
