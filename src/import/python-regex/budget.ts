/**
 * What translating expressions may cost, counted in steps of the work and not by a clock, so that the same expression
 * comes to the same end on every machine. One step is about one character of an expression that is written out, or one
 * move of an automaton; memory grows with them too.
 */

import { ExpressionError } from './expression-error.ts';

/** What is left for the work that runs now. Translating is synchronous: nothing else runs in between. */
let left = Number.POSITIVE_INFINITY;

/** Does the work with so many steps, or with those that are left of the work around it. Throws ExpressionError. */
export function withBudget<Result>(steps: number, work: () => Result): Result {
  const around = left;
  const given = Math.min(steps, around);
  left = given;
  try {
    return work();
  } finally {
    left = around - (given - left);
  }
}

/** Counts steps. Throws ExpressionError when there are no more. */
export function spend(steps: number): void {
  left -= steps;
  if (left < 0) throw new ExpressionError('too large to be proved');
}
