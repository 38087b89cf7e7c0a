/**
 * What depends on whether a group took part, or on what it took in, written out: conditions become one expression for
 * each case, references to a group of few texts one for each text.
 */
import { complement, countAscii, SPACE } from './characters.ts';
import { ExpressionError } from './expression-error.ts';
import {
  childrenOf,
  choice,
  EMPTY,
  group,
  hasGroup,
  isNothing,
  keepGroups,
  literal,
  mapChildren,
  NOTHING,
  repeat,
  sequence,
  setOf,
  someNode,
  type Tree,
} from './tree.ts';

export type Resolved = {
  readonly tree: Tree;
  /** Groups of which a reference only checks the shape now, not that the text is the same. */
  readonly loosened: readonly string[];
};

/** A set of more ASCII characters holds blanks and marks too. */
const WIDE = 110;
/** Texts of a group that a reference is written out for. */
const MAX_TEXTS = 8;

/** Replaces conditions and references. Throws ExpressionError. */
export function resolveGroups(tree: Tree): Resolved {
  const unconditional = resolveConditions(tree);
  const loosened: string[] = [];
  const resolved = referencedNames(unconditional).reduce((current, name) => {
    const texts = hasGroup(current, name) ? textsOfGroup(current, name) : [];
    if (texts !== null) return choice(texts.map((text) => bindGroup(current, name, text)));
    loosened.push(name);
    return loosen(current, name);
  }, unconditional);
  return { tree: resolved, loosened };
}

/** The same tree, matched with the group `name` taking part, and without it; NOTHING when that cannot be. */
export function splitByGroup(tree: Tree, name: string): { readonly taken: Tree; readonly left: Tree } {
  return { taken: restrict(tree, name, true), left: restrict(tree, name, false) };
}

function resolveConditions(tree: Tree): Tree {
  const name = conditionName(tree);
  if (name === null) return tree;
  const { taken, left } = splitByGroup(tree, name);
  const cases = [decide(taken, name, true), decide(left, name, false)];
  return choice(cases.map(resolveConditions));
}

function conditionName(tree: Tree): string | null {
  if (tree.kind === 'condition') return tree.name;
  for (const child of childrenOf(tree)) {
    const name = conditionName(child);
    if (name !== null) return name;
  }
  return null;
}

/** Takes one branch of every condition on `name`. */
function decide(tree: Tree, name: string, isTaken: boolean): Tree {
  if (tree.kind === 'condition' && tree.name === name) {
    return decide(isTaken ? tree.yes : tree.no, name, isTaken);
  }
  return mapChildren(tree, (child) => decide(child, name, isTaken));
}

/** Only the ways through the tree on which the group takes part, or only those on which it does not. */
function restrict(tree: Tree, name: string, isTaken: boolean): Tree {
  if (!hasGroup(tree, name)) return isTaken ? NOTHING : tree;
  switch (tree.kind) {
    case 'group':
      if (tree.name === name) return isTaken ? tree : NOTHING;
      return group(tree.name, restrict(tree.body, name, isTaken));
    case 'choice':
      return choice(tree.options.map((option) => restrict(option, name, isTaken)));
    case 'sequence': {
      if (tree.items.filter((item) => hasGroup(item, name)).length > 1) fail(name);
      return sequence(
        tree.items.map((item) => (hasGroup(item, name) ? restrict(item, name, isTaken) : item)),
      );
    }
    case 'repeat': {
      if (tree.max > 1) fail(name);
      const inside = restrict(tree.body, name, isTaken);
      if (isTaken) return inside;
      return isNothing(inside) ? (tree.min === 0 ? EMPTY : NOTHING) : repeat(inside, tree.min, 1, tree.lazy);
    }
    default:
      return fail(name);
  }
}

function fail(name: string): never {
  throw new ExpressionError(`whether the group ${name} takes part cannot be told apart`);
}

function referencedNames(tree: Tree): string[] {
  const names = new Set<string>();
  someNode(tree, (node) => {
    if (node.kind === 'reference') names.add(node.name);
    return false;
  });
  return [...names];
}

/** Every text that the group can take in; null when they are too many. */
function textsOfGroup(tree: Tree, name: string): readonly string[] | null {
  const bodies = groupBodies(tree, name);
  const texts = bodies.map((body) => listTexts(body, MAX_TEXTS));
  if (bodies.length !== 1) return null;
  return texts[0] ?? null;
}

function groupBodies(tree: Tree, name: string): Tree[] {
  if (tree.kind === 'group' && tree.name === name) return [tree.body];
  return childrenOf(tree).flatMap((child) => groupBodies(child, name));
}

/** Every text that the tree matches, at most `limit`; null when there are more, or when that is not so plain. */
export function listTexts(tree: Tree, limit: number): string[] | null {
  switch (tree.kind) {
    case 'set': {
      const count = tree.set.reduce((sum, [low, high]) => sum + high - low + 1, 0);
      if (count > limit) return null;
      return tree.set.flatMap(([low, high]) =>
        [...Array(high - low + 1).keys()].map((index) => String.fromCharCode(low + index)),
      );
    }
    case 'group':
      return listTexts(tree.body, limit);
    case 'choice':
      return tree.options.reduce<string[] | null>(
        (sum, option) => atMost(limit, sum, listTexts(option, limit), (left, right) => [...left, ...right]),
        [],
      );
    case 'sequence':
      return tree.items.reduce<string[] | null>(
        (product, item) => atMost(limit, product, listTexts(item, limit), combine),
        [''],
      );
    case 'repeat': {
      if (tree.max > limit) return null;
      const body = listTexts(tree.body, limit);
      let power: string[] | null = [''];
      let texts: string[] | null = tree.min === 0 ? [''] : [];
      for (let count = 1; count <= tree.max; count++) {
        power = atMost(limit, power, body, combine);
        if (count >= tree.min) texts = atMost(limit, texts, power, (left, right) => [...left, ...right]);
      }
      return texts;
    }
    default:
      return null;
  }
}

function combine(left: readonly string[], right: readonly string[]): string[] {
  return left.flatMap((head) => right.map((tail) => head + tail));
}

function atMost(
  limit: number,
  left: readonly string[] | null,
  right: readonly string[] | null,
  join: (left: readonly string[], right: readonly string[]) => string[],
): string[] | null {
  if (left === null || right === null || left.length * Math.max(1, right.length) > limit * limit) return null;
  const joined = [...new Set(join(left, right))];
  return joined.length > limit ? null : joined;
}

/** The group matches exactly `text`, and so does each reference to it. */
function bindGroup(tree: Tree, name: string, text: string): Tree {
  if (tree.kind === 'group' && tree.name === name) return group(name, literal(text));
  if (tree.kind === 'reference' && tree.name === name) return literal(text);
  return mapChildren(tree, (child) => bindGroup(child, name, text));
}

/** Each reference takes in whatever the group itself could or, where that is any text, a word. */
function loosen(tree: Tree, name: string): Tree {
  const inside = choice(groupBodies(tree, name).map((body) => keepGroups(body, () => false)));
  const isFree = someNode(inside, (node) => node.kind === 'set' && countAscii(node.set) > WIDE);
  const body = isFree ? repeat(setOf(complement(SPACE)), 0, Number.POSITIVE_INFINITY) : inside;
  const replace = (node: Tree): Tree =>
    node.kind === 'reference' && node.name === name ? body : mapChildren(node, replace);
  return replace(tree);
}
