/** What the ledger decides, and the bans that come of it. Plain data: it can be stored and compared. */
import type { Network } from '../address/address.ts';
import type { Microseconds } from '../time.ts';

/** Why a ban began or ended. `restore` is a ban found in the kernel that the state had lost. */
export type Cause = 'offence' | 'operator' | 'restore' | 'expiry' | 'reload' | 'eviction';

/** The jail of a ban that was found with no jail of ours to its name: in the kernel, or in a damaged state. */
export const RESTORED_JAIL = 'restored';

/** A ban in force. One offender may be banned by several jails at once, each with its own Ban. */
export type Ban = {
  readonly jail: string;
  readonly offender: Network;
  readonly since: Microseconds;
  /** FOREVER for a permanent ban. */
  readonly until: Microseconds;
  readonly cause: Cause;
  /** Failures that led to it; 0 for an operator's ban. */
  readonly failures: number;
};

export type Decision =
  | { readonly kind: 'ban'; readonly ban: Ban; readonly at: Microseconds }
  /** The offender was banned already and now is for longer. `ban` is the new state. */
  | { readonly kind: 'extend'; readonly ban: Ban; readonly at: Microseconds }
  | { readonly kind: 'unban'; readonly ban: Ban; readonly cause: Cause; readonly at: Microseconds }
  /** The failures counted so far were dropped on an operator's word. */
  | {
      readonly kind: 'forgive';
      readonly jail: string;
      readonly offender: Network;
      readonly at: Microseconds;
    };
