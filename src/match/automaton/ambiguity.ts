/**
 * The proof that nobody can choose the address. Two readings of the same text run side by side through the automaton
 * of a rule; when they can both reach the end having taken different stretches of the text for the address, then what
 * fills the rule's free fields can imitate what follows them, and the text found is shown. When no such pair can be
 * reached, every line has at most one reading, whatever an attacker puts into it.
 *
 * The automaton knows characters, not addresses: it may find a text ambiguous of which one reading is no valid
 * address. It never overlooks one.
 */

import { characterOf, type Expression, SYMBOL_COUNT, type SymbolSet } from '../expression/expression.ts';
import { buildAutomaton, type Phase } from './automaton.ts';

/** A text with two readings, and the two stretches that each takes for the address; '' for a reading without one. */
export type Ambiguity = { readonly text: string; readonly addresses: readonly [string, string] };

type Pair = {
  readonly first: number;
  readonly second: number;
  readonly differs: boolean;
  readonly parent: Pair | null;
  readonly character: string;
  readonly phases: readonly [Phase, Phase];
};

/** Pairs looked at before a rule is given up as too large to prove; the shipped rules need a few thousand. */
const MAX_PAIRS = 200_000;

/**
 * Searches for the shortest text that two readings of `body` disagree about. `addressGroups` are the capture groups
 * that hold an address. Returns null when there is none, 'unknown' when the rule is too large to tell.
 */
export function findAmbiguity(
  body: Expression,
  addressGroups: readonly number[],
): Ambiguity | null | 'unknown' {
  const automaton = buildAutomaton(body, addressGroups);
  const size = automaton.steps.length;
  const seen = new Set<number>();
  const findCommon = createCommonFinder();
  const queue: Pair[] = [
    {
      first: automaton.start,
      second: automaton.start,
      differs: false,
      parent: null,
      character: '',
      phases: [0, 0],
    },
  ];
  for (let index = 0; index < queue.length; index++) {
    const pair = queue[index];
    if (pair === undefined || queue.length > MAX_PAIRS) return 'unknown';
    if (pair.differs && automaton.accepts[pair.first] && automaton.accepts[pair.second])
      return describe(pair);
    for (const left of automaton.steps[pair.first] ?? []) {
      for (const right of automaton.steps[pair.second] ?? []) {
        const differs = pair.differs || left.phase !== right.phase;
        const key = (left.target * size + right.target) * 2 + (differs ? 1 : 0);
        if (seen.has(key)) continue;
        const character = findCommon(left.symbols, right.symbols);
        if (character === '') continue;
        seen.add(key);
        queue.push({
          first: left.target,
          second: right.target,
          differs,
          parent: pair,
          character,
          phases: [left.phase, right.phase],
        });
      }
    }
  }
  return null;
}

/** The text that leads to a pair, with addresses that are easy to tell apart where the two do not overlap. */
function describe(last: Pair): Ambiguity {
  const path: Pair[] = [];
  for (let pair: Pair | null = last; pair !== null; pair = pair.parent) path.unshift(pair);
  const isApart = path.every(({ phases }) => phases[0] !== 1 || phases[1] !== 1);
  let text = '';
  const addresses: [string, string] = ['', ''];
  for (const [index, { character, phases }] of path.entries()) {
    const reading = phases.indexOf(1);
    const example = isApart ? EXAMPLES[reading] : undefined;
    if (example === undefined) text += character;
    else if (path[index - 1]?.phases[reading] !== 1) text += example;
    for (const side of [0, 1] as const) {
      if (phases[side] === 1) addresses[side] = example ?? addresses[side] + character;
    }
  }
  return { text, addresses };
}

/** Shown as the two addresses (RFC 5737). */
const EXAMPLES: readonly string[] = ['192.0.2.1', '198.51.100.2'];

/** Symbols in the order in which they are shown to people. */
const SHOWN = [...'x1a0:.- '].map((character) => character.charCodeAt(0));

/**
 * Finds a character that two sets have in common, '' when there is none. It looks once for each pair of sets: an
 * expression has few different ones.
 */
export function createCommonFinder(): (left: SymbolSet, right: SymbolSet) => string {
  const known = new Map<SymbolSet, Map<SymbolSet, string>>();
  return (left, right) => {
    const others = known.get(left) ?? new Map<SymbolSet, string>();
    const character = others.get(right) ?? commonCharacter(left, right);
    others.set(right, character);
    known.set(left, others);
    return character;
  };
}

function commonCharacter(left: SymbolSet, right: SymbolSet): string {
  for (const symbol of SHOWN)
    if (left[symbol] === 1 && right[symbol] === 1) return String.fromCharCode(symbol);
  for (let symbol = SYMBOL_COUNT - 1; symbol >= 0; symbol--) {
    if (left[symbol] === 1 && right[symbol] === 1) return characterOf(symbol);
  }
  return '';
}
