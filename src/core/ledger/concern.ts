/** What a jail knows of an address or a network: by which names it may be banned there, and what holds it. */
import { familyOf, maskAddress, type Network, splitNetwork } from '../address/address.ts';
import { MIN_BAN_PREFIX_LENGTH } from '../address/bannable.ts';
import { PrefixSet } from '../address/prefix-set.ts';
import type { Microseconds } from '../time.ts';
import type { Ban } from './decision.ts';
import type { JailLedger } from './jail-ledger.ts';
import { type JailPolicy, offenderOf } from './policy.ts';

export type JailConcern = {
  readonly jail: string;
  /** Failures that are being counted, out of `maxRetry`, which is null in a jail that is no longer configured. */
  readonly failures: number;
  readonly maxRetry: number | null;
  /** Networks on the ignore list of the jail that hold it, or that it holds. */
  readonly ignoredBy: readonly Network[];
  /** Of a network the bans inside, then its own and those of wider networks that hold it. */
  readonly bans: readonly Ban[];
};

/** Of an IPv6 network that belongs to one customer, who can use any address in it. */
const CUSTOMER_PREFIX_LENGTH = 64;

/**
 * What a network may be banned as in a jail and still be itself alone: an IPv6 address also stands for its customer,
 * unless the jail tells the addresses of one apart.
 */
export function namesOf(network: Network, policy: JailPolicy | null): readonly Network[] {
  if (network.includes('/') || familyOf(network) === 4) return [network];
  const tellsApart = policy !== null && policy.ipv6PrefixLength > CUSTOMER_PREFIX_LENGTH;
  return tellsApart ? [network] : [network, maskAddress(network, CUSTOMER_PREFIX_LENGTH)];
}

/** What the jail knows of a network at `at`. */
export function concernOf(jail: JailLedger, network: Network, at: Microseconds): JailConcern {
  const { name, policy } = jail;
  const usual = policy === null || network.includes('/') ? [] : [offenderOf(network, policy)];
  const names = [...new Set([...namesOf(network, policy), ...usual])];
  const own = names.flatMap((offender) => jail.ban(offender) ?? []);
  const holding = new Set([...own, ...holdersOf(jail, network)]);
  const inside = network.includes('/') ? bansInside(jail, network).filter((ban) => !holding.has(ban)) : [];
  const failures = names.reduce((sum, offender) => sum + jail.failuresOf(offender, at), 0);
  const ignoredBy = policy?.ignore.overlapping(network) ?? [];
  return {
    jail: name,
    failures,
    maxRetry: policy?.maxRetry ?? null,
    ignoredBy,
    bans: [...inside, ...holding],
  };
}

function bansInside(jail: JailLedger, network: Network): Ban[] {
  const within = new PrefixSet([network]);
  return [...jail.bans()].filter(({ offender }) => within.has(splitNetwork(offender).address));
}

/** The jail's bans of networks that hold this one and others as well. */
export function holdersOf(jail: JailLedger, network: Network): readonly Ban[] {
  const { address, prefixLength } = splitNetwork(network);
  const names = namesOf(network, jail.policy);
  const holders: Ban[] = [];
  for (let length = prefixLength - 1; length >= MIN_BAN_PREFIX_LENGTH[familyOf(address)]; length--) {
    const ban = jail.ban(maskAddress(address, length));
    if (ban !== null && !names.includes(ban.offender)) holders.push(ban);
  }
  return holders;
}
