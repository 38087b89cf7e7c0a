/** Hands every event to everybody who wants events, in the order in which they joined. */
import type { BailiffEvent, Emit } from '../core/event.ts';

export class EventBus {
  readonly #listeners = new Set<Emit>();

  readonly emit: Emit = (event: BailiffEvent) => {
    for (const listener of this.#listeners) listener(event);
  };

  /** Starts a subscription and returns what ends it. */
  readonly subscribe = (listener: Emit): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}
