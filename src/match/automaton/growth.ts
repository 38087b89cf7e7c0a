/**
 * The proof that a rule takes time linear in the line. A matcher that backtracks tries, at worst, every way to read
 * every beginning of a text. All texts are followed at once, each with the number of ways to read it: when no text has
 * more than MAX_READINGS, a line costs at most so many steps for each of its characters, whatever it consists of. When
 * a text has more, the number goes on growing with the text, and the time with its square.
 */
import { characterOf, type Expression, SYMBOL_COUNT } from '../expression/expression.ts';
import { buildPositions, type Positions, START, takesAnything } from './positions.ts';

/** A beginning of lines that can be read in too many ways, and the part of the expression that most of them are in. */
export type Growth = {
  readonly text: string;
  /** A capture group around that part, 0 for none. */
  readonly group: number;
  /** Where in the expression the repetition stands, -1 for none. */
  readonly offset: number;
};

/** Ways to read one beginning. The shipped rules have up to 24. */
export const MAX_READINGS = 64;

/** Sets of readings looked at before a rule is given up as too large to prove. */
const MAX_STATES = 20_000;

/** Null when it was proved that time grows with the line only; 'unknown' when the rule is too large to tell. */
export function findGrowth(body: Expression): Growth | null | 'unknown' {
  const positions = buildPositions(body);
  const moves = movesOf(positions);
  const start: State = { readings: new Map([[START, 1]]), total: 1, before: null, character: '' };
  // Those with the most readings first: where the number grows, it is found soon.
  const waiting: State[][] = [[], [start]];
  const seen = new Set<string>();
  for (let total = 1; total > 0; ) {
    const state = waiting[total]?.pop();
    if (state === undefined) {
      total--;
      continue;
    }
    for (const move of moves) {
      const next = step(positions, state, move);
      if (next.total > MAX_READINGS) return describe(positions, next);
      if (next.total === 0) continue;
      const key = [...next.readings]
        .map(([position, ways]) => `${position}:${ways}`)
        .sort()
        .join();
      if (seen.has(key)) continue;
      if (seen.size >= MAX_STATES) return 'unknown';
      seen.add(key);
      const others = waiting[next.total] ?? [];
      others.push(next);
      waiting[next.total] = others;
      total = Math.max(total, next.total);
    }
  }
  return null;
}

/** The readings of one text: by the position of its last character, the number of ways there. */
type State = {
  readonly readings: ReadonlyMap<number, number>;
  readonly total: number;
  readonly before: State | null;
  readonly character: string;
};

/** A kind of characters that no position tells apart: the position that take them, and one to show. */
type Move = { readonly takes: readonly boolean[]; readonly character: string };

/** Shown rather than others, for people. */
const SHOWN = [...'ax1 :.-'].map((character) => character.charCodeAt(0));

function movesOf(positions: Positions): Move[] {
  const ends = positions.map((_, index) => takesAnything(positions, index));
  const moves = new Map<string, Move>();
  const symbols = Array.from({ length: SYMBOL_COUNT }, (_, symbol) => symbol);
  for (const symbol of [...SHOWN, ...symbols.slice(32), ...symbols]) {
    const takes = positions.map((position, index) => position.symbols[symbol] === 1 && !ends[index]);
    const key = takes.map(Number).join('');
    if (!moves.has(key)) moves.set(key, { takes, character: characterOf(symbol) });
  }
  return [...moves.values()];
}

function step(positions: Positions, state: State, { takes, character }: Move): State {
  const readings = new Map<number, number>();
  let total = 0;
  for (const [index, ways] of state.readings) {
    for (const [target, more] of positions[index]?.follow ?? []) {
      if (takes[target] !== true) continue;
      readings.set(target, (readings.get(target) ?? 0) + ways * more);
      total += ways * more;
    }
  }
  return { readings, total, before: state, character };
}

function describe(positions: Positions, last: State): Growth {
  let text = '';
  for (let state: State | null = last; state !== null; state = state.before) text = state.character + text;
  const [[index] = [START]] = [...last.readings].sort(([, left], [, right]) => right - left);
  const { group = 0, repeatOffset: offset = -1 } = positions[index] ?? {};
  return { text, group, offset };
}
