/** Clocks and time zones of those who send syslog. */
import { formatDuration, HOUR, MINUTE, SECOND } from '../../core/time.ts';
import { type RaisedWarning, raise } from '../../core/warning/catalogue.ts';
import type { SenderReport } from '../../senders/report.ts';
import { type Check, foundOrOk, skipped } from './check.ts';

const NAME = 'senders';

/** Off by less than this is no trouble to anybody. */
const MIN_SKEW_SECONDS = 30;

/** Zones differ by whole quarters of an hour; a clock that is off by that and no more is in another zone. */
const QUARTER_SECONDS = HOUR / SECOND / 4;
const ZONE_TOLERANCE_SECONDS = MINUTE / SECOND / 2;

export const senders: Check = {
  name: NAME,
  run: async (world) =>
    world.senders === null
      ? [skipped(NAME, 'the daemon does not answer')]
      : foundOrOk(NAME, findClocks(world.senders.senders), 'all clocks that they show are right'),
};

/** Whose clock is wrong, and whether it looks like a zone. */
export function findClocks(
  reports: readonly Pick<SenderReport, 'name' | 'sender' | 'clockSkewSeconds'>[],
): readonly RaisedWarning[] {
  return reports.flatMap(({ name, sender, clockSkewSeconds }) => {
    if (clockSkewSeconds === null || Math.abs(clockSkewSeconds) < MIN_SKEW_SECONDS) return [];
    const off = Math.abs(clockSkewSeconds);
    const rest = Math.abs(off - Math.round(off / QUARTER_SECONDS) * QUARTER_SECONDS);
    const isZone = off >= QUARTER_SECONDS && rest <= ZONE_TOLERANCE_SECONDS ? 1 : 0;
    const length = formatDuration(Math.round(off) * SECOND);
    const skew = `${length} ${clockSkewSeconds > 0 ? 'ahead' : 'behind'}`;
    return [raise('sender-clock', { skew, isZone }, name ?? sender)];
  });
}
