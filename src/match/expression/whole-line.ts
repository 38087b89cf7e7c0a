/**
 * How long a line may be that a rule believes to be whole. Whoever hands a line on may have cut it, and says nothing:
 * what a service wrote at its end is then gone, and what a client wrote before looks like the end. So where a client's
 * text stands before the address, it has a length: no user name is longer than 256 characters, and a line that is
 * longer than such a text allows is not believed. Cuts come later in the line than that, or can be told by their
 * length (`syslog/cuts.ts`).
 */
import { type Expression, SYMBOL_COUNT } from './expression.ts';
import { alphabetOf, FREE_SYMBOLS, freedom } from './source.ts';

/** Of a client's text: names of users (LOGIN_NAME_MAX of limits.h), of hosts (RFC 1035), and what stands for them. */
export const MAX_FREE_TEXT = 256;

/**
 * Of a line in which a client's text may be anything. The shortest cut that does not show is musl's syslog(), which
 * sends 1,024 bytes with its header (OpenWrt, Alpine).
 */
export const MAX_OPEN_LINE = 900;

/**
 * Of a line that goes on with anything behind the address, as those of nginx do with the request: nginx cuts its own at
 * 2,047 bytes.
 */
export const MAX_TAILED_LINE = 1_900;

/** What the service itself writes, by how many symbols it may consist of: words and hosts, numbers in hex, numbers. */
const WORD = { symbols: 60, length: 64 } as const;
const HEX = { symbols: 20, length: 45 } as const;
const NUMBER_LENGTH = 20;

/** The longest text in bytes that is believed to be whole; infinite without free text before the address. */
export function maxWholeLine(body: Expression, addressGroups: readonly number[]): number {
  const order = stretchesOf(body, new Set(addressGroups));
  const address = order.lastIndexOf('address');
  const before = order.slice(0, Math.max(0, address));
  if (!before.some((stretch) => stretch !== 'address')) return Number.POSITIVE_INFINITY;
  if (isOpenEnded(body)) return MAX_TAILED_LINE;
  const longest = longestOf(body);
  return before.includes('anything') ? Math.min(longest, MAX_OPEN_LINE) : longest;
}

type StretchKind = 'anything' | 'free' | 'address';

/** Free texts and addresses in the order in which they are written. */
function stretchesOf(node: Expression, addressGroups: ReadonlySet<number>): StretchKind[] {
  switch (node.kind) {
    case 'set':
      return [];
    case 'sequence':
      return node.items.flatMap((item) => stretchesOf(item, addressGroups));
    case 'choice':
      return node.options.flatMap((option) => stretchesOf(option, addressGroups));
    case 'group':
      return addressGroups.has(node.index) ? ['address'] : stretchesOf(node.body, addressGroups);
    case 'repeat': {
      const symbols = freedom(node.body);
      if (node.max !== Number.POSITIVE_INFINITY || symbols < FREE_SYMBOLS)
        return stretchesOf(node.body, addressGroups);
      return [symbols === SYMBOL_COUNT ? 'anything' : 'free'];
    }
  }
}

/** Whether every match may be followed by anything, but for some text perhaps, and is still one. */
function isOpenEnded(node: Expression): boolean {
  switch (node.kind) {
    case 'set':
      return false;
    case 'sequence':
      return isOpenSequence(node.items);
    case 'choice':
      return node.options.every(isOpenEnded);
    case 'group':
      return isOpenEnded(node.body);
    case 'repeat':
      return node.min === 0 && node.max === Number.POSITIVE_INFINITY && alphabetOf(node.body).every(Boolean);
  }
}

/** By its last item, or by one behind which the others may be left out. */
function isOpenSequence(items: readonly Expression[]): boolean {
  const last = items.at(-1);
  if (last === undefined) return false;
  const isOptional = last.kind === 'repeat' && last.min === 0 && last.max === 1;
  return isOpenEnded(last) || (isOptional && isOpenSequence(items.slice(0, -1)));
}

function longestOf(node: Expression): number {
  switch (node.kind) {
    case 'set':
      return 1;
    case 'sequence':
      return node.items.reduce((sum, item) => sum + longestOf(item), 0);
    case 'choice':
      return Math.max(0, ...node.options.map(longestOf));
    case 'group':
      return longestOf(node.body);
    case 'repeat':
      return node.max === Number.POSITIVE_INFINITY
        ? unboundedLength(node.body)
        : node.max * longestOf(node.body);
  }
}

function unboundedLength(body: Expression): number {
  const symbols = freedom(body);
  if (symbols >= FREE_SYMBOLS) return MAX_FREE_TEXT;
  if (symbols >= WORD.symbols) return WORD.length;
  return symbols >= HEX.symbols ? HEX.length : NUMBER_LENGTH;
}
