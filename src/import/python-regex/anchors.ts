/** Where a search may begin: at the beginning of the text only, or anywhere. */
import { ExpressionError } from './expression-error.ts';
import {
  choice,
  EMPTY,
  group,
  isNothing,
  isNullable,
  NOTHING,
  repeat,
  sequence,
  someNode,
  type Tree,
} from './tree.ts';

/** Splits a search into what must begin where the text begins and what may begin anywhere; neither has a `start`. */
export function splitStart(tree: Tree): { readonly anchored: Tree; readonly free: Tree } {
  if (!someNode(tree, (node) => node.kind === 'start')) return { anchored: NOTHING, free: tree };
  switch (tree.kind) {
    case 'start':
      return { anchored: EMPTY, free: NOTHING };
    case 'group': {
      const { anchored, free } = splitStart(tree.body);
      return { anchored: group(tree.name, anchored), free: group(tree.name, free) };
    }
    case 'choice': {
      const parts = tree.options.map(splitStart);
      return {
        anchored: choice(parts.map((part) => part.anchored)),
        free: choice(parts.map((part) => part.free)),
      };
    }
    case 'repeat': {
      if (tree.max > 1) break;
      const { anchored, free } = splitStart(tree.body);
      return { anchored, free: tree.min === 0 ? repeat(free, 0, 1, tree.lazy) : free };
    }
    case 'sequence':
      return splitSequence(tree.items);
  }
  throw new ExpressionError('^ stands where a text cannot be known to begin');
}

function splitSequence(items: readonly Tree[]): { readonly anchored: Tree; readonly free: Tree } {
  const index = items.findIndex((item) => someNode(item, (node) => node.kind === 'start'));
  const before = items.slice(0, index);
  const isRepeated = (item: Tree, position: number): boolean =>
    item.kind === 'start' && items.slice(index, position).every((one) => one.kind === 'start');
  const after = items.slice(index + 1).filter((item, offset) => !isRepeated(item, index + 1 + offset));
  const rest = after.map((item) => {
    const { anchored, free } = splitStart(item);
    if (!isNothing(anchored)) throw new ExpressionError('^ stands after other text');
    return free;
  });
  const { anchored, free } = splitStart(items[index] ?? EMPTY);
  const widthless = before.filter((item) => item.kind === 'look' || item.kind === 'boundary');
  return {
    anchored: before.every(isNullable) ? sequence([...widthless, anchored, ...rest]) : NOTHING,
    free: sequence([...before, free, ...rest]),
  };
}
