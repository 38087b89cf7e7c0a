/** What the syslog listeners have in common: their options, batches, and starting in spite of everything. */

import { isIP } from 'node:net';
import type { ListenAddress } from '../config/plan.ts';
import type { ComponentHealth } from '../core/component.ts';
import type { Emit } from '../core/event.ts';
import type { LogRecord, SourceKind } from '../core/record.ts';
import type { Clock } from '../core/time.ts';
import type { Elapsed } from '../native/machine-clocks.ts';
import type { SenderDirectory } from '../senders/directory.ts';
import type { Prefilter } from '../syslog/parse.ts';
import type { Sink, Source } from './source.ts';

/** How one listener is. Several of them make the component `syslog`, so whoever starts them sums up. */
export type ListenerState = {
  readonly source: SourceKind;
  /** What it was told to listen on, `udp 127.0.0.1:514`: its name, also where port 0 was asked for. */
  readonly listener: string;
  readonly health: ComponentHealth;
  /** One line for people: where it listens, or what is wrong. */
  readonly detail: string;
  /** What to do about it; '' when nothing is wrong. */
  readonly advice: string;
};

export type ListenerOptions = {
  readonly listen: ListenAddress;
  /** Says who may send; everybody else is counted and dropped. */
  readonly senders: SenderDirectory;
  readonly maxMessageBytes: number;
  readonly clock: Clock;
  /** For lengths of time that no setting of the clock may stretch. */
  readonly elapsed: Elapsed;
  readonly sink: Sink;
  /** Which messages are to become records; without it, all. */
  readonly prefilter?: Prefilter;
  readonly emit: Emit;
  readonly onState: (state: ListenerState) => void;
  /** Leave IPv4 to another listener on the same port; without it `::` takes both. */
  readonly ipv6Only?: boolean;
};

/** A source that listens. */
export interface ListeningSource extends Source {
  /** Where it is bound, with the port that the kernel chose for 0; null while it is not. */
  address(): ListenAddress | null;
}

/** Records handed over at once: enough to make the rest of a batch's costs small, few enough to stay in the caches. */
export const MAX_BATCH_RECORDS = 256;

/** Wait between attempts to listen: doubled from the first to the longest. */
const FIRST_RETRY_MILLISECONDS = 1_000;
const LONGEST_RETRY_MILLISECONDS = 60_000;

/** `127.0.0.1:514`, `[::1]:514`. */
export function formatEndpoint(host: string, port: number): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Gathers the records of one turn of the event loop, so that the sink is called once for many of them. */
export class Batcher {
  readonly #source: SourceKind;
  readonly #sink: Sink;
  #records: LogRecord[] = [];
  #skipped = 0;
  #bytes = 0;
  #isScheduled = false;

  constructor(source: SourceKind, sink: Sink) {
    this.#source = source;
    this.#sink = sink;
  }

  /** Bytes that came in, whether or not they make a record. */
  addBytes(count: number): void {
    this.#bytes += count;
  }

  /** Hands over at the end of this turn, or now when that makes a full batch. */
  add(record: LogRecord): void {
    this.#records.push(record);
    if (this.#records.length >= MAX_BATCH_RECORDS) this.flush();
    else if (!this.#isScheduled) this.#schedule();
  }

  /** Counts a message that has become no record. */
  addSkipped(): void {
    this.#skipped++;
    if (!this.#isScheduled) this.#schedule();
  }

  flush(): void {
    const records = this.#records;
    const skipped = this.#skipped;
    if (records.length === 0 && skipped === 0) return;
    const batch = { source: this.#source, records, skipped, bytes: this.#bytes, position: null };
    this.#records = [];
    this.#skipped = 0;
    this.#bytes = 0;
    this.#sink(batch);
  }

  #schedule(): void {
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.flush();
    });
  }
}

/**
 * Calls `listen` until it succeeds, with growing pauses. `onFailure` is told of each failure and of the pause after it.
 */
export class Perseverance {
  readonly #listen: () => Promise<void>;
  readonly #onFailure: (error: unknown, retryMilliseconds: number) => void;
  #retryMilliseconds = FIRST_RETRY_MILLISECONDS;
  #timer: NodeJS.Timeout | null = null;
  #attempt: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(listen: () => Promise<void>, onFailure: (error: unknown, retryMilliseconds: number) => void) {
    this.#listen = listen;
    this.#onFailure = onFailure;
  }

  /** Resolves after the first attempt, however it ended. */
  attempt(): Promise<void> {
    this.#attempt = this.#listen().then(
      () => {
        this.#retryMilliseconds = FIRST_RETRY_MILLISECONDS;
      },
      (error: unknown) => this.retryAfter(error),
    );
    return this.#attempt;
  }

  /** Goes back to trying after the listener has failed with `error`. */
  retryAfter(error: unknown): void {
    if (this.#isStopped || this.#timer !== null) return;
    const pause = this.#retryMilliseconds;
    this.#retryMilliseconds = Math.min(pause * 2, LONGEST_RETRY_MILLISECONDS);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.attempt();
    }, pause).unref();
    this.#onFailure(error, pause);
  }

  /** Tries no more. Resolves when an attempt that is under way has ended. */
  stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    return this.#attempt;
  }
}

/** The state of a listener that cannot listen, with advice for the causes that a person can do something about. */
export function describeFailure(
  source: SourceKind,
  listen: ListenAddress,
  error: unknown,
  retryMilliseconds: number,
): ListenerState {
  const code = (error as NodeJS.ErrnoException | null)?.code ?? '';
  const endpoint = formatEndpoint(listen.host, listen.port);
  const reason = REASONS.get(code) ?? (error instanceof Error ? error.message : String(error));
  return {
    source,
    listener: `${source} ${endpoint}`,
    health: 'down',
    detail: `cannot listen on ${source} ${endpoint}: ${reason}; trying again in ${retryMilliseconds / 1_000} s`,
    advice: adviceFor(code, source, listen),
  };
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'another program listens there'],
  ['EACCES', 'no permission'],
  ['EPERM', 'no permission'],
  ['EADDRNOTAVAIL', 'this host has no such address'],
  ['EAFNOSUPPORT', 'this kernel has no such address family'],
  ['ENOTFOUND', 'no such host name'],
]);

function adviceFor(code: string, source: SourceKind, listen: ListenAddress): string {
  const option = source === 'udp' ? 'u' : 't';
  switch (code) {
    case 'EADDRINUSE':
      return `find it with: ss -l${option}np 'sport = :${listen.port}', or listen on another port`;
    case 'EACCES':
    case 'EPERM':
      return 'ports below 1024 need CAP_NET_BIND_SERVICE: run as root, or listen on a higher port such as 5514';
    case 'EADDRNOTAVAIL':
      return 'write an address of this host, see: ip address, or :: for all of them';
    case 'EAFNOSUPPORT':
      return 'take this address out of the configuration, or switch the family on in the kernel';
    default:
      return '';
  }
}
