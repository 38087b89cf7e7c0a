/**
 * One failregex by what a match of it means. In a filter that keeps the lines of a connection together a match may be
 * no failure yet, or a success; and an expression for several lines becomes one for each of them, told apart from those
 * of other connections by what they have in common.
 */
import type { RuleKind } from '../../core/failure.ts';
import type { PlacedLine } from '../fail2ban/ini.ts';
import type { Remarks } from '../fail2ban/remark.ts';
import { resolveGroups, splitByGroup } from './backreferences.ts';
import { complement, intersect, onlyCharacter, SPACE } from './characters.ts';
import { dropHighBounds } from './emit.ts';
import { ExpressionError } from './expression-error.ts';
import { parsePython } from './parse.ts';
import {
  childrenOf,
  group,
  hasGroup,
  isNothing,
  keepGroups,
  keyOf,
  mapChildren,
  sequence,
  someNode,
  type Tree,
} from './tree.ts';

export type Part = {
  readonly kind: RuleKind;
  readonly tree: Tree;
  /** A line that another part of the same expression asks for before it, and the one that asks. */
  readonly role: 'first' | 'last' | null;
};

/** Where fail2ban lets other lines pass. */
const SKIP = '<SKIPLINES>';

/** The parts of an expression in the order in which they are tried. Throws ExpressionError. */
export function readParts(line: PlacedLine, hasSessions: boolean, remarks: Remarks): Part[] {
  const texts = line.text.split(SKIP);
  const [first, last] = texts;
  if (first !== undefined && last !== undefined) {
    if (texts.length > 2) throw new ExpressionError('it spans more than two lines');
    return readTwoLines(first, last, line, remarks);
  }
  const tree = readTree(line.text, line, remarks);
  return hasSessions ? splitByMeaning(tree) : [{ kind: 'failure', tree, role: null }];
}

/** An expression without conditions and references, with remarks on what was changed. Throws ExpressionError. */
export function readTree(text: string, line: PlacedLine, remarks: Remarks): Tree {
  const written = parsePython(text);
  const parsed = dropHighBounds(written);
  if (keyOf(parsed) !== keyOf(written)) {
    remarks.changed(line.place, 'the upper bound of a long repetition is dropped');
  }
  const { tree, loosened } = resolveGroups(oneLine(parsed, line, remarks));
  for (const name of loosened) {
    remarks.changed(line.place, `(?P=${name}) is only checked for its shape, not to be the same text again`);
  }
  return tree;
}

/** `<F-MLFGAINED>` and `<F-NOFAIL>` mark the ways of matching that are no failures. */
function splitByMeaning(tree: Tree): Part[] {
  const parts: Part[] = [];
  let rest = tree;
  for (const [mark, kind] of [
    ['mlfgained', 'success'],
    ['nofail', 'note'],
  ] as const) {
    if (!hasGroup(rest, mark)) continue;
    const { taken, left } = splitByGroup(rest, mark);
    parts.push({ kind, tree: taken, role: null });
    rest = left;
  }
  return isNothing(rest) ? parts : [...parts, { kind: 'failure', tree: rest, role: null }];
}

/** What both lines have in common is their session; the second is the failure. */
function readTwoLines(first: string, last: string, line: PlacedLine, remarks: Remarks): Part[] {
  const [head, tail] = [parsePython(first), parsePython(`^${last}`)];
  const names = referencesIn(tail);
  const shared = names.find((name) => isWord(bodyOf(head, name)));
  if (shared === undefined) {
    throw new ExpressionError(
      'it spans several lines that have nothing in common by which to tell connections apart',
    );
  }
  const resolve = (tree: Tree): Tree => {
    if (tree.kind === 'reference') return named(tree.name, bodyOf(head, tree.name));
    return tree.kind === 'group' ? named(tree.name, resolve(tree.body)) : mapChildren(tree, resolve);
  };
  const named = (name: string, body: Tree | null): Tree => {
    if (body === null) throw new ExpressionError(`(?P=${name}) refers to nothing`);
    return name === shared
      ? group(
          'session',
          keepGroups(body, () => false),
        )
      : group(name, body);
  };
  remarks.changed(line.place, 'its lines are matched one by one, as those of one session');
  return [
    { kind: 'note', tree: sequence([resolve(head), { kind: 'end', strict: false }]), role: 'first' },
    { kind: 'failure', tree: resolve(tail), role: 'last' },
  ];
}

function referencesIn(tree: Tree): string[] {
  const own = tree.kind === 'reference' ? [tree.name] : [];
  return [...new Set([...own, ...childrenOf(tree).flatMap(referencesIn)])];
}

function bodyOf(tree: Tree, name: string): Tree | null {
  if (tree.kind === 'group' && tree.name === name) return tree.body;
  for (const child of childrenOf(tree)) {
    const body = bodyOf(child, name);
    if (body !== null) return body;
  }
  return null;
}

/** Whether a group holds one word: a number or a name by which a service counts its connections. */
function isWord(body: Tree | null): boolean {
  const hasSpace = (node: Tree): boolean => node.kind === 'set' && intersect(node.set, SPACE).length > 0;
  return body !== null && !someNode(body, hasSpace) && keyOf(body) !== '';
}

/** Drops a first line that may be any: what follows it is the record. */
function oneLine(tree: Tree, { place }: PlacedLine, remarks: Remarks): Tree {
  if (tree.kind !== 'sequence') return tree;
  const [start, any, feed, ...rest] = tree.items;
  const isAny =
    any?.kind === 'repeat' &&
    any.min === 0 &&
    any.body.kind === 'set' &&
    onlyCharacter(complement(any.body.set)) === '\n';
  const isFeed = feed?.kind === 'set' && onlyCharacter(feed.set) === '\n';
  if (start?.kind !== 'start' || !isAny || !isFeed) return tree;
  remarks.changed(place, 'the line before, which may be any, is not asked for');
  return sequence([start, ...rest]);
}
