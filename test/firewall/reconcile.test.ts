import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Ban, RESTORED_JAIL } from '../../src/core/ledger/decision.ts';
import { FOREVER, HOUR, MILLISECOND, SECOND } from '../../src/core/time.ts';
import { DesiredElements } from '../../src/firewall/desired.ts';
import type { KernelElement } from '../../src/firewall/firewall.ts';
import { bansOf, compareElements, countDropped, TIMEOUT_TOLERANCE } from '../../src/firewall/reconcile.ts';

const AT = 1_700_000_000 * SECOND;
const NOTHING: ReadonlySet<string> = new Set();

const listed = (key: string, expires: number, comment = 'sshd', set = 'ban4'): KernelElement => ({
  set,
  key,
  expires,
  comment,
  packets: 0,
  bytes: 0,
});

function desiredOf(...bans: readonly (readonly [offender: string, until: number])[]): DesiredElements {
  const desired = new DesiredElements([{ name: 'sshd', ports: null }]);
  desired.restore(
    bans.map(
      ([offender, until]): Ban => ({
        jail: 'sshd',
        offender,
        since: AT,
        until,
        cause: 'offence',
        failures: 5,
      }),
    ),
  );
  return desired;
}

test('a kernel that holds what it should has no drift', () => {
  const desired = desiredOf(['203.0.113.9', AT + HOUR], ['203.0.113.10', FOREVER]);
  const kernel = [listed('203.0.113.9', HOUR - 300 * MILLISECOND), listed('203.0.113.10', FOREVER)];
  assert.deepEqual(compareElements(desired, kernel, AT, NOTHING), {
    missing: [],
    wrongTimeout: [],
    surplus: [],
  });
});

test('what the kernel lost is missing, unless it is about to end', () => {
  const desired = desiredOf(
    ['203.0.113.9', AT + HOUR],
    ['203.0.113.10', AT + TIMEOUT_TOLERANCE],
    ['203.0.113.11', AT - HOUR],
  );
  assert.deepEqual(compareElements(desired, [], AT, NOTHING).missing, ['ban4 203.0.113.9']);
});

test('an element that would end too early, too late, or never has the wrong timeout', () => {
  const desired = desiredOf(
    ['203.0.113.1', AT + HOUR],
    ['203.0.113.2', AT + HOUR],
    ['203.0.113.3', AT + HOUR],
    ['203.0.113.4', FOREVER],
  );
  const kernel = [
    listed('203.0.113.1', HOUR - 3 * SECOND),
    listed('203.0.113.2', HOUR + 3 * SECOND),
    listed('203.0.113.3', FOREVER),
    listed('203.0.113.4', HOUR),
  ];
  assert.equal(compareElements(desired, kernel, AT, NOTHING).wrongTimeout.length, 4);
});

test('what the kernel holds beyond us is surplus; elements that could not be ours are not looked at', () => {
  const kernel = [
    listed('203.0.113.9', HOUR),
    listed('203.0.113.9', HOUR),
    listed('203.0.113.9', HOUR, '', 'ban4_24'),
    listed('203.0.113.9', HOUR, '', 'mine'),
  ];
  const { surplus } = compareElements(desiredOf(), kernel, AT, NOTHING);
  assert.deepEqual(surplus, [kernel[0]]);
});

test('elements that changed during the listing are left alone', () => {
  const desired = desiredOf(['203.0.113.9', AT + HOUR], ['203.0.113.10', AT + HOUR]);
  const kernel = [listed('203.0.113.10', SECOND), listed('203.0.113.11', HOUR)];
  const unsettled = new Set(['ban4 203.0.113.9', 'ban4 203.0.113.10', 'ban4 203.0.113.11']);
  assert.deepEqual(compareElements(desired, kernel, AT, unsettled), {
    missing: [],
    wrongTimeout: [],
    surplus: [],
  });
});

test('surplus elements become bans: of the jail in the comment, or of none that we know', () => {
  const surplus = [
    listed('203.0.113.9', HOUR),
    listed('203.0.113.10', FOREVER, 'gone'),
    listed('2001:db8::', HOUR, '', 'ban6_64'),
    listed('203.0.113.9 . tcp . 22', 2 * HOUR, 'sshd', 'ban4_port'),
  ];
  const restored = { since: AT, cause: 'restore', failures: 0 } as const;
  assert.deepEqual(bansOf(surplus, new Set(['sshd']), AT), [
    { jail: 'sshd', offender: '203.0.113.9', until: AT + 2 * HOUR, ...restored },
    { jail: RESTORED_JAIL, offender: '203.0.113.10', until: FOREVER, ...restored },
    { jail: RESTORED_JAIL, offender: '2001:db8::/64', until: AT + HOUR, ...restored },
  ]);
});

test('dropped packets are counted from one reading to the next, and from zero in a new table', () => {
  const before = [
    { set: 'ban4', packets: 10, bytes: 1_000 },
    { set: 'ban6_64', packets: 5, bytes: 500 },
    { set: 'other', packets: 1, bytes: 60 },
  ];
  const after = [
    { set: 'ban4', packets: 12, bytes: 1_120 },
    { set: 'ban6_64', packets: 2, bytes: 200 },
    { set: 'other', packets: 1, bytes: 60 },
    { set: 'ban4_24', packets: 1, bytes: 60 },
  ];
  assert.deepEqual(countDropped(before, after), [
    { set: 'ban4', packets: 2, bytes: 120 },
    { set: 'ban6_64', packets: 2, bytes: 200 },
    { set: 'ban4_24', packets: 1, bytes: 60 },
  ]);
});
