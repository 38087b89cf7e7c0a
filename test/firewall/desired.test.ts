import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Ban, Decision } from '../../src/core/ledger/decision.ts';
import type { ScopedPort } from '../../src/core/ledger/policy.ts';
import { FOREVER, HOUR, MINUTE, SECOND } from '../../src/core/time.ts';
import { DesiredElements, type JailScope } from '../../src/firewall/desired.ts';
import { MAX_BATCH_ELEMENTS } from '../../src/firewall/firewall.ts';

const AT = 1_700_000_000 * SECOND;
const SSH: ScopedPort = { protocol: 'tcp', port: 22 };
const DNS: ScopedPort = { protocol: 'udp', port: 53 };
const JAILS: readonly JailScope[] = [
  { name: 'sshd', ports: null },
  { name: 'mail', ports: null },
  { name: 'ports', ports: [SSH, DNS] },
];

function banOf(jail: string, offender: string, until: number): Ban {
  return { jail, offender, since: AT, until, cause: 'offence', failures: 5 };
}

function decide(
  kind: 'ban' | 'extend' | 'unban',
  jail: string,
  offender: string,
  until = AT + HOUR,
): Decision {
  const ban = banOf(jail, offender, until);
  return kind === 'unban' ? { kind, ban, cause: 'operator', at: AT } : { kind, ban, at: AT };
}

/** What is sent next, as `set key` with what happens to it. */
function sent(desired: DesiredElements, at = AT): Record<string, string> {
  const outgoing = desired.next(at);
  return Object.fromEntries([
    ...(outgoing?.batch.upserts ?? []).map(({ set, key, timeout, comment }) => [
      `${set} ${key}`,
      `${comment} ${timeout === FOREVER ? 'forever' : timeout / SECOND}`,
    ]),
    ...(outgoing?.batch.deletes ?? []).map(({ set, key }) => [`${set} ${key}`, 'delete']),
  ]);
}

test('a ban becomes an element with the time that is left when it is sent', () => {
  const desired = new DesiredElements(JAILS);
  desired.observe(decide('ban', 'sshd', '203.0.113.9'));
  assert.deepEqual(sent(desired, AT + MINUTE), { 'ban4 203.0.113.9': 'sshd 3540' });
  assert.equal(desired.next(AT), null);
});

test('a jail with ports bans from each of them', () => {
  const desired = new DesiredElements(JAILS);
  desired.observe(decide('ban', 'ports', '2001:db8::/64', FOREVER));
  assert.deepEqual(sent(desired), {
    'ban6_64_port 2001:db8:: . tcp . 22': 'ports forever',
    'ban6_64_port 2001:db8:: . udp . 53': 'ports forever',
  });
});

test('the latest deadline of several jails counts, and the next one when it is lifted', () => {
  const desired = new DesiredElements(JAILS);
  desired.observe(decide('ban', 'sshd', '203.0.113.9', AT + HOUR));
  desired.observe(decide('ban', 'mail', '203.0.113.9', AT + 2 * HOUR));
  assert.deepEqual(sent(desired), { 'ban4 203.0.113.9': 'mail 7200' });
  desired.observe(decide('extend', 'sshd', '203.0.113.9', AT + 90 * MINUTE));
  assert.equal(desired.next(AT), null);
  desired.observe(decide('unban', 'mail', '203.0.113.9'));
  assert.deepEqual(sent(desired), { 'ban4 203.0.113.9': 'sshd 5400' });
  desired.observe(decide('unban', 'sshd', '203.0.113.9'));
  assert.deepEqual(sent(desired), { 'ban4 203.0.113.9': 'delete' });
  assert.equal(desired.size, 0);
});

test('decisions about one element are sent once, as the last of them left it', () => {
  const desired = new DesiredElements(JAILS);
  desired.observe(decide('ban', 'sshd', '203.0.113.9'));
  desired.observe(decide('unban', 'sshd', '203.0.113.9'));
  desired.observe(decide('ban', 'sshd', '203.0.113.10'));
  desired.observe(decide('extend', 'sshd', '203.0.113.10', AT + 3 * HOUR));
  assert.deepEqual(sent(desired), { 'ban4 203.0.113.9': 'delete', 'ban4 203.0.113.10': 'sshd 10800' });
});

test('an unban is sent even of what nobody knew to be banned', () => {
  const desired = new DesiredElements(JAILS);
  desired.observe(decide('unban', 'sshd', '203.0.113.9'));
  assert.deepEqual(sent(desired), { 'ban4 203.0.113.9': 'delete' });
});

test('a ban whose deadline has passed is not sent', () => {
  const desired = new DesiredElements(JAILS);
  desired.observe(decide('ban', 'sshd', '203.0.113.9', AT + SECOND));
  assert.deepEqual(sent(desired, AT + SECOND), { 'ban4 203.0.113.9': 'delete' });
});

test('restored bans are known and not sent; forgiveness changes nothing', () => {
  const desired = new DesiredElements(JAILS);
  desired.restore([banOf('sshd', '203.0.113.9', AT + HOUR)]);
  desired.observe({ kind: 'forgive', jail: 'sshd', offender: '203.0.113.9', at: AT });
  desired.observe(decide('ban', 'sshd', '203.0.113.9', AT + HOUR));
  assert.equal(desired.next(AT), null);
  assert.deepEqual(desired.claimOf('ban4 203.0.113.9'), { jail: 'sshd', until: AT + HOUR });
});

test('when the ports of a jail change its bans move to them', () => {
  const desired = new DesiredElements(JAILS);
  desired.observe(decide('ban', 'ports', '203.0.113.9'));
  desired.observe(decide('ban', 'sshd', '203.0.113.9'));
  desired.next(AT);
  desired.reconfigure([
    { name: 'sshd', ports: null },
    { name: 'ports', ports: [SSH] },
  ]);
  assert.deepEqual(sent(desired), { 'ban4_port 203.0.113.9 . udp . 53': 'delete' });
  desired.reconfigure([
    { name: 'sshd', ports: [DNS] },
    { name: 'ports', ports: null },
  ]);
  assert.deepEqual(sent(desired), {
    'ban4_port 203.0.113.9 . tcp . 22': 'delete',
    'ban4 203.0.113.9': 'ports 3600',
    'ban4_port 203.0.113.9 . udp . 53': 'sshd 3600',
  });
});

test('batches are bounded, and what waits longest goes first', () => {
  const desired = new DesiredElements(JAILS);
  for (let index = 0; index < MAX_BATCH_ELEMENTS + 5; index++) {
    desired.observe(decide('ban', 'sshd', `10.0.${index >> 8}.${index & 255}`));
  }
  const first = desired.next(AT);
  assert.equal(first?.ids.length, MAX_BATCH_ELEMENTS);
  assert.equal(first?.ids[0], 'ban4 10.0.0.0');
  assert.equal(desired.next(AT)?.ids.length, 5);
});

test('what was sent adds up to what is claimed, whatever was decided', () => {
  const decisions = fc.array(
    fc.record({
      kind: fc.constantFrom('ban' as const, 'extend' as const, 'unban' as const),
      jail: fc.constantFrom('sshd', 'mail', 'ports'),
      offender: fc.constantFrom('203.0.113.9', '203.0.113.0/24', '2001:db8::/64'),
      minutes: fc.integer({ min: 1, max: 90 }),
      isSent: fc.boolean(),
    }),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(decisions, (inputs) => {
      const desired = new DesiredElements(JAILS);
      const kernel = new Map<string, number>();
      const bans = new Map<string, { readonly ids: readonly string[]; readonly until: number }>();
      const send = (): void => {
        for (let outgoing = desired.next(AT); outgoing !== null; outgoing = desired.next(AT)) {
          for (const { set, key } of outgoing.batch.deletes) kernel.delete(`${set} ${key}`);
          for (const { set, key, timeout } of outgoing.batch.upserts)
            kernel.set(`${set} ${key}`, AT + timeout);
        }
      };
      for (const { kind, jail, offender, minutes, isSent } of inputs) {
        const until = AT + minutes * MINUTE;
        desired.observe(decide(kind, jail, offender, until));
        if (kind === 'unban') bans.delete(`${jail} ${offender}`);
        else bans.set(`${jail} ${offender}`, { ids: desired.idsOf(jail, offender), until });
        if (isSent) send();
      }
      send();
      const expected = new Map<string, number>();
      for (const { ids, until } of bans.values()) {
        for (const id of ids) expected.set(id, Math.max(until, expected.get(id) ?? 0));
      }
      assert.deepEqual([...kernel].sort(), [...expected].sort());
    }),
  );
});
