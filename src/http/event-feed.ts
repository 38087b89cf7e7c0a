/**
 * The daemon's events for whoever listens, one JSON object a line. A listener that does not keep up is cut off, so
 * that it can never make the daemon remember more than a few hundred kilobytes for it.
 */
import type { ServerResponse } from 'node:http';
import type { BailiffEvent, Emit } from '../core/event.ts';
import { printableJson } from '../core/text/printable.ts';

/** Listeners at once; the next one is refused, with a `limit` event. */
export const MAX_EVENT_LISTENERS = 16;
/** What may wait for one listener to read, in UTF-16 units; a listener with more is cut off, with a `limit` event. */
export const MAX_LISTENER_BACKLOG = 256 * 1024;
/** Lines of one turn of the event loop are written together, but no more than about this many units. */
const MAX_PENDING = 32 * 1024;

/** Starts a subscription, and returns what ends it. */
export type Subscribe = (listener: Emit) => () => void;

export class EventFeed {
  readonly #subscribe: Subscribe;
  readonly #emit: Emit;
  readonly #listeners = new Set<ServerResponse>();
  #unsubscribe: (() => void) | null = null;
  #pending = '';

  /** Subscribes only while somebody listens; `emit` takes the feed's own `limit` events. */
  constructor(subscribe: Subscribe, emit: Emit) {
    this.#subscribe = subscribe;
    this.#emit = emit;
  }

  /** Writes every event from now on to the response; false when there are too many listeners already. */
  attach(response: ServerResponse): boolean {
    if (this.#listeners.size >= MAX_EVENT_LISTENERS) {
      this.#reportLimit(`${MAX_EVENT_LISTENERS} clients listen to events: a new one was refused`);
      return false;
    }
    response.writeHead(200, {
      'content-type': 'application/x-ndjson; charset=utf-8',
      'cache-control': 'no-store',
    });
    response.flushHeaders();
    response.on('error', () => this.#detach(response));
    response.on('close', () => this.#detach(response));
    this.#listeners.add(response);
    this.#unsubscribe ??= this.#subscribe((event) => this.#take(event));
    return true;
  }

  /** Ends every listener's stream. */
  close(): void {
    this.#flush();
    for (const response of [...this.#listeners]) {
      this.#detach(response);
      response.end();
    }
  }

  #take(event: BailiffEvent): void {
    if (this.#pending === '') setImmediate(() => this.#flush());
    this.#pending += `${printableJson(event)}\n`;
    if (this.#pending.length > MAX_PENDING) this.#flush();
  }

  #flush(): void {
    const lines = this.#pending;
    this.#pending = '';
    if (lines === '') return;
    const slow: ServerResponse[] = [];
    for (const response of this.#listeners) {
      response.write(lines);
      if (response.writableLength > MAX_LISTENER_BACKLOG) slow.push(response);
    }
    for (const response of slow) {
      this.#detach(response);
      response.destroy();
      this.#reportLimit('a client did not read its events fast enough: it was cut off');
    }
  }

  #detach(response: ServerResponse): void {
    this.#listeners.delete(response);
    if (this.#listeners.size > 0) return;
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    this.#pending = '';
  }

  #reportLimit(detail: string): void {
    this.#emit({ kind: 'limit', limit: 'event-listeners', detail, count: 1 });
  }
}
