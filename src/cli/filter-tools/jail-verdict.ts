/** What the jails would make of a match, asked of a ledger of its own that has counted nothing yet. */
import type { JailPlan, Plan } from '../../config/plan.ts';
import { unbannableReason } from '../../core/address/bannable.ts';
import { admitsMode, type Match } from '../../core/failure.ts';
import type { Decision } from '../../core/ledger/decision.ts';
import { Ledger, type Obstacle } from '../../core/ledger/ledger.ts';
import { FOREVER, formatDuration, type Microseconds } from '../../core/time.ts';
import { ownAddresses } from '../../daemon/judgement/own-addresses.ts';
import { countOf } from '../render/table.ts';

/** Of the daemon's log. */
const OWN_IDENTIFIER = 'bailiff';
const OF_OTHERS_ONLY =
  ', where it comes from another host: what the daemon here logs itself it does not read';

export type JailVerdict = {
  readonly jail: string;
  /** Whether the match counts there. */
  readonly counts: boolean;
  /** A sentence about the jail, without its subject. */
  readonly text: string;
};

/** What every jail that reads the match's filter would do. */
export function judgeMatch(match: Match, plan: Plan, at: Microseconds): JailVerdict[] {
  const ledger = new Ledger(plan.limits);
  const policies = plan.jails.map(({ policy }) => policy);
  const protectedNetworks = [...plan.trust, ...ownAddresses()];
  ledger.reconfigure({ policies, limits: plan.limits, protectedNetworks }, at, []);
  return plan.jails
    .filter((jail) => jail.filters.includes(match.filter))
    .map((jail) => judgeInJail(match, jail, ledger, at));
}

function judgeInJail(match: Match, jailPlan: JailPlan, ledger: Ledger, at: Microseconds): JailVerdict {
  const { kind, mode, address, weight } = match;
  const { policy, mode: ceiling } = jailPlan;
  const jail = policy.name;
  const passOver = (reason: string): JailVerdict => ({
    jail,
    counts: false,
    text: `does not count it: ${reason}`,
  });
  if (kind === 'note' && weight === 0)
    return passOver('an earlier line of the same attempt has counted already');
  if (kind !== 'failure') return passOver(`only failures count, and this is of kind ${kind}`);
  if (!admitsMode(ceiling, mode)) {
    return passOver(`the rule is of mode ${mode}, and the mode of the jail is ${ceiling}`);
  }
  const decisions: Decision[] = [];
  const observation = ledger.observe({ jail, address, seenAt: at, weight }, at, decisions);
  if (observation.outcome === 'ignored') return passOver(describeObstacle(observation.reason, address));
  const { offender, count } = observation;
  const remark = match.record.identifier === OWN_IDENTIFIER ? OF_OTHERS_ONLY : '';
  const text = `${describeCount(jailPlan, offender, count, decisions.length > 0)}${remark}`;
  return { jail, counts: true, text };
}

function describeObstacle(reason: Obstacle, address: string): string {
  switch (reason) {
    case 'ignore':
      return `${address} is on its ignore list`;
    case 'protected':
      return `${address} is trusted, or an address of this host`;
    case 'unbannable':
      return `${address} can never be banned (${unbannableReason(address) ?? 'its network holds somebody protected'})`;
  }
}

function describeCount({ policy }: JailPlan, offender: string, count: number, isBanned: boolean): string {
  const { maxRetry, findTime, banTime } = policy;
  const ban = `${offender} ${banTime >= FOREVER ? 'for good' : `for ${formatDuration(banTime)}`}`;
  if (isBanned) return `bans ${ban} at once: the line counts ${countOf(count, 'failure')} of ${maxRetry}`;
  return `counts ${count} of ${countOf(maxRetry, 'failure')} within ${formatDuration(findTime)}, which ban ${ban}`;
}
