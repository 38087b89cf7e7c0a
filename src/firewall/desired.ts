/**
 * The elements that the kernel should hold, folded from decisions. Pure. Several jails may claim one element; it stays
 * until the latest of their deadlines, and when that claim is lifted the next one counts. As large as the ledger's bans
 * at the most, times the ports of a jail.
 */
import type { Network } from '../core/address/address.ts';
import type { Ban, Decision } from '../core/ledger/decision.ts';
import type { JailPolicy } from '../core/ledger/policy.ts';
import { FOREVER, type Microseconds } from '../core/time.ts';
import { type FirewallBatch, MAX_BATCH_ELEMENTS } from './firewall.ts';
import { banElementOf, elementId, elementOf, elementOfId } from './layout.ts';

/** What decides how a jail's bans become elements. */
export type JailScope = Pick<JailPolicy, 'name' | 'ports'>;

/** One jail's wish for an element. */
export type Claim = { readonly jail: string; readonly until: Microseconds };

/** A part of what has to be sent, and the ids of its elements. */
export type OutgoingBatch = { readonly batch: FirewallBatch; readonly ids: readonly string[] };

export class DesiredElements {
  #scopes: ReadonlyMap<string, JailScope['ports']>;
  /** By element id. The claim that counts is the latest; an element without claims is not here. */
  readonly #claims = new Map<string, readonly Claim[]>();
  /** Ids of elements that the kernel has not been told about, oldest first. What to tell is read when it is sent. */
  readonly #dirty = new Set<string>();
  /** How many have ever been marked. The last of them wait, since what is sent is taken from the front. */
  #marked = 0;

  constructor(jails: readonly JailScope[]) {
    this.#scopes = scopesOf(jails);
  }

  get size(): number {
    return this.#claims.size;
  }

  get dirtySize(): number {
    return this.#dirty.size;
  }

  /** Takes a decision in. An unban always marks its elements, known or not: the kernel may hold what we do not know. */
  observe(decision: Decision): void {
    if (decision.kind === 'forgive') return;
    const { jail, offender, until } = decision.ban;
    for (const id of this.idsOf(jail, offender)) {
      if (decision.kind === 'unban') this.#release(id, jail);
      else this.#claim(id, { jail, until });
    }
  }

  /** The ids of the elements that a jail's ban of a network consists of. */
  idsOf(jail: string, network: Network): readonly string[] {
    const ports = this.#scopes.get(jail) ?? null;
    if (ports === null || ports.length === 0) return [elementId(elementOf(network, null))];
    return ports.map((port) => elementId(elementOf(network, port)));
  }

  /** The ids of all elements that can ban the network, of whatever jail. */
  idsOfNetwork(network: Network): readonly string[] {
    const ids = new Set([elementId(elementOf(network, null))]);
    for (const jail of this.#scopes.keys()) {
      for (const id of this.idsOf(jail, network)) ids.add(id);
    }
    return [...ids];
  }

  /** Takes in bans that the kernel is believed to hold already: nothing is marked to be sent. */
  restore(bans: Iterable<Ban>): void {
    for (const { jail, offender, until } of bans) {
      for (const id of this.idsOf(jail, offender)) this.#setClaim(id, { jail, until });
    }
  }

  /** Other jails, or other ports of a jail: its bans move to the elements that they now consist of. */
  reconfigure(jails: readonly JailScope[]): void {
    const before = this.#scopes;
    this.#scopes = scopesOf(jails);
    const isMoved = (jail: string): boolean =>
      JSON.stringify(before.get(jail) ?? null) !== JSON.stringify(this.#scopes.get(jail) ?? null);
    for (const [id, claims] of [...this.#claims]) {
      for (const claim of claims.filter((candidate) => isMoved(candidate.jail))) this.#move(id, claim);
    }
  }

  /** The claim that counts for an element; null when there is none. */
  claimOf(id: string): Claim | null {
    let latest: Claim | null = null;
    for (const claim of this.#claims.get(id) ?? []) {
      if (latest === null || claim.until > latest.until) latest = claim;
    }
    return latest;
  }

  /** The ids of all wanted elements. */
  ids(): IterableIterator<string> {
    return this.#claims.keys();
  }

  isDirty(id: string): boolean {
    return this.#dirty.has(id);
  }

  dirtyIds(): IterableIterator<string> {
    return this.#dirty.values();
  }

  /** Has these elements sent (again). */
  mark(ids: Iterable<string>): void {
    for (const id of ids) this.#mark(id);
  }

  /** Where the queue ends: what is marked now has been taken when `taken` has come here. */
  get marked(): number {
    return this.#marked;
  }

  /** How many of those ever marked have been taken by `next`. */
  get taken(): number {
    return this.#marked - this.#dirty.size;
  }

  /**
   * What to send next, as of `at`: the oldest marked elements, which are then no longer marked. An element that nobody
   * claims any more, or whose deadline has passed, is deleted. Null when nothing is marked.
   */
  next(at: Microseconds): OutgoingBatch | null {
    if (this.#dirty.size === 0) return null;
    const upserts: FirewallBatch['upserts'][number][] = [];
    const deletes: FirewallBatch['deletes'][number][] = [];
    const ids: string[] = [];
    for (const id of this.#dirty) {
      this.#dirty.delete(id);
      ids.push(id);
      const claim = this.claimOf(id);
      const element = elementOfId(id);
      if (claim === null || claim.until <= at) deletes.push(element);
      else upserts.push({ ...element, timeout: remaining(claim.until, at), comment: claim.jail });
      if (ids.length === MAX_BATCH_ELEMENTS) break;
    }
    return { batch: { upserts, deletes }, ids };
  }

  #claim(id: string, claim: Claim): void {
    const before = this.claimOf(id);
    this.#setClaim(id, claim);
    const after = this.claimOf(id);
    if (before?.until !== after?.until || before?.jail !== after?.jail) this.#mark(id);
  }

  #release(id: string, jail: string): void {
    const before = this.claimOf(id);
    const others = (this.#claims.get(id) ?? []).filter((claim) => claim.jail !== jail);
    if (others.length === 0) this.#claims.delete(id);
    else this.#claims.set(id, others);
    if (before === null || before.jail === jail) this.#mark(id);
  }

  #mark(id: string): void {
    if (this.#dirty.has(id)) return;
    this.#dirty.add(id);
    this.#marked++;
  }

  #setClaim(id: string, claim: Claim): void {
    const others = (this.#claims.get(id) ?? []).filter(({ jail }) => jail !== claim.jail);
    this.#claims.set(id, [...others, claim]);
  }

  #move(id: string, claim: Claim): void {
    const network = banElementOf(elementOfId(id))?.network;
    if (network === undefined) return;
    const wanted = this.idsOf(claim.jail, network);
    if (!wanted.includes(id)) this.#release(id, claim.jail);
    for (const wantedId of wanted) this.#claim(wantedId, claim);
  }
}

/** What is left until a deadline; FOREVER when it never comes. */
export function remaining(until: Microseconds, at: Microseconds): Microseconds {
  return until >= FOREVER ? FOREVER : until - at;
}

function scopesOf(jails: readonly JailScope[]): ReadonlyMap<string, JailScope['ports']> {
  return new Map(jails.map(({ name, ports }) => [name, ports]));
}
