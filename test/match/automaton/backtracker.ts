/**
 * An expression as a program for a machine that backtracks as V8's does, and that counts its steps: V8 itself tells
 * nobody how many it takes, and the time that it takes says as much about the machine.
 */
import type { Expression } from '../../../src/match/expression/expression.ts';
import { type SymbolSet, symbolOf } from '../../../src/match/expression/expression.ts';

type Instruction =
  | { readonly op: 'take'; readonly symbols: SymbolSet }
  /** Goes on at `first`, and at `second` when that comes to nothing. */
  | { op: 'split'; first: number; second: number }
  | { op: 'jump'; target: number }
  /** Remembers where an iteration begins, and refuses one that was empty. */
  | { readonly op: 'enter' | 'leave'; readonly register: number }
  | { readonly op: 'end' };

export class Backtracker {
  readonly #program: Instruction[] = [];
  #registers = 0;

  constructor(body: Expression) {
    this.#write(body);
    this.#program.push({ op: 'end' });
  }

  /** Steps until the text has matched or cannot; `limit` when there are more. */
  steps(text: string, limit: number): number {
    const stack: { at: number; index: number; marks: readonly number[] }[] = [
      { at: 0, index: 0, marks: new Array<number>(this.#registers).fill(-1) },
    ];
    let steps = 0;
    for (let thread = stack.pop(); thread !== undefined; thread = stack.pop()) {
      let { at, index, marks } = thread;
      for (;;) {
        if (++steps >= limit) return limit;
        const instruction = this.#program[at++];
        if (instruction === undefined || instruction.op === 'end') {
          if (index === text.length) return steps;
          break;
        }
        if (instruction.op === 'take') {
          if (index >= text.length || instruction.symbols[symbolOf(text, index)] !== 1) break;
          index++;
        } else if (instruction.op === 'split') {
          stack.push({ at: instruction.second, index, marks });
          at = instruction.first;
        } else if (instruction.op === 'jump') at = instruction.target;
        else if (instruction.op === 'enter') marks = marks.with(instruction.register, index);
        else if (marks[instruction.register] === index) break;
      }
    }
    return steps;
  }

  #write(node: Expression): void {
    switch (node.kind) {
      case 'set':
        this.#program.push({ op: 'take', symbols: node.symbols });
        return;
      case 'sequence':
        for (const item of node.items) this.#write(item);
        return;
      case 'group':
        this.#write(node.body);
        return;
      case 'choice':
        this.#writeChoice(node.options);
        return;
      case 'repeat':
        for (let count = 0; count < node.min; count++) this.#write(node.body);
        if (node.max === Number.POSITIVE_INFINITY) this.#writeLoop(node.body, node.lazy);
        else this.#writeOptional(node.body, node.max - node.min, node.lazy);
    }
  }

  #writeChoice(options: readonly Expression[]): void {
    const jumps = options.slice(0, -1).map((option) => {
      const split = this.#split();
      this.#write(option);
      const jump = { op: 'jump' as const, target: 0 };
      this.#program.push(jump);
      split.second = this.#program.length;
      return jump;
    });
    const last = options.at(-1);
    if (last !== undefined) this.#write(last);
    for (const jump of jumps) jump.target = this.#program.length;
  }

  #writeLoop(body: Expression, isLazy: boolean): void {
    const start = this.#program.length;
    const split = this.#split();
    if (canBeEmpty(body)) {
      const register = this.#registers++;
      this.#program.push({ op: 'enter', register });
      this.#write(body);
      this.#program.push({ op: 'leave', register });
    } else this.#write(body);
    this.#program.push({ op: 'jump', target: start });
    split.second = this.#program.length;
    if (isLazy) swap(split);
  }

  #writeOptional(body: Expression, times: number, isLazy: boolean): void {
    const splits = Array.from({ length: times }, () => {
      const split = this.#split();
      this.#write(body);
      return split;
    });
    for (const split of splits) {
      split.second = this.#program.length;
      if (isLazy) swap(split);
    }
  }

  /** A fork whose first way is the next instruction. */
  #split(): Instruction & { op: 'split' } {
    const split = { op: 'split' as const, first: this.#program.length + 1, second: 0 };
    this.#program.push(split);
    return split;
  }
}

function swap(split: Instruction & { op: 'split' }): void {
  [split.first, split.second] = [split.second, split.first];
}

function canBeEmpty(node: Expression): boolean {
  switch (node.kind) {
    case 'set':
      return false;
    case 'sequence':
      return node.items.every(canBeEmpty);
    case 'choice':
      return node.options.some(canBeEmpty);
    case 'group':
      return canBeEmpty(node.body);
    case 'repeat':
      return node.min === 0 || canBeEmpty(node.body);
  }
}
