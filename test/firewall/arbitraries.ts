/** Arbitrary networks, ports and bans for the firewall's properties. */
import fc from 'fast-check';
import { maskAddress, type Network, parseAddress } from '../../src/core/address/address.ts';
import type { ScopedPort } from '../../src/core/ledger/policy.ts';

const ipv4 = fc
  .tuple(fc.ipV4(), fc.integer({ min: 8, max: 32 }))
  .map(([address, length]): Network => maskAddress(address, length));

const ipv6 = fc
  .tuple(fc.array(fc.nat(0xffff), { minLength: 7, maxLength: 7 }), fc.integer({ min: 19, max: 128 }))
  .map(([groups, length]): Network => {
    const text = ['2001', ...groups.map((group) => group.toString(16))].join(':');
    return maskAddress(parseAddress(text) ?? '', length);
  });

/** Canonical networks that a ban may name. */
export const networks: fc.Arbitrary<Network> = fc.oneof(ipv4, ipv6);

export const ports: fc.Arbitrary<ScopedPort> = fc
  .tuple(fc.constantFrom('tcp' as const, 'udp' as const), fc.nat(65_535))
  .map(([protocol, port]) => ({ protocol, port }));
