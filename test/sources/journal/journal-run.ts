/** A journal source under test: what it delivered and said, and waiting for either. */
import type { TestContext } from 'node:test';
import type { BailiffEvent, EventKind, EventOf } from '../../../src/core/event.ts';
import type { LogRecord } from '../../../src/core/record.ts';
import type { Microseconds } from '../../../src/core/time.ts';
import { createJournalSource, type JournalSource } from '../../../src/sources/journal/journal.ts';
import type { RecordBatch, Sink } from '../../../src/sources/source.ts';
import { PATIENCE_MILLISECONDS, waitFor } from '../../bed/waiting.ts';

export type RunOptions = {
  readonly directory: string;
  readonly matches?: readonly string[];
  readonly position?: string | null;
  readonly lookback?: Microseconds;
  /** Called with each batch, after it was noted. */
  readonly sink?: Sink;
  readonly workerFile?: URL;
};

const TIMEOUT_MILLISECONDS = PATIENCE_MILLISECONDS;
const CENTURY: Microseconds = 100 * 365 * 86_400_000_000;

/** Reads everything, from the oldest entry on, and says nothing. */
export const sourceDefaults = {
  matches: [],
  position: null,
  lookback: CENTURY,
  clock: { now: () => Date.now() * 1_000 },
  emit: () => {},
} as const;

export class JournalRun {
  readonly batches: RecordBatch[] = [];
  readonly events: BailiffEvent[] = [];
  readonly source: JournalSource;

  constructor(context: TestContext, options: RunOptions) {
    const { sink, ...rest } = options;
    this.source = createJournalSource({
      ...sourceDefaults,
      ...rest,
      emit: (event) => this.events.push(event),
      sink: (batch) => {
        this.batches.push(batch);
        sink?.(batch);
      },
    });
    context.after(() => this.source.stop());
  }

  get records(): LogRecord[] {
    return this.batches.flatMap((batch) => batch.records);
  }

  get messages(): string[] {
    return this.records.map((record) => record.message);
  }

  /** Cursor of the last batch. */
  get position(): string {
    const position = this.batches.at(-1)?.position;
    if (position === null || position === undefined) throw new Error('no batch has come');
    return position;
  }

  eventsOf<Kind extends EventKind>(kind: Kind): EventOf<Kind>[] {
    return this.events.filter((event): event is EventOf<Kind> => event.kind === kind);
  }

  /** Resolves when `count` records have come in all, and to them. */
  async recordsUntil(count: number): Promise<LogRecord[]> {
    let seen = 0;
    let batches = 0;
    await waitFor(`${count} records`, TIMEOUT_MILLISECONDS, () => {
      for (; batches < this.batches.length; batches++) seen += this.batches[batches]?.records.length ?? 0;
      return seen >= count ? true : null;
    });
    return this.records;
  }

  /** Resolves to the first event of this kind that `wanted` accepts. */
  event<Kind extends EventKind>(
    kind: Kind,
    wanted: (event: EventOf<Kind>) => boolean = () => true,
  ): Promise<EventOf<Kind>> {
    return waitFor(`an event ${kind}`, TIMEOUT_MILLISECONDS, () => this.eventsOf(kind).find(wanted) ?? null);
  }
}

/** Starts a source and resolves when it reads, or has said why not. */
export async function runJournal(context: TestContext, options: RunOptions): Promise<JournalRun> {
  const run = new JournalRun(context, options);
  await run.source.start();
  return run;
}
