import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ElementWatch, parseSet, readElements, waitForElement, waitForNoElement } from './kernel.ts';
import { ATTACKERS_IPV4, HOST, openBed } from './namespace.ts';
import { tryConnect } from './reachability.ts';
import { requirements } from './requirements.ts';
import { PATIENCE_MILLISECONDS } from './waiting.ts';

const skip = requirements('namespaces', 'nft') ?? false;
const TABLE = `table inet bailiff {
  set ban4 { type ipv4_addr; flags timeout; counter; }
  set ban4_port { type ipv4_addr . inet_proto . inet_service; flags timeout; }
  chain in { type filter hook prerouting priority -310; ip saddr @ban4 drop; }
}`;

test('elements are read with their timeout, comment and counter', { skip }, async () => {
  await using bed = await openBed();
  assert.equal(await readElements(bed, 'ban4'), null);
  await bed.run(['nft', TABLE]);
  assert.deepEqual(await readElements(bed, 'ban4'), []);
  await bed.run(['nft', 'add element inet bailiff ban4 { 203.0.113.9 timeout 1m comment "sshd" }']);
  await bed.run(['nft', 'add element inet bailiff ban4_port { 203.0.113.9 . tcp . 22 }']);
  const element = await waitForElement(bed, 'ban4', '203.0.113.9', 1_000);
  assert.ok(element.expiresSeconds !== null && element.expiresSeconds > 50 && element.expiresSeconds <= 60);
  assert.deepEqual(
    { ...element, expiresSeconds: 60 },
    {
      key: '203.0.113.9',
      timeoutSeconds: 60,
      expiresSeconds: 60,
      comment: 'sshd',
      packets: 0,
    },
  );
  assert.deepEqual(await readElements(bed, 'ban4_port'), [
    { key: '203.0.113.9 . tcp . 22', timeoutSeconds: null, expiresSeconds: null, comment: '', packets: null },
  ]);
});

test('an element of a dropping set cuts one attacker off, counts its packets, and ends with its timeout', {
  skip,
}, async () => {
  await using bed = await openBed();
  await bed.run(['nft', TABLE]);
  const [banned = '', free = ''] = ATTACKERS_IPV4;
  await bed.run(['nft', `add element inet bailiff ban4 { ${banned} timeout 3s }`]);
  assert.equal(
    await tryConnect(bed, { from: banned, to: HOST.ipv4, port: 9, timeoutMilliseconds: 200 }),
    'dropped',
  );
  assert.equal(await tryConnect(bed, { from: free, to: HOST.ipv4, port: 9 }), 'refused');
  assert.equal((await readElements(bed, 'ban4'))?.[0]?.packets, 1);
  await waitForNoElement(bed, 'ban4', banned, PATIENCE_MILLISECONDS);
  assert.equal(await tryConnect(bed, { from: banned, to: HOST.ipv4, port: 9 }), 'refused');
});

test('a watch knows of every new element, before and after it is asked', { skip }, async () => {
  await using bed = await openBed();
  await bed.run(['nft', TABLE]);
  const watch = await ElementWatch.start(bed);
  const before = process.hrtime.bigint();
  const asked = watch.added('ban4', '203.0.113.1', 2_000);
  await bed.run([
    'nft',
    'add element inet bailiff ban4 { 203.0.113.1 timeout 1m comment "a", 203.0.113.2 timeout 1m }',
  ]);
  assert.ok((await asked) > before);
  assert.ok((await watch.added('ban4', '203.0.113.2', 2_000)) > before);
  await bed.run(['nft', 'add element inet bailiff ban4_port { 203.0.113.3 . tcp . 22 timeout 1m }']);
  await watch.added('ban4_port', '203.0.113.3 . tcp . 22', 2_000);
  await assert.rejects(
    watch.added('ban4', '203.0.113.4', 20),
    /no element 203.0.113.4 was added to ban4 in 20 ms/,
  );
  watch.close();
});

test('prefixes and concatenations are spelled as nft prints them, protocols always by name', () => {
  const json = {
    nftables: [
      { metainfo: {} },
      {
        set: {
          elem: [
            { prefix: { addr: '2001:db8::', len: 64 } },
            { elem: { val: { concat: ['203.0.113.9', 'tcp', 22] }, timeout: 60, expires: 59 } },
            { concat: ['203.0.113.9', 17, 53] },
          ],
        },
      },
    ],
  };
  assert.deepEqual(
    parseSet(JSON.stringify(json)).map((element) => element.key),
    ['2001:db8::/64', '203.0.113.9 . tcp . 22', '203.0.113.9 . udp . 53'],
  );
});
