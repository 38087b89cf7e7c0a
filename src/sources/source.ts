/** What every source of records has in common. */
import type { LogRecord, SourceKind } from '../core/record.ts';

/** Records in the order of their arrival. */
export type RecordBatch = {
  readonly source: SourceKind;
  readonly records: readonly LogRecord[];
  /** Messages that came in as well and have become no records, since no rule could match them; 0 when absent. */
  readonly skipped?: number;
  /** Bytes as they came in, for the metrics. */
  readonly bytes: number;
  /** Where to go on after a restart, once everything in this batch is durable: a journal cursor; null elsewhere. */
  readonly position: string | null;
};

/**
 * Takes a batch and has dealt with it when it returns; the source then reads on. That is all the flow control there
 * is: a source never has more than one bounded batch under way.
 */
export type Sink = (batch: RecordBatch) => void;

export interface Source {
  /** Resolves when the source is reading, or has reported by an event why it can not and will try again. */
  start(): Promise<void>;
  /** Resolves when no further batch will come. */
  stop(): Promise<void>;
}
