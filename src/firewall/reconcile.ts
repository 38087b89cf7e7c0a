/**
 * Compares what the kernel holds with what it should hold, and with what it held. Pure. What is missing or ends at the
 * wrong time is ours to put right. What the kernel holds and we do not know is never deleted for that: a full disk or a
 * lost state must not open the door, so it is reported, and becomes a ban that we know.
 */
import { type Ban, RESTORED_JAIL } from '../core/ledger/decision.ts';
import { FOREVER, type Microseconds, SECOND } from '../core/time.ts';
import { type DesiredElements, remaining } from './desired.ts';
import type { KernelElement, SetCounter } from './firewall.ts';
import { banElementOf, elementId } from './layout.ts';

/** An element may end this much earlier or later than it should: transactions and listings take their time. */
export const TIMEOUT_TOLERANCE: Microseconds = 2 * SECOND;

export type Drift = {
  /** Ids of wanted elements that the kernel does not hold. */
  readonly missing: readonly string[];
  /** Ids of elements that would end at another time than wanted. */
  readonly wrongTimeout: readonly string[];
  /** Elements that no ban claims. */
  readonly surplus: readonly KernelElement[];
};

/**
 * Compares as of `at`. Elements in `unsettled` are left alone: they changed while the kernel was being listed. An
 * element may be listed more than once.
 */
export function compareElements(
  desired: DesiredElements,
  listed: readonly KernelElement[],
  at: Microseconds,
  unsettled: ReadonlySet<string>,
): Drift {
  const kernel = new Map(listed.map((element) => [elementId(element), element]));
  const missing: string[] = [];
  const wrongTimeout: string[] = [];
  const surplus: KernelElement[] = [];
  for (const id of desired.ids()) {
    if (unsettled.has(id)) continue;
    const left = remaining(desired.claimOf(id)?.until ?? at, at);
    const element = kernel.get(id);
    if (element === undefined) {
      if (left > TIMEOUT_TOLERANCE) missing.push(id);
    } else if (Math.abs(element.expires - left) > TIMEOUT_TOLERANCE) wrongTimeout.push(id);
  }
  for (const [id, element] of kernel) {
    if (desired.claimOf(id) === null && !unsettled.has(id) && banElementOf(element) !== null) {
      surplus.push(element);
    }
  }
  return { missing, wrongTimeout, surplus };
}

/** The bans that surplus elements stand for, with the jails of their comments where `jails` has them. */
export function bansOf(
  surplus: readonly KernelElement[],
  jails: ReadonlySet<string>,
  at: Microseconds,
): readonly Ban[] {
  const bans = new Map<string, Ban>();
  for (const element of surplus) {
    const network = banElementOf(element)?.network;
    if (network === undefined) continue;
    const jail = jails.has(element.comment) ? element.comment : RESTORED_JAIL;
    const until = element.expires >= FOREVER ? FOREVER : at + element.expires;
    const key = `${jail} ${network}`;
    if (until <= (bans.get(key)?.until ?? at)) continue;
    bans.set(key, { jail, offender: network, since: at, until, cause: 'restore', failures: 0 });
  }
  return [...bans.values()];
}

/** What sets have dropped between two readings of their counters; sets that dropped nothing are left out. */
export function countDropped(
  before: readonly SetCounter[],
  after: readonly SetCounter[],
): readonly SetCounter[] {
  const earlier = new Map(before.map((counter) => [counter.set, counter]));
  const dropped = after.map(({ set, packets, bytes }) => {
    const last = earlier.get(set);
    // A table that was made anew counts from zero.
    if (last === undefined || packets < last.packets) return { set, packets, bytes };
    return { set, packets: packets - last.packets, bytes: bytes - last.bytes };
  });
  return dropped.filter((counter) => counter.packets > 0);
}
