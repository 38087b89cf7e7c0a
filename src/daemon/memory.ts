/**
 * Memory as a part: after a load the system gets back what it has taken. V8 collects nothing while little happens, and
 * the allocator keeps what it has been given back: of 340 MB that long lines had taken, 30 came back without this.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Part } from './part.ts';

export type MemoryOptions = {
  /** Bytes of this process that are resident. */
  readonly resident: () => number;
  /** The part of its time that the main thread has worked since the last question, 0 to 1. */
  readonly load: () => number;
  readonly collect: () => void;
  readonly trim: () => void;
};

/** Looked at so often. */
export const TICKS_BETWEEN_LOOKS = 10;

/** Given back when it has grown by so much since then. */
export const GROWTH_BYTES = 32 * 1024 * 1024;

/** Collecting holds everything up for some 50 ms, so it waits until there is little to hold up. */
export const MAX_LOAD = 0.1;

export class Memory implements Part {
  readonly name = 'memory';
  readonly #options: MemoryOptions;
  #ticks = 0;
  /** What was resident when all had been given back. */
  #keptBytes = Number.POSITIVE_INFINITY;

  constructor(options: MemoryOptions) {
    this.#options = options;
  }

  readonly tick = (): void => {
    this.#ticks++;
    if (this.#ticks % TICKS_BETWEEN_LOOKS !== 0) return;
    const { resident, load, collect, trim } = this.#options;
    const isQuiet = load() <= MAX_LOAD;
    this.#keptBytes = Math.min(this.#keptBytes, resident());
    if (!isQuiet || resident() <= this.#keptBytes + GROWTH_BYTES) return;
    collect();
    trim();
    this.#keptBytes = resident();
  };
}

/** Has V8 collect its garbage, which Node.js offers to nobody who has not asked for it when it was started. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
}

/** The `load` of this process. */
export function mainThreadLoad(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return utilization;
  };
}
