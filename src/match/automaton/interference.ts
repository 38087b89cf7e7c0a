/**
 * The proof that no client keeps a failure from being counted. An `ignore` rule is tried before those of failures; so
 * of two lines that a service writes for one failure, and that differ only in what their clients have written, it must
 * take both or neither. Two such lines are walked through the failure's expression side by side: where the service
 * writes they take the same characters, where a client writes each takes what it likes. When they can end so that one
 * is ignored and the other is not, the two are shown.
 */
import { characterOf, type Expression, SYMBOL_COUNT, type SymbolSet } from '../expression/expression.ts';
import { alphabetOf, FREE_SYMBOLS, freedom } from '../expression/source.ts';
import { type Automaton, buildAutomaton } from './automaton.ts';

/** Two lines for one failure, of which the first is ignored. */
export type Interference = { readonly ignored: string; readonly counted: string };

/** Pairs of lines looked at before two rules are given up as too large. */
const MAX_PAIRS = 300_000;

/** Null when it was proved that there are none, 'unknown' when the rules are too large to tell. */
export function findInterference(failure: Expression, ignore: Expression): Interference | null | 'unknown' {
  const script = new Script();
  const end = script.add(failure, script.place());
  const characters = charactersOf(script, buildAutomaton(ignore, []));
  const verdicts = new Verdicts(buildAutomaton(ignore, []));
  const queue: Pair[] = [
    { place: 0, ignored: verdicts.start, counted: verdicts.start, before: null, taken: ['', ''] },
  ];
  const seen = new Set<string>();
  const visit = (pair: Pair): void => {
    const key = `${pair.place} ${pair.ignored} ${pair.counted}`;
    // A line that can no longer be ignored is none that we look for.
    if (pair.ignored === DEAD || seen.has(key)) return;
    seen.add(key);
    queue.push(pair);
  };
  for (let index = 0; index < queue.length; index++) {
    const pair = queue[index];
    if (pair === undefined || queue.length > MAX_PAIRS) return 'unknown';
    if (pair.place === end && verdicts.accepts(pair.ignored) && !verdicts.accepts(pair.counted))
      return describe(pair);
    for (const way of script.ways[pair.place] ?? []) follow(pair, way, characters, verdicts, visit);
  }
  return null;
}

/** How far two lines have come: a place in the failure's expression, and what the ignore rule makes of each. */
type Pair = {
  readonly place: number;
  readonly ignored: number;
  readonly counted: number;
  readonly before: Pair | null;
  readonly taken: readonly [string, string];
};

function follow(
  pair: Pair,
  { kind, symbols, target }: Way,
  characters: readonly number[],
  verdicts: Verdicts,
  visit: (pair: Pair) => void,
): void {
  if (kind === 'silent') visit({ ...pair, place: target, before: pair, taken: ['', ''] });
  for (const symbol of characters) {
    if (symbols[symbol] !== 1) continue;
    const ignored = verdicts.after(pair.ignored, symbol);
    const counted = verdicts.after(pair.counted, symbol);
    const text = characterOf(symbol);
    if (kind === 'same') visit({ place: target, ignored, counted, before: pair, taken: [text, text] });
    else if (kind === 'each') {
      for (const other of characters) {
        if (symbols[other] !== 1) continue;
        const next = verdicts.after(pair.counted, other);
        visit({ place: target, ignored, counted: next, before: pair, taken: [text, characterOf(other)] });
      }
    } else {
      visit({ place: target, ignored, counted: pair.counted, before: pair, taken: [text, ''] });
      visit({ place: target, ignored: pair.ignored, counted, before: pair, taken: ['', text] });
    }
  }
}

function describe(last: Pair): Interference {
  let [ignored, counted] = ['', ''];
  for (let pair: Pair | null = last; pair !== null; pair = pair.before) {
    ignored = pair.taken[0] + ignored;
    counted = pair.taken[1] + counted;
  }
  return { ignored, counted };
}

/** Shown rather than others, for people. */
const SHOWN = [...'x1a :.,-'].map((character) => character.charCodeAt(0));

/** One symbol of each kind that neither expression tells apart. */
function charactersOf({ ways }: Script, { steps }: Automaton): number[] {
  const sets = new Set([...ways.flat(), ...steps.flat()].map(({ symbols }) => symbols));
  const kinds = new Map<string, number>();
  const symbols = Array.from({ length: SYMBOL_COUNT }, (_, symbol) => symbol);
  for (const symbol of [...SHOWN, ...symbols.slice(32), ...symbols]) {
    const key = [...sets].map((set) => set[symbol]).join('');
    if (!kinds.has(key)) kinds.set(key, symbol);
  }
  return [...kinds.values()];
}

/**
 * From a place of the failure's expression on: with nothing, with one character of the service's, with one of a client's
 * in each line, or with one of a client's in either line.
 */
type Way = {
  readonly kind: 'silent' | 'same' | 'each' | 'free';
  readonly symbols: SymbolSet;
  readonly target: number;
};

const NO_SYMBOLS: SymbolSet = new Uint8Array(SYMBOL_COUNT);

/** What the service writes for a failure. Text of a client is one place, which takes whatever may be in it. */
class Script {
  readonly ways: Way[][] = [];

  place(): number {
    return this.ways.push([]) - 1;
  }

  /** Adds `node` after the place `from` and returns the place after it. */
  add(node: Expression, from: number): number {
    switch (node.kind) {
      case 'set':
        return this.#way('same', node.symbols, from, this.place());
      case 'sequence':
        return node.items.reduce((place, item) => this.add(item, place), from);
      case 'choice': {
        const end = this.place();
        for (const option of node.options) this.#silent(this.add(option, from), end);
        return end;
      }
      case 'group':
        return this.add(node.body, from);
      case 'repeat':
        return this.#repeat(node, from);
    }
  }

  #repeat({ body, min, max }: Expression & { kind: 'repeat' }, from: number): number {
    const end = this.place();
    let last = from;
    if (max === Number.POSITIVE_INFINITY && freedom(body) >= FREE_SYMBOLS) {
      const alphabet = alphabetOf(body);
      for (let count = 0; count < min; count++) last = this.#way('each', alphabet, last, this.place());
      const free = this.#silent(last, this.place());
      this.#way('free', alphabet, free, free);
      return this.#silent(free, end);
    }
    for (let count = 0; count < min; count++) last = this.add(body, last);
    if (max === Number.POSITIVE_INFINITY) {
      const loop = this.#silent(last, this.place());
      this.#silent(this.add(body, loop), loop);
      return this.#silent(loop, end);
    }
    for (let count = min; count < max; count++) {
      this.#silent(last, end);
      last = this.add(body, this.#silent(last, this.place()));
    }
    return this.#silent(last, end);
  }

  #silent(from: number, target: number): number {
    return this.#way('silent', NO_SYMBOLS, from, target);
  }

  #way(kind: Way['kind'], symbols: SymbolSet, from: number, target: number): number {
    this.ways[from]?.push({ kind, symbols, target });
    return target;
  }
}

/** Of a text that no text that goes on as it does can match. */
const DEAD = 0;

/** What an expression makes of a text, symbol by symbol: sets of the automaton's configurations, by number. */
class Verdicts {
  readonly #automaton: Automaton;
  readonly #sets: (readonly number[])[] = [[]];
  readonly #numbers = new Map<string, number>([['', DEAD]]);
  readonly #after = new Map<number, number>();
  readonly start: number;

  constructor(automaton: Automaton) {
    this.#automaton = automaton;
    this.start = this.#number([automaton.start]);
  }

  after(verdict: number, symbol: number): number {
    if (verdict === DEAD) return DEAD;
    const key = verdict * SYMBOL_COUNT + symbol;
    let next = this.#after.get(key);
    if (next === undefined) {
      const targets = (this.#sets[verdict] ?? []).flatMap((configuration) =>
        (this.#automaton.steps[configuration] ?? []).flatMap(({ symbols, target }) =>
          symbols[symbol] === 1 ? [target] : [],
        ),
      );
      next = this.#number(targets);
      this.#after.set(key, next);
    }
    return next;
  }

  accepts(verdict: number): boolean {
    return (this.#sets[verdict] ?? []).some((configuration) => this.#automaton.accepts[configuration]);
  }

  #number(configurations: readonly number[]): number {
    const set = [...new Set(configurations)].sort((left, right) => left - right);
    const key = set.join();
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.#sets.push(set) - 1);
    return this.#sets.length - 1;
  }
}
