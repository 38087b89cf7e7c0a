/**
 * Scripts in nft's language (nft(8)), one transaction each. Pure. Nothing gets into a script but names, numbers and
 * canonical addresses that were checked here; what does not pass is a bug, so no attacker's text is ever quoted.
 */
import { familyOf, maskAddress, type Network, parseNetwork, splitNetwork } from '../core/address/address.ts';
import { assert } from '../core/errors.ts';
import { DAY, FOREVER, HOUR, MILLISECOND, MINUTE, type Microseconds, SECOND } from '../core/time.ts';
import { type ElementKey, type FirewallBatch, MAX_BATCH_ELEMENTS, type Upsert } from './firewall.ts';
import { type BanSet, banElementOf, maskOf } from './layout.ts';

/** Packets are judged before connection tracking, so that a ban cuts established connections as well. */
const PRIORITY = 'raw - 10';

/** The base chain; its presence stands for the whole table's. */
export const BASE_CHAIN = 'prerouting';

/** The kernel walks a whole set to collect what has expired (it no longer matches by then): not every second. */
const GC_INTERVAL = '10s';

/** Interval sets, loaded whole. */
const TRUST_SETS: Readonly<Record<4 | 6, string>> = { 4: 'trust4', 6: 'trust6' };

/** What nftables accepts as a comment, NFTNL_UDATA_COMMENT_MAXLEN, in characters that need no quoting. */
const COMMENT = /^[\w.:@+-]{1,128}$/;
const TABLE = /^[A-Za-z_]\w{0,62}$/;

/**
 * Makes the table where it is missing and rewrites its rules; keeps sets, their elements and the counters. `trust` is
 * loaded in the same transaction, so there is never a moment without it.
 */
export function installScript(table: string, sets: readonly BanSet[], trust: readonly Network[]): string {
  const name = tableName(table);
  const lines = [
    `add table inet ${name}`,
    ...([4, 6] as const).flatMap((family) => familySets(name, family, sets)),
    `add chain inet ${name} ${BASE_CHAIN} { type filter hook prerouting priority ${PRIORITY}; policy accept; }`,
    `add chain inet ${name} ipv4`,
    `add chain inet ${name} ipv6`,
    `flush chain inet ${name} ${BASE_CHAIN}`,
    `flush chain inet ${name} ipv4`,
    `flush chain inet ${name} ipv6`,
    `add rule inet ${name} ${BASE_CHAIN} iif lo return`,
    `add rule inet ${name} ${BASE_CHAIN} meta nfproto vmap { ipv4 : goto ipv4, ipv6 : goto ipv6 }`,
    ...([4, 6] as const).flatMap((family) => familyRules(name, family, sets)),
    ...trustLines(name, trust),
  ];
  return `${lines.join('\n')}\n`;
}

/** Trusted networks that a transaction can take; the configuration of a host has a handful. */
export const MAX_TRUSTED_NETWORKS = 1_000;

/**
 * Sets and deletes elements. An element is added, deleted and added with its timeout: that works whether it is there
 * or not, and on kernels that cannot change a timeout in place (before 6.12).
 */
export function batchScript(table: string, batch: FirewallBatch): string {
  assert(batch.upserts.length + batch.deletes.length <= MAX_BATCH_ELEMENTS, 'a batch is bounded');
  const name = tableName(table);
  const touched = bySet([...batch.upserts, ...batch.deletes], checkedKey);
  const upserted = bySet(batch.upserts, upsertText);
  const lines = [
    ...statements('add', name, touched),
    ...statements('delete', name, touched),
    ...statements('add', name, upserted),
  ];
  return `${lines.join('\n')}\n`;
}

/** Removes the table and every ban in it, whether it is there or not. */
export function removeScript(table: string): string {
  const name = tableName(table);
  return `add table inet ${name}\ndelete table inet ${name}\n`;
}

/** The networks without those that lie inside another one: an interval set refuses overlaps. */
export function withoutNested(networks: readonly Network[]): readonly Network[] {
  const kept = new Set(networks);
  const lengths = new Set(networks.map((network) => splitNetwork(network).prefixLength));
  return [...kept].filter((network) => {
    const { address, prefixLength } = splitNetwork(network);
    return ![...lengths].some((length) => length < prefixLength && kept.has(maskAddress(address, length)));
  });
}

function familySets(table: string, family: 4 | 6, sets: readonly BanSet[]): string[] {
  const own = sets.filter((set) => set.family === family);
  return [
    `add set inet ${table} ${TRUST_SETS[family]} { type ipv${family}_addr; flags interval; }`,
    ...own.flatMap((set) => [
      `add set inet ${table} ${set.name} { type ${typeOf(set)}; flags timeout; counter; gc-interval ${GC_INTERVAL}; }`,
      `add counter inet ${table} ${set.name}`,
    ]),
  ];
}

/**
 * Trust, then one lookup for each set. Neighbour discovery comes first: RFC 4861 wants a hop limit of 255 of it, which
 * no packet from beyond the link can have, and without it a ban of a network on the link would cut the link's router.
 */
function familyRules(table: string, family: 4 | 6, sets: readonly BanSet[]): string[] {
  const rule = `add rule inet ${table} ipv${family}`;
  const source = family === 4 ? 'ip saddr' : 'ip6 saddr';
  const discovery =
    'icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255';
  return [
    ...(family === 6 ? [`${rule} ${discovery} return`] : []),
    `${rule} ${source} @${TRUST_SETS[family]} return`,
    ...sets
      .filter((set) => set.family === family)
      .map((set) => `${rule} ${lookupOf(set, source)} counter name ${set.name} drop`),
  ];
}

function lookupOf(set: BanSet, source: string): string {
  const whole = set.prefixLength === (set.family === 4 ? 32 : 128);
  const network = whole ? source : `${source} and ${maskOf(set.family, set.prefixLength)}`;
  return `${set.scoped ? `${network} . meta l4proto . th dport` : network} @${set.name}`;
}

function typeOf(set: BanSet): string {
  const address = `ipv${set.family}_addr`;
  return set.scoped ? `${address} . inet_proto . inet_service` : address;
}

function trustLines(table: string, trust: readonly Network[]): string[] {
  assert(trust.length <= MAX_TRUSTED_NETWORKS, 'the trusted networks are bounded');
  for (const network of trust) assert(parseNetwork(network) === network, 'a trusted network is canonical');
  return ([4, 6] as const).flatMap((family) => {
    const networks = withoutNested(trust).filter((network) => familyOf(network) === family);
    const flush = `flush set inet ${table} ${TRUST_SETS[family]}`;
    if (networks.length === 0) return [flush];
    return [flush, `add element inet ${table} ${TRUST_SETS[family]} { ${networks.join(', ')} }`];
  });
}

function upsertText(upsert: Upsert): string {
  assert(COMMENT.test(upsert.comment), 'a comment is a name');
  const comment = `comment "${upsert.comment}"`;
  return upsert.timeout >= FOREVER
    ? `${upsert.key} ${comment}`
    : `${upsert.key} timeout ${timeText(upsert.timeout)} ${comment}`;
}

/** As `1d2h3m4s5ms`: nft 1.0.6 takes no number of milliseconds beyond 32 bits. At least a millisecond. */
function timeText(timeout: Microseconds): string {
  let rest = Math.max(MILLISECOND, Math.round(timeout / MILLISECOND) * MILLISECOND);
  let text = '';
  for (const [unit, size] of TIME_UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) text += `${count}${unit}`;
  }
  return text;
}

const TIME_UNITS = [
  ['d', DAY],
  ['h', HOUR],
  ['m', MINUTE],
  ['s', SECOND],
  ['ms', MILLISECOND],
] as const;

function checkedKey(element: ElementKey): string {
  assert(banElementOf(element) !== null, 'an element is canonical');
  return element.key;
}

function tableName(table: string): string {
  assert(TABLE.test(table), 'a table has a plain name');
  return table;
}

function bySet<Element extends ElementKey>(
  elements: readonly Element[],
  textOf: (element: Element) => string,
): ReadonlyMap<string, readonly string[]> {
  const sets = new Map<string, string[]>();
  for (const element of elements) {
    const texts = sets.get(element.set);
    if (texts === undefined) sets.set(element.set, [textOf(element)]);
    else texts.push(textOf(element));
  }
  return sets;
}

function statements(
  verb: 'add' | 'delete',
  table: string,
  sets: ReadonlyMap<string, readonly string[]>,
): string[] {
  return [...sets].map(([set, texts]) => `${verb} element inet ${table} ${set} { ${texts.join(', ')} }`);
}
