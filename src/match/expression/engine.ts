/**
 * The regular expression engine, told to be safe. V8 matches by backtracking, which can take exponential time. It also
 * has a linear-time engine, and two flags that matter here: one makes any expression fall back to that engine when it
 * has backtracked too often, the other offers the flag `l`, which refuses an expression that the engine cannot run.
 * What passes `l` can therefore never take more than linear time. This module sets both flags before any rule is
 * compiled, and is the only place where rules become RegExp objects.
 */
import { setFlagsFromString } from 'node:v8';

/**
 * An honest line backtracks about as often as it has characters, so a few hundred times. With 1,000 the worst rule
 * tried takes 11 ms for a message of 64 KiB; with 50,000 it takes 775 ms (measured on Node 26.10).
 */
const BACKTRACKS_BEFORE_FALLBACK = 1_000;

setFlagsFromString('--enable-experimental-regexp-engine');
setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
setFlagsFromString(`--regexp-backtracks-before-fallback=${BACKTRACKS_BEFORE_FALLBACK}`);

/**
 * Compiles an expression that isLinear has passed: `.` matches line breaks too, `^` and `$` are the ends of the text.
 * With `positions` its results carry `indices`, at about twice the price of a hit.
 */
export function compileExpression(source: string, positions = false): RegExp {
  return new RegExp(source, positions ? 'ds' : 's');
}

/** Whether V8 can run the expression in linear time; false as well for one that is no expression at all. */
export function isLinear(source: string): boolean {
  try {
    new RegExp(source, 'ls');
    return true;
  } catch {
    return false;
  }
}
