/**
 * The ledger: a state machine that turns failures and commands into decisions. It reads no clock; every input carries
 * `at`, which never decreases. The daemon and the simulator in the tests run this same code.
 *
 * Everything in it is bounded: windows and bans for each jail by LedgerLimits, pending changes by what they describe.
 */
import type { Address, Network } from '../address/address.ts';
import { isBannable } from '../address/bannable.ts';
import { PrefixSet } from '../address/prefix-set.ts';
import { assert } from '../errors.ts';
import type { Failure } from '../failure.ts';
import { FOREVER, type Microseconds } from '../time.ts';
import { concernOf, holdersOf, type JailConcern, namesOf } from './concern.ts';
import type { Ban, Cause, Decision } from './decision.ts';
import { type Evictions, type JailChanges, type JailCounts, JailLedger } from './jail-ledger.ts';
import { type JailPolicy, offenderOf } from './policy.ts';
import type { LedgerChanges, LedgerImage, OffenderKey } from './snapshot.ts';

export type LedgerLimits = {
  /** Failure windows of one jail; the victim is the one whose last failure came in longest ago. */
  readonly maxOffenders: number;
  /** Bans of one jail; the victim is the one that would end first. */
  readonly maxBans: number;
};

/** What became of a failure. `count` is the number of failures in its window, this one included. */
export type Observation =
  | { readonly outcome: 'counted'; readonly offender: Network; readonly count: number }
  | { readonly outcome: 'ignored'; readonly reason: Obstacle };

/**
 * Why somebody is not banned: on the jail's ignore list, protected (trusted, or this host), or nothing to ban at all.
 */
export type Obstacle = 'ignore' | 'protected' | 'unbannable';

export class Ledger {
  readonly #jails = new Map<string, JailLedger>();
  #limits: LedgerLimits;
  #protected = new PrefixSet([]);
  /** Whether there are bans of which only the store says that they are allowed. */
  #isRestored = false;
  #at: Microseconds = 0;

  constructor(limits: LedgerLimits) {
    this.#limits = limits;
  }

  /**
   * Sets the policies, the limits, and the networks that nothing may ever ban: trusted ones and this host's own. Bans
   * that the new settings forbid are lifted. Bans of a jail that is gone stay until they end.
   */
  reconfigure(
    settings: {
      policies: readonly JailPolicy[];
      limits: LedgerLimits;
      protectedNetworks: readonly Network[];
    },
    at: Microseconds,
    out: Decision[],
  ): void {
    this.#advanceClock(at);
    const known = new Set(this.#protected.networks);
    const added = new PrefixSet(settings.protectedNetworks.filter((network) => !known.has(network)));
    this.#limits = settings.limits;
    this.#protected = new PrefixSet(settings.protectedNetworks);
    const policies = new Map(settings.policies.map((policy) => [policy.name, policy]));
    for (const name of policies.keys()) this.#jail(name);
    for (const jail of this.#jails.values()) {
      const policy = policies.get(jail.name) ?? null;
      const isSame = !this.#isRestored && hasSameIgnore(jail.policy, policy);
      jail.setPolicy(policy);
      this.#liftForbidden(jail, isSame ? added : null, out);
      jail.trimWindows(settings.limits.maxOffenders);
      this.#makeRoom(jail, settings.limits.maxBans, out);
    }
    this.#isRestored = false;
  }

  /** Counts a failure; an offence adds its decision to `out`. The jail must have a policy. */
  observe(failure: Failure, at: Microseconds, out: Decision[]): Observation {
    this.#advanceClock(at);
    const jail = this.#jail(failure.jail);
    const policy = jail.policy;
    assert(policy !== null, `jail ${failure.jail} has a policy`);
    if (policy.ignore.has(failure.address)) return { outcome: 'ignored', reason: 'ignore' };
    if (this.#protected.has(failure.address)) return { outcome: 'ignored', reason: 'protected' };
    const offender = this.#offender(jail, policy, failure.address);
    if (offender === null) return { outcome: 'ignored', reason: 'unbannable' };
    const seenAt = Math.min(failure.seenAt, at);
    const { weight, confidence = 'full' } = failure;
    const count = jail.count(offender, { seenAt, weight, confidence }, this.#limits.maxOffenders);
    if (confidence === 'full' && count >= policy.maxRetry) {
      jail.forget(offender);
      const until = policy.banTime >= Number.MAX_SAFE_INTEGER ? policy.banTime : seenAt + policy.banTime;
      this.#impose(
        jail,
        { jail: jail.name, offender, since: seenAt, until, cause: 'offence', failures: count },
        out,
      );
    }
    return { outcome: 'counted', offender, count };
  }

  /**
   * Ends the bans whose time has come by `at`, and drops the windows that no failure seen after `horizon` can add to.
   * The horizon is `at`, or earlier while a source is still working off a backlog. With more than `maxEnded` bans to
   * end the rest is left to the next call.
   */
  advance(
    at: Microseconds,
    horizon: Microseconds,
    out: Decision[],
    maxEnded = Number.POSITIVE_INFINITY,
  ): void {
    this.#advanceClock(at);
    let ended = 0;
    for (const jail of this.#jails.values()) {
      while (ended < maxEnded) {
        const ban = jail.takeEnded(at);
        if (ban === null) break;
        out.push({ kind: 'unban', ban, cause: 'expiry', at });
        ended++;
      }
      jail.dropWindows(horizon);
    }
  }

  /** When `advance` is next due for a ban; null when no ban ends. */
  nextDeadline(): Microseconds | null {
    let next: Microseconds | null = null;
    for (const jail of this.#jails.values()) {
      const until = jail.nextDeadline();
      if (until !== null && (next === null || until < next)) next = until;
    }
    return next;
  }

  /**
   * Bans on an operator's word, or takes over a ban that the kernel holds and the state has lost (`restore`). Returns
   * what stands in the way, or null. A ban that is there already is extended, never cut short.
   */
  ban(ban: Ban, at: Microseconds, out: Decision[]): Obstacle | null {
    this.#advanceClock(at);
    const jail = this.#jail(ban.jail);
    const obstacle = this.#obstacle(jail, ban.offender);
    if (obstacle !== null) return obstacle;
    this.#impose(jail, ban, out);
    return null;
  }

  /**
   * Lifts the bans of an address or network, in one jail or (null) in all, and forgets its failures. Returns the bans
   * of wider networks that hold it: while there is one nothing is lifted, since that would let in all the others too.
   */
  unban(network: Network, jailName: string | null, at: Microseconds, out: Decision[]): readonly Ban[] {
    this.#advanceClock(at);
    const jails = this.#selected(jailName);
    const holders = jails.flatMap((jail) => holdersOf(jail, network));
    if (holders.length > 0) return holders;
    for (const jail of jails) {
      for (const offender of namesOf(network, jail.policy)) {
        const ban = jail.ban(offender);
        if (ban !== null) this.#lift(jail, ban, 'operator', out);
        if (jail.forget(offender)) out.push({ kind: 'forgive', jail: jail.name, offender, at });
      }
    }
    return [];
  }

  /** Lifts every ban, in one jail or (null) in all. Failures that are being counted stay. */
  unbanAll(jailName: string | null, at: Microseconds, out: Decision[]): void {
    this.#advanceClock(at);
    for (const jail of this.#selected(jailName)) {
      for (const ban of [...jail.bans()]) this.#lift(jail, ban, 'operator', out);
    }
  }

  /** What an address counts as in a jail that has a policy; null when nothing of it can be banned. */
  offenderOf(jailName: string, address: Address): Network | null {
    const jail = this.#jail(jailName);
    assert(jail.policy !== null, `jail ${jailName} has a policy`);
    return this.#offender(jail, jail.policy, address);
  }

  /** Every ban in force, by jail. */
  *bans(jailName: string | null = null): Generator<Ban> {
    for (const jail of this.#selected(jailName)) yield* jail.bans();
  }

  /** The ban of the very offender in one jail, or null. */
  banOf(key: OffenderKey): Ban | null {
    return this.#jails.get(key.jail)?.ban(key.offender) ?? null;
  }

  /** What each jail knows of an address or a network, for people; jails that know nothing are left out. */
  about(network: Network, jailName: string | null, at: Microseconds): readonly JailConcern[] {
    return this.#selected(jailName)
      .map((jail) => concernOf(jail, network, at))
      .filter(({ failures, bans, ignoredBy }) => failures + bans.length + ignoredBy.length > 0);
  }

  /** The trusted networks and addresses of this host that a ban of the network would hit. */
  protectedIn(network: Network): readonly Network[] {
    return this.#protected.overlapping(network);
  }

  /** Numbers of one jail; zeros for a jail that is not known. */
  counts(jailName: string): JailCounts {
    return (
      this.#jails.get(jailName)?.counts() ?? {
        offenders: 0,
        failures: 0,
        bans: 0,
        totalFailures: 0,
        totalBans: 0,
      }
    );
  }

  /** What the limits have cost since the last call; empty when they have cost nothing. */
  takeEvictions(): Evictions[] {
    return [...this.#jails.values()].flatMap((jail) => jail.takeEvictions());
  }

  /** What changed since the last call, for the store. */
  takeChanges(): LedgerChanges {
    const changes: JailChanges = {
      rewritten: [],
      windows: [],
      windowsGone: [],
      bans: [],
      bansGone: [],
      totals: [],
    };
    for (const jail of this.#jails.values()) jail.takeChanges(changes);
    return changes;
  }

  /** Hands back changes that could not be stored: they will be in the next list, with the values of that time. */
  returnChanges(changes: LedgerChanges): void {
    for (const name of changes.rewritten) this.#jail(name).returnWhole();
    const windows = Map.groupBy([...changes.windows, ...changes.windowsGone], ({ jail }) => jail);
    for (const [jail, keys] of windows) {
      this.#jail(jail).returnWindows(keys.map(({ offender }) => offender));
    }
    for (const { jail, offender } of [...changes.bans, ...changes.bansGone])
      this.#jail(jail).returnBan(offender);
    for (const { jail } of changes.totals) this.#jail(jail).returnTotals();
  }

  /** Declares everything to be stored nowhere: the next list of changes is the whole ledger. */
  returnWhole(): void {
    for (const jail of this.#jails.values()) jail.returnWhole();
  }

  /** The whole state, in the order in which `restore` must see it. */
  image(): LedgerImage {
    const jails = [...this.#jails.values()];
    return {
      windows: jails.flatMap((jail) => [...jail.windows()]),
      bans: jails.flatMap((jail) => [...jail.bans()]),
      totals: jails.map((jail) => jail.totals()),
    };
  }

  /**
   * Fills an empty ledger from an image. Call it before `reconfigure`, which lifts what is no longer allowed. Its times
   * are `lead` ahead of those of now (see clock-reading.ts). What is from later than `at` all the same is from now: a
   * ban then lasts as long as it was made for, and a window would take no other failure until then. Returns whether
   * every ban is as the image has it.
   */
  restore(image: LedgerImage, at: Microseconds, lead: Microseconds = 0): boolean {
    assert(this.#jails.size === 0, 'a ledger is restored while it is empty');
    this.#advanceClock(at);
    this.#isRestored = true;
    for (const totals of image.totals) this.#jail(totals.jail).restoreTotals(totals);
    for (const window of image.windows) this.#jail(window.jail).restoreWindow(window, at, lead);
    let isSame = true;
    for (const ban of image.bans) {
      const delay = Math.max(lead, ban.since - at);
      if (delay > 0) isSame = false;
      this.#jail(ban.jail).restoreBan(delay > 0 ? earlier(ban, delay) : ban);
      if (delay > 0) this.#jail(ban.jail).returnBan(ban.offender);
    }
    return isSame;
  }

  #impose(jail: JailLedger, ban: Ban, out: Decision[]): void {
    const standing = jail.ban(ban.offender);
    if (standing !== null && standing.until >= ban.until) return;
    if (standing === null) this.#makeRoom(jail, this.#limits.maxBans - 1, out);
    const imposed = standing === null ? ban : { ...ban, since: standing.since };
    jail.impose(imposed);
    out.push({ kind: standing === null ? 'ban' : 'extend', ban: imposed, at: this.#at });
  }

  #makeRoom(jail: JailLedger, room: number, out: Decision[]): void {
    for (let victim = jail.takeVictim(room); victim !== null; victim = jail.takeVictim(room)) {
      out.push({ kind: 'unban', ban: victim, cause: 'eviction', at: this.#at });
    }
  }

  #lift(jail: JailLedger, ban: Ban, cause: Cause, out: Decision[]): void {
    jail.lift(ban.offender);
    out.push({ kind: 'unban', ban, cause, at: this.#at });
  }

  /** Lifts what must not be banned any more, with what was not protected before; null holds everything against it. */
  #liftForbidden(jail: JailLedger, added: PrefixSet | null, out: Decision[]): void {
    if (added?.networks.length === 0) return;
    for (const ban of [...jail.bans()]) {
      const isForbidden =
        added === null ? this.#obstacle(jail, ban.offender) !== null : added.overlaps(ban.offender);
      if (isForbidden) this.#lift(jail, ban, 'reload', out);
    }
  }

  #obstacle(jail: JailLedger, offender: Network): Obstacle | null {
    if (!isBannable(offender)) return 'unbannable';
    if (this.#protected.overlaps(offender)) return 'protected';
    return jail.policy?.ignore.overlaps(offender) ? 'ignore' : null;
  }

  /**
   * What an address counts as. Where the offender's network would also hit somebody who must not be hit, the address
   * stands for itself alone; null when not even that can be banned.
   */
  #offender(jail: JailLedger, policy: JailPolicy, address: Address): Network | null {
    const offender = offenderOf(address, policy);
    if (jail.isCounting(offender) || this.#obstacle(jail, offender) === null) return offender;
    return this.#obstacle(jail, address) === null ? address : null;
  }

  #selected(jailName: string | null): JailLedger[] {
    if (jailName === null) return [...this.#jails.values()];
    const jail = this.#jails.get(jailName);
    return jail === undefined ? [] : [jail];
  }

  #jail(name: string): JailLedger {
    let jail = this.#jails.get(name);
    if (jail === undefined) {
      jail = new JailLedger(name);
      this.#jails.set(name, jail);
    }
    return jail;
  }

  #advanceClock(at: Microseconds): void {
    assert(at >= this.#at, 'time does not run backwards in the ledger');
    this.#at = at;
  }
}

function earlier(ban: Ban, by: Microseconds): Ban {
  const until = ban.until >= FOREVER ? FOREVER : Math.max(0, ban.until - by);
  return { ...ban, since: Math.max(0, ban.since - by), until };
}

function hasSameIgnore(before: JailPolicy | null, after: JailPolicy | null): boolean {
  return before?.ignore.networks.join() === after?.ignore.networks.join();
}
