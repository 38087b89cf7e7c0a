/** What the store and its worker say to each other: requests in order, and one reply to each in the same order. */
import type { ChangeColumns, ImageColumns } from './columns.ts';
import type { SessionText } from './session-log.ts';
import type { Repair } from './state-file.ts';
import type { StatePoint, StoredState } from './store.ts';

/** The worker's `workerData`. */
export type StoreWorkerData = { readonly path: string; readonly maxBytes: number };

export type StoreRequest =
  | { readonly kind: 'load' }
  | {
      readonly kind: 'commit';
      readonly changes: ChangeColumns;
      readonly point: Omit<StatePoint, 'sessions'>;
      readonly sessions: SessionText | null;
    }
  | { readonly kind: 'close' };

export type LoadReply = Omit<StoredState, 'ledger'> & {
  readonly kind: 'loaded';
  readonly ledger: ImageColumns;
  readonly repair: Repair | null;
};

/** An OperationalError, since classes do not survive the way between threads. */
export type FailedReply = {
  readonly kind: 'failed';
  readonly message: string;
  readonly code: string;
  readonly advice: string;
  readonly retriable: boolean;
  /** What was made of a file that turned out to be damaged; null when nothing was. */
  readonly repair: Repair | null;
};

export type DoneReply = {
  readonly kind: 'done';
  /** Sessions that made room for others before they were over. */
  readonly sessionsDropped: number;
};

export type StoreReply = LoadReply | DoneReply | FailedReply;
