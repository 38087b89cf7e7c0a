/**
 * Takes assertions out of expressions: from what Python searches for in a line, to what the whole line may be, in the
 * regular subset that rules are made of. Nothing is guessed: each step keeps exactly the lines that match, or throws.
 *
 * A look-ahead is an obligation on the text that follows. The tree is walked from left to right with the obligations
 * that are open, each an automaton that runs along; where they lead to different states the expression is divided.
 */

import { Automata } from './automaton.ts';
import { spend } from './budget.ts';
import { type CharacterSet, cutApart, END_CODE, intersect } from './characters.ts';
import { ExpressionError } from './expression-error.ts';
import { endText, settleBehind } from './lookbehind.ts';
import { waysBetween } from './loops.ts';
import {
  choice,
  EMPTY,
  either,
  group,
  isNothing,
  keyOf,
  NOTHING,
  type Repeat,
  sequence,
  setOf,
  someNode,
  type Tree,
} from './tree.ts';

/** Nodes of a result, and states of obligations in one repetition; more are refused. */
const MAX_NODES = 40_000;
const MAX_LOOP_STATES = 48;
/** How far obligations are followed into the end of a text: forks, and steps between them. */
const MAX_AHEAD = 12;
const SIDE_BY_SIDE = 6;
/** Counted repetitions that are written out one by one. */
const MAX_WRITTEN_OUT = 64;

/**
 * Rewrites a tree without `start` that stands at the beginning of the text, so that no assertion is left. The text is
 * one with a final line feed, as fail2ban searches it. Throws ExpressionError.
 */
export function removeAssertions(tree: Tree): Tree {
  const local = settleBehind(tree, { set: [], atStart: true });
  if (!someNode(local, isAhead)) return local;
  return new Obligations().finish(local);
}

function isAhead(node: Tree): boolean {
  return node.kind === 'look' || node.kind === 'end';
}

/**
 * States of the automata that run along: all in which something forbidden may be, and for each thing that is required
 * the one in which it is. Of several ways to meet a requirement each is followed by itself: one of them is enough.
 */
type Open = { readonly forbidden: readonly number[]; readonly required: readonly number[] };

const NONE_OPEN: Open = { forbidden: [], required: [] };

/** Puts states together that are ended in as one; null for states that are of no use. */
type Classify = (open: Open) => string | null;

/** Trees by the obligations that are open after them. */
type Results = Map<string, { readonly open: Open; readonly tree: Tree }>;

class Obligations {
  readonly #automata = new Automata();
  readonly #ends = new Set<number>();
  readonly #starts = new Map<string, number>();
  #nodes = 0;

  /** The tree with every obligation met at the end of the text. */
  finish(tree: Tree): Tree {
    const items = tree.kind === 'sequence' ? tree.items : [tree];
    const last = items.at(-1);
    const heads = this.#walkSequence(items.slice(0, -1), NONE_OPEN);
    if (
      last?.kind === 'repeat' &&
      last.body.kind === 'set' &&
      last.min === 0 &&
      last.max === Number.POSITIVE_INFINITY
    ) {
      const ends = [...heads.values()].map((head) => sequence([head.tree, this.#end(last, head.open)]));
      return ends.reduce(either, NOTHING);
    }
    const met = last === undefined ? heads : this.#extend(heads, last, this.#classifyEnd);
    const ends = [...met.values()].filter(({ open }) => this.#isMetAtEnd(open)).map((result) => result.tree);
    return ends.reduce(either, NOTHING);
  }

  readonly #classifyEnd: Classify = (open) => (this.#isMetAtEnd(open) ? 'met' : null);

  /** What may end the text as any number of a set's characters. */
  #end(loop: Repeat, open: Open): Tree {
    const written = this.#freeEnd(loop, open, 0);
    if (written !== null) return written;
    const ends = [...this.#walkLoop(loop.body, open, this.#classifyEnd).values()];
    return ends.map(({ tree }) => tree).reduce(either, NOTHING);
  }

  #isMetAtEnd(open: Open): boolean {
    return this.#step(open, END_CODE).some((after) => after.required.length === 0);
  }

  /**
   * The end written out character by character until no obligation is open; null when that has no end. Steps without a
   * fork are written side by side, so that groups nest less deeply.
   */
  #freeEnd(loop: Repeat, open: Open, depth: number): Tree | null {
    if (isIdle(open)) return loop;
    if (depth > MAX_AHEAD) return null;
    const options: Tree[] = [];
    let [here, head] = [open, EMPTY];
    for (let step = 0; ; step++) {
      if (this.#isMetAtEnd(here)) options.push(head);
      const next = [...this.#walk(loop.body, here).values()];
      const closed = next.filter((one) => isIdle(one.open)).map((one) => sequence([head, one.tree, loop]));
      options.push(...closed);
      const waiting = next.filter((one) => !isIdle(one.open));
      const [only] = waiting;
      if (only === undefined) return choice(options);
      if (waiting.length > 1 || step === SIDE_BY_SIDE) {
        for (const one of waiting) {
          const end = this.#freeEnd(loop, one.open, depth + 1);
          if (end === null) return null;
          options.push(sequence([head, one.tree, end]));
        }
        return choice(options);
      }
      [here, head] = [only.open, sequence([head, only.tree])];
    }
  }

  #walk(tree: Tree, open: Open): Results {
    if (++this.#nodes > MAX_NODES)
      throw new ExpressionError('the expression is too large without its assertions');
    if (isIdle(open) && !someNode(tree, isAhead)) return new Map([['/', { open, tree }]]);
    switch (tree.kind) {
      case 'set':
        return this.#walkSet(tree.set, open);
      case 'sequence':
        return this.#walkSequence(tree.items, open);
      case 'choice':
        return merge(tree.options.flatMap((option) => [...this.#walk(option, open).values()]));
      case 'group': {
        const inside = [...this.#walk(tree.body, open).values()];
        return merge(inside.map((result) => ({ ...result, tree: group(tree.name, result.tree) })));
      }
      case 'repeat':
        return this.#walkRepeat(tree, open);
      case 'look':
        return merge(this.#begin(open, tree.body, tree.negated));
      case 'end':
        return merge(this.#begin(open, endText(tree.strict), false));
      default:
        throw new ExpressionError(`${tree.kind} where it cannot be carried over`);
    }
  }

  #walkSet(set: CharacterSet, open: Open): Results {
    const states = [...open.forbidden, ...open.required];
    const wanted = states.flatMap((state) => this.#automata.moves(state).map((move) => move.set));
    const results: { open: Open; tree: Tree }[] = [];
    for (const [low, high] of cutApart([set, ...wanted, [[0, END_CODE - 1]]])) {
      const piece = intersect([[low, high]], set);
      if (piece.length === 0) continue;
      for (const next of this.#step(open, low)) results.push({ open: next, tree: setOf(piece) });
    }
    return merge(results);
  }

  #walkSequence(items: readonly Tree[], open: Open): Results {
    let results = merge([{ open, tree: EMPTY }]);
    for (const [index, item] of items.entries()) {
      const next = items[index + 1];
      const classify = next === undefined ? undefined : (state: Open): string => this.#signature(next, state);
      results = this.#extend(results, item, classify);
    }
    return results;
  }

  /** Equal for states after which an item leads to the same ends in the same ways. */
  #signature(item: Tree, open: Open): string {
    const ends = [...this.#walk(item, open)].map(([key, { tree }]) => `${key} ${keyOf(tree)}`);
    return ends.sort().join('\n');
  }

  #walkRepeat(tree: Repeat, open: Open): Results {
    const { body, min, max } = tree;
    if (max === Number.POSITIVE_INFINITY) {
      const required = Array<Tree>(min).fill(body);
      const loop: Tree = { ...tree, min: 0 };
      return min === 0 ? this.#walkLoop(body, open) : this.#walkSequence([...required, loop], open);
    }
    if (max > MAX_WRITTEN_OUT) throw new ExpressionError('a large repetition together with an assertion');
    const all = [];
    let current = merge([{ open, tree: EMPTY }]);
    for (let count = 0; count <= max; count++) {
      if (count >= min) all.push(...current.values());
      if (count < max) current = this.#extend(current, body);
    }
    return merge(all);
  }

  #extend(results: Results, item: Tree, classify?: Classify): Results {
    return merge(
      [...results.values()].flatMap((head) =>
        [...this.#walkItem(item, head.open, classify).values()].map((tail) => ({
          open: tail.open,
          tree: sequence([head.tree, tail.tree]),
        })),
      ),
    );
  }

  /** Walks an item of a sequence; a loop's states that need not be told apart are ended in together. */
  #walkItem(item: Tree, open: Open, classify: Classify | undefined): Results {
    const isIdleItem = isIdle(open) && !someNode(item, isAhead);
    if (classify === undefined || isIdleItem) return this.#walk(item, open);
    if (item.kind === 'group') {
      const inside = [...this.#walkItem(item.body, open, classify).values()];
      return merge(inside.map((result) => ({ ...result, tree: group(item.name, result.tree) })));
    }
    const isLoop = item.kind === 'repeat' && item.min === 0 && item.max === Number.POSITIVE_INFINITY;
    return isLoop ? this.#walkLoop(item.body, open, classify) : this.#walk(item, open);
  }

  /** Any number of bodies: all states that obligations come to, and the ways between them (Kleene's construction). */
  #walkLoop(body: Tree, open: Open, classify: Classify = keyOfOpen): Results {
    const states = [open];
    const indexes = new Map([[keyOfOpen(open), 0]]);
    const ways: Tree[][] = [];
    for (let from = 0; from < states.length; from++) {
      if (states.length > MAX_LOOP_STATES)
        throw new ExpressionError('an assertion together with a repetition');
      const row: Tree[] = [];
      ways[from] = row;
      for (const [key, result] of this.#walk(body, states[from] ?? open)) {
        if (!indexes.has(key)) indexes.set(key, states.push(result.open) - 1);
        row[indexes.get(key) ?? 0] = result.tree;
      }
    }
    const classes = Map.groupBy(states.keys(), (index) => classify(states[index] ?? open));
    classes.delete(null);
    return merge(
      [...classes.values()].map((targets) => ({
        open: states[targets[0] ?? 0] ?? open,
        tree: waysBetween(ways, 0, targets),
      })),
    );
  }

  /** Opens an obligation; none when it is broken at once. */
  #begin(open: Open, body: Tree, isNegated: boolean): { open: Open; tree: Tree }[] {
    const key = keyOf(body);
    let start = this.#starts.get(key);
    if (start === undefined) {
      const added = this.#automata.add(body);
      start = added.start;
      this.#starts.set(key, start);
      this.#ends.add(added.end);
    }
    const states = this.#automata.closure([start]);
    const isMet = states.some((state) => this.#ends.has(state));
    if (isMet) return isNegated ? [] : [{ open, tree: EMPTY }];
    if (isNegated)
      return [{ open: { ...open, forbidden: sorted([...open.forbidden, ...states]) }, tree: EMPTY }];
    return states.map((state) => ({
      open: { ...open, required: sorted([...open.required, state]) },
      tree: EMPTY,
    }));
  }

  /** What may be open after a character; nothing when an obligation is broken. */
  #step(open: Open, code: number): Open[] {
    const forbidden = this.#automata.step(open.forbidden, code);
    if (forbidden.some((state) => this.#ends.has(state))) return [];
    let choices: (readonly number[])[] = [[]];
    for (const state of open.required) {
      const next = this.#automata.step([state], code);
      const isMet = next.some((target) => this.#ends.has(target));
      spend(choices.length * (1 + next.length));
      choices = isMet ? choices : choices.flatMap((before) => next.map((target) => [...before, target]));
    }
    return choices.map((required) => ({ forbidden, required: sorted(required) }));
  }
}

function isIdle(open: Open): boolean {
  return open.forbidden.length === 0 && open.required.length === 0;
}

function sorted(states: readonly number[]): number[] {
  return [...new Set(states)].sort((left, right) => left - right);
}

function keyOfOpen(open: Open): string {
  return `${open.forbidden.join()}/${open.required.join()}`;
}

/** Joins results that leave the same obligations open. */
function merge(results: readonly { readonly open: Open; readonly tree: Tree }[]): Results {
  const merged: Results = new Map();
  for (const { open, tree } of results) {
    if (isNothing(tree)) continue;
    const key = keyOfOpen(open);
    const before = merged.get(key);
    merged.set(key, { open, tree: before === undefined ? tree : either(before.tree, tree) });
  }
  return merged;
}
