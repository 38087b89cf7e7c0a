/** What a plan means for the parts of the daemon: a pure translation. */
import type { JailPlan, Plan } from '../../config/plan.ts';
import { formatDuration, MILLISECOND, type Microseconds } from '../../core/time.ts';
import { createMatcher } from '../../match/matcher.ts';
import { journalMatches } from '../../match/router.ts';
import type { Elapsed } from '../../native/machine-clocks.ts';
import { SUPPRESSION_IDENTIFIER } from '../../senders/suppression.ts';
import { JOURNALD_MATCH } from '../../sources/journal/suppressed.ts';
import type { JailRoute, Rules } from './pipeline.ts';

/** The matcher, with the filters that some jail uses, and the jails that what they find feeds. */
export function rulesOf(plan: Plan, elapsed: Elapsed): Rules {
  const routes = new Map<string, JailRoute[]>();
  for (const { policy, filters, mode } of plan.jails) {
    const route = { jail: policy.name, mode, maxRetry: policy.maxRetry };
    for (const filter of filters) routes.set(filter, [...(routes.get(filter) ?? []), route]);
  }
  const matcher = createMatcher(usedFilters(plan), () => elapsed() * MILLISECOND, true);
  return { matcher, sessions: matcher, routes };
}

/**
 * The `FIELD=value` of which a journal entry must have one; empty to read every entry. What journald and rsyslog say
 * they have dropped is always among them.
 */
export function journalMatchesOf(plan: Plan): readonly string[] {
  const matches = journalMatches(usedFilters(plan));
  return matches === null ? [] : [...matches, `SYSLOG_IDENTIFIER=${SUPPRESSION_IDENTIFIER}`, JOURNALD_MATCH];
}

/** How far back the journal is read at the very first start: what could still lead to a ban. */
export function lookbackOf(plan: Plan): Microseconds {
  return Math.max(0, ...plan.jails.map(({ policy }) => policy.findTime));
}

/** One line for people. */
export function describeJails(plan: Plan): string {
  const fed = plan.jails.filter(({ filters }) => filters.length > 0);
  if (fed.length === 0) return 'no jail is active';
  return `jails ${fed.map(describeJail).join(', ')}`;
}

function describeJail({ policy }: JailPlan): string {
  const { name, maxRetry, findTime, banTime } = policy;
  return `${name} (${maxRetry} failures in ${formatDuration(findTime)}: ban ${formatDuration(banTime)})`;
}

function usedFilters(plan: Plan): Plan['filters'] {
  const used = new Set(plan.jails.flatMap((jail) => jail.filters));
  return plan.filters.filter((filter) => used.has(filter.name));
}
