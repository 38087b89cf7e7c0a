/** What the catalogue is made of: a metric with its labels and what drives it, and the words to write one down. */
import type { BailiffEvent, EventKind, EventOf } from '../core/event.ts';
import { type Microseconds, SECOND } from '../core/time.ts';
import type { Warning } from '../core/warning/standing.ts';
import type { SenderLevels } from '../senders/report.ts';
import type { LedgerLevels, ProcessLevels } from './levels.ts';

/**
 * Of which `jail`, `filter`, `sender` and `set` come from the configuration and `version` is a version; the rest are
 * fixed words.
 */
export type LabelName =
  | 'jail'
  | 'filter'
  | 'set'
  | 'version'
  | 'source'
  | 'sender'
  | 'dialect'
  | 'change'
  | 'reason'
  | 'cause'
  | 'family'
  | 'component'
  | 'part'
  | 'code'
  | 'severity'
  | 'health'
  | 'kind'
  | 'limit'
  | 'certificate'
  | 'difference'
  | 'result'
  | 'label';

/**
 * Adds to a counter, sets a gauge, or observes in a histogram; label values in the order of the entry's `labels`. A
 * gauge that events set is given null for a series that is to be forgotten.
 */
export type Write = (value: number | null, first?: string, second?: string) => void;

export type EventDriver = {
  readonly kind: EventKind;
  readonly apply: (event: BailiffEvent, write: Write) => void;
};

/** A jail and the filters that feed it, for the series that are to exist before anything happens. */
export type DeclaredJail = { readonly jail: string; readonly filters: readonly string[] };

export type MetricEntry = {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly LabelName[];
  /** A value below this is a mistake; 0 when absent. */
  readonly least?: number;
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[];
  /**
   * What drives it, one of: events as they happen; the ledger, the senders, what is wrong, or the process, as they are
   * read for each scrape.
   */
  readonly events?: readonly EventDriver[];
  readonly ledger?: (levels: LedgerLevels, write: Write) => void;
  readonly process?: (levels: ProcessLevels, write: Write) => void;
  readonly senders?: (levels: readonly SenderLevels[], write: Write) => void;
  readonly warnings?: (standing: readonly Warning[], write: Write) => void;
  /**
   * Label values of the series that begin at zero. A series that begins with its first event hides that event from
   * increase(), which is bad for those that should never happen.
   */
  readonly zeros?: (jails: readonly DeclaredJail[]) => readonly (readonly string[])[];
  /** The same for the senders that have a name in the configuration. */
  readonly senderZeros?: (senders: readonly string[]) => readonly (readonly string[])[];
};

/** What an event does to a metric. */
export function on<Kind extends EventKind>(
  kind: Kind,
  apply: (event: EventOf<Kind>, write: Write) => void,
): EventDriver {
  // The registry calls a driver with events of its kind only.
  return { kind, apply: apply as EventDriver['apply'] };
}

/** A series for each value. */
export function each(values: readonly string[]): string[][] {
  return values.map((value) => [value]);
}

/** A series for each pair of values. */
export function product(firsts: readonly string[], seconds: readonly string[]): string[][] {
  return firsts.flatMap((first) => seconds.map((second) => [first, second]));
}

/** Every word of a union; the type checker refuses a list that lacks one. */
export function wordsOf<Word extends string>(all: Readonly<Record<Word, 1>>): readonly Word[] {
  return Object.keys(all) as Word[];
}

/** Some words of a union. */
export function words<Word extends string>(...some: readonly Word[]): readonly Word[] {
  return some;
}

/** A clock that was set back makes no negative length of time. */
export function secondsOf(duration: Microseconds): number {
  return Math.max(0, duration) / SECOND;
}

export function namesOf(jails: readonly DeclaredJail[]): string[] {
  return jails.map(({ jail }) => jail);
}
