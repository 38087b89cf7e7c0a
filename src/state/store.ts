/** What must survive the process: the ledger and how far the journal was read, changed together or not at all. */
import type { LedgerChanges, LedgerImage } from '../core/ledger/snapshot.ts';

export type StoredState = {
  /** Windows and bans in the order in which they were stored, which is the order that a ledger's restore needs. */
  readonly ledger: LedgerImage;
  /** The cursor of the last journal entry whose consequences are in `ledger`; null before the first. */
  readonly journalPosition: string | null;
};

export interface Store {
  /**
   * Reads everything. Throws OperationalError when the file can not be opened, belongs to another bailiff, or is of a
   * later version; it may be called again then. A damaged file is set aside, and what is read is empty.
   */
  load(): Promise<StoredState>;
  /**
   * Resolves when the changes and the position are on the disk, in one transaction. A null position leaves the stored
   * one as it is. Throws OperationalError, with nothing stored, after which the same changes may be tried again.
   */
  commit(changes: LedgerChanges, journalPosition: string | null): Promise<void>;
  /** Waits for what was asked before, and gives the file free. Safe to repeat. */
  close(): Promise<void>;
}
