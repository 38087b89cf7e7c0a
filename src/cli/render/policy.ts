/** What a jail does, in one phrase. */
import { countOf } from './table.ts';

export type PolicyInWords = {
  readonly maxRetry: number;
  /** Durations as people write them, `10m`. */
  readonly findTime: string;
  readonly banTime: string;
};

/** `5 failures in 10m, ban of 10m`. */
export function describePolicy({ maxRetry, findTime, banTime }: PolicyInWords): string {
  const ban = banTime === 'forever' ? 'ban forever' : `ban of ${banTime}`;
  return `${countOf(maxRetry, 'failure')} in ${findTime}, ${ban}`;
}
