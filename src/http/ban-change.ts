/** A change of the bans in force as it crosses the socket: alike in answers and in the stream of events. */
import { type Keeper, LACKS_NOTHING } from '../core/event.ts';
import { type BanChange, type BanLogPosition, formatPosition } from '../core/ledger/ban-log.ts';
import { formatInstant } from '../core/time.ts';
import type { BanChangeReport } from './control.ts';

/** The report of a change that led to a position, and of who does not have it yet. */
export function banChangeReport(
  change: BanChange,
  position: BanLogPosition,
  lacks: readonly Keeper[] = LACKS_NOTHING,
): BanChangeReport {
  const { offender, jail, since, until, cause, failures } = change.ban;
  return {
    kind: change.kind,
    position: formatPosition(position),
    at: formatInstant(change.at),
    ban: {
      offender,
      jail,
      since: formatInstant(since),
      until: formatInstant(until),
      cause,
      failures,
    },
    ...(change.kind === 'unban' ? { cause: change.cause } : {}),
    ...(lacks.length > 0 ? { lacks } : {}),
  };
}
