/**
 * The names and shapes inside the table: which set holds a ban, and how a ban is spelled as an element. Pure. Bans live
 * in hash sets only, one for each family and prefix length, so that one more ban costs the same at any size.
 */
import {
  bitsOf,
  type Family,
  familyOf,
  maskAddress,
  type Network,
  parseAddress,
  splitNetwork,
} from '../core/address/address.ts';
import { assert } from '../core/errors.ts';
import type { ScopedPort } from '../core/ledger/policy.ts';
import type { ElementKey } from './firewall.ts';

/** A set of banned networks of one prefix length; `scoped` when its elements also name a protocol and a port. */
export type BanSet = {
  readonly name: string;
  readonly family: Family;
  readonly prefixLength: number;
  readonly scoped: boolean;
};

/** What an element means. */
export type BanElement = { readonly network: Network; readonly port: ScopedPort | null };

/** The prefix length that a set's name leaves out: whole IPv4 hosts. */
const IMPLIED_PREFIX_LENGTH = 32;

const SET_NAME = /^ban(4|6)(?:_(\d{1,3}))?(_port)?$/;
const SCOPED_KEY = /^(\S+) \. (tcp|udp) \. (\d{1,5})$/;

/** The sets that every table has; others are made when the first ban of their prefix length comes. */
export const STANDARD_BAN_SETS: readonly BanSet[] = [
  banSet(4, 32, false),
  banSet(6, 64, false),
  banSet(4, 32, true),
  banSet(6, 64, true),
];

/** The set for networks of `prefixLength` bits: `ban4`, `ban4_24`, `ban6_64`, `ban6_128_port`. */
export function banSet(family: Family, prefixLength: number, scoped: boolean): BanSet {
  const length = prefixLength === IMPLIED_PREFIX_LENGTH && family === 4 ? '' : `_${prefixLength}`;
  return { name: `ban${family}${length}${scoped ? '_port' : ''}`, family, prefixLength, scoped };
}

/** The set of this name; null when no ban set is called so. */
export function parseBanSet(name: string): BanSet | null {
  const parts = SET_NAME.exec(name);
  if (parts === null) return null;
  const family: Family = parts[1] === '4' ? 4 : 6;
  const set = banSet(family, Number(parts[2] ?? IMPLIED_PREFIX_LENGTH), parts[3] !== undefined);
  return set.name === name && set.prefixLength >= 1 && set.prefixLength <= bitsOf(family) ? set : null;
}

/** The element that bans a canonical network, from the whole host or from one port. */
export function elementOf(network: Network, port: ScopedPort | null): ElementKey {
  const { address, prefixLength } = splitNetwork(network);
  const set = banSet(familyOf(address), prefixLength, port !== null).name;
  return { set, key: port === null ? address : `${address} . ${port.protocol} . ${port.port}` };
}

/**
 * What an element bans, or null when it is not one that elementOf could have made: every element is checked by this
 * before it becomes part of a script.
 */
export function banElementOf(element: ElementKey): BanElement | null {
  const set = parseBanSet(element.set);
  if (set === null) return null;
  const scoped = SCOPED_KEY.exec(element.key);
  if ((scoped !== null) !== set.scoped) return null;
  const address = scoped === null ? element.key : (scoped[1] ?? '');
  if (parseAddress(address) !== address || familyOf(address) !== set.family) return null;
  const network = maskAddress(address, set.prefixLength);
  if (splitNetwork(network).address !== address) return null;
  if (scoped === null) return { network, port: null };
  const port = Number(scoped[3]);
  if (port > 65_535 || String(port) !== scoped[3]) return null;
  return { network, port: { protocol: scoped[2] === 'tcp' ? 'tcp' : 'udp', port } };
}

/** The mask of a prefix length in the family's notation: `255.255.255.0`, `ffff:ffff:ffff:ffff::`. */
export function maskOf(family: Family, prefixLength: number): string {
  const ones = family === 4 ? '255.255.255.255' : 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff';
  assert(prefixLength >= 1 && prefixLength <= bitsOf(family), 'a prefix length fits its family');
  return splitNetwork(maskAddress(ones, prefixLength)).address;
}

/** One text for an element, to use as a key of maps. */
export function elementId(element: ElementKey): string {
  return `${element.set} ${element.key}`;
}

/** The element of an id. */
export function elementOfId(id: string): ElementKey {
  const space = id.indexOf(' ');
  return { set: id.slice(0, space), key: id.slice(space + 1) };
}
