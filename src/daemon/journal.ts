/** The journal as a part: read while there is a jail that it feeds, from where it was left. */
import type { Plan } from '../config/plan.ts';
import type { Emit } from '../core/event.ts';
import type { Microseconds } from '../core/time.ts';
import { createJournalSource, type JournalSource } from '../sources/journal/journal.ts';
import type { RecordBatch, Sink } from '../sources/source.ts';
import type { SystemClock } from './clock.ts';
import { journalMatchesOf, lookbackOf } from './judgement/rules.ts';
import type { Part } from './part.ts';

export type JournalOptions = {
  readonly clock: Omit<SystemClock, 'reading'>;
  readonly sink: Sink;
  readonly emit: Emit;
  /** Where it was left; asked when it is read for the first time. */
  readonly position: () => string | null;
};

export class Journal implements Part {
  readonly name = 'journal';
  readonly #options: JournalOptions;
  #reading: { readonly source: JournalSource; readonly directory: string | null } | null = null;
  /** Where it is read on after a change of directory; null before the first batch. */
  #position: string | null = null;

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  /** Reads what the plan asks for and nothing else. Never throws: a journal that cannot be read says so by an event. */
  readonly apply = async (plan: Plan): Promise<void> => {
    const { directory } = plan.journal;
    const isRead = plan.journal.enabled && plan.jails.some(({ filters }) => filters.length > 0);
    if (this.#reading !== null && (!isRead || this.#reading.directory !== directory)) await this.stop();
    if (!isRead) {
      const detail = plan.journal.enabled
        ? 'not read: no jail is active'
        : 'not read: [journal] enabled is false';
      this.#options.emit({ kind: 'component', component: 'journal', health: 'off', detail, warnings: [] });
    } else if (this.#reading === null) await this.#start(plan);
    else this.#reading.source.setMatches(journalMatchesOf(plan));
  };

  readonly stop = async (): Promise<void> => {
    const reading = this.#reading;
    this.#reading = null;
    await reading?.source.stop();
  };

  async #start(plan: Plan): Promise<void> {
    const { sink, emit, clock, position } = this.#options;
    const { directory } = plan.journal;
    const source = createJournalSource({
      directory,
      matches: journalMatchesOf(plan),
      position: this.#position ?? position(),
      lookback: lookbackOf(plan),
      sink: (batch) => {
        sink(shiftRecords(batch, clock.lead()));
        this.#position = batch.position;
      },
      emit,
      clock: clock.wall,
    });
    this.#reading = { source, directory };
    await source.start();
  }
}

/** journald stamps its entries with the machine's clock; ours is ahead of that when it has been set back. */
export function shiftRecords(batch: RecordBatch, lead: Microseconds): RecordBatch {
  if (lead === 0) return batch;
  return { ...batch, records: batch.records.map((record) => ({ ...record, at: record.at + lead })) };
}
