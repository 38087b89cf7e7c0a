/** The last step: from a tree without assertions to the expressions of rules, within the limits that rules have. */
import { MAX_PATTERN_LENGTH } from '../../config/filters/keys.ts';
import { LINE_FEED, unite } from './characters.ts';
import { ExpressionError } from './expression-error.ts';
import {
  choice,
  EMPTY,
  group,
  hasGroup,
  isNullable,
  keepGroups,
  keyOf,
  mapChildren,
  NOTHING,
  repeat,
  sequence,
  setOf,
  type Tree,
} from './tree.ts';

/** V8's linear engine takes no counted repetition of more, also when one is inside of another. */
const MAX_COUNT = 16;
/** A repetition that is bounded higher is taken to have no bound. */
const MAX_WRITTEN_OUT = 64;

/**
 * The expressions `^...$` of a tree, each for a rule of its own. Throws ExpressionError when they cannot be cut to a
 * length that is allowed.
 */
export function writeRules(tree: Tree): string[] {
  return cut(withLineFeeds(settleCounts(nameUsers(tree), MAX_COUNT))).map(asWhole);
}

/** Sets take in the line feed where they are shorter with it: a message with one in it is still one message. */
function withLineFeeds(tree: Tree): Tree {
  if (tree.kind !== 'set') return mapChildren(tree, withLineFeeds);
  const wider = setOf(unite(tree.set, LINE_FEED));
  return lengthOf(wider) < lengthOf(tree) ? wider : tree;
}

function asWhole(tree: Tree): string {
  return `^${keyOf(tree)}$`;
}

/** Divides an expression that is too long at its longest alternatives. */
function cut(tree: Tree): Tree[] {
  if (asWhole(tree).length <= MAX_PATTERN_LENGTH) return [tree];
  const longest = longestChoice(tree);
  if (longest === null)
    throw new ExpressionError(`the expression is longer than ${MAX_PATTERN_LENGTH} characters`);
  const middle = halfLength(longest.options);
  const halves = [longest.options.slice(0, middle), longest.options.slice(middle)];
  return halves.flatMap((options) => cut(replaceNode(tree, longest, choice(options))));
}

/** Outside of repetitions: there the alternatives of one round are not those of the next. */
function longestChoice(tree: Tree): (Tree & { kind: 'choice' }) | null {
  if (tree.kind === 'repeat' && tree.max > 1) return null;
  const inside = (tree.kind === 'choice' ? tree.options : tree.kind === 'sequence' ? tree.items : []).map(
    longestChoice,
  );
  if (tree.kind === 'group') inside.push(longestChoice(tree.body));
  if (tree.kind === 'repeat') inside.push(longestChoice(tree.body));
  if (tree.kind === 'choice') inside.push(tree);
  return inside.reduce(
    (best, one) => (one !== null && (best === null || lengthOf(one) > lengthOf(best)) ? one : best),
    null,
  );
}

function lengthOf(tree: Tree): number {
  return keyOf(tree).length;
}

function halfLength(options: readonly Tree[]): number {
  const total = options.reduce((sum, option) => sum + lengthOf(option), 0);
  let sum = 0;
  const index = options.findIndex((option) => {
    sum += lengthOf(option);
    return sum * 2 >= total;
  });
  return Math.min(options.length - 1, Math.max(1, index));
}

function replaceNode(tree: Tree, node: Tree, replacement: Tree): Tree {
  return tree === node ? replacement : mapChildren(tree, (child) => replaceNode(child, node, replacement));
}

/** The same with no bound where it is so high that it hardly matters; writing it out would be long. */
export function dropHighBounds(tree: Tree): Tree {
  const dropped = mapChildren(tree, dropHighBounds);
  const isHigh = dropped.kind === 'repeat' && dropped.max > MAX_WRITTEN_OUT;
  return isHigh ? { ...dropped, max: Number.POSITIVE_INFINITY } : dropped;
}

/** Writes counted repetitions out that are too high for `budget`. */
function settleCounts(tree: Tree, budget: number): Tree {
  if (tree.kind !== 'repeat') return mapChildren(tree, (child) => settleCounts(child, budget));
  const { min, max, lazy } = tree;
  const isOpen = max === Number.POSITIVE_INFINITY;
  const count = isOpen ? min : max;
  if (count <= 1) return repeat(settleCounts(tree.body, budget), min, max, lazy);
  if (count <= budget) return repeat(settleCounts(tree.body, Math.floor(budget / count)), min, max, lazy);
  if (min > MAX_WRITTEN_OUT) throw new ExpressionError(`a repetition of at least ${min}`);
  const body = settleCounts(tree.body, budget);
  const rest = isOpen ? [repeat(body, 0, max, lazy)] : Array<Tree>(max - min).fill(repeat(body, 0, 1, lazy));
  return sequence([...Array<Tree>(min).fill(body), ...rest]);
}

/**
 * One name for the user's groups: fail2ban takes `user`, and where that is empty one of `alt_user`. A rule takes the
 * first that took part, so an empty one must not.
 */
function nameUsers(tree: Tree): Tree {
  const isUser = (name: string): boolean => name === 'user' || name.startsWith('alt_user');
  const wanted = keepGroups(tree, (name) => name === 'address' || name === 'session' || isUser(name));
  const hasAlternative = JSON.stringify(groupNames(wanted)).includes('alt_user');
  if (!hasAlternative) return wanted;
  const rename = (node: Tree): Tree => {
    if (node.kind === 'group' && isUser(node.name)) {
      const some = group('user', nonEmpty(node.body));
      return isNullable(node.body) ? choice([some, EMPTY]) : some;
    }
    if (node.kind === 'sequence') return sequence(withoutEarlier(node.items).map(rename));
    return mapChildren(node, rename);
  };
  return rename(wanted);
}

/** Alternative names that stand before the name itself are not looked at. */
function withoutEarlier(items: readonly Tree[]): readonly Tree[] {
  const last = items.findLastIndex((item) => hasGroup(item, 'user'));
  return items.map((item, index) =>
    index < last ? keepGroups(item, (name) => !name.startsWith('alt_user')) : item,
  );
}

function groupNames(tree: Tree): string[] {
  if (tree.kind === 'group') return [tree.name, ...groupNames(tree.body)];
  if (tree.kind === 'sequence') return tree.items.flatMap(groupNames);
  if (tree.kind === 'choice') return tree.options.flatMap(groupNames);
  return tree.kind === 'repeat' ? groupNames(tree.body) : [];
}

/** The matches that are not empty. */
function nonEmpty(tree: Tree): Tree {
  if (!isNullable(tree)) return tree;
  switch (tree.kind) {
    case 'choice':
      return choice(tree.options.map(nonEmpty));
    case 'repeat':
      return repeat(nonEmpty(tree.body), Math.max(1, tree.min), tree.max, tree.lazy);
    case 'group':
      return group(tree.name, nonEmpty(tree.body));
    case 'sequence':
      return choice(
        tree.items.map((item, index) => sequence([nonEmpty(item), ...tree.items.slice(index + 1)])),
      );
    default:
      return NOTHING;
  }
}
