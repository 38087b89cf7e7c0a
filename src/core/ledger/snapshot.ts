/**
 * The ledger as plain data: a whole image to restore from, and the changes since the last time that it was asked.
 * Applying every list of changes to an empty image gives the same image as taking it whole.
 */
import type { Network } from '../address/address.ts';
import type { Microseconds } from '../time.ts';
import type { Ban } from './decision.ts';

/** The failures of one offender in one jail that have not led to a ban yet. */
export type FailureWindow = {
  readonly jail: string;
  readonly offender: Network;
  /** Ascending, one entry for each unit of weight, at most the jail's maxRetry of them. */
  readonly seenAt: readonly Microseconds[];
};

/** Since the state directory was made, across restarts. */
export type JailTotals = {
  readonly jail: string;
  readonly failures: number;
  readonly bans: number;
};

export type OffenderKey = { readonly jail: string; readonly offender: Network };

export type LedgerImage = {
  readonly windows: readonly FailureWindow[];
  readonly bans: readonly Ban[];
  readonly totals: readonly JailTotals[];
};

/**
 * New values of what changed, and the keys of what is gone; a key is in one of the two lists, never in both. A jail in
 * `rewritten` is given whole: whatever was stored of it before is to be dropped first.
 */
export type LedgerChanges = LedgerImage & {
  readonly rewritten: readonly string[];
  readonly windowsGone: readonly OffenderKey[];
  readonly bansGone: readonly OffenderKey[];
};

export const EMPTY_IMAGE: LedgerImage = { windows: [], bans: [], totals: [] };
