/**
 * Brings the ledger's changes, the journal's position and that of the ban log to the disk together. One commit is under
 * way at a time and what happens meanwhile goes into the next: that is the group commit. Announcements wait for their
 * commit, and for the kernel, so that a ban which was announced survives; what the disk refuses is tried again.
 */
import { OperationalError } from '../../core/errors.ts';
import type { BailiffEvent, Emit } from '../../core/event.ts';
import type { KeptSession } from '../../core/kept-session.ts';
import type { BanLog } from '../../core/ledger/ban-log.ts';
import type { ClockReading } from '../../core/ledger/clock-reading.ts';
import type { Ledger } from '../../core/ledger/ledger.ts';
import type { LedgerChanges } from '../../core/ledger/snapshot.ts';
import type { Clock, Microseconds } from '../../core/time.ts';
import { raise } from '../../core/warning/catalogue.ts';
import type { Store } from '../../state/store.ts';
import { Announcements, type KernelProgress } from './announcements.ts';

/** How long a mere step forward in the journal, with nothing decided, may wait for its commit. */
const POSITION_DELAY_MILLISECONDS = 1_000;

/** How long to wait after a commit that failed, at first; then twice as long each time. */
const MIN_RETRY_DELAY_MILLISECONDS = 2_000;
const MAX_RETRY_DELAY_MILLISECONDS = 30_000;

/** The time of the ledger, and what is stored to tell it later. */
export type StateClock = Clock & { reading(): ClockReading };

/** Whose sessions are stored with what they have led to. */
export type SessionKeeper = {
  /** Those that have changed since this was asked last. */
  takeSessions(): readonly KeptSession[];
  /** What was taken could not be stored. */
  returnSessions(): void;
  /** Takes in those that an earlier life has stored. */
  restoreSessions(kept: readonly KeptSession[], bootAt: Microseconds): void;
};

export type PersisterOptions = {
  readonly store: Store;
  readonly ledger: Ledger;
  /** Of that ledger. */
  readonly banLog: Pick<BanLog, 'position'>;
  readonly sessions: SessionKeeper;
  readonly kernel: KernelProgress;
  readonly journalPosition: string | null;
  readonly clock: StateClock;
  readonly emit: Emit;
};

export class Persister {
  readonly #options: PersisterOptions;
  #position: string | null;
  #storedPosition: string | null;
  readonly #announcements: Announcements;
  #changed = false;
  #isStirred = false;
  #running: Promise<void> | null = null;
  /** Commits that were begun with all that had changed by then. */
  #attempts = 0;
  #timer: NodeJS.Timeout | null = null;
  /** What the last commit failed with; null when it did not. */
  #failure: OperationalError | null = null;
  /** Whether the store has no file: after damage that could not be repaired at once. */
  #mustReopen = false;
  #retryDelay = MIN_RETRY_DELAY_MILLISECONDS;
  #closed = false;

  constructor(options: PersisterOptions) {
    this.#options = options;
    this.#announcements = new Announcements(options.kernel, options.emit);
    this.#position = options.journalPosition;
    this.#storedPosition = options.journalPosition;
  }

  /** Notes how far the journal has been dealt with. Call it after the ledger has seen the entries. */
  advance(position: string): void {
    this.#position = position;
    if (!this.#changed) this.#later(POSITION_DELAY_MILLISECONDS);
  }

  /** Sessions may have changed, and nothing else: store them some time. */
  stir(): void {
    this.#isStirred = true;
    if (!this.#changed) this.#later(POSITION_DELAY_MILLISECONDS);
  }

  /** The ledger has changed: store it soon, and emit these events when that is done and the kernel has it. */
  changed(announcements: readonly BailiffEvent[]): void {
    this.#changed = true;
    this.#announcements.add(announcements);
    if (this.#failure === null) this.#start();
    else this.#announcements.settle(this.#announcements.group(), false);
  }

  /**
   * Resolves when everything up to now is on the disk, or has been refused once, and has been announced. What comes
   * meanwhile is not waited for.
   */
  async flush(): Promise<void> {
    await this.#flushToDisk();
    await this.#announcements.whenTold();
  }

  async #flushToDisk(): Promise<void> {
    const attempts = this.#attempts;
    this.#start();
    await this.#running;
    // The commit that was under way may have been put together before the latest change.
    if (this.#attempts > attempts || !this.#hasNews()) return;
    this.#start();
    await this.#running;
  }

  /** Stores what is left and takes nothing more. */
  async close(): Promise<void> {
    await this.flush();
    this.#closed = true;
    this.#cancelTimer();
  }

  #hasNews(): boolean {
    return this.#changed || this.#isStirred || this.#position !== this.#storedPosition;
  }

  #start(): void {
    if (this.#running !== null || this.#closed) return;
    this.#cancelTimer();
    this.#running = this.#commit().finally(() => {
      this.#running = null;
      if (this.#changed && this.#failure === null) this.#start();
    });
  }

  async #commit(): Promise<void> {
    // Everything that one turn of the event loop brings goes into one transaction.
    await new Promise((resolve) => setImmediate(resolve));
    if (!this.#hasNews()) return;
    this.#attempts++;
    try {
      await this.#reopen();
    } catch (error) {
      this.#failed(operational(error));
      return;
    }
    await this.#commitChanges();
  }

  async #commitChanges(): Promise<void> {
    const { ledger, banLog, sessions, store, clock, emit } = this.#options;
    const position = this.#position;
    const point = {
      journalPosition: position,
      banLogPosition: banLog.position,
      clock: clock.reading(),
      sessions: sessions.takeSessions(),
    };
    const changes = ledger.takeChanges();
    const announcements = this.#announcements.group();
    this.#changed = false;
    this.#isStirred = false;
    const startedAt = clock.now();
    try {
      await store.commit(changes, point);
    } catch (error) {
      const failure = operational(error);
      if (failure.code === 'state-damaged') ledger.returnWhole();
      else ledger.returnChanges(changes);
      sessions.returnSessions();
      this.#failed(failure);
      this.#announcements.settle(announcements, false);
      return;
    }
    this.#storedPosition = position;
    this.#recovered();
    emit({ kind: 'state-commit', changes: countChanges(changes), duration: clock.now() - startedAt });
    this.#announcements.settle(announcements, store.isVolatile !== true);
  }

  /** Has the store begin another file, for the whole ledger. */
  async #reopen(): Promise<void> {
    if (!this.#mustReopen) return;
    await this.#options.store.load();
    this.#mustReopen = false;
    this.#options.ledger.returnWhole();
    this.#options.sessions.returnSessions();
  }

  #failed(error: OperationalError): void {
    const { emit } = this.#options;
    const isNews = this.#failure?.message !== error.message;
    this.#changed = true;
    this.#failure = error;
    if (error.code === 'state-closed') this.#mustReopen = true;
    const { message, advice } = error;
    emit({ kind: 'state-error', message, advice });
    if (isNews) {
      const warnings = [raise('state-not-written', { reason: message, remedy: advice })];
      emit({ kind: 'component', component: 'state', health: 'degraded', detail: '', warnings });
    }
    this.#announcements.settle(this.#announcements.group(), false);
    this.#cancelTimer();
    this.#later(this.#retryDelay);
    this.#retryDelay = Math.min(2 * this.#retryDelay, MAX_RETRY_DELAY_MILLISECONDS);
  }

  #recovered(): void {
    if (this.#failure === null) return;
    this.#failure = null;
    this.#retryDelay = MIN_RETRY_DELAY_MILLISECONDS;
    const detail = 'the state is on the disk again';
    this.#options.emit({ kind: 'component', component: 'state', health: 'up', detail, warnings: [] });
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

/** Passes an OperationalError on and throws what is a bug. */
function operational(error: unknown): OperationalError {
  if (error instanceof OperationalError) return error;
  throw error;
}

function countChanges(changes: LedgerChanges): number {
  return Object.values(changes).reduce((sum, list) => sum + list.length, 0);
}
