/** Bans as people read them: a table of many, a sentence of one. */
import { FOREVER, formatDuration, SECOND } from '../../core/time.ts';
import type { BanReport } from '../../http/control.ts';
import { type Column, countOf, formatCount, type Row, renderTable } from './table.ts';
import type { Terminal } from './terminal.ts';

const OFFENDER: Column = { title: 'OFFENDER', align: 'left' };
const JAIL: Column = { title: 'JAIL', align: 'left' };
const DETAILS: readonly Column[] = [
  { title: 'SINCE', align: 'left' },
  { title: 'REMAINING', align: 'right' },
  { title: 'FAILURES', align: 'right' },
  { title: 'ENFORCED', align: 'left' },
];

/** The newest at the bottom, next to the prompt. */
export function renderBans(bans: readonly BanReport[], showJail: boolean, terminal: Terminal): string {
  const columns = showJail ? [OFFENDER, JAIL, ...DETAILS] : [OFFENDER, ...DETAILS];
  const rows = oldestFirst(bans).map((ban): Row => {
    const offender = { text: ban.offender, paint: terminal.style.bold };
    const details = [
      formatTime(ban.since),
      formatRemaining(ban),
      ban.cause === 'operator' ? 'operator' : formatCount(ban.failures),
      ban.enforced ? 'yes' : { text: 'no', paint: terminal.style.yellow },
    ];
    return showJail ? [offender, ban.jail, ...details] : [offender, ...details];
  });
  return renderTable(columns, rows, terminal);
}

export function oldestFirst(bans: readonly BanReport[]): readonly BanReport[] {
  const since = new Map(bans.map((ban) => [ban, Date.parse(ban.since)]));
  return [...bans].sort((one, other) => (since.get(one) ?? 0) - (since.get(other) ?? 0));
}

/** `2 bans, 1 of them not enforced`. */
export function summariseBans(bans: readonly BanReport[]): string {
  const waiting = bans.filter((ban) => !ban.enforced).length;
  const remark = waiting === 0 ? '' : `, ${formatCount(waiting)} of them not enforced`;
  return `${countOf(bans.length, 'ban')}${remark}`;
}

/** `8m12s`, `forever`, or `ending` in its last second. */
export function formatRemaining(ban: BanReport): string {
  if (ban.remainingSeconds === null) return formatDuration(FOREVER);
  return ban.remainingSeconds < 1 ? 'ending' : formatDuration(ban.remainingSeconds * SECOND);
}

/** An RFC 3339 instant in the reader's time zone, to the minute or second; anything else as it is. */
export function formatTime(instant: string, to: 'minutes' | 'seconds' = 'minutes'): string {
  const date = new Date(instant);
  if (Number.isNaN(date.getTime())) return instant;
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const seconds = to === 'seconds' ? `:${two(date.getSeconds())}` : '';
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}${seconds}`;
}
