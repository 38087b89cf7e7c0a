/** The seam between what should be banned and whatever enforces it. */
import type { Network } from '../core/address/address.ts';
import type { Microseconds } from '../core/time.ts';

/** One element of one set, spelled as nft prints it: `203.0.113.9`, or `203.0.113.9 . tcp . 22` in a port set. */
export type ElementKey = { readonly set: string; readonly key: string };

export type Upsert = ElementKey & {
  /** Counted from now; FOREVER for an element without a timeout. */
  readonly timeout: Microseconds;
  /** The jail, kept as the element's comment, so that the kernel alone can tell why an address is banned. */
  readonly comment: string;
};

/** At most MAX_BATCH_ELEMENTS upserts and deletes together; applied whole or, element by element, not at all. */
export type FirewallBatch = {
  readonly upserts: readonly Upsert[];
  readonly deletes: readonly ElementKey[];
};

/** An element that the kernel refused, and why. */
export type Refusal = { readonly element: ElementKey; readonly reason: string };

export type KernelElement = ElementKey & {
  /** What is left of its time; FOREVER for one without a timeout. */
  readonly expires: Microseconds;
  readonly comment: string;
  /** Packets and bytes that this element has dropped. */
  readonly packets: number;
  readonly bytes: number;
};

/** What a set's rule has dropped since the table was made. */
export type SetCounter = { readonly set: string; readonly packets: number; readonly bytes: number };

/**
 * `touched` when somebody else has changed the machine's ruleset since the last look, whether ours or not; `missing`
 * when the table, one of its sets or one of its rules is gone.
 */
export type FirewallCheck = 'intact' | 'touched' | 'missing';

/** libnftables in a user namespace failed at 8,000 elements a transaction; 1,000 take 3 to 6 ms. */
export const MAX_BATCH_ELEMENTS = 1_000;

export interface Firewall {
  readonly backend: 'nft' | 'dry-run';
  /** One line for people: what enforces the bans. */
  readonly description: string;
  /**
   * Makes the table, its chain, sets and rules where they are missing, keeps every element that is there, and sets the
   * trusted networks. Safe to repeat. Throws OperationalError.
   */
  install(trust: readonly Network[]): Promise<void>;
  /**
   * Resolves to the elements that were refused, each on its own. Throws OperationalError when nothing could be done:
   * `table-missing` when somebody removed the table, `not-installed` when install() has to be called (again).
   */
  apply(batch: FirewallBatch): Promise<readonly Refusal[]>;
  /** Every element of every ban set; null when the table is not there (somebody flushed the ruleset). */
  list(): Promise<readonly KernelElement[] | null>;
  /** Looks whether the table is whole; takes microseconds, so it can be asked often. Throws OperationalError. */
  check(): Promise<FirewallCheck>;
  /** What each set has dropped; empty when there is no table. Throws OperationalError. */
  counters(): Promise<readonly SetCounter[]>;
  /** Removes the table with every ban in it, for whoever uninstalls. Throws OperationalError. */
  removeTable(): Promise<void>;
  /** Releases the library; bans stay in the kernel. */
  close(): Promise<void>;
}
