/**
 * What a tree without assertions matches, as a language: its automaton, which characters a text may begin and end with,
 * what is left after a beginning is taken away, and whether one language lies within another.
 */
import { spend } from './budget.ts';
import { type CharacterSet, cutApart, hasCode, intersect, subtract, unite } from './characters.ts';
import { ExpressionError } from './expression-error.ts';
import {
  ANYTHING,
  choice,
  EMPTY,
  group,
  isNullable,
  itemsOf,
  keyOf,
  NOTHING,
  type Repeat,
  repeat,
  sequence,
  setOf,
  type Tree,
} from './tree.ts';

/** States of one automaton; more of them mean that an expression is too large to be reasoned about. */
const MAX_STATES = 30_000;
/** Pairs of states that containment looks at before it gives up. */
const MAX_PAIRS = 40_000;
/** Where nothing but a shorter expression comes of it: what is contained is found early, or hardly ever. */
const MAX_PRUNING_PAIRS = 200;

export type Move = { readonly set: CharacterSet; readonly target: number };

/** Automata of several trees, states numbered through. */
export class Automata {
  readonly #silent: number[][] = [];
  readonly #moves: Move[][] = [];
  /** What each state reaches without a character, once it was asked for; the automaton is complete by then. */
  readonly #closures: (readonly number[])[] = [];

  /** Adds a tree; returns the states in which it begins and ends. */
  add(tree: Tree): { readonly start: number; readonly end: number } {
    const start = this.#state();
    return { start, end: this.#append(tree, start) };
  }

  moves(state: number): readonly Move[] {
    return this.#moves[state] ?? [];
  }

  /** The states and all that are reached from them without a character, ascending. */
  closure(states: Iterable<number>): readonly number[] {
    const reached = new Set<number>();
    for (const state of states) {
      if (reached.has(state)) continue;
      spend(1);
      for (const next of this.#closureOf(state)) reached.add(next);
    }
    spend(reached.size);
    return [...reached].sort((left, right) => left - right);
  }

  #closureOf(state: number): readonly number[] {
    let closure = this.#closures[state];
    if (closure === undefined) {
      const reached = new Set([state]);
      for (const other of reached) for (const next of this.#silent[other] ?? []) reached.add(next);
      spend(reached.size);
      closure = [...reached].filter((other) => other === state || this.#isTelling(other));
      this.#closures[state] = closure;
    }
    return closure;
  }

  /** Whether a state is more than a station on the way: it takes a character, or nothing leads on from it. */
  #isTelling(state: number): boolean {
    return this.moves(state).length > 0 || (this.#silent[state] ?? []).length === 0;
  }

  /** The closure of what the states reach with a character. */
  step(states: readonly number[], code: number): readonly number[] {
    spend(states.length);
    const targets = states.flatMap((state) =>
      this.moves(state).flatMap(({ set, target }) => (hasCode(set, code) ? [target] : [])),
    );
    return this.closure(targets);
  }

  #state(): number {
    if (this.#silent.length >= MAX_STATES) throw new ExpressionError('the expression is too large');
    this.#silent.push([]);
    this.#moves.push([]);
    return this.#silent.length - 1;
  }

  #append(tree: Tree, from: number): number {
    switch (tree.kind) {
      case 'set': {
        const target = this.#state();
        this.#moves[from]?.push({ set: tree.set, target });
        return target;
      }
      case 'sequence':
        return tree.items.reduce((state, item) => this.#append(item, state), from);
      case 'choice':
        return this.#join(tree.options.map((option) => this.#append(option, from)));
      case 'group':
        return this.#append(tree.body, from);
      case 'repeat':
        return this.#repeat(tree, from);
      default:
        throw new ExpressionError(`an assertion inside of an assertion (${tree.kind})`);
    }
  }

  #repeat({ body, min, max }: Repeat, from: number): number {
    let state = from;
    for (let count = 0; count < min; count++) state = this.#append(body, state);
    const ends = [state];
    if (max === Number.POSITIVE_INFINITY) {
      const loop = this.#join([state]);
      const back = this.#append(body, loop);
      this.#silent[back]?.push(loop);
      return this.#join([loop]);
    }
    for (let count = min; count < max; count++) {
      state = this.#append(body, this.#join([state]));
      ends.push(state);
    }
    return this.#join(ends);
  }

  #join(states: readonly number[]): number {
    const end = this.#state();
    for (const state of states) this.#silent[state]?.push(end);
    return end;
  }
}

/** Whether everything that `inner` matches is matched by `outer`; null when that is too much to find out. */
export function isContained(inner: Tree, outer: Tree, maxPairs = MAX_PAIRS): boolean | null {
  const automata = new Automata();
  const [left, right] = [automata.add(inner), automata.add(outer)];
  const start = { left: automata.closure([left.start]), right: automata.closure([right.start]) };
  const queue = [start];
  const seen = new Set([`${start.left}/${start.right}`]);
  for (const pair of queue) {
    if (pair.left.includes(left.end) && !pair.right.includes(right.end)) return false;
    if (queue.length > maxPairs) return null;
    const sets = [...pair.left, ...pair.right].flatMap((state) =>
      automata.moves(state).map(({ set }) => set),
    );
    for (const [code] of cutApart(sets)) {
      const next = { left: automata.step(pair.left, code), right: automata.step(pair.right, code) };
      const key = `${next.left}/${next.right}`;
      if (next.left.length === 0 || seen.has(key)) continue;
      seen.add(key);
      queue.push(next);
    }
  }
  return true;
}

/** As isContained, without looking at what both begin with: false means that it was not proved. */
function isPlainlyContained(inner: Tree, outer: Tree): boolean {
  const [left, right] = [itemsOf(inner), itemsOf(outer)];
  let same = 0;
  while (
    same < left.length &&
    same < right.length &&
    keyOf(left[same] ?? EMPTY) === keyOf(right[same] ?? EMPTY)
  )
    same++;
  const [less, more] = [sequence(left.slice(same)), sequence(right.slice(same))];
  if (isNullable(less) && !isNullable(more)) return false;
  if (subtract(firstSet(less), firstSet(more)).length > 0) return false;
  return isContained(less, more, MAX_PRUNING_PAIRS) === true;
}

/** Leaves out what another option of the same choice matches anyway. */
export function prune(options: readonly Tree[]): Tree[] {
  const kept = [...options];
  for (let index = kept.length - 1; index >= 0 && kept.length > 1; index--) {
    const option = kept[index];
    if (option === undefined) continue;
    if (kept.some((other, position) => position !== index && isPlainlyContained(option, other))) {
      kept.splice(index, 1);
    }
  }
  return kept;
}

/** Characters that a match may begin with. */
export function firstSet(tree: Tree): CharacterSet {
  switch (tree.kind) {
    case 'set':
      return tree.set;
    case 'address':
      return ADDRESS_CHARACTERS;
    case 'sequence': {
      const end = tree.items.findIndex((item) => !isNullable(item));
      return unite(...tree.items.slice(0, end < 0 ? undefined : end + 1).map(firstSet));
    }
    case 'choice':
      return unite(...tree.options.map(firstSet));
    case 'repeat':
    case 'group':
      return firstSet(tree.body);
    default:
      return [];
  }
}

/** Characters that a match may end with; an address is taken to end with a digit. */
export function lastSet(tree: Tree): CharacterSet {
  switch (tree.kind) {
    case 'set':
      return tree.set;
    case 'address':
      return ADDRESS_CHARACTERS;
    case 'sequence': {
      const start = tree.items.findLastIndex((item) => !isNullable(item));
      return unite(...tree.items.slice(Math.max(0, start)).map(lastSet));
    }
    case 'choice':
      return unite(...tree.options.map(lastSet));
    case 'group':
      return tree.name === 'address' ? HEXADECIMAL : lastSet(tree.body);
    case 'repeat':
      return lastSet(tree.body);
    default:
      return [];
  }
}

const HEXADECIMAL: CharacterSet = [
  [48, 57],
  [65, 70],
  [97, 102],
];

/** Hexadecimal digits, `.` and `:`. */
const ADDRESS_CHARACTERS = unite(HEXADECIMAL, [
  [46, 46],
  [58, 58],
]);

/** The matches that end with a character of the set. */
export function endingWith(tree: Tree, set: CharacterSet): Tree {
  switch (tree.kind) {
    case 'set':
      return setOf(intersect(tree.set, set));
    case 'sequence':
      return choice(eachEnd(tree.items, (item) => endingWith(item, set)));
    case 'choice':
      return choice(tree.options.map((option) => endingWith(option, set)));
    case 'group': {
      // An address counts as a word as a whole: taken apart by its last digit it would be no easier to read.
      if (tree.name === 'address') return intersect(HEXADECIMAL, set).length > 0 ? tree : NOTHING;
      return group(tree.name, endingWith(tree.body, set));
    }
    case 'repeat':
      return sequence([oneLess(tree), endingWith(tree.body, set)]);
    default:
      return NOTHING;
  }
}

/** What is left of the matches that end with a line feed when it is taken away. */
export function withoutLineFeed(tree: Tree): Tree {
  switch (tree.kind) {
    case 'set':
      return hasCode(tree.set, 10) ? EMPTY : NOTHING;
    case 'sequence':
      return choice(prune(eachEnd(tree.items, withoutLineFeed)));
    case 'choice':
      return choice(tree.options.map(withoutLineFeed));
    case 'group':
      return group(tree.name, withoutLineFeed(tree.body));
    case 'repeat':
      if (keyOf(tree) === keyOf(ANYTHING)) return tree;
      return sequence([oneLess(tree), withoutLineFeed(tree.body)]);
    default:
      return NOTHING;
  }
}

/** A sequence whose end is changed, once for each item that can be the last one that takes anything. */
function eachEnd(items: readonly Tree[], change: (item: Tree) => Tree): Tree[] {
  const ends: Tree[] = [];
  for (let index = items.length - 1; index >= 0; index--) {
    const item = items[index];
    if (item === undefined) break;
    const changed = sequence([
      ...items.slice(0, index),
      change(item),
      ...items.slice(index + 1).map(emptyOf),
    ]);
    if (keyOf(changed) !== keyOf(NOTHING)) ends.push(changed);
    if (!isNullable(item)) break;
  }
  return ends;
}

/** The ways of matching the empty text: assertions stay. */
export function emptyOf(tree: Tree): Tree {
  switch (tree.kind) {
    case 'set':
    case 'address':
      return NOTHING;
    case 'sequence':
      return sequence(tree.items.map(emptyOf));
    case 'choice':
      return choice(tree.options.map(emptyOf));
    case 'group':
      return group(tree.name, emptyOf(tree.body));
    case 'repeat':
      return tree.min === 0 ? EMPTY : emptyOf(tree.body);
    default:
      return tree;
  }
}

function oneLess({ body, min, max, lazy }: Repeat): Tree {
  return repeat(body, Math.max(0, min - 1), max - 1, lazy);
}

/**
 * What may follow `beginning` in the matches: partial derivatives, one character after the other. A group that the
 * beginning reaches into is opened; ways on which it reaches into an address are left out.
 */
export function takeBeginning(tree: Tree, beginning: string): Tree[] {
  let rests = [tree];
  for (const character of beginning) {
    const next = rests.flatMap((rest) => derive(rest, character.charCodeAt(0)));
    rests = [...new Map(next.map((rest) => [keyOf(rest), rest])).values()];
  }
  return prune(rests);
}

function derive(tree: Tree, code: number): Tree[] {
  switch (tree.kind) {
    case 'set':
      return hasCode(tree.set, code) ? [EMPTY] : [];
    case 'sequence': {
      const rests: Tree[] = [];
      for (const [index, item] of tree.items.entries()) {
        const after = tree.items.slice(index + 1);
        rests.push(...derive(item, code).map((rest) => sequence([rest, ...after])));
        if (!isNullable(item)) break;
      }
      return rests;
    }
    case 'choice':
      return tree.options.flatMap((option) => derive(option, code));
    case 'group':
      return tree.name === 'address' ? [] : derive(tree.body, code);
    case 'repeat':
      return derive(tree.body, code).map((rest) => sequence([rest, oneLess(tree)]));
    default:
      return [];
  }
}
