/** Everything that records come from, started and stopped as a plan asks. */
import type { Plan } from '../config/plan.ts';
import type { Emit } from '../core/event.ts';
import type { Microseconds } from '../core/time.ts';
import type { Activation } from '../native/activation.ts';
import type { SenderDirectory } from '../senders/directory.ts';
import { createJournalSource, type JournalSource } from '../sources/journal/journal.ts';
import type { RecordBatch, Sink } from '../sources/source.ts';
import type { Wants } from '../syslog/parse.ts';
import type { SystemClock } from './clock.ts';
import { journalMatchesOf, lookbackOf } from './rules.ts';
import { SyslogListeners } from './syslog/listeners.ts';

export type SourcesOptions = {
  readonly clock: SystemClock;
  readonly sink: Sink;
  /** Which messages of syslog are to become records. Default: all. */
  readonly wants?: Wants;
  readonly emit: Emit;
  /** Who may send syslog; told of every plan. */
  readonly senders: SenderDirectory;
  /** Sockets that the service manager has passed. Default: none. */
  readonly activation?: Activation;
  /** Where the journal was left. */
  readonly journalPosition: string | null;
};

export class Sources {
  readonly #options: SourcesOptions;
  readonly #syslog: SyslogListeners;
  #journal: { readonly source: JournalSource; readonly directory: string | null } | null = null;
  #position: string | null;

  constructor(options: SourcesOptions) {
    this.#options = options;
    this.#position = options.journalPosition;
    this.#syslog = new SyslogListeners(options);
  }

  /** Reads what the plan asks for and nothing else. Never throws: a source that cannot read says so by an event. */
  async apply(plan: Plan): Promise<void> {
    this.#options.senders.configure(plan.senders);
    await Promise.all([this.#applyJournal(plan), this.#syslog.apply(plan.syslog)]);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#stopJournal(), this.#syslog.stop()]);
  }

  async #applyJournal(plan: Plan): Promise<void> {
    const { directory } = plan.journal;
    const isWanted = plan.journal.enabled && plan.jails.length > 0;
    if (this.#journal !== null && (!isWanted || this.#journal.directory !== directory))
      await this.#stopJournal();
    if (!isWanted) {
      const detail = plan.journal.enabled
        ? 'not read: no jail is active'
        : 'not read: [journal] enabled is false';
      this.#options.emit({ kind: 'component', component: 'journal', health: 'off', detail, advice: '' });
    } else if (this.#journal === null) await this.#startJournal(plan);
    else this.#journal.source.setMatches(journalMatchesOf(plan));
  }

  async #startJournal(plan: Plan): Promise<void> {
    const { sink, emit, clock } = this.#options;
    const { directory } = plan.journal;
    const source = createJournalSource({
      directory,
      matches: journalMatchesOf(plan),
      position: this.#position,
      lookback: lookbackOf(plan),
      sink: (batch) => {
        sink(shiftRecords(batch, clock.lead()));
        this.#position = batch.position;
      },
      emit,
      clock: clock.wall,
    });
    this.#journal = { source, directory };
    await source.start();
  }

  async #stopJournal(): Promise<void> {
    const journal = this.#journal;
    this.#journal = null;
    await journal?.source.stop();
  }
}

/** journald stamps its entries with the machine's clock; ours is ahead of that when it has been set back. */
export function shiftRecords(batch: RecordBatch, lead: Microseconds): RecordBatch {
  if (lead === 0) return batch;
  return { ...batch, records: batch.records.map((record) => ({ ...record, at: record.at + lead })) };
}
