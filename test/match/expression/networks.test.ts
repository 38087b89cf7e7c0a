/** Whether an address is public, private or of this host: each is one of them, as node:net's lists have it. */
import assert from 'node:assert/strict';
import { BlockList } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LOOPBACK, PRIVATE, PUBLIC } from '../../../src/match/expression/networks.ts';

const SEED = 77;

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
const privateNetworks = new BlockList();
privateNetworks.addSubnet('10.0.0.0', 8);
privateNetworks.addSubnet('172.16.0.0', 12);
privateNetworks.addSubnet('192.168.0.0', 16);
/** Not an address of a host. */
const nobody = new BlockList();
nobody.addSubnet('0.0.0.0', 8);

function kindsOf(address: string): string[] {
  return Object.entries({ loopback: LOOPBACK, private: PRIVATE, public: PUBLIC })
    .filter(([, source]) => new RegExp(`^${source}$`).test(address))
    .map(([kind]) => kind);
}

function kindOf(address: string): string[] {
  if (nobody.check(address)) return [];
  if (loopback.check(address)) return ['loopback'];
  return [privateNetworks.check(address) ? 'private' : 'public'];
}

describe('the networks of addresses', () => {
  it('tell every IPv4 address by its first two octets', () => {
    for (let first = 0; first < 256; first++) {
      for (let second = 0; second < 256; second++) {
        const address = `${first}.${second}.3.4`;
        assert.deepEqual(kindsOf(address), kindOf(address), address);
        assert.deepEqual(kindsOf(`::ffff:${address}`), kindOf(address), address);
      }
    }
  });

  it('tell addresses of IPv6', () => {
    assert.deepEqual(kindsOf('::1'), ['loopback']);
    const rest = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 7, maxLength: 7 });
    fc.assert(
      fc.property(fc.integer({ min: 0x1000, max: 0xffff }), rest, (first, others) => {
        const address = [first, ...others].map((group) => group.toString(16)).join(':');
        const expected = first >> 9 === 0xfc >> 1 ? ['private'] : first >> 13 === 1 ? ['public'] : [];
        assert.deepEqual(kindsOf(address), expected, address);
      }),
      { seed: SEED },
    );
  });
});
