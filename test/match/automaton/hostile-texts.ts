/**
 * Texts that make an expression work: a text that it matches, in which what stands between two of its repetitions is
 * repeated, so that the first of them can end, and the other begin, at many places; and which then does not end as it
 * should.
 */
import { characterOf, type Expression } from '../../../src/match/expression/expression.ts';
import type { Random } from '../../sim/random.ts';

/** A stretch of a text that matches, and whether an unlimited repetition has taken it. */
type Piece = { readonly text: string; readonly isRepeated: boolean };

/** What a text ends with instead of what it should. */
const ENDINGS = ['', '\0', ' x'];

/** `count` texts of about `length` characters, made for one walk through the expression's alternatives. */
export function* hostileTexts(
  body: Expression,
  random: Random,
  lengths: readonly number[],
  count: number,
): Generator<string[]> {
  for (let made = 0; made < count; made++) {
    const pieces = [...walk(body, random)];
    const repeated = pieces.flatMap(({ isRepeated }, index) => (isRepeated ? [index] : []));
    if (repeated.length === 0) return;
    const first = random.pick(repeated);
    const later = repeated.filter((index) => index >= first);
    const last = random.pick(later);
    const head = textOf(pieces.slice(0, first + 1));
    const pump = textOf(pieces.slice(first === last ? first : first + 1, last + 1));
    const rest = textOf(pieces.slice(last + 1));
    const ending = random.pick([...ENDINGS, rest, rest + ENDINGS[1]]);
    yield lengths.map((length) => head + pump.repeat(Math.ceil(length / pump.length)) + ending);
  }
}

function textOf(pieces: readonly Piece[]): string {
  return pieces.map(({ text }) => text).join('');
}

function* walk(node: Expression, random: Random, isRepeated = false): Generator<Piece> {
  switch (node.kind) {
    case 'set':
      yield { text: anyOf(node.symbols, random), isRepeated };
      return;
    case 'sequence':
      for (const item of node.items) yield* walk(item, random, isRepeated);
      return;
    case 'choice':
      yield* walk(random.pick(node.options), random, isRepeated);
      return;
    case 'group':
      yield* walk(node.body, random, isRepeated);
      return;
    case 'repeat': {
      const isUnlimited = node.max === Number.POSITIVE_INFINITY;
      const times = node.max === 1 && random.chance(0.3) ? node.min : Math.max(1, node.min);
      for (let count = 0; count < times; count++) yield* walk(node.body, random, isRepeated || isUnlimited);
    }
  }
}

/** Shown in most texts, so that repetitions of different sets take the same. */
const USUAL = [...'1a. :'].map((character) => character.charCodeAt(0));

function anyOf(symbols: Uint8Array, random: Random): string {
  const usual = USUAL.filter((symbol) => symbols[symbol] === 1);
  if (usual.length > 0) return String.fromCharCode(random.pick(usual));
  return characterOf(symbols.indexOf(1));
}
