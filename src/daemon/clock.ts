/** The one clock: wall time in microseconds that never goes back, whatever the machine's clock does. */
import type { Clock, Microseconds } from '../core/time.ts';

/**
 * Follows the machine's clock. When that is set back, time stands still here until it has caught up: windows and bans
 * then last longer by the step, and none of them ends early.
 */
export function createSystemClock(
  readMilliseconds: () => number = () => performance.timeOrigin + performance.now(),
): Clock {
  let last: Microseconds = 0;
  return {
    now(): Microseconds {
      last = Math.max(last, Math.round(readMilliseconds() * 1_000));
      return last;
    },
  };
}
