/** What the store and its worker say to each other: requests in order, and one reply to each in the same order. */
import type { BanLogPosition } from '../core/ledger/ban-log.ts';
import type { ChangeColumns, ImageColumns } from './columns.ts';

/** The worker's `workerData`. */
export type StoreWorkerData = { readonly path: string; readonly maxBytes: number };

export type StoreRequest =
  | { readonly kind: 'load' }
  | {
      readonly kind: 'commit';
      readonly changes: ChangeColumns;
      readonly journalPosition: string | null;
      readonly banLogPosition: BanLogPosition;
    }
  | { readonly kind: 'close' };

export type LoadReply = {
  readonly kind: 'loaded';
  readonly ledger: ImageColumns;
  readonly journalPosition: string | null;
  readonly banLogPosition: BanLogPosition | null;
  readonly unusableRows: number;
  /** Where a damaged file was put; null when it was sound. */
  readonly quarantinedAs: string | null;
};

/** An OperationalError, since classes do not survive the way between threads. */
export type FailedReply = {
  readonly kind: 'failed';
  readonly message: string;
  readonly code: string;
  readonly advice: string;
  readonly retriable: boolean;
  /** Where a file that turned out to be damaged was put; null when nothing was. */
  readonly quarantinedAs: string | null;
};

export type StoreReply = LoadReply | { readonly kind: 'done' } | FailedReply;
