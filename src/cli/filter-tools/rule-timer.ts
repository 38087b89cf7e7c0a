/**
 * What each rule costs, from a sample of the records: the rules that the matcher would try, each timed several times
 * over, so that the clock itself does not count.
 */

import type { LogRecord } from '../../core/record.ts';
import { undecorate } from '../../match/matcher.ts';
import { meets } from '../../match/pattern.ts';
import { type Route, type RoutedFilter, Router } from '../../match/router.ts';
import type { CompiledFilter, CompiledRule } from '../../match/rule.ts';
import type { Elapsed } from '../../native/machine-clocks.ts';

/** The first records that some filter reads are all timed, then one in SAMPLE_INTERVAL. */
const TIMED_FIRST = 256;
const SAMPLE_INTERVAL = 64;

/** How often one reading is repeated. */
const REPEATS = 8;

/** Longer messages are not timed: they are rare, and repeating them would be felt. */
const MAX_TIMED_LENGTH = 4_096;

export class RuleTimer {
  readonly #router: Router;
  readonly #elapsed: Elapsed;
  readonly #milliseconds = new Map<CompiledRule, number>();
  #records = 0;

  constructor(filters: readonly CompiledFilter[], elapsed: Elapsed) {
    this.#elapsed = elapsed;
    this.#router = new Router(filters);
  }

  /** The filters that read a record, without regard to what they trust. */
  routeOf(record: LogRecord): Route {
    return record.identifier === '' ? this.#router.all : this.#router.routeOf(record);
  }

  /** Times the rules on a record that `route` reads, if it is one of the sample. */
  sample(record: LogRecord, route: Route): void {
    const index = this.#records++;
    const weight = index < TIMED_FIRST ? 1 : SAMPLE_INTERVAL;
    if (index % weight !== 0 || record.message.length > MAX_TIMED_LENGTH) return;
    const { message } = undecorate(record.message);
    let matched: RoutedFilter | null = null;
    for (const { filter, rule } of route.find(message)) {
      const { reader } = rule;
      if (filter === matched || !meets(message, reader.required)) continue;
      const startedAt = this.#elapsed();
      for (let count = 1; count < REPEATS; count++) reader.read(message);
      if (reader.read(message) !== null) matched = filter;
      const milliseconds = ((this.#elapsed() - startedAt) / REPEATS) * weight;
      this.#milliseconds.set(rule, (this.#milliseconds.get(rule) ?? 0) + milliseconds);
    }
  }

  /** Estimated milliseconds that the rule has taken in all. */
  millisecondsOf(rule: CompiledRule): number {
    return this.#milliseconds.get(rule) ?? 0;
  }
}
