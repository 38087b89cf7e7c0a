/** Loops: all ways that lead from one state to others, as one expression (Kleene's construction). */
import { EMPTY, either, NOTHING, repeat, sequence, type Tree } from './tree.ts';

/**
 * All ways from one state to any of some others over `ways[from][to]`, with the states between them taken out one by
 * one.
 */
export function waysBetween(
  ways: readonly (readonly Tree[])[],
  from: number,
  targets: readonly number[],
): Tree {
  const count = ways.length;
  const [begin, end] = [count, count + 1];
  const table = new Map<number, Map<number, Tree>>();
  const add = (source: number, target: number, tree: Tree): void => {
    const row = table.get(source) ?? new Map<number, Tree>();
    const before = row.get(target);
    row.set(target, before === undefined ? tree : either(before, tree));
    table.set(source, row);
  };
  for (const [source, row] of ways.entries())
    for (const [target, tree] of row.entries()) if (tree !== undefined) add(source, target, tree);
  add(begin, from, EMPTY);
  for (const target of targets) add(target, end, EMPTY);
  const others = [...Array(count).keys()].filter((state) => state !== from);
  const states = [...others.sort((left, right) => fanOf(table, left) - fanOf(table, right)), from];
  for (const state of states) {
    const row = table.get(state) ?? new Map<number, Tree>();
    const loop = row.get(state);
    const around = loop === undefined ? EMPTY : repeat(loop, 0, Number.POSITIVE_INFINITY);
    for (const [source, targets] of [...table]) {
      const head = targets.get(state);
      if (source === state || head === undefined) continue;
      targets.delete(state);
      for (const [target, tail] of row) {
        if (target !== state) add(source, target, sequence([head, around, tail]));
      }
    }
    table.delete(state);
  }
  return table.get(begin)?.get(end) ?? NOTHING;
}

/** How many ways lead through a state. */
function fanOf(table: ReadonlyMap<number, ReadonlyMap<number, Tree>>, state: number): number {
  const incoming = [...table.values()].filter((row) => row.has(state)).length;
  return incoming * (table.get(state)?.size ?? 0);
}
