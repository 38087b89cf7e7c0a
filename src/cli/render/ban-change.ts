/** A change of the bans as people read it: in one line, in the words of the daemon's log. */
import { LACKS_NOTHING } from '../../core/event.ts';
import { parsePosition } from '../../core/ledger/ban-log.ts';
import type { Ban, Cause } from '../../core/ledger/decision.ts';
import { FOREVER, MILLISECOND, type Microseconds } from '../../core/time.ts';
import { logLineOf } from '../../daemon/log/log-line.ts';
import type { BanChangeReport } from '../../http/control.ts';
import { formatTime } from './ban-table.ts';

/** `2026-11-21 00:10:05 banned 203.0.113.9 in sshd for 10m (5 failures)`. */
export function describeChange(report: BanChangeReport): string {
  const { since, until, cause, ...rest } = report.ban;
  const ban: Ban = { ...rest, since: instantOf(since), until: instantOf(until), cause: cause as Cause };
  const position = parsePosition(report.position) ?? NOWHERE;
  const stamp = { at: instantOf(report.at), position, lacks: report.lacks ?? LACKS_NOTHING };
  const line =
    report.kind === 'unban'
      ? logLineOf({ kind: 'unban', ban, cause: report.cause as Cause, ...stamp })
      : logLineOf({ kind: report.kind, ban, ...stamp });
  return `${formatTime(report.at, 'seconds')} ${line?.message ?? ''}`;
}

const NOWHERE = { session: '', serial: 0 };

function instantOf(text: string): Microseconds {
  return text === 'forever' ? FOREVER : Date.parse(text) * MILLISECOND;
}
