/** Entries of the journal that some filter names and none reads: how many of each kind. */
import type { Refusal, RefusalReason } from '../core/event.ts';
import type { LogRecord } from '../core/record.ts';

/** Kinds that are told apart between two reports; of further ones, the newest, only how many records they were. */
export const MAX_REFUSALS = 32;

export class Refusals {
  #kinds = new Map<string, { -readonly [Key in keyof Refusal]: Refusal[Key] }>();
  #others = 0;

  add(reason: RefusalReason, filter: string, { identifier, trusted, container }: LogRecord): void {
    const from = trusted === null ? '' : trusted.unit || trusted.executable || `uid ${trusted.uid}`;
    const called = container === undefined ? '' : container.name || container.image;
    const key = [reason, filter, identifier, from, called].join('\n');
    const kind = this.#kinds.get(key);
    if (kind !== undefined) kind.count++;
    else if (this.#kinds.size >= MAX_REFUSALS) this.#others++;
    else this.#kinds.set(key, { reason, filter, identifier, from, container: called, count: 1 });
  }

  /** What was added since this was asked last; `others` are records of further kinds. */
  take(): { readonly refusals: readonly Refusal[]; readonly others: number } {
    const taken = { refusals: [...this.#kinds.values()], others: this.#others };
    this.#kinds = new Map();
    this.#others = 0;
    return taken;
  }
}
