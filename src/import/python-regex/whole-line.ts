/** From what fail2ban searches for in a line to an expression for the whole line, without assertions. */

import { splitStart } from './anchors.ts';
import { firstSet, isContained, lastSet, prune, withoutLineFeed } from './automaton.ts';
import {
  type CharacterSet,
  characterSet,
  countAscii,
  DIGITS,
  EVERYTHING,
  LINE_FEED,
  subtract,
  unite,
  WORD,
} from './characters.ts';
import { ExpressionError } from './expression-error.ts';
import { removeAssertions } from './lookaround.ts';
import { parsePython } from './parse.ts';
import {
  ANYTHING,
  choice,
  EMPTY,
  either,
  group,
  hasGroup,
  isNothing,
  isNullable,
  itemsOf,
  keepGroups,
  keyOf,
  mapChildren,
  NOTHING,
  sequence,
  setOf,
  someNode,
  type Tree,
} from './tree.ts';

/** The group of a prefregex that is handed on to the failregexes. */
const CONTENT = 'content';

/** The texts that `search` finds something in, as one expression. Throws ExpressionError. */
export function textsWith(search: Tree): Tree {
  return complete(search);
}

/** As textsWith, for one `fail` regex that searches what a `prefix` regex has taken out of the line. */
export function textsWithPrefix(prefix: Tree, fail: Tree): Tree {
  const handedOn = contentOf(prefix);
  const content = complete(fail);
  if (handedOn === null) return textsOfBoth(prefix, fail);
  if (!isAlways(content, handedOn)) {
    throw new ExpressionError('what the prefregex hands on may be less than what the failregex looks for');
  }
  const kept = hasGroup(content, 'address') ? withoutAddress(prefix) : prefix;
  return textsWith(replaceContent(kept, content));
}

/** Whether everything in `content` may be handed on. */
function isAlways(content: Tree, handedOn: Tree): boolean {
  if (keyOf(handedOn) === SOMETHING && !isNullable(content)) return true;
  const allowed = removeAssertions(expandAddresses(handedOn, EVERYTHING, EVERYTHING));
  return isContained(content, allowed) === true;
}

/** `.+`, which nearly every prefregex hands on. */
const SOMETHING = keyOf(parsePython('.+'));

/** Without content both search the same line; what the second finds must be within what the first allows. */
function textsOfBoth(prefix: Tree, fail: Tree): Tree {
  const texts = textsWith(fail);
  if (isContained(texts, textsWith(prefix)) === true) return texts;
  throw new ExpressionError('a prefregex without <F-CONTENT> that not every match satisfies');
}

function contentOf(tree: Tree): Tree | null {
  let found: Tree | null = null;
  someNode(tree, (node) => {
    if (node.kind === 'group' && node.name === CONTENT) found ??= node.body;
    return false;
  });
  return found;
}

function replaceContent(tree: Tree, content: Tree): Tree {
  if (tree.kind === 'group' && tree.name === CONTENT) return content;
  return mapChildren(tree, (child) => replaceContent(child, content));
}

/** Addresses are still looked for, but are not those of the offender. */
function withoutAddress(tree: Tree): Tree {
  if (tree.kind === 'address') return keepGroups(addressText(tree.families, true, true), () => false);
  return mapChildren(tree, withoutAddress);
}

function complete(search: Tree): Tree {
  const { anchored, free } = splitStart(expandAddresses(search, EVERYTHING, EVERYTHING));
  const ways = [...optionsOf(anchored), ...optionsOf(free).map((way) => sequence([ANYTHING, way]))];
  const parts = ways.flatMap((way) => (isNothing(way) ? [] : optionsOf(inOneLine(untilEnd(way)))));
  const whole = prune(parts).reduce(either, NOTHING);
  if (isNothing(whole)) throw new ExpressionError('it is dead: no single line can match it');
  return whole;
}

/** What a line may be in which a search from its beginning finds something. fail2ban adds a line feed to the line. */
function untilEnd(way: Tree): Tree {
  const items = itemsOf(way);
  const last = items.at(-1);
  if (last?.kind !== 'end' || last.strict)
    return withoutLineFeed(removeAssertions(sequence([way, ANYTHING])));
  const found = removeAssertions(sequence(items.slice(0, -1)));
  return choice(prune([found, withoutLineFeed(found)]));
}

function optionsOf(tree: Tree): readonly Tree[] {
  return tree.kind === 'choice' ? tree.options : [tree];
}

/** The texts without a line feed in them: a line has none. */
function inOneLine(tree: Tree): Tree {
  return tree.kind === 'set' ? setOf(subtract(tree.set, LINE_FEED)) : mapChildren(tree, inOneLine);
}

/** From this number of possible neighbours on, an address is taken to stand beside free text. */
const FREE_NEIGHBOURS = 60;

/**
 * Writes out what an address is, given the characters that may stand before and after it. Beside free text it must be
 * a whole word: of 203.0.113.77 the beginning is an address too, but another one.
 */
function expandAddresses(tree: Tree, before: CharacterSet, after: CharacterSet): Tree {
  if (tree.kind === 'address') {
    return addressText(
      tree.families,
      countAscii(before) >= FREE_NEIGHBOURS,
      countAscii(after) >= FREE_NEIGHBOURS,
    );
  }
  if (tree.kind === 'repeat' && tree.max > 1) {
    return mapChildren(tree, (child) => expandAddresses(child, EVERYTHING, EVERYTHING));
  }
  if (tree.kind !== 'sequence') return mapChildren(tree, (child) => expandAddresses(child, before, after));
  return sequence(
    tree.items.map((item, index) => {
      const head = sequence(tree.items.slice(0, index));
      const known = isNullable(head) ? unite(lastSet(head), before) : lastSet(head);
      return expandAddresses(item, known, following(tree.items.slice(index + 1), after));
    }),
  );
}

/** What the items may begin with; nothing but a line feed comes after the end of the text. */
function following(items: readonly Tree[], after: CharacterSet): CharacterSet {
  const end = items.findIndex((item) => item.kind === 'end');
  const tail = sequence(items.slice(0, end < 0 ? undefined : end));
  if (!isNullable(tail)) return firstSet(tail);
  return unite(firstSet(tail), end < 0 ? after : LINE_FEED);
}

const IPV4 = parsePython(String.raw`\d\d?\d?\.\d\d?\d?\.\d\d?\d?\.\d\d?\d?`);
const GROUP = '[0-9A-Fa-f]{1,4}';
const IPV6 = parsePython(
  String.raw`(?:(?:${GROUP}:)+|:)(?:(?::(?:${GROUP}:)*)?(?:\d\d?\d?\.\d\d?\d?\.\d\d?\d?\.\d\d?\d?|${GROUP})|:)`,
);
const MORE_OF_NAME = parsePython(String.raw`\w|\.\w`);
const MORE_OF_IPV6 = parsePython(String.raw`\w|\.\w|:[0-9A-Fa-f:]`);

/** `after` and `before`: whether it stands beside free text. */
function addressText(families: readonly (4 | 6)[], before: boolean, after: boolean): Tree {
  if (!before && !after)
    return group('address', choice(families.map((family) => (family === 4 ? IPV4 : IPV6))));
  const options = families.map((family) => {
    const text = family === 4 ? IPV4 : IPV6;
    const more = family === 4 ? MORE_OF_NAME : MORE_OF_IPV6;
    const head: Tree = { kind: 'look', behind: true, negated: true, body: setOf(neighbours(family)) };
    const tail: Tree = { kind: 'look', behind: false, negated: true, body: more };
    return sequence([before ? head : EMPTY, group('address', text), after ? tail : EMPTY]);
  });
  return choice(options);
}

/** What an address would go on with to the left. */
function neighbours(family: 4 | 6): CharacterSet {
  return unite(family === 4 ? DIGITS : WORD, characterSet(46, 58));
}
