/**
 * Brings the ledger's changes and the journal's position to the disk together. One commit is under way at a time and
 * what happens meanwhile goes into the next: that is the group commit. Announcements wait for their commit, so that a
 * ban which was announced survives; when the disk refuses, they are made all the same, since the kernel holds the ban,
 * and the changes are tried again.
 */
import { OperationalError } from '../core/errors.ts';
import type { BailiffEvent, Emit } from '../core/event.ts';
import type { Ledger } from '../core/ledger.ts';
import type { LedgerChanges } from '../core/snapshot.ts';
import type { Clock } from '../core/time.ts';
import type { Store } from '../state/store.ts';

/** How long a mere step forward in the journal, with nothing decided, may wait for its commit. */
const POSITION_DELAY_MILLISECONDS = 1_000;

/** Announcements that wait for a slow disk; beyond this they are made at once, for the kernel holds the bans. */
const MAX_WAITING_ANNOUNCEMENTS = 10_000;

/** How long to wait after a commit that failed. */
const RETRY_DELAY_MILLISECONDS = 2_000;

export type PersisterOptions = {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly journalPosition: string | null;
  readonly clock: Clock;
  readonly emit: Emit;
};

export class Persister {
  readonly #options: PersisterOptions;
  #position: string | null;
  #storedPosition: string | null;
  #announcements: BailiffEvent[] = [];
  #changed = false;
  #running: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #failing = false;
  #closed = false;

  constructor(options: PersisterOptions) {
    this.#options = options;
    this.#position = options.journalPosition;
    this.#storedPosition = options.journalPosition;
  }

  /** Notes how far the journal has been dealt with. Call it after the ledger has seen the entries. */
  advance(position: string): void {
    this.#position = position;
    if (!this.#changed) this.#later(POSITION_DELAY_MILLISECONDS);
  }

  /** The ledger has changed: store it soon, and emit these events when that is done. */
  changed(announcements: readonly BailiffEvent[]): void {
    this.#changed = true;
    for (const event of announcements) this.#announcements.push(event);
    if (this.#failing || this.#announcements.length > MAX_WAITING_ANNOUNCEMENTS) this.#announce();
    if (!this.#failing) this.#start();
  }

  /** Resolves when everything up to now is on the disk, or has been refused once. */
  async flush(): Promise<void> {
    do {
      this.#start();
      await this.#running;
    } while (this.#changed && !this.#failing);
  }

  /** Stores what is left and takes nothing more. */
  async close(): Promise<void> {
    this.#cancelTimer();
    await this.flush();
    this.#closed = true;
    this.#cancelTimer();
  }

  #start(): void {
    if (this.#running !== null || this.#closed) return;
    this.#cancelTimer();
    this.#running = this.#commit().finally(() => {
      this.#running = null;
      if (this.#changed && !this.#failing) this.#start();
    });
  }

  async #commit(): Promise<void> {
    // Everything that one turn of the event loop brings goes into one transaction.
    await new Promise((resolve) => setImmediate(resolve));
    const { ledger, store, clock, emit } = this.#options;
    const position = this.#position;
    const announcements = this.#announcements;
    if (!this.#changed && position === this.#storedPosition) return;
    this.#announcements = [];
    this.#changed = false;
    const changes = ledger.takeChanges();
    const startedAt = clock.now();
    try {
      await store.commit(changes, position);
      this.#storedPosition = position;
      this.#recovered();
      emit({ kind: 'state-commit', changes: countChanges(changes), duration: clock.now() - startedAt });
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      if (error.code === 'state-damaged') ledger.returnWhole();
      else ledger.returnChanges(changes);
      this.#failed(error);
    }
    for (const event of announcements) emit(event);
  }

  #failed(error: OperationalError): void {
    const { emit } = this.#options;
    this.#changed = true;
    this.#failing = true;
    emit({ kind: 'state-error', message: error.message, advice: error.advice });
    emit({
      kind: 'component',
      component: 'state',
      health: 'degraded',
      detail: error.message,
      advice: error.advice,
    });
    this.#announce();
    this.#later(RETRY_DELAY_MILLISECONDS);
  }

  #recovered(): void {
    if (!this.#failing) return;
    this.#failing = false;
    const detail = 'the state is on the disk again';
    this.#options.emit({ kind: 'component', component: 'state', health: 'up', detail, advice: '' });
  }

  #announce(): void {
    const announcements = this.#announcements;
    this.#announcements = [];
    for (const event of announcements) this.#options.emit(event);
  }

  #later(delayMilliseconds: number): void {
    if (this.#timer !== null || this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#start();
    }, delayMilliseconds);
    this.#timer.unref();
  }

  #cancelTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

function countChanges(changes: LedgerChanges): number {
  return Object.values(changes).reduce((sum, list) => sum + list.length, 0);
}
