import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAddress } from '../../src/core/address/address.ts';
import {
  decodeSocketAddress,
  encodeInternetAddress,
  encodeUnixAddress,
  MAX_SOCKET_PATH_BYTES,
} from '../../src/native/socket-address.ts';

function inet6(host: string, port: number): Buffer {
  return encodeInternetAddress(host, port);
}

test('an IPv4 address is laid out as the kernel has it: family, port, then the four octets', () => {
  const bytes = encodeInternetAddress('192.0.2.7', 514);
  assert.equal(bytes.toString('hex'), `02000202c0000207${'00'.repeat(8)}`);
});

test('an IPv6 address has flow information before it and a scope behind it', () => {
  assert.equal(
    inet6('2001:db8::7', 6514).toString('hex'),
    `0a001972${'00000000'}20010db8000000000000000000000007${'00000000'}`,
  );
});

test('every address comes back as it went in', () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6()).map((text) => parseAddress(text) ?? '::');
  const property = fc.property(address, fc.nat(65_535), (host, port) => {
    const bytes = encodeInternetAddress(host, port);
    assert.deepEqual(decodeSocketAddress(bytes, bytes.length), { family: 'internet', host, port });
  });
  fc.assert(property, { seed: 3_542, numRuns: 500 });
});

test('an IPv4 address that an IPv6 socket has is IPv4', () => {
  const bytes = inet6('::', 514);
  bytes.write('ffffc0000207', 18, 'hex');
  assert.deepEqual(decodeSocketAddress(bytes, bytes.length), {
    family: 'internet',
    host: '192.0.2.7',
    port: 514,
  });
});

test('a path comes back with and without the NUL behind it, and an abstract name with an @ before it', () => {
  const bytes = encodeUnixAddress('/run/bailiff/log.sock');
  const path = '/run/bailiff/log.sock';
  assert.deepEqual(decodeSocketAddress(bytes, bytes.length), { family: 'unix', path });
  assert.deepEqual(decodeSocketAddress(bytes, bytes.length - 1), { family: 'unix', path });
  assert.deepEqual(decodeSocketAddress(Buffer.from('0100006162', 'hex'), 5), { family: 'unix', path: '@ab' });
  assert.deepEqual(decodeSocketAddress(Buffer.from('0100', 'hex'), 2), { family: 'unix', path: '' });
});

test('the longest path fits, and a longer one is a bug of the caller', () => {
  const longest = `/${'x'.repeat(MAX_SOCKET_PATH_BYTES - 1)}`;
  assert.equal(encodeUnixAddress(longest).length, 110);
  assert.throws(() => encodeUnixAddress(`${longest}x`), /107|108/);
});

test('a family that is not ours has no address', () => {
  assert.equal(decodeSocketAddress(Buffer.from('1000000000000000', 'hex'), 8), null);
  assert.equal(decodeSocketAddress(Buffer.alloc(110), 0), null);
});
