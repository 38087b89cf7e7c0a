import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ATTACKERS_IPV4, ATTACKERS_IPV6, HOST, openBed } from '../namespace.ts';
import { requirements } from '../requirements.ts';
import { Journald } from './journald.ts';
import { HONEST_PASSWORD, HONEST_USER, Sshd } from './sshd.ts';

const skip = requirements('namespaces', 'journald', 'sshd', 'nft') ?? false;
const [attacker = '', honest = ''] = ATTACKERS_IPV4;
const [attackerIpv6 = ''] = ATTACKERS_IPV6;

test('a server lets the honest user in, denies attackers, and journald has it from the server itself', {
  skip,
}, async () => {
  await using bed = await openBed();
  const journald = await Journald.start(bed);
  const sshd = await Sshd.start(bed);
  const login = { from: honest, to: HOST.ipv4, user: HONEST_USER, password: HONEST_PASSWORD };
  assert.equal(await sshd.login(login), 'accepted');
  assert.equal(await sshd.login({ ...login, from: attacker, password: 'wrong' }), 'denied');
  assert.deepEqual(await sshd.attack(attacker, HOST.ipv4, ['admin']), ['denied']);
  assert.deepEqual(await sshd.attack(attackerIpv6, HOST.ipv6, ['admin']), ['denied']);
  await journald.sync();
  const entries = await journald.entries('_UID=0');
  const ofServer = entries.filter((entry) => entry.SYSLOG_IDENTIFIER?.startsWith('sshd'));
  const messages = ofServer.map((entry) => entry.MESSAGE?.replace(/port \d+/, 'port N'));
  for (const expected of [
    `Accepted password for ${HONEST_USER} from ${honest} port N ssh2`,
    `Failed password for ${HONEST_USER} from ${attacker} port N ssh2`,
    `Failed password for invalid user admin from ${attacker} port N ssh2`,
    `Failed password for invalid user admin from ${attackerIpv6} port N ssh2`,
  ]) {
    assert.ok(messages.includes(expected), `${expected} is not among\n${messages.join('\n')}`);
  }
  // Not of each: a process that has ended before journald looks for it leaves no unit behind.
  if (bed.units) assert.ok(ofServer.some((entry) => entry._SYSTEMD_UNIT === 'ssh.service'));
});

test('an attacker whose packets are dropped finds the server unreachable, others do not', {
  skip,
}, async () => {
  await using bed = await openBed();
  await Journald.start(bed);
  const sshd = await Sshd.start(bed);
  await bed.run(['nft', 'table inet t { chain c { type filter hook prerouting priority -310; }; }']);
  await bed.run(['nft', `add rule inet t c ip saddr ${attacker} drop`]);
  assert.deepEqual(await sshd.attack(attacker, HOST.ipv4, ['admin']), ['unreachable']);
  assert.deepEqual(await sshd.attack(honest, HOST.ipv4, ['admin']), ['denied']);
});
