/**
 * Sets of characters as sorted ranges of UTF-16 units. Python knows letters, digits and blanks of all scripts; here
 * `\d` and `\w` are ASCII and `\s` is what ECMAScript takes for white space, as in the rules that come out.
 */
import { spend } from './budget.ts';

/** Ranges of codes, both ends included, ascending and apart. */
export type CharacterSet = readonly (readonly [number, number])[];

/** One past every character: stands for the end of the text in proofs about assertions. */
export const END_CODE = 0x10000;

const LAST_CODE = 0xffff;

export const EVERYTHING: CharacterSet = [[0, LAST_CODE]];
export const LINE_FEED: CharacterSet = [[10, 10]];
export const DIGITS: CharacterSet = [[48, 57]];
export const WORD: CharacterSet = [
  [48, 57],
  [65, 90],
  [95, 95],
  [97, 122],
];
export const SPACE: CharacterSet = [
  [9, 13],
  [32, 32],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];

export function characterSet(...codes: readonly number[]): CharacterSet {
  return unite(codes.map((code) => [code, code]));
}

/** Sorts and joins ranges. */
export function unite(...sets: readonly CharacterSet[]): CharacterSet {
  const ranges = sets.flat().toSorted(([left], [right]) => left - right);
  const joined: [number, number][] = [];
  for (const [low, high] of ranges) {
    const last = joined.at(-1);
    if (last !== undefined && low <= last[1] + 1) last[1] = Math.max(last[1], high);
    else joined.push([low, high]);
  }
  return joined;
}

export function intersect(left: CharacterSet, right: CharacterSet): CharacterSet {
  const common: (readonly [number, number])[] = [];
  let other = 0;
  for (const [low, high] of left) {
    while (other < right.length && (right[other]?.[1] ?? 0) < low) other++;
    for (let index = other; index < right.length; index++) {
      const [first, last] = right[index] ?? [0, -1];
      if (first > high) break;
      common.push([Math.max(low, first), Math.min(high, last)]);
    }
  }
  return common;
}

/** Every character that is not in the set. */
export function complement(set: CharacterSet): CharacterSet {
  const rest: (readonly [number, number])[] = [];
  let next = 0;
  for (const [low, high] of set) {
    if (low > next) rest.push([next, low - 1]);
    next = high + 1;
  }
  if (next <= LAST_CODE) rest.push([next, LAST_CODE]);
  return rest;
}

export function subtract(left: CharacterSet, right: CharacterSet): CharacterSet {
  return intersect(left, complement(right));
}

export function hasCode(set: CharacterSet, code: number): boolean {
  return set.some(([low, high]) => low <= code && code <= high);
}

/** The only character of the set as text, '' when there are more or none. */
export function onlyCharacter(set: CharacterSet): string {
  const [range] = set;
  return set.length === 1 && range !== undefined && range[0] === range[1]
    ? String.fromCharCode(range[0])
    : '';
}

/** How many ASCII characters are in the set. */
export function countAscii(set: CharacterSet): number {
  return intersect(set, [[0, 127]]).reduce((sum, [low, high]) => sum + high - low + 1, 0);
}

/** Adds the other case of every ASCII letter. */
export function foldCase(set: CharacterSet): CharacterSet {
  const shift = (from: CharacterSet, by: number): CharacterSet =>
    intersect(set, from).map(([low, high]) => [low + by, high + by]);
  return unite(set, shift([[65, 90]], 32), shift([[97, 122]], -32));
}

/** Cuts the ranges of several sets into pieces such that each set is made of whole pieces. */
export function cutApart(sets: readonly CharacterSet[]): CharacterSet {
  const cuts = new Set<number>();
  for (const set of sets) {
    spend(1 + set.length);
    for (const [low, high] of set) cuts.add(low).add(high + 1);
  }
  const sorted = [...cuts].sort((left, right) => left - right);
  return sorted.slice(0, -1).map((low, index) => [low, (sorted[index + 1] ?? 0) - 1]);
}

/** The set as a rule's expression writes it. */
export function writeSet(set: CharacterSet): string {
  const only = onlyCharacter(set);
  if (only !== '') return writeCharacter(only.charCodeAt(0), /[\\^$.*+?()[\]{}|/]/);
  const rest = complement(set);
  if (rest.length === 0) return '.';
  const plain = writeMembers(set);
  const negated = writeMembers(rest);
  if (plain.startsWith('\\') && plain.length === 2) return plain;
  if (/^\\[dws]$/.test(negated)) return negated.toUpperCase();
  return negated.length + 1 < plain.length ? `[^${negated}]` : `[${plain}]`;
}

/** What stands between the brackets of a class. */
function writeMembers(set: CharacterSet): string {
  let text = '';
  let rest = set;
  for (const [shorthand, members] of [
    ['\\w', WORD],
    ['\\d', DIGITS],
    ['\\s', SPACE],
  ] as const) {
    if (intersect(rest, members).length === 0 || subtract(members, rest).length > 0) continue;
    text += shorthand;
    rest = subtract(rest, members);
  }
  for (const [low, high] of rest) {
    text += writeCharacter(low, /[\\\]^[-]/);
    if (high > low + 1) text += '-';
    if (high > low) text += writeCharacter(high, /[\\\]^[-]/);
  }
  return text;
}

function writeCharacter(code: number, special: RegExp): string {
  const character = String.fromCharCode(code);
  if (special.test(character)) return `\\${character}`;
  const isPrintable = code >= 32 && code !== 127 && !/[\p{C}\p{Z}]/u.test(character);
  return isPrintable || code === 32 ? character : `\\u${code.toString(16).padStart(4, '0')}`;
}
