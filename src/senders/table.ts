/**
 * Who sends what: every sender that was heard of and every peer that was refused, since the daemon started. It is made
 * from events alone, and tells by events when a sender does otherwise than usual.
 */
import type { BailiffEvent, Emit, EventOf } from '../core/event.ts';
import { RecencyMap } from '../core/recency-map.ts';
import type { SourceKind } from '../core/record.ts';
import { type Clock, formatInstant, type Microseconds, SECOND } from '../core/time.ts';
import type { SenderPlan } from './directory.ts';
import type { LossReport, RefusedPeerReport, SenderLevels, SenderReport, SendersReport } from './report.ts';
import { type ObservedChange, SenderWatch, type WatchPlan } from './watch.ts';

/** Senders without an entry in the configuration; beyond it the one heard of longest ago is forgotten. */
export const MAX_UNCONFIGURED_SENDERS = 1_024;
/** Peers that were refused; beyond it the one heard of longest ago is forgotten. */
export const MAX_REFUSED_PEERS = 1_024;
/** Listeners that lost datagrams; more than can be configured, and those that a reload has closed. */
export const MAX_LISTENERS_WITH_LOSS = 1_024;

/** The rate that is shown is that of about so much time. */
const RATE_TIME: Microseconds = 30 * SECOND;

const UNCONFIGURED: WatchPlan = { silence: 'learned', dialect: null };

type Row = {
  readonly name: string;
  sender: string;
  readonly watch: SenderWatch;
  readonly transports: Set<SourceKind>;
  readonly relays: Set<string>;
  readonly dialects: Map<string, number>;
  records: number;
  bytes: number;
  limited: number;
  rejected: number;
  /** Whether it has ended messages over a stream with nothing. */
  isUnseparated: boolean;
  lastSeenAt: Microseconds | null;
  clockSkew: Microseconds | null;
  /** Records, each the less the longer ago it came. */
  recent: number;
  recentAt: Microseconds;
};

type Refused = {
  readonly transports: Set<SourceKind>;
  reason: string;
  count: number;
  lastSeenAt: Microseconds;
};

export class SenderTable {
  readonly #clock: Clock;
  readonly #emit: Emit;
  #configured = new Map<string, Row>();
  readonly #others = new RecencyMap<Row>();
  readonly #refused = new RecencyMap<Refused>();
  readonly #losses = new Map<string, number>();
  #forgottenSenders = 0;
  #forgottenPeers = 0;
  /** An event must not be told of within another: what was found waits for the next tick. */
  #found: { readonly row: Row; readonly change: ObservedChange }[] = [];

  constructor(clock: Clock, emit: Emit) {
    this.#clock = clock;
    this.#emit = emit;
  }

  /** Takes the senders of a plan; what is known of those that stay is kept. */
  configure(plans: readonly SenderPlan[]): void {
    const before = this.#configured;
    this.#configured = new Map();
    for (const plan of plans) {
      const row = before.get(plan.name) ?? this.#newRow(plan.name, '', plan);
      row.watch.configure(plan);
      this.#configured.set(plan.name, row);
      for (const network of plan.networks) {
        this.#refused.delete(network);
        this.#others.delete(network);
      }
    }
  }

  observe(event: BailiffEvent): void {
    if (event.kind === 'sender-activity') this.#noteActivity(event);
    else if (event.kind === 'rejected') this.#noteRejected(event);
    else if (event.kind === 'handshake-failed') this.#noteRefused(event);
    else if (event.kind === 'kernel-loss') this.#noteLoss(event);
    else if (event.kind === 'sender-change' && event.change === 'unseparated') this.#noteUnseparated(event);
  }

  /** Tells what has changed, and lets time pass for those that say nothing; call it every second. */
  tick(): void {
    const at = this.#clock.now();
    for (const row of this.#rows()) {
      for (const change of row.watch.advance(at)) this.#found.push({ row, change });
    }
    const found = this.#found;
    this.#found = [];
    for (const { row, change } of found) this.#tell(row, change);
    this.#tellForgotten();
  }

  /** What the senders have sent; those that are configured first, by name, then the others by address. */
  report(): SendersReport {
    const at = this.#clock.now();
    const rows = [...this.#rows()].map((row) => reportOf(row, at));
    const refused = [...this.#refused].map(([address, peer]) => refusedReportOf(address, peer));
    const lost = [...this.#losses].map(([listener, count]): LossReport => ({ listener, count }));
    return { senders: rows.sort(bySender), refused: refused.reverse(), lost };
  }

  /** For the metrics: the configured senders. */
  levels(): readonly SenderLevels[] {
    return [...this.#configured.values()].map(({ name, watch, lastSeenAt, clockSkew }) => ({
      sender: name,
      isSilent: watch.isSilent,
      lastSeenAt,
      clockSkew,
    }));
  }

  *#rows(): Generator<Row> {
    yield* this.#configured.values();
    for (const [, row] of this.#others) yield row;
  }

  #noteActivity(event: EventOf<'sender-activity'>): void {
    const row = this.#rowOf(event);
    if (row === null) return;
    const { seenAt, records, dialects } = event;
    const at = Math.max(seenAt, row.lastSeenAt ?? 0);
    row.sender = event.sender;
    row.transports.add(event.source);
    if (event.via !== '') addBounded(row.relays, event.via);
    row.records += records;
    row.bytes += event.bytes;
    row.limited += event.limited;
    row.lastSeenAt = at;
    row.clockSkew = event.clockSkew ?? row.clockSkew;
    row.recent = recentAt(row, at) + records;
    row.recentAt = at;
    for (const { dialect, count } of dialects)
      row.dialects.set(dialect, (row.dialects.get(dialect) ?? 0) + count);
    if (records === 0) return;
    // The clock, not the event: the watch has seen every second that has passed.
    const now = this.#clock.now();
    for (const change of row.watch.observe(event, now)) this.#found.push({ row, change });
  }

  /** Null for many senders that are told of together. */
  #rowOf({
    name,
    sender,
    seenAt,
  }: Pick<EventOf<'sender-activity'>, 'name' | 'sender' | 'seenAt'>): Row | null {
    const configured = this.#configured.get(name);
    if (configured !== undefined) return configured;
    // A name that a reload has just taken away is nobody.
    if (sender === '' || name !== '') return null;
    const row = this.#others.get(sender) ?? this.#newRow('', sender, UNCONFIGURED, seenAt);
    this.#others.touch(sender, row);
    if (this.#others.size > MAX_UNCONFIGURED_SENDERS) {
      this.#others.delete(this.#others.oldestKey() ?? '');
      this.#forgottenSenders++;
    }
    return row;
  }

  #newRow(name: string, sender: string, plan: WatchPlan, at = this.#clock.now()): Row {
    return {
      name,
      sender,
      watch: new SenderWatch(plan, at),
      transports: new Set(),
      relays: new Set(),
      dialects: new Map(),
      records: 0,
      bytes: 0,
      limited: 0,
      rejected: 0,
      isUnseparated: false,
      lastSeenAt: null,
      clockSkew: null,
      recent: 0,
      recentAt: at,
    };
  }

  #noteRejected(event: EventOf<'rejected'>): void {
    const { reason, sender, count } = event;
    if (sender === '') return;
    if (reason === 'unknown-sender' || reason === 'wrong-transport') {
      this.#noteRefused(event);
      return;
    }
    const row = this.#others.get(sender) ?? this.#configuredAt(sender);
    if (row !== undefined) row.rejected += count;
  }

  #configuredAt(sender: string): Row | undefined {
    return (
      this.#configured.get(sender) ?? [...this.#configured.values()].find((row) => row.sender === sender)
    );
  }

  #noteRefused(event: {
    readonly source: SourceKind;
    readonly sender: string;
    readonly reason: string;
    readonly count: number;
  }): void {
    const { source, sender, reason, count } = event;
    if (sender === '') return;
    const lastSeenAt = this.#clock.now();
    const peer = this.#refused.get(sender) ?? { transports: new Set(), reason, count: 0, lastSeenAt };
    peer.transports.add(source);
    peer.reason = reason;
    peer.count += count;
    peer.lastSeenAt = lastSeenAt;
    this.#refused.touch(sender, peer);
    if (this.#refused.size > MAX_REFUSED_PEERS) {
      this.#refused.delete(this.#refused.oldestKey() ?? '');
      this.#forgottenPeers++;
    }
  }

  #noteUnseparated({ name, sender }: EventOf<'sender-change'>): void {
    const row = this.#rowOf({ name, sender, seenAt: this.#clock.now() });
    if (row !== null) row.isUnseparated = true;
  }

  #noteLoss({ source, listener, count }: EventOf<'kernel-loss'>): void {
    const key = `${source} ${listener}`;
    if (this.#losses.has(key) || this.#losses.size < MAX_LISTENERS_WITH_LOSS)
      this.#losses.set(key, (this.#losses.get(key) ?? 0) + count);
  }

  #tell(row: Row, { change, detail }: ObservedChange): void {
    this.#emit({ kind: 'sender-change', sender: row.sender, name: row.name, change, detail });
  }

  #tellForgotten(): void {
    const [senders, peers] = [this.#forgottenSenders, this.#forgottenPeers];
    this.#forgottenSenders = 0;
    this.#forgottenPeers = 0;
    const detail = 'those heard of longest ago were forgotten';
    if (senders + peers > 0) this.#emit({ kind: 'limit', limit: 'senders', detail, count: senders + peers });
  }
}

/** Relays that are shown of one sender. */
const MAX_RELAYS = 8;

function addBounded(relays: Set<string>, relay: string): void {
  if (relays.size < MAX_RELAYS) relays.add(relay);
}

function recentAt({ recent, recentAt: before }: Row, at: Microseconds): number {
  return recent * Math.exp(-Math.max(0, at - before) / RATE_TIME);
}

function stateOf({ watch, lastSeenAt }: Row): SenderReport['state'] {
  if (watch.isSilent) return 'silent';
  if (lastSeenAt === null) return 'unheard';
  return watch.isStorming ? 'storming' : 'usual';
}

function reportOf(row: Row, at: Microseconds): SenderReport {
  const { name, sender, records, bytes, limited, rejected, isUnseparated, lastSeenAt, clockSkew } = row;
  const rate = recentAt(row, at) / (RATE_TIME / SECOND);
  return {
    name: name === '' ? null : name,
    sender,
    state: stateOf(row),
    transports: [...row.transports],
    relays: [...row.relays],
    dialects: [...row.dialects]
      .map(([dialect, count]) => ({ dialect, count }))
      .sort((left, right) => right.count - left.count),
    records,
    bytes,
    recordsPerSecond: Math.round(rate * 100) / 100,
    limited,
    rejected,
    isUnseparated,
    lastSeen: lastSeenAt === null ? null : formatInstant(lastSeenAt),
    clockSkewSeconds: clockSkew === null ? null : clockSkew / SECOND,
  };
}

function refusedReportOf(
  address: string,
  { transports, reason, count, lastSeenAt }: Refused,
): RefusedPeerReport {
  return { address, transports: [...transports], reason, count, lastSeen: formatInstant(lastSeenAt) };
}

function bySender(left: SenderReport, right: SenderReport): number {
  const rank = (report: SenderReport): string =>
    report.name === null ? `1 ${report.sender}` : `0 ${report.name}`;
  return rank(left) < rank(right) ? -1 : 1;
}
