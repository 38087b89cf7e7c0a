/**
 * What must survive the process: the ledger, its position in the ban log, and how far the journal was read, changed
 * together or not at all.
 */

import type { KeptSession } from '../core/kept-session.ts';
import type { BanLogPosition } from '../core/ledger/ban-log.ts';
import type { ClockReading } from '../core/ledger/clock-reading.ts';
import type { LedgerChanges, LedgerImage } from '../core/ledger/snapshot.ts';

/** What is stored with the ledger's changes, in their transaction. */
export type StatePoint = {
  /** How far the journal was read; null leaves the stored one as it is. */
  readonly journalPosition: string | null;
  /** Where the changes lead. */
  readonly banLogPosition: BanLogPosition;
  readonly clock: ClockReading;
  /** Those that have changed since the last commit. */
  readonly sessions: readonly KeptSession[];
};

export type StoredState = {
  /** Windows and bans in the order in which they were stored, which is the order that a ledger's restore needs. */
  readonly ledger: LedgerImage;
  /** The cursor of the last journal entry whose consequences are in `ledger`; null before the first. */
  readonly journalPosition: string | null;
  /** Of the bans in `ledger`; null when none was stored, or when the bans are not all that were stored with it. */
  readonly banLogPosition: BanLogPosition | null;
  /** Of the commit that stored the ledger; null when there was none that stored it. */
  readonly clock: ClockReading | null;
  /** Each once, the one heard of longest ago first. */
  readonly sessions: readonly KeptSession[];
};

export interface Store {
  /** Whether it forgets everything with the process; not when absent. */
  readonly isVolatile?: boolean;
  /**
   * Reads everything. Throws OperationalError when the file can not be opened, belongs to another bailiff, or is of a
   * later version; it may be called again then. A damaged file is set aside, and
   * what can still be read of it is in a new one.
   */
  load(): Promise<StoredState>;
  /**
   * Resolves when the changes and the point are on the disk, in one transaction. Throws OperationalError, with nothing
   * stored, after which the same changes may be tried again.
   */
  commit(changes: LedgerChanges, point: StatePoint): Promise<void>;
  /** Waits for what was asked before, and gives the file free. Safe to repeat. */
  close(): Promise<void>;
}
