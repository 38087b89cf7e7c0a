/**
 * What must survive the process: the ledger, its position in the ban log, and how far the journal was read, changed
 * together or not at all.
 */

import type { BanLogPosition } from '../core/ledger/ban-log.ts';
import type { LedgerChanges, LedgerImage } from '../core/ledger/snapshot.ts';

export type StoredState = {
  /** Windows and bans in the order in which they were stored, which is the order that a ledger's restore needs. */
  readonly ledger: LedgerImage;
  /** The cursor of the last journal entry whose consequences are in `ledger`; null before the first. */
  readonly journalPosition: string | null;
  /** Of the bans in `ledger`; null when none was stored, or when the bans are not all that were stored with it. */
  readonly banLogPosition: BanLogPosition | null;
};

export interface Store {
  /**
   * Reads everything. Throws OperationalError when the file can not be opened, belongs to another bailiff, or is of a
   * later version; it may be called again then. A damaged file is set aside, and what is read is empty.
   */
  load(): Promise<StoredState>;
  /**
   * Resolves when the changes and the positions are on the disk, in one transaction; that of the ban log is where the
   * changes lead. A null position of the journal leaves the stored one as it is. Throws OperationalError, with nothing
   * stored, after which the same changes may be tried again.
   */
  commit(
    changes: LedgerChanges,
    journalPosition: string | null,
    banLogPosition: BanLogPosition,
  ): Promise<void>;
  /** Waits for what was asked before, and gives the file free. Safe to repeat. */
  close(): Promise<void>;
}
