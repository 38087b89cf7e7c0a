/**
 * Drives the firewall: takes decisions without waiting, has one transaction under way while the next gathers, retries
 * what failed, and keeps the kernel as the decisions want it, whoever else changes the ruleset. What waits for the
 * kernel is bounded by the bans themselves: an element waits once, and what to say of it is read when it is sent.
 */
import type { Network } from '../core/address.ts';
import { unbannableReason } from '../core/bannable.ts';
import type { Ban, Decision } from '../core/decision.ts';
import { assert, OperationalError } from '../core/errors.ts';
import type { ComponentHealth, Emit } from '../core/event.ts';
import { type Clock, MILLISECOND, type Microseconds, SECOND } from '../core/time.ts';
import { DesiredElements, type JailScope, type OutgoingBatch } from '../firewall/desired.ts';
import type { Firewall, Refusal, SetCounter } from '../firewall/firewall.ts';
import { elementId } from '../firewall/layout.ts';
import { bansOf, compareElements, type Drift } from '../firewall/reconcile.ts';

/** How often the table is looked at: another program's `nft flush ruleset` is repaired within a second. */
export const CHECK_INTERVAL: Microseconds = 400 * MILLISECOND;

/** How often the kernel's elements are compared with ours, and the counters are read, when nothing calls for it. */
export const RECONCILE_INTERVAL: Microseconds = 30 * SECOND;

/** After somebody else changed the ruleset elements are compared at once, but no more often than this. */
export const MIN_RECONCILE_INTERVAL: Microseconds = SECOND;

/** A comparison that took long is not repeated before this many times as long: one percent of a core. */
export const RECONCILE_REST_FACTOR = 100;

/** After a failed transaction: this, then twice as much each time. */
export const MIN_RETRY_DELAY: Microseconds = 100 * MILLISECOND;
export const MAX_RETRY_DELAY: Microseconds = 5 * SECOND;

/** What wakes the enforcer. The returned function cancels. */
export interface Timers {
  after(delay: Microseconds, run: () => void): () => void;
}

export const SYSTEM_TIMERS: Timers = {
  after(delay, run) {
    const timer = setTimeout(run, delay / MILLISECOND);
    return () => clearTimeout(timer);
  },
};

export type EnforcerOptions = {
  readonly firewall: Firewall;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly timers: Timers;
  readonly jails: readonly JailScope[];
  readonly trust: readonly Network[];
  /**
   * Told of bans that are in the kernel and not among ours, found after start: to be put into the ledger, or lifted by
   * a decision when the ledger does not want them.
   */
  readonly adopt: (bans: readonly Ban[]) => void;
  /** Why this is not the firewall that was asked for, when it is a stand-in. */
  readonly limitation: OperationalError | null;
};

/** A ban whose arrival in the kernel is to be told. */
type Announcement = { readonly ban: Ban; readonly arrivalAt: Microseconds; waiting: number };

/** Somebody who waits for elements to be in the kernel. */
type Waiter = {
  readonly ids: Set<string>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
};

export class Enforcer {
  readonly #options: EnforcerOptions;
  readonly #desired: DesiredElements;
  #jails: ReadonlySet<string>;
  #trust: readonly Network[];
  readonly #announcements = new Map<string, Announcement[]>();
  readonly #waiters = new Set<Waiter>();
  readonly #refused = new Set<string>();
  #inFlight: ReadonlySet<string> = new Set();
  /** While the kernel is being listed: what changed since. */
  #unsettled: Set<string> | null = null;
  #lastCounters: ReadonlyMap<string, SetCounter> = new Map();
  #state: 'idle' | 'running' | 'stopped' = 'idle';
  #work: Promise<void> | null = null;
  #look: Promise<void> | null = null;
  /** What install() is needed for: `lost` sends every element again. */
  #install: 'none' | 'again' | 'lost' = 'none';
  #retryDelay: Microseconds = MIN_RETRY_DELAY;
  #cancelRetry: (() => void) | null = null;
  #cancelCheck: (() => void) | null = null;
  #reconcileAt: Microseconds = 0;
  #nextReconcileAllowedAt: Microseconds = 0;
  #health: ComponentHealth | null = null;

  constructor(options: EnforcerOptions) {
    this.#options = options;
    this.#desired = new DesiredElements(options.jails);
    this.#jails = namesOf(options.jails);
    this.#trust = options.trust;
  }

  /**
   * Installs the table, puts `bans`, the ledger's, into it where they are missing, and resolves to the bans that the
   * kernel holds beyond them, as RESTORED ones, for the ledger. Throws OperationalError when there is no firewall to
   * work with: the caller then makes another Enforcer with a DryRunFirewall and the error as its limitation.
   */
  async start(bans: readonly Ban[]): Promise<readonly Ban[]> {
    assert(this.#state === 'idle', 'an enforcer starts once');
    const { firewall, clock } = this.#options;
    const listed = await firewall.list();
    await firewall.install(this.#trust);
    this.#lastCounters = bySet(await firewall.counters());
    this.#desired.restore(bans.filter((ban) => unbannableReason(ban.offender) === null));
    const drift = compareElements(this.#desired, listed ?? [], clock.now(), new Set());
    this.#state = 'running';
    const surplus = this.#correct(drift, false);
    this.#reportHealth('up', '', '');
    this.#reconcileAt = clock.now() + RECONCILE_INTERVAL;
    this.#armCheck();
    this.#pump();
    await this.flush();
    return surplus;
  }

  /** Takes decisions in and returns at once. `arrivalAt` is when the record that led to them came in. */
  enqueue(decisions: readonly Decision[], arrivalAt: Microseconds): void {
    for (const decision of decisions) {
      if (decision.kind === 'forgive' || this.#isForbidden(decision)) continue;
      const { jail, offender } = decision.ban;
      this.#desired.observe(decision);
      const ids = this.#desired.idsOf(jail, offender);
      for (const id of ids) this.#unsettled?.add(id);
      if (decision.kind === 'unban') this.#retract(ids, jail);
      else if (decision.kind === 'ban' && decision.ban.cause === 'offence') {
        this.#announce(decision.ban, ids, arrivalAt);
      }
    }
    this.#pump();
  }

  /** Whether the kernel has confirmed every element of a jail's ban. */
  isEnforced(jail: string, offender: Network): boolean {
    return this.#desired
      .idsOf(jail, offender)
      .every((id) => this.#desired.claimOf(id) !== null && !this.#isPending(id) && !this.#refused.has(id));
  }

  /**
   * Resolves when everything that was decided about a network is in the kernel. Throws OperationalError when the next
   * attempt fails; the elements then still wait for the one after it.
   */
  settled(offender: Network): Promise<void> {
    return this.#wait(this.#desired.idsOfNetwork(offender).filter((id) => this.#isPending(id)));
  }

  /** As settled, for everything that waits now. */
  flush(): Promise<void> {
    return this.#wait([...this.#inFlight, ...this.#desired.dirtyIds()]);
  }

  /** Packets of these networks pass from now on. Throws OperationalError; the change is then made with the next repair. */
  async setTrust(trust: readonly Network[]): Promise<void> {
    this.#trust = trust;
    await this.#options.firewall.install(trust);
  }

  /** Other jails, or other ports of jails. */
  reconfigure(jails: readonly JailScope[]): void {
    this.#jails = namesOf(jails);
    this.#desired.reconfigure(jails);
    for (const id of this.#desired.dirtyIds()) this.#unsettled?.add(id);
    this.#pump();
  }

  /** Makes one last attempt to send what waits, then lets go of the firewall. Bans stay in the kernel. */
  async stop(): Promise<void> {
    if (this.#state === 'running') await this.flush().catch(ignoreOperational);
    this.#state = 'stopped';
    this.#cancelRetry?.();
    this.#cancelCheck?.();
    await this.#look;
    await this.#work;
    await this.#options.firewall.close();
  }

  /** Starts sending unless something is under way, or waits for its next attempt. */
  #pump(): void {
    if (this.#state !== 'running' || this.#work !== null || this.#cancelRetry !== null) return;
    if (this.#desired.dirtySize === 0 && this.#install === 'none') return;
    this.#work = this.#send().finally(() => {
      this.#work = null;
      this.#pump();
    });
  }

  async #send(): Promise<void> {
    try {
      if (this.#install !== 'none') await this.#repair();
      let outgoing = this.#desired.next(this.#options.clock.now());
      while (outgoing !== null) {
        await this.#apply(outgoing);
        outgoing = this.#desired.next(this.#options.clock.now());
      }
    } catch (error) {
      this.#retryLater(operational(error));
    }
  }

  async #apply(outgoing: OutgoingBatch): Promise<void> {
    const { firewall, clock, emit } = this.#options;
    const startedAt = clock.now();
    this.#inFlight = new Set(outgoing.ids);
    try {
      const refusals = await firewall.apply(outgoing.batch);
      this.#inFlight = new Set();
      const duration = clock.now() - startedAt;
      emit({ kind: 'firewall-transaction', elements: outgoing.ids.length - refusals.length, duration });
      this.#recover();
      this.#confirm(outgoing.ids, refusals);
    } catch (error) {
      this.#inFlight = new Set();
      this.#desired.mark(outgoing.ids);
      throw error;
    }
  }

  /** Tells whoever waits for these elements what has become of them. */
  #confirm(ids: readonly string[], refusals: readonly Refusal[]): void {
    const refused = new Map(refusals.map(({ element, reason }) => [elementId(element), reason]));
    for (const id of ids) {
      if (this.#desired.isDirty(id)) continue;
      const reason = refused.get(id);
      if (reason === undefined) this.#refused.delete(id);
      else this.#refused.add(id);
      this.#settleWaiters(id, reason ?? null);
      this.#settleAnnouncements(id, reason === undefined);
    }
    const first = refusals[0];
    if (first === undefined) return;
    this.#options.emit({
      kind: 'firewall-error',
      message: `refused ${elementId(first.element)}: ${first.reason}`,
      advice: 'it is tried again when the kernel is next compared with the ledger',
      elements: refusals.length,
    });
  }

  /** Makes the table anew, and when it was lost sends every element again. */
  async #repair(): Promise<void> {
    const lost = this.#install === 'lost';
    await this.#options.firewall.install(this.#trust);
    this.#install = 'none';
    this.#recover();
    if (!lost) {
      this.#reconcileAt = 0;
      return;
    }
    this.#desired.mark(this.#desired.ids());
    for (const id of this.#desired.ids()) this.#unsettled?.add(id);
    const missing = this.#desired.size;
    this.#options.emit({ kind: 'firewall-drift', missing, surplus: 0, wrongTimeout: 0, tableLost: true });
  }

  /** After a failure: says so, lets nobody wait for the next attempt, and plans it. */
  #retryLater(error: OperationalError): void {
    const wait = this.#needInstall(error) ? 0 : this.#retryDelay;
    if (wait > 0) {
      const elements = this.#desired.dirtySize;
      const { message, advice } = error;
      this.#options.emit({ kind: 'firewall-error', message, advice, elements });
      this.#reportHealth('down', message, advice);
      for (const waiter of this.#waiters) waiter.reject(error);
      this.#waiters.clear();
      this.#retryDelay = Math.min(MAX_RETRY_DELAY, this.#retryDelay * 2);
    }
    if (this.#state !== 'running') return;
    this.#cancelRetry = this.#options.timers.after(wait, () => this.#retryNow());
  }

  #retryNow(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.#pump();
  }

  /** Whether the error only says that install() is due, and was not already. */
  #needInstall(error: OperationalError): boolean {
    const before = this.#install;
    if (error.code === 'table-missing') this.#install = 'lost';
    else if (error.code === 'not-installed' || error.code === 'worker-lost') {
      if (before === 'none') this.#install = 'again';
    }
    return before === 'none' && this.#install !== 'none';
  }

  #recover(): void {
    this.#retryDelay = MIN_RETRY_DELAY;
    this.#reportHealth('up', '', '');
  }

  #armCheck(): void {
    this.#cancelCheck = this.#options.timers.after(CHECK_INTERVAL, () => {
      this.#look = this.#check().finally(() => {
        this.#look = null;
        if (this.#state === 'running') this.#armCheck();
      });
    });
  }

  async #check(): Promise<void> {
    const { firewall, clock } = this.#options;
    try {
      const check = await firewall.check();
      if (check === 'missing') {
        this.#install = 'lost';
        this.#pump();
        return;
      }
      if (check === 'touched') this.#reconcileAt = 0;
      const now = clock.now();
      if (now >= Math.max(this.#reconcileAt, this.#nextReconcileAllowedAt)) await this.#reconcile();
    } catch (error) {
      const failure = operational(error);
      if (this.#needInstall(failure)) this.#pump();
      else if (this.#cancelRetry === null) this.#retryLater(failure);
    }
  }

  /** Compares the kernel's elements with ours, puts them right, and reads the counters. */
  async #reconcile(): Promise<void> {
    const { firewall, clock, adopt } = this.#options;
    const startedAt = clock.now();
    this.#reconcileAt = startedAt + RECONCILE_INTERVAL;
    this.#unsettled = new Set([...this.#inFlight, ...this.#desired.dirtyIds()]);
    try {
      const drift = await this.#listDrift();
      if (drift === null) {
        this.#install = 'lost';
      } else {
        const bans = this.#correct(drift, true);
        if (bans.length > 0) adopt(bans);
      }
      this.#countDropped(await firewall.counters());
    } finally {
      this.#unsettled = null;
      const rest = (clock.now() - startedAt) * RECONCILE_REST_FACTOR;
      this.#nextReconcileAllowedAt = clock.now() + Math.max(MIN_RECONCILE_INTERVAL, rest);
      this.#pump();
    }
  }

  /**
   * The kernel goes through a set anew for every part of a listing, so one that changes meanwhile can hide elements:
   * what is missing from one listing is looked for in another.
   */
  async #listDrift(): Promise<Drift | null> {
    const { firewall, clock } = this.#options;
    const unsettled = this.#unsettled ?? new Set();
    const first = await firewall.list();
    if (first === null) return null;
    const drift = compareElements(this.#desired, first, clock.now(), unsettled);
    if (drift.missing.length === 0) return drift;
    const second = await firewall.list();
    return second === null
      ? null
      : compareElements(this.#desired, first.concat(second), clock.now(), unsettled);
  }

  /** Has the differences sent, and returns the bans that the kernel holds and the ledger does not know yet. */
  #correct(drift: Drift, isNews: boolean): readonly Ban[] {
    const { clock, emit } = this.#options;
    const { missing, wrongTimeout, surplus } = drift;
    this.#desired.mark(missing);
    this.#desired.mark(wrongTimeout);
    const bans = bansOf(surplus, this.#jails, clock.now());
    const wanted = bans.filter((ban) => unbannableReason(ban.offender) === null);
    this.#desired.restore(wanted);
    this.#replaceStrays(surplus.map(elementId), wanted);
    if (isNews && missing.length + wrongTimeout.length + surplus.length > 0) {
      emit({
        kind: 'firewall-drift',
        missing: missing.length,
        wrongTimeout: wrongTimeout.length,
        surplus: surplus.length,
        tableLost: false,
      });
    }
    return wanted;
  }

  /**
   * A surplus element that its jail would spell otherwise now (other ports), or that must not be banned, goes; the
   * elements that its ban consists of instead come with the same transaction.
   */
  #replaceStrays(surplus: readonly string[], bans: readonly Ban[]): void {
    const strays = surplus.filter((id) => this.#desired.claimOf(id) === null);
    if (strays.length === 0) return;
    const present = new Set(surplus);
    const instead = bans.flatMap((ban) => this.#desired.idsOf(ban.jail, ban.offender));
    this.#desired.mark([...instead.filter((id) => !present.has(id)), ...strays]);
  }

  #countDropped(counters: readonly SetCounter[]): void {
    for (const { set, packets, bytes } of counters) {
      const before = this.#lastCounters.get(set);
      const isReset = before === undefined || packets < before.packets;
      const newPackets = isReset ? packets : packets - before.packets;
      const newBytes = isReset ? bytes : bytes - before.bytes;
      if (newPackets > 0) {
        this.#options.emit({ kind: 'dropped', set, packets: newPackets, bytes: newBytes });
      }
    }
    this.#lastCounters = bySet(counters);
  }

  /** The last guard before the kernel: what must never be banned is not, whoever decided it. */
  #isForbidden(decision: Exclude<Decision, { kind: 'forgive' }>): boolean {
    const reason = decision.kind === 'unban' ? null : unbannableReason(decision.ban.offender);
    if (reason === null) return false;
    this.#options.emit({
      kind: 'firewall-error',
      message: `did not ban ${decision.ban.offender}: ${reason} addresses are never banned`,
      advice: '',
      elements: 1,
    });
    return true;
  }

  #announce(ban: Ban, ids: readonly string[], arrivalAt: Microseconds): void {
    const pending = ids.filter((id) => this.#isPending(id));
    const announcement: Announcement = { ban, arrivalAt, waiting: pending.length };
    if (pending.length === 0) this.#tell(announcement);
    for (const id of pending) {
      const others = (this.#announcements.get(id) ?? []).filter((other) => other.ban.jail !== ban.jail);
      this.#announcements.set(id, [...others, announcement]);
    }
  }

  #retract(ids: readonly string[], jail: string): void {
    for (const id of ids) {
      const left = (this.#announcements.get(id) ?? []).filter(
        (announcement) => announcement.ban.jail !== jail,
      );
      if (left.length === 0) this.#announcements.delete(id);
      else this.#announcements.set(id, left);
    }
  }

  #settleAnnouncements(id: string, isEnforced: boolean): void {
    const announcements = this.#announcements.get(id);
    if (announcements === undefined) return;
    this.#announcements.delete(id);
    for (const announcement of announcements) {
      if (!isEnforced) continue;
      announcement.waiting--;
      if (announcement.waiting === 0) this.#tell(announcement);
    }
  }

  #tell({ ban, arrivalAt }: Announcement): void {
    const { emit, clock } = this.#options;
    emit({ kind: 'enforced', ban, arrivalToKernel: Math.max(0, clock.now() - arrivalAt) });
  }

  #wait(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return Promise.resolve();
    if (this.#state === 'running' && this.#cancelRetry !== null) this.#retryNow();
    return new Promise((resolve, reject) => {
      this.#waiters.add({ ids: new Set(ids), resolve, reject });
    });
  }

  #settleWaiters(id: string, refusal: string | null): void {
    for (const waiter of this.#waiters) {
      if (!waiter.ids.delete(id)) continue;
      if (refusal !== null) waiter.reject(refusedError(id, refusal));
      else if (waiter.ids.size === 0) waiter.resolve();
      else continue;
      this.#waiters.delete(waiter);
    }
  }

  #isPending(id: string): boolean {
    return this.#desired.isDirty(id) || this.#inFlight.has(id);
  }

  /** Tells the firewall's health when it changes; a stand-in never counts as up. */
  #reportHealth(health: 'up' | 'down', detail: string, advice: string): void {
    const { firewall, limitation, emit } = this.#options;
    if (health === this.#health) return;
    this.#health = health;
    if (health === 'down') emit({ kind: 'component', component: 'firewall', health, detail, advice });
    else if (limitation !== null) {
      const why = `${firewall.description} (${limitation.message})`;
      const { advice: remedy } = limitation;
      emit({ kind: 'component', component: 'firewall', health: 'degraded', detail: why, advice: remedy });
    } else {
      const as = firewall.backend === 'dry-run' ? 'off' : 'up';
      emit({
        kind: 'component',
        component: 'firewall',
        health: as,
        detail: firewall.description,
        advice: '',
      });
    }
  }
}

function bySet(counters: readonly SetCounter[]): ReadonlyMap<string, SetCounter> {
  return new Map(counters.map((counter) => [counter.set, counter]));
}

function namesOf(jails: readonly JailScope[]): ReadonlySet<string> {
  return new Set(jails.map((jail) => jail.name));
}

function refusedError(id: string, reason: string): OperationalError {
  return new OperationalError(`the kernel refused ${id}: ${reason}`, { code: 'element-refused' });
}

/** Passes an OperationalError on and throws what is a bug. */
function operational(error: unknown): OperationalError {
  if (error instanceof OperationalError) return error;
  throw error;
}

function ignoreOperational(error: unknown): void {
  operational(error);
}
