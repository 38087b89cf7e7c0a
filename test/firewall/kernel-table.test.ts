import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OperationalError } from '../../src/core/errors.ts';
import { FOREVER, HOUR, MINUTE, SECOND } from '../../src/core/time.ts';
import type { ElementKey, Firewall, FirewallBatch } from '../../src/firewall/firewall.ts';
import { ATTACKERS_IPV4, ATTACKERS_IPV6, type Bed, HOST, NEIGHBOUR_IPV6, openBed } from '../bed/namespace.ts';
import { tryConnect } from '../bed/reachability.ts';
import { requirements } from '../bed/requirements.ts';
import { PATIENCE_MILLISECONDS, waitFor } from '../bed/waiting.ts';
import { openBedFirewall } from './bed-firewall.ts';

const skip = requirements('namespaces', 'nft') ?? false;
const [attacker = '', other = ''] = ATTACKERS_IPV4;
const [attacker6 = '', other6 = ''] = ATTACKERS_IPV6;

const ban = (elements: readonly ElementKey[], timeout = HOUR): FirewallBatch => ({
  upserts: elements.map((element) => ({ ...element, timeout, comment: 'sshd' })),
  deletes: [],
});

async function inBed(body: (bed: Bed, firewall: Firewall) => Promise<void>): Promise<void> {
  await using bed = await openBed();
  const firewall = await openBedFirewall(bed);
  await body(bed, firewall);
  await firewall.close();
}

/** Whether the bed answers a connection to a port that nobody listens on. */
async function isCut(bed: Bed, from: string, port = 9): Promise<boolean> {
  const to = from.includes(':') ? HOST.ipv6 : HOST.ipv4;
  const reachability = await tryConnect(bed, { from, to, port, timeoutMilliseconds: 250 });
  return reachability === 'dropped';
}

test('a ban cuts its offender off, nobody else, and ends by itself in the kernel', { skip }, () =>
  inBed(async (bed, firewall) => {
    await firewall.install([]);
    assert.equal(await isCut(bed, attacker), false);
    assert.deepEqual(await firewall.apply(ban([{ set: 'ban4', key: attacker }], SECOND)), []);
    assert.equal(await isCut(bed, attacker), true);
    assert.equal(await isCut(bed, other), false);
    const counters = await firewall.counters();
    assert.ok((counters.find(({ set }) => set === 'ban4')?.packets ?? 0) > 0);
    await waitFor('the end of the ban', PATIENCE_MILLISECONDS, async () =>
      (await firewall.list())?.length === 0 ? true : null,
    );
    assert.equal(await isCut(bed, attacker), false);
  }),
);

test('an IPv6 ban holds for the whole /64 and not for the next one', { skip }, () =>
  inBed(async (bed, firewall) => {
    await firewall.install([]);
    await firewall.apply(ban([{ set: 'ban6_64', key: attacker6.replace(/100$/, '') }]));
    assert.equal(await isCut(bed, attacker6), true);
    assert.equal(await isCut(bed, NEIGHBOUR_IPV6), true);
    assert.equal(await isCut(bed, other6), false);
  }),
);

test('neighbour discovery goes on under a ban of the network on the link', { skip }, () =>
  inBed(async (bed, firewall) => {
    await firewall.install([]);
    await firewall.apply(ban([{ set: 'ban6_48', key: '2001:db8:77::' }]));
    await bed.run(['ip', '-6', 'neigh', 'flush', 'dev', 'wire0']);
    await bed.run(['ip', '-6', 'neigh', 'flush', 'dev', 'wire0'], { at: 'attacker' });
    assert.equal(await isCut(bed, attacker6), true);
    const neighbours = await bed.run(['ip', '-6', 'neigh', 'show', HOST.ipv6], { at: 'attacker' });
    assert.match(neighbours.stdout, /lladdr/);
  }),
);

test('trusted networks pass, also when a set holds them', { skip }, () =>
  inBed(async (bed, firewall) => {
    await firewall.install([`${attacker}`, '2001:db8:77:1::/64', '2001:db8:77:1::100']);
    await firewall.apply(
      ban([
        { set: 'ban4', key: attacker },
        { set: 'ban4', key: other },
        { set: 'ban6_64', key: '2001:db8:77:1::' },
      ]),
    );
    assert.equal(await isCut(bed, attacker), false);
    assert.equal(await isCut(bed, attacker6), false);
    assert.equal(await isCut(bed, other), true);
    await firewall.install(['0.0.0.0/0']);
    assert.equal(await isCut(bed, other), false);
    await firewall.install([]);
    assert.equal(await isCut(bed, attacker), true);
  }),
);

test('a ban of ports leaves the others open', { skip }, () =>
  inBed(async (bed, firewall) => {
    await firewall.install([]);
    await firewall.apply(
      ban([
        { set: 'ban4_port', key: `${attacker} . tcp . 22` },
        { set: 'ban6_64_port', key: '2001:db8:77:1:: . tcp . 22' },
      ]),
    );
    assert.equal(await isCut(bed, attacker, 22), true);
    assert.equal(await isCut(bed, attacker, 9), false);
    assert.equal(await isCut(bed, attacker6, 22), true);
    assert.equal(await isCut(bed, attacker6, 9), false);
    assert.equal(await isCut(bed, other, 22), false);
  }),
);

test('networks of any prefix length can be banned, and their sets are found again after a restart', {
  skip,
}, async () => {
  await using bed = await openBed();
  const before = await openBedFirewall(bed);
  await before.install([]);
  await before.apply(
    ban([
      { set: 'ban4_25', key: '198.18.0.0' },
      { set: 'ban6_128_port', key: `${attacker6} . tcp . 9` },
    ]),
  );
  await before.close();
  const after = await openBedFirewall(bed);
  await after.install([]);
  assert.deepEqual(
    (await after.list())?.map(({ set, key, comment }) => ({ set, key, comment })),
    [
      { set: 'ban4_25', key: '198.18.0.0', comment: 'sshd' },
      { set: 'ban6_128_port', key: `${attacker6} . tcp . 9`, comment: 'sshd' },
    ],
  );
  assert.equal(await isCut(bed, attacker), true);
  assert.equal(await isCut(bed, attacker6), true);
  assert.equal(await isCut(bed, NEIGHBOUR_IPV6), false);
  await after.close();
});

const ECHO = `
require('node:net').createServer((socket) => socket.pipe(socket)).listen(7000, '${HOST.ipv4}', () => console.log('up'));`;
const TALK = `
const socket = require('node:net').connect({ host: '${HOST.ipv4}', port: 7000, localAddress: '${attacker}' });
socket.on('data', (data) => console.log('echo ' + data));
process.stdin.on('data', (data) => socket.write(data));`;

test('a ban cuts an established connection', { skip }, () =>
  inBed(async (bed, firewall) => {
    await firewall.install([]);
    const server = await bed.start([process.execPath, '-e', ECHO]);
    await server.waitForLine(/^up$/, PATIENCE_MILLISECONDS);
    const client = await bed.start([process.execPath, '-e', TALK], { at: 'attacker' });
    client.write('before');
    await client.waitForLine(/^echo before$/, PATIENCE_MILLISECONDS);
    await firewall.apply(ban([{ set: 'ban4', key: attacker }]));
    client.write('after');
    await waitFor('a dropped packet', PATIENCE_MILLISECONDS, async () => {
      const [element] = (await firewall.list()) ?? [];
      return (element?.packets ?? 0) > 0 ? true : null;
    });
    assert.doesNotMatch(client.output, /after/);
    await firewall.apply({ upserts: [], deletes: [{ set: 'ban4', key: attacker }] });
    await client.waitForLine(/^echo after$/, PATIENCE_MILLISECONDS);
    client.kill('SIGKILL');
    server.kill('SIGKILL');
  }),
);

test(
  'an element can be set again, for longer or for less, and be deleted when it is not there',
  { skip },
  () =>
    inBed(async (_bed, firewall) => {
      await firewall.install([]);
      const element = { set: 'ban4', key: '203.0.113.9' };
      for (const timeout of [HOUR, 10 * HOUR, MINUTE, FOREVER, 3_650 * 24 * HOUR, MINUTE]) {
        assert.deepEqual(await firewall.apply(ban([element], timeout)), []);
        const listed = await firewall.list();
        assert.equal(listed?.length, 1);
        const expires = listed[0]?.expires ?? 0;
        if (timeout === FOREVER) assert.equal(expires, FOREVER);
        else assert.ok(expires <= timeout && expires > timeout - 5 * SECOND, `${expires} of ${timeout}`);
      }
      const deletes = [element, { set: 'ban4', key: '203.0.113.10' }, { set: 'ban4_9', key: '203.0.0.0' }];
      assert.deepEqual(await firewall.apply({ upserts: [], deletes }), []);
      assert.deepEqual(await firewall.list(), []);
    }),
);

test(
  'a thousand elements go in one transaction; one that the kernel refuses is named and the others go in',
  { skip },
  () =>
    inBed(async (bed, firewall) => {
      await firewall.install([]);
      const elements = Array.from({ length: 1_000 }, (_, index) => ({
        set: index % 10 === 0 ? 'ban4_24' : 'ban4',
        key: index % 10 === 0 ? `10.${index >> 8}.${index & 255}.0` : `10.${index >> 8}.${index & 255}.9`,
      }));
      assert.deepEqual(await firewall.apply(ban(elements)), []);
      assert.equal((await firewall.list())?.length, 1_000);
      const full = '{ type ipv4_addr; size 3; flags timeout; counter; gc-interval 10s; }';
      await bed.run([
        'nft',
        `flush chain inet bailiff ipv4; delete set inet bailiff ban4_24; add set inet bailiff ban4_24 ${full}`,
      ]);
      assert.equal(await firewall.check(), 'missing');
      await firewall.install([]);
      const refusals = await firewall.apply(ban(elements));
      assert.equal(refusals.length, 97);
      assert.ok(refusals.every(({ element }) => element.set === 'ban4_24'));
      assert.match(refusals[0]?.reason ?? '', /Too many open files in system/);
      assert.equal((await firewall.list())?.length, 903);
    }),
);

test('whoever changes the ruleset is noticed, and what is ours is told from what is not', { skip }, () =>
  inBed(async (bed, firewall) => {
    await firewall.install([]);
    await firewall.apply(ban([{ set: 'ban4', key: attacker }]));
    assert.equal(await firewall.check(), 'intact');
    await bed.run(['nft', 'add table ip somebody']);
    assert.equal(await firewall.check(), 'touched');
    assert.equal(await firewall.check(), 'intact');
    for (const damage of ['flush chain inet bailiff ipv4', 'delete table inet bailiff', 'flush ruleset']) {
      await bed.run(['nft', damage]);
      assert.equal(await firewall.check(), 'missing', damage);
      await firewall.install([]);
      assert.equal(await firewall.check(), 'intact', damage);
    }
  }),
);

test('a table that was removed is a failure that says so', { skip }, () =>
  inBed(async (bed, firewall) => {
    assert.equal(await firewall.list(), null);
    const isError = (code: string) => (error: OperationalError) => error.code === code && error.retriable;
    await assert.rejects(firewall.apply(ban([{ set: 'ban4', key: attacker }])), isError('not-installed'));
    await firewall.install([]);
    await bed.run(['nft', 'flush ruleset']);
    await assert.rejects(firewall.apply(ban([{ set: 'ban4', key: attacker }])), isError('table-missing'));
    assert.equal(await firewall.list(), null);
    assert.deepEqual(await firewall.counters(), []);
  }),
);

test('a table of the same name with other sets is left alone, with advice', { skip }, () =>
  inBed(async (bed, firewall) => {
    await bed.run(['nft', 'table inet bailiff { set ban4 { type ipv6_addr; }; chain mine { }; }']);
    await assert.rejects(firewall.install([]), (error: OperationalError) => {
      assert.equal(error.code, 'table-conflict');
      assert.match(error.advice, /nft delete table inet bailiff/);
      return true;
    });
    assert.match((await bed.run(['nft', 'list table inet bailiff'])).stdout, /chain mine/);
  }),
);

test('the table can be removed with everything in it', { skip }, () =>
  inBed(async (bed, firewall) => {
    await firewall.install([]);
    await firewall.apply(ban([{ set: 'ban4', key: attacker }]));
    await firewall.removeTable();
    assert.equal((await bed.run(['nft', 'list ruleset'])).stdout, '');
    await firewall.removeTable();
  }),
);

test('without the right to change the network the error tells how to get it', {
  skip: requirements('namespaces', 'nft', 'root') ?? false,
}, async () => {
  await using bed = await openBed();
  const firewall = await openBedFirewall(bed, 65_534);
  await assert.rejects(firewall.install([]), (error: OperationalError) => {
    assert.equal(error.code, 'no-permission');
    assert.match(error.advice, /CAP_NET_ADMIN/);
    return true;
  });
  await firewall.close();
});

test('a hundred thousand bans are listed', { skip }, () =>
  inBed(async (_bed, firewall) => {
    await firewall.install([]);
    const key = (index: number) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
    for (let start = 1_000; start < 101_000; start += 1_000) {
      const elements = Array.from({ length: 1_000 }, (_, index) => ({
        set: 'ban4',
        key: key(start + index),
      }));
      assert.deepEqual(await firewall.apply(ban(elements)), []);
    }
    assert.equal((await firewall.list())?.length, 100_000);
  }),
);
