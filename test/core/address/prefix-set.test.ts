import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { maskAddress, splitNetwork } from '../../../src/core/address/address.ts';
import { PrefixSet } from '../../../src/core/address/prefix-set.ts';

const set = new PrefixSet(['10.0.0.0/8', '203.0.113.9', '2001:db8:1::/48', '2001:db8:2:3::5']);

test('it holds the addresses inside its networks and no others', () => {
  for (const address of [
    '10.0.0.0',
    '10.255.255.255',
    '203.0.113.9',
    '2001:db8:1:ffff::1',
    '2001:db8:2:3::5',
  ]) {
    assert.equal(set.has(address), true, address);
  }
  for (const address of ['11.0.0.0', '203.0.113.8', '2001:db8:2::', '::', '2001:db8:2:3::6']) {
    assert.equal(set.has(address), false, address);
  }
});

test('a network overlaps when either holds the other', () => {
  for (const network of ['10.1.2.0/24', '203.0.113.0/24', '2001:db8:2:3::/64', '0.0.0.0/0', '203.0.113.9']) {
    assert.equal(set.overlaps(network), true, network);
  }
  for (const network of ['11.0.0.0/8', '203.0.112.0/24', '2001:db8:2:4::/64', '203.0.113.10']) {
    assert.equal(set.overlaps(network), false, network);
  }
});

test('an empty set holds nothing', () => {
  assert.equal(new PrefixSet([]).has('10.0.0.1'), false);
  assert.equal(new PrefixSet([]).overlaps('0.0.0.0/0'), false);
});

test('two networks overlap when the wider one holds the beginning of the other', () => {
  const networks = fc.oneof(
    fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })),
    fc.tuple(
      fc.nat(7).map((last) => `2001:db8::${last}`),
      fc.integer({ min: 100, max: 128 }),
    ),
  );
  fc.assert(
    fc.property(fc.array(networks, { maxLength: 5 }), networks, (inside, [address, length]) => {
      const held = inside.map(([inner, innerLength]) => maskAddress(inner, innerLength));
      const network = maskAddress(address, length);
      const overlaps = held.some((other) => {
        const wider = Math.min(splitNetwork(other).prefixLength, splitNetwork(network).prefixLength);
        const beginning = (one: string) => maskAddress(splitNetwork(one).address, wider);
        return beginning(other) === beginning(network);
      });
      const prefixes = new PrefixSet(held);
      assert.equal(prefixes.overlaps(network), overlaps);
      assert.equal(prefixes.overlaps(network), overlaps, 'and again the same');
    }),
    { seed: 20_261_121, numRuns: 500 },
  );
});
