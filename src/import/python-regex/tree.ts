/**
 * Expressions of Python as a tree, with the assertions, references and conditions that a rule cannot have. The
 * constructors keep trees small: nothing that cannot match, no empty parts, no alternative twice.
 */
import { spend } from './budget.ts';
import { type CharacterSet, characterSet, EVERYTHING, unite, writeSet } from './characters.ts';
import { ExpressionError } from './expression-error.ts';

export type Tree =
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'sequence'; readonly items: readonly Tree[] }
  | { readonly kind: 'choice'; readonly options: readonly Tree[] }
  | {
      readonly kind: 'repeat';
      readonly body: Tree;
      readonly min: number;
      readonly max: number;
      readonly lazy: boolean;
    }
  /** A named group. */
  | { readonly kind: 'group'; readonly name: string; readonly body: Tree }
  /** Where fail2ban looks for an address, without brackets. */
  | { readonly kind: 'address'; readonly families: readonly (4 | 6)[] }
  | { readonly kind: 'start' }
  /** `$`: at the end or before a final line feed; `strict`: at the very end, `\Z`. */
  | { readonly kind: 'end'; readonly strict: boolean }
  | { readonly kind: 'boundary'; readonly negated: boolean }
  | { readonly kind: 'look'; readonly behind: boolean; readonly negated: boolean; readonly body: Tree }
  | { readonly kind: 'reference'; readonly name: string }
  | { readonly kind: 'condition'; readonly name: string; readonly yes: Tree; readonly no: Tree };

export type Repeat = Tree & { kind: 'repeat' };

/** Matches the empty text. */
export const EMPTY: Tree = { kind: 'sequence', items: [] };
/** Matches nothing at all. */
export const NOTHING: Tree = { kind: 'choice', options: [] };
/** Any text. */
export const ANYTHING: Tree = repeat({ kind: 'set', set: EVERYTHING }, 0, Number.POSITIVE_INFINITY);
export function setOf(set: CharacterSet): Tree {
  return set.length === 0 ? NOTHING : { kind: 'set', set };
}

export function literal(text: string): Tree {
  return sequence([...Array(text.length).keys()].map((index) => setOf(characterSet(text.charCodeAt(index)))));
}

export function sequence(items: readonly Tree[]): Tree {
  const flat = items.flatMap((item) => (item.kind === 'sequence' ? item.items : [item]));
  spend(1 + flat.length);
  if (flat.some(isNothing)) return NOTHING;
  const [only] = flat;
  return flat.length === 1 && only !== undefined ? only : { kind: 'sequence', items: flat };
}

export function choice(options: readonly Tree[]): Tree {
  const flat = options.flatMap((option) => (option.kind === 'choice' ? option.options : [option]));
  spend(1 + flat.length);
  const byKey = new Map(flat.map((option) => [keyOf(option), option]));
  if (byKey.size === 2 && byKey.has('')) {
    const other = [...byKey.values()].find((option) => keyOf(option) !== '') ?? EMPTY;
    const isSame = isNullable(other) && !someNode(other, isAssertion);
    return isSame ? other : repeat(other, 0, 1, flat[0] !== undefined && keyOf(flat[0]) === '');
  }
  const unique = [...byKey.values()];
  const optional = unique.flatMap((option) => (isOptional(option) ? [option.body] : []));
  if (unique.length > 1 && optional.length === unique.length) return repeat(choice(optional), 0, 1);
  const [only] = unique;
  return unique.length === 1 && only !== undefined ? only : { kind: 'choice', options: unique };
}

/** Either of two, with what they have in common at both ends written once. */
export function either(left: Tree, right: Tree): Tree {
  if (left.kind === 'set' && right.kind === 'set') return setOf(unite(left.set, right.set));
  if (isNothing(left) || isNothing(right)) return isNothing(left) ? right : left;
  const [first, second] = [itemsOf(left), itemsOf(right)];
  const shorter = Math.min(first.length, second.length);
  let head = 0;
  while (head < shorter && areEqual(first[head], second[head])) head++;
  let tail = 0;
  while (tail < shorter - head && areEqual(first.at(-1 - tail), second.at(-1 - tail))) tail++;
  if (head + tail === 0) return choice([left, right]);
  const middle = (items: readonly Tree[]): Tree => sequence(items.slice(head, items.length - tail));
  const [one, other] = [middle(first), middle(second)];
  const joined = one.kind === 'set' && other.kind === 'set' ? either(one, other) : choice([one, other]);
  return sequence([...first.slice(0, head), joined, ...first.slice(first.length - tail)]);
}

export function itemsOf(tree: Tree): readonly Tree[] {
  return tree.kind === 'sequence' ? tree.items : [tree];
}

function areEqual(left: Tree | undefined, right: Tree | undefined): boolean {
  return left !== undefined && right !== undefined && keyOf(left) === keyOf(right);
}

export function repeat(body: Tree, min: number, max: number, lazy = false): Tree {
  if (max === 0 || (isNothing(body) && min === 0) || isEmpty(body)) return EMPTY;
  if (isNothing(body) || (min === 1 && max === 1)) return body;
  if (body.kind === 'repeat' && min === 0 && max === 1 && body.min <= 1) {
    return { ...body, min: 0 };
  }
  return { kind: 'repeat', body, min, max, lazy };
}

function isOptional(tree: Tree): tree is Repeat {
  return tree.kind === 'repeat' && tree.min === 0 && tree.max === 1 && !tree.lazy;
}

export function group(name: string, body: Tree): Tree {
  return isNothing(body) ? NOTHING : { kind: 'group', name, body };
}

export function isNothing(tree: Tree): boolean {
  return tree.kind === 'choice' && tree.options.length === 0;
}

export function isEmpty(tree: Tree): boolean {
  return tree.kind === 'sequence' && tree.items.length === 0;
}

function isAssertion({ kind }: Tree): boolean {
  return kind === 'look' || kind === 'boundary' || kind === 'start' || kind === 'end' || kind === 'condition';
}

/** Whether the tree can match the empty text; assertions count as if they held. */
export function isNullable(tree: Tree): boolean {
  switch (tree.kind) {
    case 'set':
    case 'address':
      return false;
    case 'sequence':
      return tree.items.every(isNullable);
    case 'choice':
      return tree.options.some(isNullable);
    case 'repeat':
      return tree.min === 0 || isNullable(tree.body);
    case 'group':
      return isNullable(tree.body);
    case 'condition':
      return isNullable(tree.yes) || isNullable(tree.no);
    default:
      return true;
  }
}

/** The trees directly below. */
export function childrenOf(tree: Tree): readonly Tree[] {
  switch (tree.kind) {
    case 'sequence':
      return tree.items;
    case 'choice':
      return tree.options;
    case 'repeat':
    case 'group':
    case 'look':
      return [tree.body];
    case 'condition':
      return [tree.yes, tree.no];
    default:
      return [];
  }
}

/** The same tree with each child replaced. */
export function mapChildren(tree: Tree, change: (child: Tree) => Tree): Tree {
  switch (tree.kind) {
    case 'sequence':
      return sequence(tree.items.map(change));
    case 'choice':
      return choice(tree.options.map(change));
    case 'repeat':
      return repeat(change(tree.body), tree.min, tree.max, tree.lazy);
    case 'group':
      return group(tree.name, change(tree.body));
    case 'look':
      return { ...tree, body: change(tree.body) };
    case 'condition':
      return { ...tree, yes: change(tree.yes), no: change(tree.no) };
    default:
      return tree;
  }
}

/** Whether `test` holds somewhere in the tree. */
export function someNode(tree: Tree, test: (node: Tree) => boolean): boolean {
  spend(1);
  return test(tree) || childrenOf(tree).some((child) => someNode(child, test));
}

export function hasGroup(tree: Tree, name: string): boolean {
  return someNode(tree, (node) => node.kind === 'group' && node.name === name);
}

/** Opens the groups that are not wanted. */
export function keepGroups(tree: Tree, isWanted: (name: string) => boolean): Tree {
  const kept = mapChildren(tree, (child) => keepGroups(child, isWanted));
  return kept.kind === 'group' && !isWanted(kept.name) ? kept.body : kept;
}

/** Characters of one expression; combining assertions could make it grow without end. */
const MAX_KEY_LENGTH = 400_000;

const keys = new WeakMap<Tree, string>();

/**
 * Text that is equal for equal trees, '' for the empty one; for trees without assertions it is their expression. Throws
 * ExpressionError when it is too long.
 */
export function keyOf(tree: Tree): string {
  let key = keys.get(tree);
  if (key === undefined) {
    key = write(tree);
    spend(1 + key.length);
    if (key.length > MAX_KEY_LENGTH) throw new ExpressionError('the expression becomes too large');
    keys.set(tree, key);
  }
  return key;
}

function write(tree: Tree): string {
  switch (tree.kind) {
    case 'set':
      return writeSet(tree.set);
    case 'sequence':
      return tree.items.map(keyOf).join('');
    case 'choice':
      return `(?:${tree.options.map(keyOf).join('|')})`;
    case 'repeat':
      return `${writeAtom(tree.body)}${writeCounts(tree)}${tree.lazy ? '?' : ''}`;
    case 'group':
      return `(?<${tree.name}>${keyOf(tree.body).replace(/^\(\?:(.*)\)$/s, (text, inner: string) => (isOneGroup(inner) ? inner : text))})`;
    case 'look':
      return `(?${tree.behind ? '<' : ''}${tree.negated ? '!' : '='}${keyOf(tree.body)})`;
    case 'condition':
      return `(?(${tree.name})${keyOf(tree.yes)}|${keyOf(tree.no)})`;
    case 'address':
      return `<${tree.families.join()}>`;
    default:
      return JSON.stringify(tree);
  }
}

/** Whether what was inside of one pair of parentheses is balanced by itself. */
function isOneGroup(inner: string): boolean {
  let depth = 0;
  for (const [token] of inner.matchAll(/\\.|\[(?:\\.|[^\]\\])*\]|[()]/gs)) {
    if (token === '(') depth++;
    if (token === ')' && --depth < 0) return false;
  }
  return depth === 0;
}

function writeAtom(body: Tree): string {
  const text = keyOf(body);
  return body.kind === 'set' || body.kind === 'choice' || body.kind === 'group' ? text : `(?:${text})`;
}

function writeCounts({ min, max }: Repeat): string {
  if (max === Number.POSITIVE_INFINITY) return min === 0 ? '*' : min === 1 ? '+' : `{${min},}`;
  if (min === 0 && max === 1) return '?';
  return min === max ? `{${min}}` : `{${min},${max}}`;
}
