/** The failures of one offender within find_time: when each was seen, ascending, one entry for each unit of weight. */
import type { Microseconds } from '../time.ts';

/**
 * Adds a failure and drops what has left the window, in place. The window ends at the newest failure; a failure that
 * arrives late (from a backlog) is put where it belongs. Returns how many failures the window holds now; never keeps
 * more than `most` of them: as many as make an offence, or fewer for a failure that must not make one.
 */
export function addFailure(
  seenAt: Microseconds[],
  failureAt: Microseconds,
  weight: number,
  findTime: Microseconds,
  most: number,
): number {
  let index = seenAt.length;
  while (index > 0 && (seenAt[index - 1] ?? 0) > failureAt) index--;
  for (let unit = 0; unit < weight; unit++) seenAt.splice(index, 0, failureAt);
  const start = (seenAt.at(-1) ?? failureAt) - findTime;
  let expired = 0;
  while (expired < seenAt.length && (seenAt[expired] ?? 0) <= start) expired++;
  const excess = Math.max(expired, seenAt.length - most);
  if (excess > 0) seenAt.splice(0, excess);
  return seenAt.length;
}
