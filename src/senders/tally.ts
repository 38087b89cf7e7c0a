/** What happens too often to be told each time: counted by its kind and subject, and told together a moment later. */
import type { BailiffEvent, Emit } from '../core/event.ts';

const OTHERS = '';

const MAX_TALLIED_KEYS = 64;

const REPORT_DELAY_MILLISECONDS = 100;

/** An occurrence that is counted by a key until the next report. */
type Tallied = { count: number; readonly toEvent: (count: number) => BailiffEvent };

/**
 * Collects what may happen many thousand times a second and emits it as one event for each key, a moment after the
 * first. Beyond MAX_TALLIED_KEYS keys within that moment the rest is counted together.
 */
export class Tally {
  readonly #emit: Emit;
  readonly #counts = new Map<string, Tallied>();
  #timer: NodeJS.Timeout | null = null;

  constructor(emit: Emit) {
    this.#emit = emit;
  }

  /**
   * Counts one occurrence of `key`; `toEvent` is asked for the event at the time of the report, given '' for
   * "others".
   */
  add(kind: string, key: string, toEvent: (key: string, count: number) => BailiffEvent): void {
    const isFull = this.#counts.size >= MAX_TALLIED_KEYS && !this.#counts.has(`${kind} ${key}`);
    const counted = isFull ? OTHERS : key;
    const known = this.#counts.get(`${kind} ${counted}`);
    if (known !== undefined) {
      known.count++;
      return;
    }
    this.#counts.set(`${kind} ${counted}`, { count: 1, toEvent: (count) => toEvent(counted, count) });
    this.#timer ??= setTimeout(() => this.report(), REPORT_DELAY_MILLISECONDS).unref();
  }

  /** Emits what there is at once. */
  report(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const counts = [...this.#counts.values()];
    this.#counts.clear();
    for (const { count, toEvent } of counts) this.#emit(toEvent(count));
  }
}
