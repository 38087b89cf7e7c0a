/**
 * Enforces the ledger's decisions: takes them without waiting, and keeps the kernel as they want it, whoever else
 * changes the ruleset. What waits for the kernel is bounded by the bans themselves: an element waits once, and what to
 * say of it is read when it is written.
 */
import type { Network } from '../../core/address/address.ts';
import { unbannableReason } from '../../core/address/bannable.ts';
import { assert, OperationalError } from '../../core/errors.ts';
import type { Emit } from '../../core/event.ts';
import type { BanChange } from '../../core/ledger/ban-log.ts';
import type { Ban, Decision } from '../../core/ledger/decision.ts';
import { type Clock, MILLISECOND, type Microseconds, SECOND } from '../../core/time.ts';
import { DesiredElements, type JailScope } from '../../firewall/desired.ts';
import type { Firewall, SetCounter } from '../../firewall/firewall.ts';
import { elementId } from '../../firewall/layout.ts';
import { bansOf, compareElements, countDropped, type Drift } from '../../firewall/reconcile.ts';
import { Confirmations } from './confirmations.ts';
import { FirewallHealth } from './firewall-health.ts';
import { type InstallNeed, KernelWriter, type Timers } from './kernel-writer.ts';

/**
 * How often the table is looked at: another program's `nft flush ruleset` is repaired within a second. Each look wakes
 * an idle main thread, which costs some 200 µs.
 */
export const CHECK_INTERVAL: Microseconds = 700 * MILLISECOND;

/** How often the kernel's elements are compared with ours, and the counters are read, when nothing calls for it. */
export const RECONCILE_INTERVAL: Microseconds = 30 * SECOND;

/** After somebody else changed the ruleset elements are compared at once, but no more often than this. */
export const MIN_RECONCILE_INTERVAL: Microseconds = 400 * MILLISECOND;

/** A comparison that took long is not repeated before this many times as long: five percent of a core at the most. */
export const RECONCILE_REST_FACTOR = 20;

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

export class Enforcer {
  readonly #options: EnforcerOptions;
  readonly #desired: DesiredElements;
  #jails: ReadonlySet<string>;
  #trust: readonly Network[];
  readonly #confirmations: Confirmations;
  readonly #health: FirewallHealth;
  readonly #writer: KernelWriter;
  /** While the kernel is being listed: what changed since. */
  #unsettled: Set<string> | null = null;
  #lastCounters: readonly SetCounter[] = [];
  #state: 'idle' | 'running' | 'stopped' = 'idle';
  #look: Promise<void> | null = null;
  #cancelCheck: (() => void) | null = null;
  #reconcileAt: Microseconds = 0;
  #nextReconcileAllowedAt: Microseconds = 0;

  constructor(options: EnforcerOptions) {
    this.#options = options;
    this.#desired = new DesiredElements(options.jails);
    this.#jails = namesOf(options.jails);
    this.#trust = options.trust;
    this.#health = new FirewallHealth(options.emit, options.firewall, options.limitation);
    this.#confirmations = new Confirmations((ban, arrivalAt) => {
      const arrivalToKernel = Math.max(0, options.clock.now() - arrivalAt);
      options.emit({ kind: 'enforced', ban, arrivalToKernel });
    });
    this.#writer = new KernelWriter({
      ...options,
      desired: this.#desired,
      confirmations: this.#confirmations,
      health: this.#health,
      trust: () => this.#trust,
      repaired: (need) => this.#afterRepair(need),
    });
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
    this.#lastCounters = await firewall.counters();
    this.#desired.restore(bans.filter((ban) => unbannableReason(ban.offender) === null));
    const drift = compareElements(this.#desired, listed ?? [], clock.now(), new Set());
    this.#state = 'running';
    const surplus = this.#correct(drift, false);
    this.#health.up();
    this.#reconcileAt = clock.now() + RECONCILE_INTERVAL;
    this.#armCheck();
    this.#writer.start();
    await this.flush().catch(ignoreOperational);
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
      if (decision.kind === 'unban') this.#confirmations.retract(jail, ids);
      else if (decision.kind === 'ban' && decision.ban.cause === 'offence') {
        const pending = ids.filter((id) => this.#writer.isPending(id));
        this.#confirmations.announce(decision.ban, arrivalAt, pending);
      }
    }
    this.#writer.pump();
  }

  /** Whether bans reach the kernel at all, and are not only recorded. */
  get isDryRun(): boolean {
    return this.#options.firewall.backend === 'dry-run';
  }

  /** Whether the kernel has confirmed every element of a jail's ban. */
  isEnforced(jail: string, offender: Network): boolean {
    return !this.isDryRun && this.#areIn(jail, offender, true);
  }

  /** As KernelProgress.written in state/announcements.ts. A stand-in that nobody has asked for writes nothing. */
  written(): boolean | Promise<boolean> {
    return this.#options.limitation === null && this.#writer.written();
  }

  /** As KernelProgress.hasTaken there. */
  hasTaken({ kind, ban }: BanChange): boolean {
    return this.#options.limitation === null && this.#areIn(ban.jail, ban.offender, kind !== 'unban');
  }

  /**
   * Resolves when everything that was decided about a network is in the kernel. Throws OperationalError when the next
   * attempt fails; the elements then still wait for the one after it.
   */
  settled(offender: Network): Promise<void> {
    return this.#wait(this.#desired.idsOfNetwork(offender).filter((id) => this.#writer.isPending(id)));
  }

  /** As settled, for everything that waits now. */
  flush(): Promise<void> {
    return this.#wait(this.#writer.pending());
  }

  /** Packets of these networks pass from now on. Throws OperationalError when it failed, and then tries again. */
  async setTrust(trust: readonly Network[]): Promise<void> {
    this.#trust = trust;
    try {
      await this.#options.firewall.install(trust);
    } catch (error) {
      this.#writer.require('again');
      throw error;
    }
  }

  /** Other jails, or other ports of jails. */
  reconfigure(jails: readonly JailScope[]): void {
    this.#jails = namesOf(jails);
    this.#desired.reconfigure(jails);
    for (const id of this.#desired.dirtyIds()) this.#unsettled?.add(id);
    this.#writer.pump();
  }

  /** Makes one last attempt to send what waits, then lets go of the firewall. Bans stay in the kernel. */
  async stop(): Promise<void> {
    if (this.#state === 'running') await this.flush().catch(ignoreOperational);
    this.#state = 'stopped';
    this.#cancelCheck?.();
    await this.#look;
    await this.#writer.stop();
    await this.#options.firewall.close();
  }

  /** Whether the kernel knows all that is to be known of the elements of a jail's ban, claimed or not. */
  #areIn(jail: string, offender: Network, isClaimed: boolean): boolean {
    return this.#desired
      .idsOf(jail, offender)
      .every(
        (id) =>
          !this.#writer.isPending(id) &&
          !this.#writer.isRefused(id) &&
          (!isClaimed || this.#desired.claimOf(id) !== null),
      );
  }

  #wait(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) this.#writer.pumpNow();
    return this.#confirmations.wait(ids);
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
        this.#writer.require('lost');
        return;
      }
      if (check === 'touched') this.#reconcileAt = 0;
      this.#writer.noteAnswer();
      const now = clock.now();
      if (now >= Math.max(this.#reconcileAt, this.#nextReconcileAllowedAt)) await this.#reconcile();
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      this.#writer.noteFailure(error);
    }
  }

  /** Compares the kernel's elements with ours, puts them right, and reads the counters. */
  async #reconcile(): Promise<void> {
    const { clock, adopt } = this.#options;
    const startedAt = clock.now();
    this.#reconcileAt = startedAt + RECONCILE_INTERVAL;
    this.#unsettled = new Set(this.#writer.pending());
    try {
      const drift = await this.#listDrift();
      if (drift === null) {
        this.#writer.require('lost');
      } else {
        const bans = this.#correct(drift, true);
        if (bans.length > 0) adopt(bans);
      }
      await this.#countDropped();
    } finally {
      this.#unsettled = null;
      const rest = (clock.now() - startedAt) * RECONCILE_REST_FACTOR;
      this.#nextReconcileAllowedAt = clock.now() + Math.max(MIN_RECONCILE_INTERVAL, rest);
      this.#writer.pump();
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

  /** A new worker does not know what it holds; a new table holds what is about to be written. */
  #afterRepair(need: InstallNeed): void {
    if (need === 'again') this.#reconcileAt = 0;
    else for (const id of this.#desired.ids()) this.#unsettled?.add(id);
  }

  async #countDropped(): Promise<void> {
    const counters = await this.#options.firewall.counters();
    for (const dropped of countDropped(this.#lastCounters, counters)) {
      this.#options.emit({ kind: 'dropped', ...dropped });
    }
    this.#lastCounters = counters;
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
}

function namesOf(jails: readonly JailScope[]): ReadonlySet<string> {
  return new Set(jails.map((jail) => jail.name));
}

function ignoreOperational(error: unknown): void {
  if (!(error instanceof OperationalError)) throw error;
}
