/** What a rule hit becomes on its way to the ledger: a Match, then for each jail that wants it a Failure. */
import type { Network } from './address.ts';
import type { LogRecord } from './record.ts';
import type { Microseconds } from './time.ts';

/** What a rule says about the line it matches. Only `failure` is counted. */
export type RuleKind = 'failure' | 'success' | 'ignore' | 'note';

/** A rule hit. Exists only on a hit; a record that no rule wants allocates nothing. */
export type Match = {
  readonly filter: string;
  /** The rule's name within its filter. */
  readonly rule: string;
  readonly kind: RuleKind;
  /** Canonical address, or '' when the rule finds none. Never a slice of the message. */
  readonly address: string;
  /** What the client called itself; attacker's text, at most MAX_USER_LENGTH characters; '' when absent. */
  readonly user: string;
  /** How many failures this hit counts for. */
  readonly weight: number;
  readonly record: LogRecord;
};

/** A counted hit of an offender in one jail. */
export type Failure = {
  readonly jail: string;
  readonly offender: Network;
  /** When it happened, by the clock of whoever received it first. Decides the window. */
  readonly seenAt: Microseconds;
  readonly weight: number;
};
