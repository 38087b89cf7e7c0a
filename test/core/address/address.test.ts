import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { maskAddress, parseAddress, parseNetwork, splitNetwork } from '../../../src/core/address/address.ts';

test('an address has one spelling', () => {
  for (const [text, canonical] of [
    ['203.0.113.9', '203.0.113.9'],
    ['0.0.0.0', '0.0.0.0'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8::0001', '2001:db8::1'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:0:0:2:3:0:0:4', '1::2:3:0:0:4'],
    ['1:2:3:4:5:6:0:8', '1:2:3:4:5:6:0:8'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
  ] as const) {
    assert.equal(parseAddress(text), canonical, text);
  }
});

test('spellings that programs disagree about are not addresses', () => {
  for (const text of [
    '',
    '1',
    '127.1',
    '010.0.0.1',
    '1.2.3.04',
    '0x7f.0.0.1',
    '1.2.3.256',
    '1.2.3.4.5',
    '1.2.3.',
    '1..2.3',
    ' 1.2.3.4',
    '1.2.3.4 ',
    '1.2.3.4%eth0',
    '１.2.3.4',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    '12345::',
    'g::1',
    '1.2.3.4::',
    '::1.2.3',
    '::1%',
    '::1%a b',
    `${'0:'.repeat(30)}1`,
  ]) {
    assert.equal(parseAddress(text), null, JSON.stringify(text));
  }
});

test('whatever it accepts is an address to Node too, and reading it again changes nothing', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string({ maxLength: 50 })), (text) => {
      const address = parseAddress(text);
      if (address === null) return;
      assert.notEqual(isIP(text), 0);
      assert.equal(parseAddress(address), address);
    }),
  );
});

test('every address that fast-check can write is read', () => {
  fc.assert(fc.property(fc.ipV4(), (text) => parseAddress(text) === text));
  fc.assert(fc.property(fc.ipV6(), (text) => parseAddress(text) !== null));
});

test('a network loses its host bits, and at full length it is the address', () => {
  for (const [text, network] of [
    ['203.0.113.77/24', '203.0.113.0/24'],
    ['192.0.2.1/32', '192.0.2.1'],
    ['255.255.255.255/1', '128.0.0.0/1'],
    ['10.1.2.3/0', '0.0.0.0/0'],
    ['2001:db8:1:2:3:4:5:6/64', '2001:db8:1:2::/64'],
    ['2001:db8:ffff::/33', '2001:db8:8000::/33'],
    ['2001:db8::1/128', '2001:db8::1'],
    ['::1', '::1'],
    ['10.0.0.0/33', null],
    ['10.0.0.0/', null],
    ['10.0.0.0/08', null],
    ['10.0.0.0/-1', null],
    ['10.0.0.0/8/8', null],
    ['::/129', null],
  ] as const) {
    assert.equal(parseNetwork(text), network, text);
  }
});

test('masking twice is masking once', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(127), (text, prefixLength) => {
      const address = parseAddress(text) ?? '::';
      const network = maskAddress(address, prefixLength);
      const split = splitNetwork(network);
      assert.equal(maskAddress(split.address, split.prefixLength), network);
    }),
  );
});
