/** All that concerns an address, in sentences. */
import { printable } from '../../core/text/printable.ts';
import type { AddressInJailReport, AddressReport, BanReport } from '../../http/control.ts';
import { formatRemaining, formatTime, oldestFirst } from './ban-table.ts';
import { countOf, formatCount } from './table.ts';
import type { Terminal } from './terminal.ts';

/** Bans inside a network that are shown, the newest. */
const MAX_SHOWN_BANS = 50;

export function renderAddress({ address, protectedBy, jails }: AddressReport, terminal: Terminal): string {
  const { style } = terminal;
  const bans = oldestFirst(jails.flatMap((jail) => jail.bans));
  const further = jails.reduce((sum, { furtherBans }) => sum + furtherBans, 0);
  const more = further + Math.max(0, bans.length - MAX_SHOWN_BANS);
  const lines = [
    ...protectedBy.map(({ by, network }) =>
      by === 'trust'
        ? `trusted: [trust] has ${network}`
        : `never banned: ${network} is an address of this host`,
    ),
    ...(more > 0 ? [`${countOf(more, 'earlier ban')} not shown: bailiff bans has them`] : []),
    ...bans.slice(-MAX_SHOWN_BANS).map((ban) => describeBan(ban, address)),
    ...jails.flatMap(describeCounts),
  ];
  const known =
    lines.length === 0 ? ['not banned, not trusted, and no failure of it is being counted'] : lines;
  return [style.bold(printable(address)), ...known.map((line) => printable(`  ${line}`))].join('\n');
}

function describeBan(ban: BanReport, address: string): string {
  const by = ban.offender === address ? '' : `, as ${ban.offender},`;
  const time =
    ban.remainingSeconds === null
      ? 'until it is unbanned'
      : `for ${formatRemaining(ban)}, until ${formatTime(ban.until)}`;
  const cause = ban.cause === 'operator' ? 'by hand' : countOf(ban.failures, 'failure');
  const lack = ban.enforced ? '' : '; not enforced: bailiff status says why';
  return `banned in ${ban.jail}${by} ${time} (${cause})${lack}`;
}

function describeCounts({ jail, failures, maxRetry, ignoredBy }: AddressInJailReport): readonly string[] {
  const most = maxRetry === null ? '' : ` of ${formatCount(maxRetry)}`;
  return [
    ...ignoredBy.map((network) => `ignored in ${jail}: its ignore list has ${network}`),
    ...(failures === 0 ? [] : [`${formatCount(failures)}${most} failures counted in ${jail}`]),
  ];
}
