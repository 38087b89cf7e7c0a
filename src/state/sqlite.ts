/**
 * The store on SQLite. A worker owns the file, since every commit waits for the disk (fsync) and a slow disk must not
 * hold up the records; this half lays out what it sends, and turns what comes back into values and errors.
 */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { assert, OperationalError } from '../core/errors.ts';
import type { Emit } from '../core/event.ts';
import type { LedgerChanges } from '../core/ledger/snapshot.ts';
import { raise } from '../core/warning/catalogue.ts';
import { counted } from '../core/warning/entry.ts';
import { buffersOf, changesToColumns, columnsToImage } from './columns.ts';
import type { StoreReply, StoreRequest, StoreWorkerData } from './message.ts';
import { sessionsToText } from './session-log.ts';
import type { Repair } from './state-file.ts';
import type { StatePoint, Store, StoredState } from './store.ts';

export type StoreOptions = {
  /** Made with mode 0700 when it is missing. */
  readonly stateDirectory: string;
  /**
   * Takes a `state-error` and a warning for what is repaired here and therefore not thrown: a file that was damaged, or
   * empty. Errors that are thrown are the caller's to report.
   */
  readonly emit: Emit;
  /** MAX_STATE_BYTES when absent. Commits beyond it fail with `state-full`. */
  readonly maxBytes?: number;
};

/** The state file's name in the state directory; beside it is its WAL. */
export const STATE_FILE = 'bailiff.db';

/** Room for some eight million failure windows; a state beyond that is not ours. */
export const MAX_STATE_BYTES = 1_024 * 1_024 * 1_024;

/**
 * A store whose file is opened by `load`. Codes of its OperationalErrors: `state-locked`, `state-unwritable`,
 * `state-version`, `state-closed` (commit without a load that succeeded); retriable: `state-full`, `state-io`, and
 * `state-damaged`: the file was found damaged during a commit, is set aside and a new one begun, which lacks what the
 * changes do not name. Commit the whole ledger next.
 */
export function openStore(options: StoreOptions): Store {
  return new SqliteStore(options);
}

type Waiting = { resolve(reply: StoreReply): void; reject(error: unknown): void };

class SqliteStore implements Store {
  readonly #path: string;
  readonly #emit: Emit;
  readonly #worker: Worker;
  /** In the order of the requests, which is that of the replies. */
  readonly #waiting: Waiting[] = [];
  #storedPosition: string | null = null;
  #storedBoot: string | null = null;
  #bug: unknown = null;
  #closing: Promise<void> | null = null;

  constructor(options: StoreOptions) {
    this.#path = join(options.stateDirectory, STATE_FILE);
    this.#emit = options.emit;
    const workerData: StoreWorkerData = { path: this.#path, maxBytes: options.maxBytes ?? MAX_STATE_BYTES };
    this.#worker = new Worker(new URL('./sqlite.worker.ts', import.meta.url), { name: 'state', workerData });
    this.#worker.on('message', (reply: StoreReply) => this.#waiting.shift()?.resolve(reply));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', (status) => {
      if (this.#closing === null) this.#fail(new Error(`the state worker ended with status ${status}`));
    });
  }

  async load(): Promise<StoredState> {
    const reply = await this.#ask({ kind: 'load' });
    assert(reply.kind === 'loaded', 'load is answered with the state');
    this.#reportRepair(reply.repair);
    this.#storedPosition = reply.journalPosition;
    this.#storedBoot = reply.clock?.boot ?? null;
    const { journalPosition, banLogPosition, clock, sessions } = reply;
    return { ledger: columnsToImage(reply.ledger), journalPosition, banLogPosition, clock, sessions };
  }

  async commit(changes: LedgerChanges, { sessions, ...point }: StatePoint): Promise<void> {
    const { journalPosition } = point;
    const moved =
      (journalPosition !== null && journalPosition !== this.#storedPosition) ||
      point.clock.boot !== this.#storedBoot ||
      sessions.length > 0;
    if (!moved && Object.values(changes).every((list) => list.length === 0)) return;
    const columns = changesToColumns(changes);
    const text = sessionsToText(sessions);
    const reply = await this.#ask(
      { kind: 'commit', changes: columns, point, sessions: text },
      buffersOf(columns),
    );
    this.#reportDropped(reply);
    this.#storedPosition = journalPosition ?? this.#storedPosition;
    this.#storedBoot = point.clock.boot;
  }

  close(): Promise<void> {
    this.#closing ??= this.#shutDown();
    return this.#closing;
  }

  async #shutDown(): Promise<void> {
    try {
      if (this.#bug === null) await this.#ask({ kind: 'close' });
    } finally {
      await this.#worker.terminate();
    }
  }

  async #ask(request: StoreRequest, transfer: readonly ArrayBuffer[] = []): Promise<StoreReply> {
    assert(this.#closing === null || request.kind === 'close', 'a closed store is not used');
    if (this.#bug !== null) throw this.#bug;
    const reply = await new Promise<StoreReply>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(request, transfer);
    });
    if (reply.kind !== 'failed') return reply;
    this.#reportRepair(reply.repair);
    throw new OperationalError(reply.message, reply);
  }

  #reportDropped(reply: StoreReply): void {
    if (reply.kind !== 'done' || reply.sessionsDropped === 0) return;
    const detail = 'the sessions heard of longest ago are not kept over a restart';
    this.#emit({ kind: 'limit', limit: 'kept-sessions', detail, count: reply.sessionsDropped });
  }

  #reportRepair(repair: Repair | null): void {
    if (repair === null) return;
    const reason = describeRepair(this.#path, repair);
    const remedy = 'bans in the kernel are taken over; look for a failing disk with: journalctl -k';
    this.#emit({ kind: 'state-error', message: reason, advice: remedy });
    const code = repair.kind === 'empty' ? 'state-was-empty' : 'state-was-damaged';
    this.#emit({ kind: 'warning', raised: raise(code, { reason, remedy }) });
    if (repair.kind === 'damaged') this.#storedPosition = null;
  }

  /** A bug in the worker is one in this program: whoever waits gets it, and if nobody does it ends the process. */
  #fail(error: unknown): void {
    if (this.#bug !== null) return;
    this.#bug = error;
    const waiting = this.#waiting.splice(0);
    for (const { reject } of waiting) reject(error);
    if (waiting.length === 0) throw error;
  }
}

/** What was wrong, where the damaged file is, and what was kept and lost of it. */
function describeRepair(path: string, repair: Repair): string {
  if (repair.kind === 'empty') return `the state file ${path} was empty: what it held is lost`;
  const { reason, keptAs, bans, windows, hasCursor, unsound, broken } = repair;
  const kept = [counted(bans, 'ban'), `failures of ${counted(windows, 'offender')}`];
  if (hasCursor) kept.push('the place in the journal');
  const lost: string[] = [];
  if (unsound > 0) lost.push(`${counted(unsound, 'row')} made no sense`);
  if (broken.length > 0) lost.push(`${broken.join(', ')} could not be read to the end`);
  return [
    `the state in ${path} was damaged (${reason}): it is kept as ${keptAs}`,
    `a new one is begun with ${kept.join(', ')} of it`,
    ...lost,
  ].join('; ');
}
