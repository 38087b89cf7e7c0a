/** The store for when there is no place to keep anything: it forgets, and the daemon says so. */
import { EMPTY_IMAGE } from '../../core/ledger/snapshot.ts';
import type { Store, StoredState } from '../../state/store.ts';

export class VolatileStore implements Store {
  readonly isVolatile = true;

  async load(): Promise<StoredState> {
    return { ledger: EMPTY_IMAGE, journalPosition: null, banLogPosition: null, clock: null, sessions: [] };
  }

  async commit(): Promise<void> {}

  async close(): Promise<void> {}
}
