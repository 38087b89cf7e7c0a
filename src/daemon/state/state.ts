/** The state as a part: opened, given to the ledger, and from then on kept up to date with it. */
import type { Plan } from '../../config/plan.ts';
import type { BailiffEvent, Emit } from '../../core/event.ts';
import type { BanLog } from '../../core/ledger/ban-log.ts';
import { leadOf } from '../../core/ledger/clock-reading.ts';
import type { Ledger } from '../../core/ledger/ledger.ts';
import type { Store, StoredState } from '../../state/store.ts';
import type { Part } from '../part.ts';
import type { KernelProgress } from './announcements.ts';
import { openState } from './open.ts';
import { Persister, type SessionKeeper, type StateClock } from './persister.ts';

export type StateOptions = {
  readonly ledger: Ledger;
  /** Of that ledger. */
  readonly banLog: BanLog;
  readonly sessions: SessionKeeper;
  readonly kernel: KernelProgress;
  readonly clock: StateClock;
  readonly emit: Emit;
};

export class State implements Part {
  readonly name = 'state';
  readonly isVital = true;
  readonly #options: StateOptions;
  #opening: Promise<{ readonly store: Store; readonly state: StoredState }> | null = null;
  #persister: Persister | null = null;
  #journalPosition: string | null = null;

  constructor(options: StateOptions) {
    this.#options = options;
  }

  /** Where the journal was left when the state was opened. */
  get journalPosition(): string | null {
    return this.#journalPosition;
  }

  readonly prepare = ({ stateDirectory }: Plan): void => {
    this.#opening = openState(stateDirectory, this.#options.emit);
    // Whoever starts takes the failure; until then it is nobody's.
    this.#opening.catch(() => undefined);
  };

  /** Throws OperationalError when another daemon has the state, or it is of a later version. */
  readonly start = async (plan: Plan): Promise<void> => {
    if (this.#opening === null) this.prepare(plan);
    const opened = await this.#opening;
    if (opened === null) return;
    const { store, state } = opened;
    const { ledger, banLog, sessions, kernel, clock, emit } = this.#options;
    const { journalPosition } = state;
    const reading = clock.reading();
    const lead = leadOf(state.clock, reading);
    if (lead > 0) emit({ kind: 'clock-set', step: -lead });
    const isSame = ledger.restore(state.ledger, reading.at, lead);
    const kept = state.sessions.map((session) => ({ ...session, at: session.at - lead }));
    sessions.restoreSessions(kept, reading.boot === '' ? 0 : reading.at - reading.steady);
    banLog.resume(isSame ? state.banLogPosition : null);
    this.#journalPosition = journalPosition;
    this.#persister = new Persister({
      store,
      ledger,
      banLog,
      sessions,
      kernel,
      journalPosition,
      clock,
      emit,
    });
    // Or the next restart would know as little of the time that has passed as this one.
    if (!isSame || state.clock?.boot !== reading.boot) this.#persister.changed([]);
  };

  /** Stores what is left. */
  readonly stop = async (): Promise<void> => {
    await this.#persister?.close();
    const opened = await this.#opening?.catch(() => null);
    await opened?.store.close();
  };

  /** As Persister.advance. */
  advance(position: string): void {
    this.#persister?.advance(position);
  }

  /** As Persister.stir. */
  stir(): void {
    this.#persister?.stir();
  }

  /** As Persister.changed. */
  changed(announcements: readonly BailiffEvent[]): void {
    this.#persister?.changed(announcements);
  }

  /** As Persister.flush. */
  async flush(): Promise<void> {
    await this.#persister?.flush();
  }
}
