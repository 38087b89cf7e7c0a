/**
 * A session of a filter as plain data: what the lines of one process or connection have told, kept over a restart with
 * the place in the journal up to which they were read.
 */
import type { Address } from './address/address.ts';
import type { Microseconds } from './time.ts';

export type KeptSession = {
  /** The filter's name and a digest of its rules: with other rules what the numbers below mean is another thing. */
  readonly filter: string;
  /** Who sends, how, and under which identifier. */
  readonly scope: string;
  /** The PID, and what its messages call it. */
  readonly key: string;
  /** When its last line came. */
  readonly at: Microseconds;
  readonly address: Address | '';
  /** Attacker's text. */
  readonly user: string;
  readonly marks: number;
  readonly openRank: number;
  readonly countedRank: number;
};

/** How many are kept; those whose last line came longest ago are not. */
export const MAX_KEPT_SESSIONS = 20_000;

/** Characters of scope, key and user of one; a longer one is not kept. */
export const MAX_KEPT_SESSION_LENGTH = 1_024;
