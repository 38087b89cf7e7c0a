/** What a rule hit becomes on its way to the ledger: a Match, then for each jail that it feeds a Failure. */
import type { Address } from './address/address.ts';
import type { LogRecord } from './record.ts';
import type { Microseconds } from './time.ts';

/** What a rule says about the line it matches. Only `failure` is counted. */
export type RuleKind = 'failure' | 'success' | 'ignore' | 'note';

/** Which modes a jail switches on: `normal` rules always, then each wider one includes those before it. */
export type RuleMode = 'normal' | 'extra' | 'aggressive';

const MODE_RANKS: Readonly<Record<RuleMode, number>> = { normal: 0, extra: 1, aggressive: 2 };

/** How wide a mode is. */
export function modeRank(mode: RuleMode): number {
  return MODE_RANKS[mode];
}

/** Whether a jail of mode `ceiling` takes what a rule of `mode` finds. */
export function admitsMode(ceiling: RuleMode, mode: RuleMode): boolean {
  return modeRank(mode) <= modeRank(ceiling);
}

/** The longest user name that a Match carries; the rest is cut. Mail addresses may have 254 characters. */
export const MAX_USER_LENGTH = 256;

/** A rule hit. Exists only on a hit; a record that no rule matches allocates nothing. */
export type Match = {
  readonly filter: string;
  /** The rule's name within its filter. */
  readonly rule: string;
  /** The rule's own kind, except that a failure which its session has counted already is a `note` of weight 0. */
  readonly kind: RuleKind;
  /** A jail whose mode is narrower than this leaves the match alone. */
  readonly mode: RuleMode;
  /** Canonical address, or '' when the rule finds none. Never a slice of the message. */
  readonly address: Address | '';
  /** What the client called itself; attacker's text, at most MAX_USER_LENGTH characters; '' when absent. */
  readonly user: string;
  /** How many failures this hit counts for. */
  readonly weight: number;
  readonly record: LogRecord;
};

/**
 * How far a failure is believed, for the sake of who reports it. `full`: it may lead to a ban. `low`: it counts, but
 * the failure that leads to a ban must be one of full confidence.
 */
export type Confidence = 'full' | 'low';

/** A hit that one jail is asked to count. */
export type Failure = {
  readonly jail: string;
  readonly address: Address;
  /** When it happened, by the clock of whoever received it first. Decides the window. */
  readonly seenAt: Microseconds;
  readonly weight: number;
  /** `full` when absent. */
  readonly confidence?: Confidence;
};
