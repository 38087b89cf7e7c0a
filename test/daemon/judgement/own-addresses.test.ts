import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { test } from 'node:test';
import { ownAddresses } from '../../../src/daemon/judgement/own-addresses.ts';

function info(address: string): NetworkInterfaceInfo {
  const rest = { netmask: '', mac: '', internal: false, cidr: null };
  return address.includes(':')
    ? { ...rest, address, family: 'IPv6', scopeid: 0 }
    : { ...rest, address, family: 'IPv4' };
}

test('the addresses of all interfaces, canonical, sorted and once each', () => {
  const interfaces = {
    lo: [info('127.0.0.1'), info('::1')],
    eth0: [info('203.0.113.9'), info('fe80::0001%eth0'), info('2001:DB8::0:5')],
    eth1: [info('203.0.113.9')],
    gone: undefined,
  };
  assert.deepEqual(
    ownAddresses(() => interfaces),
    ['127.0.0.1', '2001:db8::5', '203.0.113.9', '::1', 'fe80::1'],
  );
});

test('what is no address is left out', () => {
  assert.deepEqual(
    ownAddresses(() => ({ odd: [info('nonsense')] })),
    [],
  );
});

test('a kernel that does not tell is named, with what to do', () => {
  const refuse = () => {
    throw Object.assign(new Error('uv_interface_addresses returned 97'), { code: 'ERR_SYSTEM_ERROR' });
  };
  assert.throws(() => ownAddresses(refuse), { code: 'own-addresses', advice: /AF_NETLINK/ });
});

test('this machine has some', (t) => {
  if (ownAddresses().length === 0) return t.skip('no interface is up here');
  assert.ok(ownAddresses().every((address) => /^[0-9a-f:.]+$/.test(address)));
});
