/** What must survive the process: the ledger and how far the journal was read, changed together or not at all. */
import type { LedgerChanges, LedgerImage } from '../core/snapshot.ts';

export type StoredState = {
  readonly ledger: LedgerImage;
  /** The cursor of the last journal entry whose consequences are in `ledger`; null before the first. */
  readonly journalPosition: string | null;
};

export interface Store {
  /** Reads everything. Throws OperationalError when the file can not be opened, or is of a later version. */
  load(): Promise<StoredState>;
  /** Resolves when the changes and the position are on the disk, in one transaction. Throws OperationalError. */
  commit(changes: LedgerChanges, journalPosition: string | null): Promise<void>;
  close(): Promise<void>;
}
