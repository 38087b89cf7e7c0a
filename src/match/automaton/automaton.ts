/**
 * An expression as an automaton whose states also know whether they are before, inside or after the address. Proofs
 * about a rule walk it, and so does the explanation of why a line does not match; matching itself does not.
 */
import { type Expression, type SymbolSet, symbolOf } from '../expression/expression.ts';

/** Before, inside and after the address. */
export type Phase = 0 | 1 | 2;

export type Step = { readonly symbols: SymbolSet; readonly target: number; readonly phase: Phase };

export type Automaton = {
  /** By configuration (state and phase): the characters that it can take next. */
  readonly steps: readonly (readonly Step[])[];
  /** By configuration: whether the text may end here. */
  readonly accepts: readonly boolean[];
  readonly start: number;
};

/** Builds the automaton of `body`; `addressGroups` are the capture groups that hold an address. */
export function buildAutomaton(body: Expression, addressGroups: readonly number[]): Automaton {
  const builder = new Builder(new Set(addressGroups));
  const start = builder.state();
  const end = builder.add(body, start);
  const steps: Step[][] = [];
  const accepts: boolean[] = [];
  for (let state = 0; state < builder.silent.length; state++) {
    for (const phase of [0, 1, 2] as const) {
      const reached = closure(builder, state, phase);
      accepts.push(reached.has(end * 3) || reached.has(end * 3 + 1) || reached.has(end * 3 + 2));
      steps.push(
        [...reached].flatMap((configuration) => {
          const at = (configuration % 3) as Phase;
          const taking = builder.taking[Math.floor(configuration / 3)] ?? [];
          return taking.map(({ symbols, target }) => ({ symbols, target: target * 3 + at, phase: at }));
        }),
      );
    }
  }
  return { steps, accepts, start: start * 3 };
}

/**
 * Where a text that does not match goes wrong: how many of its characters took the automaton as far as it ever got.
 * The next one cannot stand there; when there is none, the text is too short. Free text could take in all the rest,
 * so what counts is the progress through the expression. Time grows with text times states.
 */
export function differingOffset(automaton: Automaton, text: string): number {
  const depths = depthsOf(automaton);
  let current: ReadonlySet<number> = new Set([automaton.start]);
  let farthest = 0;
  let offset = 0;
  for (let index = 0; index < text.length && current.size > 0; index++) {
    const symbol = symbolOf(text, index);
    const next = new Set<number>();
    for (const configuration of current) {
      for (const step of automaton.steps[configuration] ?? []) {
        if (step.symbols[symbol] !== 1) continue;
        next.add(step.target);
        const depth = depths.get(step.target) ?? 0;
        if (depth < farthest) continue;
        farthest = depth;
        offset = index + 1;
      }
    }
    current = next;
  }
  return offset;
}

/** How many characters it takes at least to reach each configuration. */
function depthsOf(automaton: Automaton): ReadonlyMap<number, number> {
  const depths = new Map([[automaton.start, 0]]);
  for (const [configuration, depth] of depths) {
    for (const { target } of automaton.steps[configuration] ?? []) {
      if (!depths.has(target)) depths.set(target, depth + 1);
    }
  }
  return depths;
}

/** States with silent moves (Thompson's construction); the address's ends are marked on two of them. */
class Builder {
  readonly silent: { readonly target: number; readonly phase: Phase | null }[][] = [];
  readonly taking: { readonly symbols: SymbolSet; readonly target: number }[][] = [];
  readonly #addressGroups: ReadonlySet<number>;

  constructor(addressGroups: ReadonlySet<number>) {
    this.#addressGroups = addressGroups;
  }

  state(): number {
    this.silent.push([]);
    this.taking.push([]);
    return this.silent.length - 1;
  }

  move(from: number, target: number, phase: Phase | null = null): void {
    this.silent[from]?.push({ target, phase });
  }

  /** Adds `node` after state `from` and returns the state after it. */
  add(node: Expression, from: number): number {
    switch (node.kind) {
      case 'set': {
        const target = this.state();
        this.taking[from]?.push({ symbols: node.symbols, target });
        return target;
      }
      case 'sequence':
        return node.items.reduce((state, item) => this.add(item, state), from);
      case 'choice': {
        const ends = node.options.map((option) => this.add(option, from));
        return this.#join(ends);
      }
      case 'group': {
        if (!this.#addressGroups.has(node.index)) return this.add(node.body, from);
        const inside = this.state();
        this.move(from, inside, 1);
        const after = this.state();
        this.move(this.add(node.body, inside), after, 2);
        return after;
      }
      case 'repeat':
        return this.#repeat(node, from);
    }
  }

  #repeat(node: Expression & { kind: 'repeat' }, from: number): number {
    let state = from;
    for (let count = 0; count < node.min; count++) state = this.add(node.body, state);
    const ends = [state];
    if (node.max === Number.POSITIVE_INFINITY) {
      const loop = this.state();
      this.move(state, loop);
      const back = this.add(node.body, loop);
      this.move(back, loop);
      ends.push(back);
    }
    for (let count = node.min; count < node.max && node.max !== Number.POSITIVE_INFINITY; count++) {
      const next = this.state();
      this.move(state, next);
      state = this.add(node.body, next);
      ends.push(state);
    }
    return this.#join(ends);
  }

  /** A state after all of `states`. */
  #join(states: readonly number[]): number {
    const end = this.state();
    for (const state of states) this.move(state, end);
    return end;
  }
}

/** Configurations that can be reached without taking a character. */
function closure(builder: Builder, state: number, phase: Phase): Set<number> {
  const reached = new Set([state * 3 + phase]);
  for (const configuration of reached) {
    for (const move of builder.silent[Math.floor(configuration / 3)] ?? []) {
      reached.add(move.target * 3 + (move.phase ?? configuration % 3));
    }
  }
  return reached;
}
