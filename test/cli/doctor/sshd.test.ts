import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findPenalties } from '../../../src/cli/doctor/sshd.ts';

/** Of what `sshd -T` of OpenSSH 10.0p2 (Debian 13) prints at its defaults. */
const OPENSSH_10 = [
  'port 22',
  'persourcepenaltyexemptlist none',
  'persourcemaxstartups none',
  'persourcenetblocksize 32:128',
  'persourcepenalties crash:90 authfail:5 noauth:1 grace-exceeded:10 refuseconnection:10 max:600 min:15',
  '',
].join('\n');

/** OpenSSH 9.2p1 (Debian 12) has no penalties. */
const OPENSSH_9_2 =
  'port 22\nmaxstartups 10:30:100\npersourcemaxstartups none\npersourcenetblocksize 32:128\n';

const given = (settings: string, trust: readonly string[]) =>
  findPenalties(settings, trust).map(({ given: { trusted } }) => trusted);

test('whom sshd does not exempt from its penalties is named', () => {
  assert.deepEqual(given(OPENSSH_10, ['192.0.2.0/24', '2001:db8::/32']), ['192.0.2.0/24,2001:db8::/32']);
  const exempt = OPENSSH_10.replace('exemptlist none', 'exemptlist 192.0.2.0/24');
  assert.deepEqual(given(exempt, ['192.0.2.0/24', '2001:db8::/32']), ['2001:db8::/32']);
  assert.deepEqual(given(exempt, ['192.0.2.0/24']), []);
});

test('without penalties there is nothing to exempt from', () => {
  assert.deepEqual(given(OPENSSH_9_2, ['192.0.2.0/24']), []);
  assert.deepEqual(
    given(OPENSSH_10.replace(/persourcepenalties .*/, 'persourcepenalties no'), ['192.0.2.0/24']),
    [],
  );
});
