/** What a jail does, in one phrase. */
import { countOf } from './table.ts';

export type PolicyInWords = {
  /** What feeds it; nothing does where bans are by hand only. */
  readonly filters: readonly string[];
  readonly maxRetry: number;
  /** Durations as people write them, `10m`. */
  readonly findTime: string;
  readonly banTime: string;
};

/** `5 failures in 10m, ban of 10m`. */
export function describePolicy({ filters, maxRetry, findTime, banTime }: PolicyInWords): string {
  const ban = banTime === 'forever' ? 'ban forever' : `ban of ${banTime}`;
  if (filters.length === 0) return `by hand, ${ban}`;
  return `${countOf(maxRetry, 'failure')} in ${findTime}, ${ban}`;
}
