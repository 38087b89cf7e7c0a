/**
 * Which networks a ban may never name, whoever asks for it: a packet with such a source either is not an attacker's
 * own, or comes from what keeps this host on its network. Trust and this host's own addresses are others' business.
 */
import { type Family, familyOf, type Network, splitNetwork } from './address.ts';
import { PrefixSet } from './prefix-set.ts';

/** Why a network must not be banned. */
export type UnbannableReason =
  /** `0.0.0.0/8`, `::`: hosts that have no address yet (DHCP, duplicate address detection). */
  | 'unspecified'
  | 'loopback'
  /** The router that IPv6 depends on speaks from here, and in a cloud the metadata, DNS and time servers. */
  | 'link-local'
  | 'multicast'
  /** `240.0.0.0/4` with the broadcast address (RFC 1112 section 4): never a source. */
  | 'reserved'
  /** A prefix of NAT64 (RFC 6052, RFC 8215) wider than one host: it holds the whole IPv4 internet. */
  | 'translation'
  /** Shorter than MIN_BAN_PREFIX_LENGTH: a slip of the pen, not an offender. */
  | 'too-wide';

/** The shortest prefix that can be banned: what a regional registry gives to one holder at the most. */
export const MIN_BAN_PREFIX_LENGTH: Readonly<Record<Family, number>> = { 4: 8, 6: 19 };

const SPECIAL: readonly (readonly [UnbannableReason, PrefixSet])[] = [
  ['unspecified', new PrefixSet(['0.0.0.0/8', '::'])],
  ['loopback', new PrefixSet(['127.0.0.0/8', '::1'])],
  ['link-local', new PrefixSet(['169.254.0.0/16', 'fe80::/10'])],
  ['multicast', new PrefixSet(['224.0.0.0/4', 'ff00::/8'])],
  ['reserved', new PrefixSet(['240.0.0.0/4'])],
];

const TRANSLATION = new PrefixSet(['64:ff9b::/96', '64:ff9b:1::/48']);

/** The reason why a canonical network must not be banned; null when it may be. */
export function unbannableReason(network: Network): UnbannableReason | null {
  const { address, prefixLength } = splitNetwork(network);
  const family = familyOf(address);
  if (prefixLength < MIN_BAN_PREFIX_LENGTH[family]) return 'too-wide';
  for (const [reason, networks] of SPECIAL) {
    if (networks.overlaps(network)) return reason;
  }
  if (family === 6 && prefixLength < 128 && TRANSLATION.overlaps(network)) return 'translation';
  return null;
}

/** Whether a ban may name this canonical network. */
export function isBannable(network: Network): boolean {
  return unbannableReason(network) === null;
}
