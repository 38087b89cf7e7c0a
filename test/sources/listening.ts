/**
 * A syslog listener under test on a free loopback port: everything that comes out of it, and waiting for some of it.
 */
import type { BailiffEvent, EventKind, EventOf } from '../../src/core/event.ts';
import type { LogRecord } from '../../src/core/record.ts';
import { SenderDirectory, type SendersPlan } from '../../src/senders/directory.ts';
import type { ListenerOptions, ListenerState, ListeningSource } from '../../src/sources/listen.ts';
import type { RecordBatch } from '../../src/sources/source.ts';
import { PATIENCE_MILLISECONDS, waitFor } from '../bed/waiting.ts';

/** These networks may send; changes say more. */
export function sendersOf(changes: Partial<SendersPlan> = {}): SenderDirectory {
  return new SenderDirectory({ networks: [], udpConfidence: 'full', rate: null, configured: [], ...changes });
}

/** Only these networks may send. */
export function permitting(...networks: string[]): SenderDirectory {
  return sendersOf({ networks });
}

export class Listening {
  readonly batches: RecordBatch[] = [];
  readonly events: BailiffEvent[] = [];
  readonly states: ListenerState[] = [];
  /** What the clock of the source says; a test moves it. */
  now = 1_000_000;
  source: ListeningSource | null = null;

  /** Options that collect here: loopback may send, messages are cut at 1024 bytes. */
  options(changes: Partial<ListenerOptions> = {}): ListenerOptions {
    return {
      listen: { host: '127.0.0.1', port: 0 },
      senders: permitting('127.0.0.0/8', '::1'),
      maxMessageBytes: 1024,
      clock: { now: () => this.now },
      elapsed: () => performance.now(),
      sink: (batch) => this.batches.push(batch),
      emit: (event) => this.events.push(event),
      onState: (state) => this.states.push(state),
      ...changes,
    };
  }

  async start(source: ListeningSource): Promise<this> {
    this.source = source;
    await source.start();
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.source?.stop();
  }

  get port(): number {
    return this.source?.address()?.port ?? 0;
  }

  get records(): LogRecord[] {
    return this.batches.flatMap(({ records }) => records);
  }

  get messages(): string[] {
    return this.records.map(({ message }) => message);
  }

  eventsOf<Kind extends EventKind>(kind: Kind): EventOf<Kind>[] {
    return this.events.filter((event): event is EventOf<Kind> => event.kind === kind);
  }

  /** Resolves to the records as soon as there are `count` of them. */
  received(count: number): Promise<LogRecord[]> {
    return waitFor(`${count} records`, PATIENCE_MILLISECONDS, () =>
      this.records.length >= count ? this.records : null,
    );
  }

  /** As received, but only records of one program count. */
  receivedFrom(identifier: string, count: number): Promise<LogRecord[]> {
    return waitFor(`${count} records of ${identifier}`, PATIENCE_MILLISECONDS, () => {
      const records = this.records.filter((record) => record.identifier === identifier);
      return records.length >= count ? records : null;
    });
  }

  /** Resolves to the first event of the kind that `isWanted`. */
  event<Kind extends EventKind>(
    kind: Kind,
    isWanted: (event: EventOf<Kind>) => boolean = () => true,
  ): Promise<EventOf<Kind>> {
    return waitFor(
      `an event ${kind}`,
      PATIENCE_MILLISECONDS,
      () => this.eventsOf(kind).find(isWanted) ?? null,
    );
  }

  state(isWanted: (state: ListenerState) => boolean): Promise<ListenerState> {
    return waitFor('a state', PATIENCE_MILLISECONDS, () => this.states.find(isWanted) ?? null);
  }
}
