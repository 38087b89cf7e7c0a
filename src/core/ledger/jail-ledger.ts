/** One jail's share of the ledger: its failure windows, bans and totals, and which of them are not stored yet. */
import type { Network } from '../address/address.ts';
import { assert } from '../errors.ts';
import type { Confidence, Failure } from '../failure.ts';
import { RecencyMap } from '../recency-map.ts';
import { FOREVER, type Microseconds } from '../time.ts';
import { Deadlines } from './deadlines.ts';
import type { Ban } from './decision.ts';
import { addFailure } from './failure-window.ts';
import type { JailPolicy } from './policy.ts';
import type { FailureWindow, JailTotals, LedgerChanges } from './snapshot.ts';

/** How often a limit has made a victim since the last time that it was asked. */
export type Evictions = { readonly jail: string; readonly windows: number; readonly bans: number };

/** Numbers of one jail: of this moment, and since the state directory was made. */
export type JailCounts = {
  readonly offenders: number;
  readonly failures: number;
  readonly bans: number;
  readonly totalFailures: number;
  readonly totalBans: number;
};

/** What of a failure decides how much it counts. */
export type WeighedFailure = Pick<Failure, 'seenAt' | 'weight'> & { readonly confidence: Confidence };

/** LedgerChanges while they are being gathered. */
export type JailChanges = { -readonly [Key in keyof LedgerChanges]: LedgerChanges[Key][number][] };

/**
 * Pending changes of one jail beyond which its whole image is handed over instead: the keys of what is gone would
 * otherwise pile up for as long as the disk is full.
 */
export const MAX_PENDING_CHANGES = 262_144;

/** Outdated deadlines that may pile up before the heap is compacted. */
const MAX_OUTDATED_DEADLINES = 1_024;

export class JailLedger {
  readonly name: string;
  policy: JailPolicy | null = null;
  /** In the order of their last failure's arrival: the first is the victim when there are too many. */
  readonly #windows = new RecencyMap<Microseconds[]>();
  readonly #bans = new Map<Network, Ban>();
  readonly #deadlines = new Deadlines();
  /** In the order of their last failures, so that a store can give that order back. */
  #pendingWindows = new Set<Network>();
  readonly #pendingBans = new Set<Network>();
  #pendingTotals = false;
  #pendingWhole = false;
  #failures = 0;
  #totalFailures = 0;
  #totalBans = 0;
  #evictedWindows = 0;
  #evictedBans = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** Takes a new policy, or null for a jail that is no longer configured: its failures are then forgotten. */
  setPolicy(policy: JailPolicy | null): void {
    this.policy = policy;
    if (policy === null) for (const [offender] of this.#windows) this.forget(offender);
  }

  /**
   * Adds a failure to its window and returns how many the window holds; makes room where there are too many. One
   * of low confidence leaves the window one short of an offence at most.
   */
  count(offender: Network, failure: WeighedFailure, maxOffenders: number): number {
    const policy = this.policy;
    assert(policy !== null, 'only a jail with a policy counts');
    const { seenAt, weight, confidence } = failure;
    const most = confidence === 'full' ? policy.maxRetry : policy.maxRetry - 1;
    this.#totalFailures += weight;
    this.#pendingTotals = true;
    if (most === 0) return 0;
    const window = this.#windows.get(offender) ?? [];
    this.#windows.touch(offender, window);
    this.trimWindows(maxOffenders);
    const before = window.length;
    const count = addFailure(window, seenAt, Math.min(weight, most), policy.findTime, most);
    this.#failures += count - before;
    this.#markWindow(offender);
    return count;
  }

  /** Whether the offender has failures in its window. */
  isCounting(offender: Network): boolean {
    return this.#windows.has(offender);
  }

  /** The failures of an offender that still count for one at `at`. */
  failuresOf(offender: Network, at: Microseconds): number {
    const start = at - (this.policy?.findTime ?? 0);
    return this.#windows.get(offender)?.filter((seenAt) => seenAt > start).length ?? 0;
  }

  /** Drops the failures of an offender; returns whether there were any. */
  forget(offender: Network): boolean {
    const window = this.#windows.get(offender);
    if (window === undefined) return false;
    this.#windows.delete(offender);
    this.#failures -= window.length;
    this.#markWindow(offender);
    return true;
  }

  /** Drops the windows heard of longest ago until at most `room` are left. */
  trimWindows(room: number): void {
    while (this.#windows.size > room) this.#evictWindow();
  }

  /** Drops the windows whose last failure is too old for one after `horizon` to join it. */
  dropWindows(horizon: Microseconds): void {
    const findTime = this.policy?.findTime ?? 0;
    for (const [offender, window] of this.#windows) {
      if ((window.at(-1) ?? 0) + findTime > horizon) return;
      this.forget(offender);
    }
  }

  /** Records a ban, or the new state of one. */
  impose(ban: Ban): void {
    const known = this.#bans.has(ban.offender);
    this.restoreBan(ban);
    this.returnBan(ban.offender);
    if (known) return;
    this.#totalBans++;
    this.#pendingTotals = true;
  }

  lift(offender: Network): void {
    this.#bans.delete(offender);
    this.returnBan(offender);
    this.#boundDeadlines();
  }

  /** Takes out one ban whose time has come by `at`; null when there is none. */
  takeEnded(at: Microseconds): Ban | null {
    const ban = this.#firstToEnd();
    if (ban === null || ban.until > at) return null;
    this.#deadlines.pop();
    this.lift(ban.offender);
    return ban;
  }

  /** While there are more than `room` bans, takes out the one that would end first; null when they fit. */
  takeVictim(room: number): Ban | null {
    if (this.#bans.size <= room) return null;
    const victim = this.#firstToEnd();
    if (victim === null) return null;
    this.lift(victim.offender);
    this.#evictedBans++;
    return victim;
  }

  nextDeadline(): Microseconds | null {
    const until = this.#firstToEnd()?.until ?? FOREVER;
    return until < FOREVER ? until : null;
  }

  ban(offender: Network): Ban | null {
    return this.#bans.get(offender) ?? null;
  }

  bans(): Iterable<Ban> {
    return this.#bans.values();
  }

  *windows(): Generator<FailureWindow> {
    for (const [offender, seenAt] of this.#windows) yield { jail: this.name, offender, seenAt: [...seenAt] };
  }

  totals(): JailTotals {
    return { jail: this.name, failures: this.#totalFailures, bans: this.#totalBans };
  }

  counts(): JailCounts {
    return {
      offenders: this.#windows.size,
      failures: this.#failures,
      bans: this.#bans.size,
      totalFailures: this.#totalFailures,
      totalBans: this.#totalBans,
    };
  }

  takeEvictions(): Evictions[] {
    if (this.#evictedWindows === 0 && this.#evictedBans === 0) return [];
    const evictions = { jail: this.name, windows: this.#evictedWindows, bans: this.#evictedBans };
    this.#evictedWindows = 0;
    this.#evictedBans = 0;
    return [evictions];
  }

  /** Adds what changed since the last call. */
  takeChanges(changes: JailChanges): void {
    if (this.#pendingWhole) {
      changes.rewritten.push(this.name);
      for (const window of this.windows()) changes.windows.push(window);
      for (const ban of this.#bans.values()) changes.bans.push(ban);
    } else {
      for (const offender of this.#pendingWindows) {
        const seenAt = this.#windows.get(offender);
        const key = { jail: this.name, offender };
        if (seenAt === undefined) changes.windowsGone.push(key);
        else changes.windows.push({ ...key, seenAt: [...seenAt] });
      }
      for (const offender of this.#pendingBans) {
        const ban = this.#bans.get(offender);
        if (ban === undefined) changes.bansGone.push({ jail: this.name, offender });
        else changes.bans.push(ban);
      }
    }
    if (this.#pendingTotals || this.#pendingWhole) changes.totals.push(this.totals());
    this.#clearPending();
  }

  /** Marks windows as not stored that were given with earlier changes: they come before what has changed since. */
  returnWindows(offenders: readonly Network[]): void {
    const since = this.#pendingWindows;
    this.#pendingWindows = new Set(offenders.filter((offender) => !since.has(offender)));
    for (const offender of since) this.#pendingWindows.add(offender);
    this.#boundPending();
  }

  /** Marks a ban as not stored. */
  returnBan(offender: Network): void {
    this.#pendingBans.add(offender);
    this.#boundPending();
  }

  returnTotals(): void {
    this.#pendingTotals = true;
  }

  /** Marks everything as not stored. */
  returnWhole(): void {
    this.#clearPending();
    this.#pendingWhole = true;
  }

  restoreTotals(totals: JailTotals): void {
    this.#totalFailures = totals.failures;
    this.#totalBans = totals.bans;
  }

  /** Takes in a stored window, whose times are ahead by `lead`; a failure from later than `at` counts as seen then. */
  restoreWindow({ offender, seenAt }: FailureWindow, at: Microseconds, lead: Microseconds): void {
    this.#windows.touch(
      offender,
      seenAt.map((failureAt) => Math.min(Math.max(0, failureAt - lead), at)),
    );
    this.#failures += seenAt.length;
    if (lead > 0 || (seenAt.at(-1) ?? at) > at) this.#markWindow(offender);
  }

  restoreBan(ban: Ban): void {
    this.#bans.set(ban.offender, ban);
    this.#deadlines.push({ until: ban.until, key: ban.offender });
    this.#boundDeadlines();
  }

  /** The ban that ends first, after dropping outdated deadlines; permanent ones last. Null when there is none. */
  #firstToEnd(): Ban | null {
    for (let first = this.#deadlines.peek(); first !== null; first = this.#deadlines.peek()) {
      const ban = this.#bans.get(first.key);
      if (ban !== undefined && ban.until === first.until) return ban;
      this.#deadlines.pop();
    }
    return null;
  }

  #markWindow(offender: Network): void {
    this.#pendingWindows.delete(offender);
    this.#pendingWindows.add(offender);
    this.#boundPending();
  }

  #evictWindow(): void {
    const victim = this.#windows.oldestKey();
    if (victim === null) return;
    this.forget(victim);
    this.#evictedWindows++;
  }

  /** Each extension of a ban and each lifted one leaves a deadline behind. */
  #boundDeadlines(): void {
    if (this.#deadlines.size <= 2 * this.#bans.size + MAX_OUTDATED_DEADLINES) return;
    this.#deadlines.compact((deadline) => this.#bans.get(deadline.key)?.until === deadline.until);
  }

  #boundPending(): void {
    if (this.#pendingWhole) this.#clearPending(true);
    else if (this.#pendingWindows.size + this.#pendingBans.size > MAX_PENDING_CHANGES) this.returnWhole();
  }

  #clearPending(whole = false): void {
    this.#pendingWindows.clear();
    this.#pendingBans.clear();
    this.#pendingTotals = false;
    this.#pendingWhole = whole;
  }
}
