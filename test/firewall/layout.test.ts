import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { maskAddress } from '../../src/core/address/address.ts';
import type { ScopedPort } from '../../src/core/ledger/policy.ts';
import {
  banElementOf,
  banSet,
  elementId,
  elementOf,
  elementOfId,
  maskOf,
  parseBanSet,
  STANDARD_BAN_SETS,
} from '../../src/firewall/layout.ts';
import { networks, ports } from './arbitraries.ts';

test('a set is named after its family and, unless it is of whole IPv4 hosts, its prefix length', () => {
  assert.deepEqual(
    STANDARD_BAN_SETS.map((set) => set.name),
    ['ban4', 'ban6_64', 'ban4_port', 'ban6_64_port'],
  );
  assert.equal(banSet(4, 24, false).name, 'ban4_24');
  assert.equal(banSet(6, 128, true).name, 'ban6_128_port');
  assert.deepEqual(parseBanSet('ban6_48_port'), {
    name: 'ban6_48_port',
    family: 6,
    prefixLength: 48,
    scoped: true,
  });
});

test('other names are not of ban sets', () => {
  for (const name of [
    'trust4',
    'trust6',
    'ban',
    'ban5',
    'ban6',
    'ban4_32',
    'ban4_33',
    'ban4_0',
    'ban4_024',
    'ban6_129',
    'ban4_port_24',
    'ban4 ',
    '',
  ]) {
    assert.equal(parseBanSet(name), null, name);
  }
});

test('an element says which network is banned, from the host or from a port', () => {
  assert.deepEqual(elementOf('203.0.113.9', null), { set: 'ban4', key: '203.0.113.9' });
  assert.deepEqual(elementOf('203.0.113.0/24', null), { set: 'ban4_24', key: '203.0.113.0' });
  assert.deepEqual(elementOf('2001:db8::/64', { protocol: 'tcp', port: 22 }), {
    set: 'ban6_64_port',
    key: '2001:db8:: . tcp . 22',
  });
});

test('every ban survives the way to its element and back', () => {
  fc.assert(
    fc.property(networks, fc.option(ports), (network, port: ScopedPort | null) => {
      const element = elementOf(network, port);
      assert.deepEqual(banElementOf(element), { network, port });
      assert.deepEqual(elementOfId(elementId(element)), element);
    }),
  );
});

test('what is not the spelling of an element is not taken for one', () => {
  for (const [set, key] of [
    ['ban4', '203.0.113.9 }'],
    ['ban4', '203.0.113.9, 0.0.0.0/0'],
    ['ban4', '203.0.113.0/24'],
    ['ban4', '203.0.113.09'],
    ['ban4', '203.0.113.9\n'],
    ['ban4', '2001:db8::1'],
    ['ban4', '203.0.113.9 . tcp . 22'],
    ['ban4_24', '203.0.113.9'],
    ['ban4_port', '203.0.113.9'],
    ['ban4_port', '203.0.113.9 . icmp . 22'],
    ['ban4_port', '203.0.113.9 . tcp . 022'],
    ['ban4_port', '203.0.113.9 . tcp . 65536'],
    ['ban6_64', '2001:db8::1'],
    ['ban6_64', '2001:DB8::'],
    ['ban6_64', '2001:db8::%lo'],
    ['trust4', '203.0.113.9'],
  ] as const) {
    assert.equal(banElementOf({ set, key }), null, `${set} ${key}`);
  }
});

test('a mask has as many bits as the prefix', () => {
  assert.equal(maskOf(4, 24), '255.255.255.0');
  assert.equal(maskOf(4, 9), '255.128.0.0');
  assert.equal(maskOf(6, 64), 'ffff:ffff:ffff:ffff::');
  assert.equal(maskOf(6, 128), maskAddress('ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 128));
});
