/**
 * The regular expression engine, told to be safe. V8 matches by backtracking, which can take exponential time. It also
 * has a linear-time engine, and two flags that matter here: one makes any expression fall back to that engine when it
 * has backtracked too often, the other offers the flag `l`, which refuses an expression that the engine cannot run.
 * V8 counts one step back where a repetition gives up all that it had taken, so what falls back may have read the text
 * a thousand times before; and the linear engine takes up to 0.8 µs a character. So a long text is read without a limit
 * where the expression is proved to be linear (`automaton/growth.ts`), and else by the linear engine from the start.
 * This module sets both flags before any rule is compiled, and is the only place where rules become RegExp objects.
 */
import { setFlagsFromString } from 'node:v8';

/**
 * An honest line backtracks about as often as it has characters, so a few hundred times. With 1,000 the worst rule
 * tried takes 11 ms for a message of 64 KiB; with 50,000 it takes 775 ms (measured on Node 26.10).
 */
const BACKTRACKS_BEFORE_FALLBACK = 1_000;

/** Of an expression that is proved to be linear: none. */
const UNLIMITED_BACKTRACKS = 1_000_000_000;

/** Up to here a limited number of steps back costs no more than what a longer text would. */
const MAX_SHORT_TEXT = 512;

setFlagsFromString('--enable-experimental-regexp-engine');
setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
limitBacktracks(BACKTRACKS_BEFORE_FALLBACK);

function limitBacktracks(count: number): void {
  setFlagsFromString(`--regexp-backtracks-before-fallback=${count}`);
}

/** An expression that isLinear has passed: `.` matches line breaks too, `^` and `$` are the ends of the text. */
export class LineExpression {
  readonly #source: string;
  readonly #flags: string;
  readonly #isProved: () => boolean;
  readonly #hasPositions: boolean;
  readonly #short: RegExp;
  #proved: RegExp | undefined;
  #linear: RegExp | undefined;

  /**
   * `isProved` tells whether it is proved to be linear; it is asked for the first long text. With `positions` results
   * carry `indices`, at about twice the price of a hit; the linear engine has none, so an expression that is not proved
   * may take any time then.
   */
  constructor(source: string, isProved: () => boolean, positions = false) {
    this.#source = source;
    this.#flags = positions ? 'ds' : 's';
    this.#isProved = isProved;
    this.#hasPositions = positions;
    this.#short = new RegExp(source, this.#flags);
  }

  exec(text: string): RegExpExecArray | null {
    if (text.length <= MAX_SHORT_TEXT) return this.#short.exec(text);
    if (this.#isProved()) return this.#execProved(text);
    if (this.#hasPositions) return this.#short.exec(text);
    this.#linear ??= new RegExp(this.#source, `l${this.#flags}`);
    return this.#linear.exec(text);
  }

  /**
   * V8 takes the limit of the moment in which it compiles, which is some time before it executes, and shares what it
   * compiled between expressions of one source: hence the empty group. Setting the flag takes 0.4 µs.
   */
  #execProved(text: string): RegExpExecArray | null {
    this.#proved ??= new RegExp(`(?:)${this.#source}`, this.#flags);
    limitBacktracks(UNLIMITED_BACKTRACKS);
    try {
      return this.#proved.exec(text);
    } finally {
      limitBacktracks(BACKTRACKS_BEFORE_FALLBACK);
    }
  }
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
