/** A firewall in memory whose failures and delays a test decides, and timers that run when it says so. */

import type { Network } from '../../../src/core/address/address.ts';
import { OperationalError } from '../../../src/core/errors.ts';
import type { ClockReading } from '../../../src/core/ledger/clock-reading.ts';
import { type Clock, FOREVER, type Microseconds } from '../../../src/core/time.ts';
import type { Timers } from '../../../src/daemon/enforcement/kernel-writer.ts';
import type {
  Firewall,
  FirewallBatch,
  FirewallCheck,
  KernelElement,
  Refusal,
  SetCounter,
} from '../../../src/firewall/firewall.ts';
import { elementId, elementOfId } from '../../../src/firewall/layout.ts';

export class FakeFirewall implements Firewall {
  readonly backend = 'nft';
  readonly description = 'a fake';
  readonly batches: FirewallBatch[] = [];
  /** By element id: when it ends, and its comment. */
  readonly elements = new Map<string, { readonly until: Microseconds; readonly comment: string }>();
  readonly dropped = new Map<string, number>();
  readonly refuses = new Set<string>();
  trust: readonly Network[] = [];
  installs = 0;
  listings = 0;
  isTable = false;
  isClosed = false;
  nextCheck: FirewallCheck = 'intact';
  /** Thrown by everything while it is set. */
  failure: OperationalError | null = null;
  /** While it is set, transactions and listings wait for it. */
  gate: Promise<void> | null = null;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What `nft flush ruleset` does. */
  flushRuleset(): void {
    this.elements.clear();
    this.isTable = false;
    this.nextCheck = 'missing';
  }

  async install(trust: readonly Network[]): Promise<void> {
    this.#failIfTold();
    this.installs++;
    this.isTable = true;
    this.nextCheck = 'intact';
    this.trust = trust;
  }

  async apply(batch: FirewallBatch): Promise<readonly Refusal[]> {
    await this.gate;
    this.#failIfTold();
    if (!this.isTable) throw new OperationalError('no table', { code: 'table-missing', retriable: true });
    this.batches.push(batch);
    const isRefused = (id: string) => this.refuses.has(id);
    for (const element of batch.deletes) this.elements.delete(elementId(element));
    for (const upsert of batch.upserts.filter((candidate) => !isRefused(elementId(candidate)))) {
      const until = upsert.timeout === FOREVER ? FOREVER : this.#clock.now() + upsert.timeout;
      this.elements.set(elementId(upsert), { until, comment: upsert.comment });
    }
    return batch.upserts
      .filter((upsert) => isRefused(elementId(upsert)))
      .map((upsert) => ({ element: { set: upsert.set, key: upsert.key }, reason: 'no room' }));
  }

  async list(): Promise<readonly KernelElement[] | null> {
    this.#failIfTold();
    this.listings++;
    const now = this.#clock.now();
    const listed = [...this.elements].map(([id, { until, comment }]) => ({
      ...elementOfId(id),
      expires: until === FOREVER ? FOREVER : until - now,
      comment,
      packets: 0,
      bytes: 0,
    }));
    const isTable = this.isTable;
    await this.gate;
    return isTable ? listed : null;
  }

  async check(): Promise<FirewallCheck> {
    this.#failIfTold();
    const check = this.nextCheck;
    if (check === 'touched') this.nextCheck = 'intact';
    return check;
  }

  async counters(): Promise<readonly SetCounter[]> {
    this.#failIfTold();
    return [...this.dropped].map(([set, packets]) => ({ set, packets, bytes: packets * 60 }));
  }

  async removeTable(): Promise<void> {
    this.flushRuleset();
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }

  #failIfTold(): void {
    if (this.failure !== null) throw this.failure;
  }
}

/** A clock that a test advances, with timers that run on the way. */
export class ManualTime implements Clock, Timers {
  #now: Microseconds = 1_700_000_000_000_000;
  #waiting: { readonly at: Microseconds; readonly run: () => void }[] = [];

  now(): Microseconds {
    return this.#now;
  }

  reading(): ClockReading {
    return { at: this.#now, boot: 'boot', steady: this.#now };
  }

  after(delay: Microseconds, run: () => void): () => void {
    const timer = { at: this.#now + delay, run };
    this.#waiting.push(timer);
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== timer);
    };
  }

  /** Runs what is due until then, in order, and lets each of them do what it can before the next. */
  async advance(duration: Microseconds): Promise<void> {
    const end = this.#now + duration;
    for (;;) {
      const next = this.#waiting.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#waiting = this.#waiting.filter((other) => other !== next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
      await settle();
    }
    this.#now = end;
    await settle();
  }
}

/** Lets every promise that can go on do so. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
