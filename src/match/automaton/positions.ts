/**
 * An expression as the places in it where a character is taken, and what may be taken after each (Glushkov's
 * construction). Other than the automaton of states it counts the ways from one place to the next: a matcher that
 * backtracks tries every one of them.
 */
import { type Expression, SYMBOL_COUNT, type SymbolSet } from '../expression/expression.ts';

/** Where a character is taken. */
export type Position = {
  readonly symbols: SymbolSet;
  /** Positions that may come next, with the number of ways to each, two standing for all that are more. */
  readonly follow: Map<number, number>;
  /** Whether the text may end behind it. */
  accepts: boolean;
  /** The innermost capture group around it, 0 for none. */
  readonly group: number;
  /** Where in the expression the innermost unlimited repetition around it stands, -1 for none. */
  readonly repeatOffset: number;
};

/** The first position takes nothing: it is where a text begins. */
export type Positions = readonly Position[];

export const START = 0;

/** What is known of a part: how it may begin and end, with the number of ways, and the ways to be empty. */
type Part = { readonly first: Ways; readonly last: Ways; readonly empty: number };

type Ways = ReadonlyMap<number, number>;

const MANY = 2;

export function buildPositions(body: Expression): Positions {
  const builder = new Builder();
  const { first, last, empty } = builder.part(body, 0, -1);
  const [start] = builder.positions;
  for (const [target, ways] of first) start?.follow.set(target, ways);
  if (start !== undefined) start.accepts = empty > 0;
  for (const position of last.keys()) {
    const end = builder.positions[position];
    if (end !== undefined) end.accepts = true;
  }
  return builder.positions;
}

/** Whether whatever follows the position is taken as well, to the end: who has come here does not turn back. */
export function takesAnything(positions: Positions, index: number): boolean {
  const position = positions[index];
  if (position === undefined || !position.accepts || position.follow.get(index) !== 1) return false;
  return position.follow.size === 1 && position.symbols.every((symbol) => symbol === 1);
}

const NOTHING: Part = { first: new Map(), last: new Map(), empty: 1 };

class Builder {
  readonly positions: Position[] = [];

  constructor() {
    this.#add(new Uint8Array(SYMBOL_COUNT), 0, -1);
  }

  part(node: Expression, group: number, repeatOffset: number): Part {
    switch (node.kind) {
      case 'set': {
        const ways = new Map([[this.#add(node.symbols, group, repeatOffset), 1]]);
        return { first: ways, last: ways, empty: 0 };
      }
      case 'sequence':
        return node.items.reduce(
          (before, item) => this.#join(before, this.part(item, group, repeatOffset)),
          NOTHING,
        );
      case 'choice': {
        const options = node.options.map((option) => this.part(option, group, repeatOffset));
        return {
          first: sum(options.map(({ first }) => first)),
          last: sum(options.map(({ last }) => last)),
          empty: few(options.reduce((ways, { empty }) => ways + empty, 0)),
        };
      }
      case 'group':
        return this.part(node.body, node.index, repeatOffset);
      case 'repeat':
        return this.#repeat(node, group, repeatOffset);
    }
  }

  #repeat(node: Expression & { kind: 'repeat' }, group: number, repeatOffset: number): Part {
    const isUnlimited = node.max === Number.POSITIVE_INFINITY;
    const copy = (): Part => this.part(node.body, group, isUnlimited ? node.offset : repeatOffset);
    let rest = NOTHING;
    if (isUnlimited) rest = this.#loop(copy());
    else {
      for (let count = node.min; count < node.max; count++) rest = optional(this.#join(copy(), rest));
    }
    if (isUnlimited && node.min === 0) rest = optional(rest);
    for (let count = isUnlimited ? 1 : 0; count < node.min; count++) rest = this.#join(copy(), rest);
    return rest;
  }

  #loop(body: Part): Part {
    this.#connect(body.last, body.first);
    return body;
  }

  #join(left: Part, right: Part): Part {
    this.#connect(left.last, right.first);
    return {
      first: sum([left.first, times(right.first, left.empty)]),
      last: sum([right.last, times(left.last, right.empty)]),
      empty: few(left.empty * right.empty),
    };
  }

  #connect(last: Ways, first: Ways): void {
    for (const [from, ways] of last) {
      const follow = this.positions[from]?.follow;
      for (const [target, more] of first) follow?.set(target, few((follow.get(target) ?? 0) + ways * more));
    }
  }

  #add(symbols: SymbolSet, group: number, repeatOffset: number): number {
    return this.positions.push({ symbols, follow: new Map(), accepts: false, group, repeatOffset }) - 1;
  }
}

function optional(part: Part): Part {
  return { ...part, empty: few(part.empty + 1) };
}

function sum(all: readonly Ways[]): Ways {
  const total = new Map<number, number>();
  for (const ways of all) {
    for (const [position, count] of ways) total.set(position, few((total.get(position) ?? 0) + count));
  }
  return total;
}

function times(ways: Ways, count: number): Ways {
  if (count === 1) return ways;
  return new Map(count === 0 ? [] : [...ways].map(([position, other]) => [position, few(other * count)]));
}

function few(ways: number): number {
  return Math.min(ways, MANY);
}
