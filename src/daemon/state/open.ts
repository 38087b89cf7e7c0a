/** Opens the state, or goes on without one where nothing can be kept. */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OperationalError } from '../../core/errors.ts';
import type { Emit } from '../../core/event.ts';
import { raise } from '../../core/warning/catalogue.ts';
import { openStore, STATE_FILE } from '../../state/sqlite.ts';
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
    const volatile = new VolatileStore();
    const known = await readCopy(stateDirectory, emit);
    const reason = known === null ? error.message : `${error.message}; what it holds was read`;
    const warnings = [raise('state-not-kept', { reason, remedy: error.advice })];
    emit({ kind: 'component', component: 'state', health: 'degraded', detail: '', warnings });
    return { store: volatile, state: known ?? (await volatile.load()) };
  }
}

/**
 * What a state holds that cannot be written, as on a disk that was mounted read-only. SQLite reads no WAL that it
 * cannot write to, so a copy is read. Null when there is none, or no place for a copy.
 */
async function readCopy(stateDirectory: string, emit: Emit): Promise<StoredState | null> {
  const directory = copyState(stateDirectory);
  if (directory === null) return null;
  const store = openStore({ stateDirectory: directory, emit });
  try {
    return await store.load();
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    return null;
  } finally {
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The copy's directory; null when no copy can be made. */
function copyState(stateDirectory: string): string | null {
  const path = join(stateDirectory, STATE_FILE);
  if (!existsSync(path)) return null;
  for (const place of placesForCopies()) {
    let directory: string | null = null;
    try {
      directory = mkdtempSync(join(place, 'bailiff-state-'));
      for (const suffix of ['', '-wal']) {
        if (existsSync(path + suffix)) copyFileSync(path + suffix, join(directory, STATE_FILE + suffix));
      }
      return directory;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
      if (directory !== null) rmSync(directory, { recursive: true, force: true });
    }
  }
  return null;
}

/** The runtime directory is that of systemd.exec(5). */
function placesForCopies(): readonly string[] {
  const { RUNTIME_DIRECTORY: runtime = '' } = process.env;
  return [tmpdir(), ...(runtime === '' ? [] : [runtime]), '/dev/shm'];
}
