/**
 * Writes what is wanted into the firewall: one transaction under way while the next gathers, and what failed again,
 * later each time. Makes the table anew when it has to.
 */
import type { Network } from '../../core/address/address.ts';
import { OperationalError } from '../../core/errors.ts';
import type { Emit } from '../../core/event.ts';
import { type Clock, MILLISECOND, type Microseconds, SECOND } from '../../core/time.ts';
import type { DesiredElements, OutgoingBatch } from '../../firewall/desired.ts';
import type { Firewall, Refusal } from '../../firewall/firewall.ts';
import { elementId } from '../../firewall/layout.ts';
import type { Confirmations } from './confirmations.ts';
import type { FirewallHealth } from './firewall-health.ts';

/** After a failed transaction: this, then twice as much each time. */
export const MIN_RETRY_DELAY: Microseconds = 100 * MILLISECOND;
export const MAX_RETRY_DELAY: Microseconds = 5 * SECOND;

/** What wakes the enforcement. The returned function cancels. */
export interface Timers {
  after(delay: Microseconds, run: () => void): () => void;
}

/** Whether install() is due: `again` for a new worker, `lost` when the elements are gone too. */
export type InstallNeed = 'none' | 'again' | 'lost';

export type KernelWriterParts = {
  readonly firewall: Firewall;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly timers: Timers;
  readonly desired: DesiredElements;
  readonly confirmations: Confirmations;
  readonly health: FirewallHealth;
  /** The networks to trust, at the time when the table is made. */
  readonly trust: () => readonly Network[];
  /** Called after a repair, with what it was needed for. */
  readonly repaired: (need: InstallNeed) => void;
};

/** Who waits until everything that was marked by then has been written. */
type Waiter = { mark: number; readonly resolve: (isWritten: boolean) => void };

export class KernelWriter {
  readonly #parts: KernelWriterParts;
  /** In the order of their marks. */
  #waiters: Waiter[] = [];
  readonly #refused = new Set<string>();
  #inFlight: ReadonlySet<string> = new Set();
  #isRunning = false;
  #work: Promise<void> | null = null;
  #need: InstallNeed = 'none';
  #retryDelay: Microseconds = MIN_RETRY_DELAY;
  /** Whether the last attempt failed with more than a table to be made. */
  #isFailing = false;
  #cancelRetry: (() => void) | null = null;

  constructor(parts: KernelWriterParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#isRunning = true;
    this.pump();
  }

  /** Resolves when nothing is under way any more, and nothing will be. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#cancelRetry?.();
    await this.#work;
    this.#release(Number.POSITIVE_INFINITY, false);
  }

  /** Starts writing, unless a transaction is under way or waits for its next attempt. */
  pump(): void {
    if (!this.#isRunning || this.#work !== null || this.#cancelRetry !== null) return;
    if (this.#parts.desired.dirtySize === 0 && this.#need === 'none') return;
    this.#work = this.#write().finally(() => {
      this.#work = null;
      this.pump();
    });
  }

  /** As pump, without waiting for the time of the next attempt. */
  pumpNow(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.pump();
  }

  /** Has the table made anew before anything else is written. */
  require(need: Exclude<InstallNeed, 'none'>): void {
    if (this.#need !== 'lost') this.#need = need;
    this.pump();
  }

  /** The elements that the kernel has not confirmed yet. */
  pending(): readonly string[] {
    return [...this.#inFlight, ...this.#parts.desired.dirtyIds()];
  }

  /**
   * Whether all that has been marked up to now has been written, or a promise of it. False when an element was
   * refused, or the firewall does not work: it is then tried again, and not waited for.
   */
  written(): boolean | Promise<boolean> {
    const { desired } = this.#parts;
    if (desired.dirtySize === 0 && this.#inFlight.size === 0) return this.#refused.size === 0;
    if (!this.#isRunning || this.#isFailing) return false;
    return new Promise((resolve) => {
      this.#waiters.push({ mark: desired.marked, resolve });
    });
  }

  isPending(id: string): boolean {
    return this.#parts.desired.isDirty(id) || this.#inFlight.has(id);
  }

  isRefused(id: string): boolean {
    return this.#refused.has(id);
  }

  /** The firewall was looked at and answered; with nothing left to write it is well. */
  noteAnswer(): void {
    if (this.#cancelRetry === null && this.#parts.desired.dirtySize === 0) this.#recover();
  }

  /** A question to the firewall failed. */
  noteFailure(error: OperationalError): void {
    if (this.#learnNeed(error)) this.pump();
    else if (this.#cancelRetry === null) this.#retryLater(error);
  }

  async #write(): Promise<void> {
    const { desired, clock } = this.#parts;
    try {
      if (this.#need !== 'none') await this.#repair();
      let outgoing = desired.next(clock.now());
      while (outgoing !== null) {
        await this.#apply(outgoing);
        outgoing = desired.next(clock.now());
      }
    } catch (error) {
      this.#retryLater(operational(error));
    }
  }

  async #apply(outgoing: OutgoingBatch): Promise<void> {
    const { firewall, clock, emit, desired } = this.#parts;
    const startedAt = clock.now();
    this.#inFlight = new Set(outgoing.ids);
    try {
      const refusals = await firewall.apply(outgoing.batch);
      this.#inFlight = new Set();
      const duration = clock.now() - startedAt;
      emit({ kind: 'firewall-transaction', elements: outgoing.ids.length - refusals.length, duration });
      this.#recover();
      this.#confirm(outgoing.ids, refusals);
      this.#release(desired.taken, this.#refused.size === 0);
    } catch (error) {
      this.#inFlight = new Set();
      desired.mark(outgoing.ids);
      for (const waiter of this.#waiters) waiter.mark = desired.marked;
      throw error;
    }
  }

  /** Tells whoever waits for these elements what has become of them. */
  #confirm(ids: readonly string[], refusals: readonly Refusal[]): void {
    const { desired, confirmations, emit } = this.#parts;
    const refused = new Map(refusals.map(({ element, reason }) => [elementId(element), reason]));
    for (const id of ids) {
      if (desired.isDirty(id)) continue;
      const reason = refused.get(id);
      if (reason === undefined) {
        this.#refused.delete(id);
        confirmations.confirm(id);
      } else {
        this.#refused.add(id);
        confirmations.refuse(id, reason);
      }
    }
    const first = refusals[0];
    if (first === undefined) return;
    const message = `the kernel refused ${elementId(first.element)}: ${first.reason}`;
    const advice = 'it is tried again when the kernel is next compared with the ledger';
    emit({ kind: 'firewall-error', message, advice, elements: refusals.length });
  }

  /** Makes the table anew, and when it was lost has every element written again. */
  async #repair(): Promise<void> {
    const { firewall, desired, emit, trust, health, repaired } = this.#parts;
    const need = this.#need;
    await firewall.install(trust());
    this.#need = 'none';
    health.up();
    if (need === 'lost') {
      desired.mark(desired.ids());
      const missing = desired.size;
      emit({ kind: 'firewall-drift', missing, surplus: 0, wrongTimeout: 0, tableLost: true });
    }
    repaired(need);
  }

  /**
   * Plans the next attempt: at once the first time that only the table has to be made, else after a delay, of which
   * it says so, and for which nobody has to wait.
   */
  #retryLater(error: OperationalError): void {
    const isFirst = this.#retryDelay === MIN_RETRY_DELAY;
    const wait = this.#learnNeed(error) && isFirst ? 0 : this.#retryDelay;
    this.#retryDelay = Math.min(MAX_RETRY_DELAY, this.#retryDelay * 2);
    if (wait > 0) {
      const { emit, desired, health, confirmations } = this.#parts;
      const { message, advice } = error;
      emit({ kind: 'firewall-error', message, advice, elements: desired.dirtySize });
      health.down(error);
      confirmations.failAll(error);
      this.#isFailing = true;
      this.#release(Number.POSITIVE_INFINITY, false);
    }
    if (this.#isRunning) this.#cancelRetry = this.#parts.timers.after(wait, () => this.pumpNow());
  }

  /** Whether the error says that install() is due, which was not known yet. */
  #learnNeed(error: OperationalError): boolean {
    const before = this.#need;
    if (error.code === 'table-missing') this.#need = 'lost';
    else if (error.code === 'not-installed' || error.code === 'worker-lost') {
      if (before === 'none') this.#need = 'again';
    }
    return before === 'none' && this.#need !== 'none';
  }

  /** Answers those who wait for what was marked up to a mark. */
  #release(mark: number, isWritten: boolean): void {
    const waiting = this.#waiters.findIndex((waiter) => waiter.mark > mark);
    const released = this.#waiters.splice(0, waiting < 0 ? this.#waiters.length : waiting);
    for (const { resolve } of released) resolve(isWritten);
  }

  #recover(): void {
    this.#retryDelay = MIN_RETRY_DELAY;
    this.#isFailing = false;
    this.#parts.health.up();
  }
}

/** Passes an OperationalError on and throws what is a bug. */
function operational(error: unknown): OperationalError {
  if (error instanceof OperationalError) return error;
  throw error;
}
