/**
 * The daemon's events for whoever listens, as server-sent events (HTML standard, section 9.2): the kind is the name,
 * the event one line of JSON. Changes of the bans have their position in the ban log as id; who comes back with the
 * last one (Last-Event-ID) gets first what he has missed, or `reset` when he must ask for all bans.
 *
 * A listener that does not keep up is cut off, so that it can never make the daemon remember more than a few hundred
 * kilobytes for it. It loses no change of the bans when it comes back.
 */
import type { ServerResponse } from 'node:http';
import type { BailiffEvent, Emit, EventKind } from '../core/event.ts';
import { printableJson } from '../core/text/printable.ts';
import { formatInstant } from '../core/time.ts';
import { banChangeReport } from './ban-change.ts';
import type { BanChangeReport, BanNewsReport, WithReports } from './control.ts';

/** Listeners at once; the next one is refused, with a `limit` event. */
export const MAX_EVENT_LISTENERS = 16;
/** What may wait for one listener to read, in UTF-16 units; a listener with more is cut off, with a `limit` event. */
export const MAX_LISTENER_BACKLOG = 256 * 1024;
/** Events of one turn of the event loop are written together, but no more than about this many units. */
const MAX_PENDING = 32 * 1024;

/** Starts a subscription, and returns what ends it. */
export type Subscribe = (listener: Emit) => () => void;

export type FeedOptions = {
  /** In effect only while somebody listens. */
  readonly subscribe: Subscribe;
  /** Takes the feed's own `limit` events. */
  readonly emit: Emit;
  /** Takes what a listener's `missed` rejects with. */
  readonly onBug: (error: unknown) => void;
};

/** What one listener has asked for. */
export type FeedWishes = {
  /** Null for every kind. */
  readonly kinds: ReadonlySet<EventKind> | null;
  /** Tells what it has missed; null for a listener that is content with what happens from now on. */
  readonly missed: (() => Promise<WithReports<BanNewsReport>>) | null;
};

type Held = { readonly serial: number | null; readonly text: string };

type Listener = {
  readonly response: ServerResponse;
  readonly kinds: ReadonlySet<EventKind> | null;
  /** What waits for the end of this turn of the event loop. */
  pending: string;
  /** Events that have come while it is still being told what it has missed; null after that. */
  held: Held[] | null;
  heldLength: number;
};

const BAN_KINDS: readonly EventKind[] = ['ban', 'extend', 'unban'];

export class EventFeed {
  readonly #options: FeedOptions;
  readonly #listeners = new Set<Listener>();
  #unsubscribe: (() => void) | null = null;
  #isFlushing = false;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** Writes what was missed and every event from now on; false when there are too many listeners already. */
  attach(response: ServerResponse, { kinds, missed }: FeedWishes): boolean {
    if (this.#listeners.size >= MAX_EVENT_LISTENERS) {
      this.#reportLimit(`${MAX_EVENT_LISTENERS} clients listen to events: a new one was refused`);
      return false;
    }
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
    });
    response.flushHeaders();
    const listener: Listener = { response, kinds, pending: '', held: null, heldLength: 0 };
    response.on('error', () => this.#detach(listener));
    response.on('close', () => this.#detach(listener));
    this.#listeners.add(listener);
    this.#unsubscribe ??= this.#options.subscribe((event) => this.#take(event));
    if (missed !== null && BAN_KINDS.some((kind) => hasAskedFor(listener, kind))) {
      listener.held = [];
      this.#catchUp(listener, missed()).catch(this.#options.onBug);
    }
    return true;
  }

  /** Ends every listener's stream. */
  close(): void {
    this.#flush();
    for (const listener of [...this.#listeners]) {
      this.#detach(listener);
      listener.response.end();
    }
  }

  /** Tells what was missed as fast as the listener reads it, and then what has happened meanwhile. */
  async #catchUp(listener: Listener, missed: Promise<WithReports<BanNewsReport>>): Promise<void> {
    const news = await missed;
    const position = serialOf(news.position);
    let text = '';
    if ('reset' in news) text = `event: reset\ndata: ${printableJson({ position: news.position })}\n\n`;
    else {
      for (const change of news.changes) {
        if (hasAskedFor(listener, change.kind)) text += writeChange(change);
        if (text.length <= MAX_PENDING) continue;
        if (!(await writeAll(listener.response, text))) return;
        text = '';
      }
    }
    for (const held of listener.held ?? []) {
      if (held.serial === null || held.serial > position) text += held.text;
    }
    listener.held = null;
    if (text !== '' && this.#listeners.has(listener)) listener.response.write(text);
  }

  #take(event: BailiffEvent): void {
    let text = '';
    for (const listener of [...this.#listeners]) {
      if (!hasAskedFor(listener, event.kind)) continue;
      if (text === '') text = writeEvent(event);
      if (listener.held === null) listener.pending += text;
      else this.#hold(listener, listener.held, { serial: serialOfEvent(event), text });
      if (listener.pending.length > MAX_PENDING) this.#flush();
    }
    if (text === '' || this.#isFlushing) return;
    this.#isFlushing = true;
    setImmediate(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  #hold(listener: Listener, held: Held[], event: Held): void {
    held.push(event);
    listener.heldLength += event.text.length;
    if (listener.heldLength > MAX_LISTENER_BACKLOG) this.#cutOff(listener);
  }

  #flush(): void {
    const slow: Listener[] = [];
    for (const listener of this.#listeners) {
      if (listener.pending === '') continue;
      listener.response.write(listener.pending);
      listener.pending = '';
      if (listener.response.writableLength > MAX_LISTENER_BACKLOG) slow.push(listener);
    }
    for (const listener of slow) this.#cutOff(listener);
  }

  #cutOff(listener: Listener): void {
    this.#detach(listener);
    listener.response.destroy();
    this.#reportLimit('a client did not read its events fast enough: it was cut off');
  }

  #detach(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    this.#unsubscribe?.();
    this.#unsubscribe = null;
  }

  #reportLimit(detail: string): void {
    this.#options.emit({ kind: 'limit', limit: 'event-listeners', detail, count: 1 });
  }
}

function hasAskedFor({ kinds }: Listener, kind: EventKind): boolean {
  return kinds?.has(kind) ?? true;
}

function writeEvent(event: BailiffEvent): string {
  if ('position' in event) return writeChange(banChangeReport(event, event.position, event.lacks));
  return `event: ${event.kind}\ndata: ${printableJson(withInstants(event))}\n\n`;
}

/** Keys of events, and of what is in them, that hold an instant; lengths of time have other names. */
const INSTANTS: ReadonlySet<string> = new Set(['at', 'seenAt', 'since', 'until']);

/** The event with its instants in the form that all answers have. */
function withInstants(event: object): object {
  const entries = Object.entries(event).map(([name, value]: [string, unknown]) => {
    if (typeof value === 'number' && INSTANTS.has(name)) return [name, formatInstant(value)];
    const isTable = typeof value === 'object' && value !== null && !Array.isArray(value);
    return [name, isTable ? withInstants(value) : value];
  });
  return Object.fromEntries(entries);
}

function writeChange(change: BanChangeReport): string {
  return `event: ${change.kind}\nid: ${change.position}\ndata: ${printableJson(change)}\n\n`;
}

/** The serial after which a listener knows of an event; null for one that has nothing to do with the ban log. */
function serialOfEvent(event: BailiffEvent): number | null {
  return 'position' in event ? event.position.serial : null;
}

/** Serials grow from session to session while the daemon runs, so that they alone put its events in order. */
function serialOf(position: string): number {
  return Number(position.slice(position.lastIndexOf('.') + 1));
}

/** Resolves when the text has been taken; to false when nobody is left to take it. */
async function writeAll(response: ServerResponse, text: string): Promise<boolean> {
  if (response.destroyed) return false;
  if (!response.write(text)) await drained(response);
  return !response.destroyed;
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}
