/** What each filter costs, and what it nearly matches: counted beside the matching, for whoever watches it. */
import type { Microseconds } from '../core/time.ts';

export type FilterCounters = {
  readonly filter: string;
  /** Records that look like one of its rules' lines, and that no rule of any filter has matched. */
  readonly nearMisses: number;
  /** Time spent on its rules: an estimate, one record in TIMED_INTERVAL having been timed. Not a whole number. */
  readonly busyMicroseconds: number;
};

/** A clock for measuring: only differences count, and fractions of a microsecond do too. */
export type Stopclock = () => Microseconds;

/** Timing a record costs some 50 ns for each filter that reads it, so less than a nanosecond a record. */
export const TIMED_INTERVAL = 256;

/** Counts for one filter. */
export class FilterTally {
  readonly #filter: string;
  #nearMisses = 0;
  #busyMicroseconds = 0;

  constructor(filter: string) {
    this.#filter = filter;
  }

  countNearMiss(): void {
    this.#nearMisses++;
  }

  charge(time: Microseconds): void {
    this.#busyMicroseconds += time;
  }

  /** What was counted since this was asked last; null when that is nothing. */
  take(): FilterCounters | null {
    if (this.#nearMisses === 0 && this.#busyMicroseconds === 0) return null;
    const counters = {
      filter: this.#filter,
      nearMisses: this.#nearMisses,
      busyMicroseconds: this.#busyMicroseconds,
    };
    this.#nearMisses = 0;
    this.#busyMicroseconds = 0;
    return counters;
  }
}

/** Times the filters that read one record, one after the other, in one record out of TIMED_INTERVAL. */
export class Stopwatch {
  readonly #clock: Stopclock;
  #records = 0;
  #since: Microseconds = 0;
  /** What asking the clock takes. */
  #overhead: Microseconds = 0;
  #current: FilterTally | null = null;

  constructor(clock: Stopclock) {
    this.#clock = clock;
  }

  /** Returns whether this record is to be timed. */
  begin(): boolean {
    if (++this.#records < TIMED_INTERVAL) return false;
    this.#records = 0;
    this.#current = null;
    const before = this.#clock();
    this.#since = this.#clock();
    this.#overhead = this.#since - before;
    return true;
  }

  /** From now on, what passes is this filter's time, until the next; null ends it. */
  turnTo(tally: FilterTally | null): void {
    if (tally === this.#current) return;
    const now = this.#clock();
    this.#current?.charge(Math.max(0, now - this.#since - this.#overhead) * TIMED_INTERVAL);
    this.#current = tally;
    this.#since = now;
  }
}
