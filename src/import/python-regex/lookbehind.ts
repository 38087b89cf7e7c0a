/**
 * Word boundaries and what looks behind, decided by what is matched before them. What is left of them are look-aheads.
 */

import { emptyOf, endingWith, lastSet } from './automaton.ts';
import {
  type CharacterSet,
  complement,
  END_CODE,
  intersect,
  LINE_FEED,
  subtract,
  unite,
  WORD,
} from './characters.ts';
import { ExpressionError } from './expression-error.ts';
import {
  choice,
  EMPTY,
  group,
  isEmpty,
  isNothing,
  isNullable,
  NOTHING,
  repeat,
  sequence,
  setOf,
  someNode,
  type Tree,
} from './tree.ts';

/** What may stand directly before: the characters, and whether the text may begin here. */
export type Before = { readonly set: CharacterSet; readonly atStart: boolean };

/** Decides word boundaries and what looks behind by what is matched before; what is left looks ahead only. */
export function settleBehind(tree: Tree, before: Before): Tree {
  switch (tree.kind) {
    case 'sequence':
      return settleSequence([], tree.items, before);
    case 'boundary':
      return settleSequence([], [tree], before);
    case 'look':
      return settleSequence([], [tree], before);
    case 'choice':
      return choice(tree.options.map((option) => settleBehind(option, before)));
    case 'group':
      return group(tree.name, settleBehind(tree.body, before));
    case 'repeat': {
      if (!someNode(tree.body, (node) => node.kind === 'boundary' || node.kind === 'look')) return tree;
      const inside =
        tree.max > 1 ? { set: unite(before.set, lastSet(tree.body)), atStart: before.atStart } : before;
      return repeat(settleBehind(tree.body, inside), tree.min, tree.max, tree.lazy);
    }
    case 'start':
      throw new ExpressionError('^ stands after other text');
    default:
      return tree;
  }
}

/** `done` is what is settled already of the sequence; `before` is what stands before it. */
function settleSequence(done: readonly Tree[], items: readonly Tree[], before: Before): Tree {
  const [item, ...rest] = items;
  if (item === undefined) return sequence(done);
  const here = beforeEnd(done, before);
  const mixed = leadingSets(item).find((set) => !isDecided(here, set));
  if (mixed !== undefined) return divide(done, mixed, items, before);
  return settleSequence([...done, settleItem(item, here)], rest, before);
}

function settleItem(item: Tree, here: Before): Tree {
  if (item.kind === 'boundary') return boundaryCase(item.negated, intersect(here.set, WORD).length > 0);
  if (item.kind !== 'look') return settleBehind(item, here);
  if (!item.behind) return settleLookAhead(item, here);
  const isInside = intersect(here.set, lookedFor(item)).length > 0;
  return isInside === item.negated ? NOTHING : EMPTY;
}

/** The sequence once for each kind of text that may stand before `items`: ending in the set, not ending in it, none. */
function divide(done: readonly Tree[], set: CharacterSet, items: readonly Tree[], before: Before): Tree {
  const all = sequence(done);
  const heads = [endingWith(all, set), endingWith(all, complement(set))].filter((head) => !isNothing(head));
  // An address is not taken apart, so that dividing may not tell what it ends with.
  const isDivided = heads.every((head) => isDecided({ set: lastSet(head), atStart: false }, set));
  if (!isDivided || (isNullable(all) && !isDecided(before, set))) {
    throw new ExpressionError('\\b or a look-behind stands where what is before it is not known');
  }
  const empty = isNullable(all) ? [emptyOf(all)] : [];
  return choice(
    [...heads, ...empty].map((head) => settleSequence(isEmpty(head) ? [] : [head], items, before)),
  );
}

/** Whether what stands before is always in the set or never. */
function isDecided(here: Before, set: CharacterSet): boolean {
  if (intersect(here.set, set).length === 0) return true;
  return !here.atStart && subtract(here.set, set).length === 0;
}

/** The sets that assertions at the beginning of the tree ask about the character before. */
function leadingSets(tree: Tree): CharacterSet[] {
  switch (tree.kind) {
    case 'boundary':
      return [WORD];
    case 'look':
      return tree.behind ? [lookedFor(tree)] : [];
    case 'group':
    case 'repeat':
      return leadingSets(tree.body);
    case 'choice':
      return tree.options.flatMap(leadingSets);
    case 'sequence': {
      const end = tree.items.findIndex((item) => !isNullable(item));
      return tree.items.slice(0, end < 0 ? undefined : end + 1).flatMap(leadingSets);
    }
    default:
      return [];
  }
}

function beforeEnd(done: readonly Tree[], before: Before): Before {
  const all = sequence(done);
  const set = lastSet(all);
  return isNullable(all) ? { set: unite(set, before.set), atStart: before.atStart } : { set, atStart: false };
}

/** What a boundary asks of the text that follows, after a letter or digit and after anything else. */
function boundaryCase(isNegated: boolean, isAfterWord: boolean): Tree {
  return { kind: 'look', behind: false, negated: isNegated !== isAfterWord, body: setOf(WORD) };
}

function lookedFor(tree: Tree): CharacterSet {
  if (tree.kind === 'look' && tree.body.kind === 'set') return tree.body.set;
  throw new ExpressionError('a look-behind of more than one character');
}

/** Inside of a look-ahead a boundary or `$` may stand at the end only, where it becomes what follows. */
function settleLookAhead(look: Tree & { kind: 'look' }, before: Before): Tree {
  const body = settleBehind(look.body, before);
  return { ...look, body: aheadToText(body) };
}

/** Assertions at the end of a look-ahead, as the text that they ask for. */
function aheadToText(tree: Tree): Tree {
  if (tree.kind === 'end') return endText(tree.strict);
  if (tree.kind === 'look') {
    if (!tree.negated) return tree.body;
    if (tree.body.kind === 'set')
      return choice([setOf(complement(tree.body.set)), setOf([[END_CODE, END_CODE]])]);
    throw new ExpressionError('a look-ahead inside of a look-ahead');
  }
  if (tree.kind === 'sequence') {
    return sequence(
      tree.items.map((item, index) => (index === tree.items.length - 1 ? aheadToText(item) : item)),
    );
  }
  return tree.kind === 'choice' ? choice(tree.options.map(aheadToText)) : tree;
}

/** What follows `$` and, with `isStrict`, `\Z`: with the end of the text as a character of its own. */
export function endText(isStrict: boolean): Tree {
  const end = setOf([[END_CODE, END_CODE]]);
  return isStrict ? end : sequence([repeat(setOf(LINE_FEED), 0, 1), end]);
}
