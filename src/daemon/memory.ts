/**
 * Memory as a part: after a load the system gets back what it has taken. Buffers of connections are the allocator's,
 * which keeps them: of 200 MB that a flood of requests had taken, 30 came back without this.
 */
import type { Part } from './part.ts';

export type MemoryOptions = {
  /** Bytes of this process that are resident. */
  readonly resident: () => number;
  readonly trim: () => void;
};

/** Looked at so often. */
export const TICKS_BETWEEN_TRIMS = 10;

/** Given back when it has grown by so much. */
export const TRIMMED_GROWTH_BYTES = 32 * 1024 * 1024;

export class Memory implements Part {
  readonly name = 'memory';
  readonly #options: MemoryOptions;
  #ticks = 0;
  #leastBytes = Number.POSITIVE_INFINITY;

  constructor(options: MemoryOptions) {
    this.#options = options;
  }

  readonly tick = (): void => {
    this.#ticks++;
    if (this.#ticks % TICKS_BETWEEN_TRIMS !== 0) return;
    const { resident, trim } = this.#options;
    if (resident() > this.#leastBytes + TRIMMED_GROWTH_BYTES) trim();
    this.#leastBytes = Math.min(this.#leastBytes, resident());
  };
}
