/**
 * The journal as a source of records. Reading happens in a worker; here its batches are unpacked and passed on. The
 * worker gets a batch's memory back only after the event loop has been round, so that a backlog of any size leaves
 * every other source its turn.
 */
import { Worker } from 'node:worker_threads';
import type { Emit } from '../../core/event.ts';
import { type Clock, MILLISECOND, type Microseconds, SECOND } from '../../core/time.ts';
import { raise } from '../../core/warning/catalogue.ts';
import type { Sink, Source } from '../source.ts';
import { allocateSlot, BatchUnpacker, MAX_MESSAGE_BYTES } from './batch.ts';
import {
  ACKNOWLEDGED,
  CONTROL_BYTES,
  type Flaws,
  type JournalAssignment,
  type JournalOrder,
  type JournalReport,
  SLOTS,
  STOP,
  WAKE,
} from './channel.ts';

export type JournalSourceOptions = {
  /** Read the journal files of this directory; null for this machine's journal. */
  readonly directory: string | null;
  /** Read entries with one of these `FIELD=value`, as Source.setMatches; every entry when there are none. */
  readonly matches: readonly string[];
  /** Go on exactly after the entry of this cursor; null to start `lookback` ago. */
  readonly position: string | null;
  readonly lookback: Microseconds;
  readonly sink: Sink;
  readonly emit: Emit;
  readonly clock: Clock;
  /** Where the worker's program is, when it is not beside this file. */
  readonly workerFile?: URL;
};

export interface JournalSource extends Source {
  /**
   * Reads entries with one of these `FIELD=value` from now on, and those of the last `lookback` that were passed over
   * so far. Nothing is read twice.
   */
  setMatches(matches: readonly string[]): void;
}

/** The worker keeps nothing on its heap but its program. */
const WORKER_LIMITS = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 };

const MIN_RESTART_MILLISECONDS = 1_000;
const MAX_RESTART_MILLISECONDS = 60_000;

/** A worker that has lived for this long is restarted without further delay. */
const HEALTHY_MILLISECONDS = 60_000;

const STOP_MILLISECONDS = 2_000;

const LAG_INTERVAL: Microseconds = SECOND;

export function createJournalSource(options: JournalSourceOptions): JournalSource {
  return new WorkerJournalSource(options);
}

/** One worker and the memory that it shares with us; a restarted one gets new memory. */
type Crew = {
  readonly worker: Worker;
  readonly control: Int32Array;
  readonly unpackers: readonly BatchUnpacker[];
  readonly startedAt: Microseconds;
  readonly ended: Promise<void>;
};

class WorkerJournalSource implements JournalSource {
  readonly #options: JournalSourceOptions;
  #matches: readonly string[];
  #position: string | null;
  #crew: Crew | null = null;
  #restart: NodeJS.Timeout | null = null;
  #restartMilliseconds = MIN_RESTART_MILLISECONDS;
  #isStopped = false;
  #isBehind = false;
  #lagToldAt: Microseconds = 0;
  readonly #reported = Promise.withResolvers<void>();

  constructor(options: JournalSourceOptions) {
    this.#options = options;
    this.#matches = options.matches;
    this.#position = options.position;
  }

  start(): Promise<void> {
    this.#hire();
    return this.#reported.promise;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#restart !== null) clearTimeout(this.#restart);
    const crew = this.#crew;
    if (crew !== null) {
      Atomics.store(crew.control, STOP, 1);
      wake(crew);
      const timer = setTimeout(() => void crew.worker.terminate(), STOP_MILLISECONDS);
      await crew.ended;
      clearTimeout(timer);
    }
    this.#reported.resolve();
  }

  setMatches(matches: readonly string[]): void {
    this.#matches = matches;
    if (this.#crew === null) return;
    const order: JournalOrder = { matches, since: this.#since() };
    this.#crew.worker.postMessage(order);
    wake(this.#crew);
  }

  #since(): Microseconds {
    return Math.max(0, this.#options.clock.now() - this.#options.lookback);
  }

  #hire(): void {
    const control = new SharedArrayBuffer(CONTROL_BYTES);
    const slots = Array.from({ length: SLOTS }, allocateSlot);
    const assignment: JournalAssignment = {
      directory: this.#options.directory,
      matches: this.#matches,
      position: this.#position,
      since: this.#since(),
      control,
      slots,
    };
    const worker = new Worker(this.#options.workerFile ?? new URL('./journal.worker.ts', import.meta.url), {
      workerData: assignment,
      name: 'journal',
      resourceLimits: WORKER_LIMITS,
    });
    const ended = Promise.withResolvers<void>();
    const crew: Crew = {
      worker,
      control: new Int32Array(control),
      unpackers: slots.map((slot) => new BatchUnpacker(slot)),
      startedAt: this.#options.clock.now(),
      ended: ended.promise,
    };
    this.#crew = crew;
    let death = '';
    worker.on('message', (report: JournalReport) => this.#take(crew, report));
    worker.on('error', (error) => {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_WORKER_OUT_OF_MEMORY') throw error;
      death = ' for want of memory';
    });
    worker.on('exit', (status) => {
      this.#crew = null;
      ended.resolve();
      if (!this.#isStopped) this.#mourn(crew, `its worker ended${death} (status ${status})`);
    });
  }

  #mourn(crew: Crew, reason: string): void {
    const lifeMilliseconds = (this.#options.clock.now() - crew.startedAt) / MILLISECOND;
    if (lifeMilliseconds >= HEALTHY_MILLISECONDS) this.#restartMilliseconds = MIN_RESTART_MILLISECONDS;
    const delay = this.#restartMilliseconds;
    this.#restartMilliseconds = Math.min(delay * 2, MAX_RESTART_MILLISECONDS);
    this.#options.emit({
      kind: 'component',
      component: 'journal',
      health: 'down',
      detail: '',
      warnings: [
        raise('journal-unreadable', {
          reason: `cannot read the journal: ${reason}`,
          remedy: `it is started again in ${delay / 1_000} s, where it left off`,
        }),
      ],
    });
    this.#reported.resolve();
    this.#restart = setTimeout(() => this.#hire(), delay);
  }

  #take(crew: Crew, report: JournalReport): void {
    if (this.#isStopped) return;
    if (report.kind === 'batch') {
      this.#deliver(crew, report);
    } else if (report.kind === 'gap') {
      this.#options.emit({ kind: 'journal-gap', detail: report.detail });
    } else if (report.kind === 'suppressed') {
      const { unit, count } = report;
      this.#options.emit({
        kind: 'suppressed',
        by: 'journald',
        source: 'journal',
        sender: '',
        origin: unit,
        count,
      });
    } else {
      const { health, detail, warnings } = report;
      this.#options.emit({ kind: 'component', component: 'journal', health, detail, warnings });
      this.#reported.resolve();
    }
  }

  #deliver(crew: Crew, batch: Extract<JournalReport, { kind: 'batch' }>): void {
    this.#tellFlaws(batch.flaws);
    const records = crew.unpackers[batch.slot]?.unpack(batch.count) ?? [];
    if (records.length > 0) {
      this.#options.sink({ source: 'journal', records, bytes: batch.bytes, position: batch.position });
      this.#tellLag(records.at(-1)?.at ?? 0, batch.isBehind);
    }
    this.#position = batch.position;
    setImmediate(() => {
      Atomics.add(crew.control, ACKNOWLEDGED, 1);
      wake(crew);
    });
  }

  #tellFlaws({ cut, empty, rest, damaged }: Flaws): void {
    const { emit } = this.#options;
    const rejected = { kind: 'rejected', source: 'journal', sender: '' } as const;
    if (empty > 0) emit({ ...rejected, reason: 'empty', count: empty });
    if (rest > 0) emit({ ...rejected, reason: 'broken-line', count: rest });
    if (damaged > 0) emit({ ...rejected, reason: 'malformed', count: damaged });
    if (cut > 0) {
      const detail = `messages in the journal were cut to ${MAX_MESSAGE_BYTES} bytes`;
      emit({ kind: 'limit', limit: 'message-length', detail, count: cut });
    }
  }

  /** While entries are waiting, at most once in LAG_INTERVAL, and once more when none is any longer. */
  #tellLag(at: Microseconds, isBehind: boolean): void {
    const now = this.#options.clock.now();
    const hasCaughtUp = this.#isBehind && !isBehind;
    this.#isBehind = isBehind;
    const isDue = isBehind && now - this.#lagToldAt >= LAG_INTERVAL;
    if (!isDue && !hasCaughtUp) return;
    this.#lagToldAt = now;
    this.#options.emit({ kind: 'journal-lag', lag: Math.max(0, now - at) });
  }
}

function wake({ control }: Crew): void {
  Atomics.add(control, WAKE, 1);
  Atomics.notify(control, WAKE);
}
