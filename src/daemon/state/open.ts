/** Opens the state, or goes on without one where nothing can be kept. */
import { OperationalError } from '../../core/errors.ts';
import type { Emit } from '../../core/event.ts';
import { raise } from '../../core/warning/catalogue.ts';
import { openStore } from '../../state/sqlite.ts';
import type { Store, StoredState } from '../../state/store.ts';
import { VolatileStore } from './volatile-store.ts';

/** With these the state is there and somebody's: running without it would be wrong. */
const FATAL_CODES: ReadonlySet<string> = new Set(['state-locked', 'state-version']);

/** Throws OperationalError when another daemon has the state, or it is of a later version. */
export async function openState(
  stateDirectory: string,
  emit: Emit,
): Promise<{ readonly store: Store; readonly state: StoredState }> {
  const store = openStore({ stateDirectory, emit });
  try {
    const state = await store.load();
    emit({ kind: 'component', component: 'state', health: 'up', detail: stateDirectory, warnings: [] });
    return { store, state };
  } catch (error) {
    await store.close();
    if (!(error instanceof OperationalError) || FATAL_CODES.has(error.code)) throw error;
    const warnings = [raise('state-not-kept', { reason: error.message, remedy: error.advice })];
    emit({ kind: 'component', component: 'state', health: 'degraded', detail: '', warnings });
    const volatile = new VolatileStore();
    return { store: volatile, state: await volatile.load() };
  }
}
