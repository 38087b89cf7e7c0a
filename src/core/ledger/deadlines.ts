/**
 * Deadlines ordered by time, then by key so that every run pops them in one order: a binary heap. Nothing is ever
 * removed from the middle; whoever pops a deadline checks that it still holds, and `compact` bounds what piles up.
 */
import type { Microseconds } from '../time.ts';

export type Deadline = { readonly until: Microseconds; readonly key: string };

export class Deadlines {
  #heap: Deadline[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** The earliest deadline, or null. */
  peek(): Deadline | null {
    return this.#heap[0] ?? null;
  }

  push(deadline: Deadline): void {
    let index = this.#heap.push(deadline) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#isBefore(index, parent)) break;
      this.#swap(index, parent);
      index = parent;
    }
  }

  pop(): Deadline | null {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first === undefined || last === undefined) return null;
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink(0);
    }
    return first;
  }

  /** Keeps only the deadlines that still hold. */
  compact(holds: (deadline: Deadline) => boolean): void {
    const kept = this.#heap.filter(holds);
    this.#heap = [];
    for (const deadline of kept) this.push(deadline);
  }

  #sink(start: number): void {
    let index = start;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      let least = index;
      if (left < this.#heap.length && this.#isBefore(left, least)) least = left;
      if (right < this.#heap.length && this.#isBefore(right, least)) least = right;
      if (least === index) return;
      this.#swap(index, least);
      index = least;
    }
  }

  #isBefore(one: number, other: number): boolean {
    const [a, b] = [this.#heap[one], this.#heap[other]];
    if (a === undefined || b === undefined) return false;
    return a.until < b.until || (a.until === b.until && a.key < b.key);
  }

  #swap(one: number, other: number): void {
    const [a, b] = [this.#heap[one], this.#heap[other]];
    if (a === undefined || b === undefined) return;
    this.#heap[one] = b;
    this.#heap[other] = a;
  }
}
