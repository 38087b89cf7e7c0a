/** Jails that are on and right, and yet can never count anything: what somebody relies on who has enabled one. */
import { admitsMode } from '../core/failure.ts';
import type { Report } from './document/report.ts';
import type { JailPlan, Plan } from './plan.ts';

/** The filter that reads bans. */
const FILTER_OF_BANS = 'recidive';

/** Warns of each of them, where it is switched on. */
export function warnOfBlindJails(plan: Plan, report: Report): void {
  for (const jail of plan.jails) {
    const reason = reasonOf(jail, plan);
    if (reason !== null) report.warning(['jail', jail.policy.name, 'enabled'], reason);
  }
}

function reasonOf({ policy, filters, mode }: JailPlan, plan: Plan): string | null {
  const name = `jail \`${policy.name}\``;
  const rules = plan.filters
    .filter((filter) => filters.includes(filter.name))
    .flatMap((filter) => filter.rules);
  const failures = rules.filter(({ kind }) => kind === 'failure');
  if (filters.length > 0 && failures.length === 0) {
    return `${name} will never ban: no rule of its filters is of kind failure`;
  }
  const wider = (['extra', 'aggressive'] as const).find((one) =>
    failures.some((rule) => admitsMode(one, rule.mode)),
  );
  if (wider !== undefined && !failures.some((rule) => admitsMode(mode, rule.mode))) {
    return `${name} will never ban: its mode is "${mode}", and its filters have rules for failures from "${wider}" on; write \`mode = "${wider}"\`, if you want what they find`;
  }
  return filters.length === 1 && filters[0] === FILTER_OF_BANS && !hearsOthers(plan)
    ? `${name} sees no ban of bailiff: it does not read what it logs itself, and no other host can send its log here ` +
        '([syslog]); unless fail2ban or SSHGuard ban on this host too, nothing is counted'
    : null;
}

/** Whether logs of other hosts come here. */
function hearsOthers({ journal, syslog }: Plan): boolean {
  const listeners = [syslog.udp, syslog.tcp, syslog.tls];
  return (journal.enabled && journal.directory !== null) || listeners.some(({ length }) => length > 0);
}
