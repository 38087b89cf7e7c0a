/** Whether two expressions share a text: a rule that shares none with a form of message need not be tried on it. */
import { createCommonFinder } from './ambiguity.ts';
import type { Automaton } from './automaton.ts';

/** Pairs looked at before two expressions are taken to overlap; those of the shipped rules that do not need 200. */
const MAX_PAIRS = 2_000;

/** False when it was proved that no text matches both. */
export function mayOverlap(left: Automaton, right: Automaton): boolean {
  const findCommon = createCommonFinder();
  const seen = new Set<number>();
  const pairs: (readonly [number, number])[] = [[left.start, right.start]];
  for (const [first, second] of pairs) {
    if (pairs.length > MAX_PAIRS || (left.accepts[first] && right.accepts[second])) return true;
    for (const step of left.steps[first] ?? []) {
      for (const other of right.steps[second] ?? []) {
        const key = step.target * right.steps.length + other.target;
        if (seen.has(key) || findCommon(step.symbols, other.symbols) === '') continue;
        seen.add(key);
        pairs.push([step.target, other.target]);
      }
    }
  }
  return false;
}
