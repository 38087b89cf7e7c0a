/** What a jail does with failures: how many in which time, and what a ban then is. */
import { type Address, bitsOf, familyOf, maskAddress, type Network } from '../address/address.ts';
import type { PrefixSet } from '../address/prefix-set.ts';
import type { Microseconds } from '../time.ts';

/** A service that a jail bans from, instead of the whole host: `{ protocol: 'tcp', port: 22 }`. */
export type ScopedPort = { readonly protocol: 'tcp' | 'udp'; readonly port: number };

/** The jail of bans by hand that name no other: no filter feeds it, unless the configuration says so. */
export const MANUAL_JAIL = 'manual';

export type JailPolicy = {
  readonly name: string;
  /** Failures within `findTime` that make an offence. */
  readonly maxRetry: number;
  readonly findTime: Microseconds;
  /** FOREVER for a permanent ban. */
  readonly banTime: Microseconds;
  /** Never counted here and never banned by this jail. */
  readonly ignore: PrefixSet;
  /** Offenders are networks of these many bits: 32 and 64 unless configured otherwise. */
  readonly ipv4PrefixLength: number;
  readonly ipv6PrefixLength: number;
  /** Ports to ban from; null bans from the whole host. */
  readonly ports: readonly ScopedPort[] | null;
};

/** The offender that an address counts as: a whole IPv6 /64 belongs to one customer, so to one offender. */
export function offenderOf(address: Address, policy: JailPolicy): Network {
  const family = familyOf(address);
  const length = family === 4 ? policy.ipv4PrefixLength : policy.ipv6PrefixLength;
  return length >= bitsOf(family) ? address : maskAddress(address, length);
}
