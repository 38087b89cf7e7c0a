import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAddress } from '../../src/core/address/address.ts';
import { PeerNames } from '../../src/native/peer-names.ts';
import { encodeInternetAddress } from '../../src/native/socket-address.ts';

const words = new Uint32Array(4);
const bytes = Buffer.from(words.buffer);

function nameOf(names: PeerNames, address: string): string {
  if (!address.includes(':')) {
    encodeInternetAddress(address, 0).copy(bytes, 0, 4, 8);
    return names.ofInet(0);
  }
  encodeInternetAddress(address, 0).copy(bytes, 0, 8, 24);
  return names.ofInet6(0);
}

test('each address has its own name, however many share a place and in whatever order they come', () => {
  const names = [new PeerNames(words), new PeerNames(words)] as const;
  const pool = Array.from({ length: 5_000 }, (_, index) => `10.${index >> 8}.${index & 255}.1`);
  const six = Array.from(
    { length: 500 },
    (_, index) => parseAddress(`2001:db8::${(index + 1).toString(16)}`) ?? '',
  );
  const property = fc.property(fc.constantFrom(...pool, ...six), (address) => {
    assert.equal(nameOf(names[address.includes(':') ? 1 : 0], address), address);
  });
  fc.assert(property, { seed: 77, numRuns: 20_000 });
});

test('0.0.0.0 and :: are no empty places', () => {
  const names = new PeerNames(words);
  assert.equal(nameOf(names, '0.0.0.0'), '0.0.0.0');
  assert.equal(nameOf(new PeerNames(words), '::'), '::');
});

test('an IPv4 peer of an IPv6 socket is IPv4', () => {
  const names = new PeerNames(words);
  bytes.write('00000000000000000000ffffc0000207', 'hex');
  assert.equal(names.ofInet6(0), '192.0.2.7');
  assert.equal(names.ofInet6(0), '192.0.2.7');
});
