/**
 * The gate of a listener: answers who a peer is and whether it may send, holds it to its rate, and counts what it
 * sends. Asking costs one look-up for a peer that is known; what was counted is told once a second for each sender.
 */
import { type Address, parseAddress } from '../core/address/address.ts';
import type { Emit } from '../core/event.ts';
import type { LimitName } from '../core/limit.ts';
import type { LogRecord } from '../core/record.ts';
import type { Microseconds } from '../core/time.ts';
import type { Dialect } from '../syslog/header.ts';
import { repeatOf } from '../syslog/repeat.ts';
import type { SenderDirectory, SenderPlan, SenderRefusal, SenderTransport, Standing } from './directory.ts';
import type { Tally } from './tally.ts';

export type SenderGateOptions = {
  readonly transport: SenderTransport;
  readonly senders: SenderDirectory;
  /** Where refused peers and messages beyond a rate are counted. */
  readonly tally: Tally;
  readonly emit: Emit;
  /** In place of REPORT_INTERVAL_MILLISECONDS. */
  readonly reportMilliseconds?: number;
};

/** Peers that are remembered; forged addresses fill that in no time, and it then starts afresh. */
export const MAX_KNOWN_PEERS = 4096;

/** Senders without an entry in the configuration that are told of one by one in one report; the rest together. */
export const MAX_REPORTED_SENDERS = 256;

/** Senders whose records one relay hands on that are told of one by one in one report; the rest as the relay's. */
export const MAX_RELAYED_SENDERS = 256;

export const REPORT_INTERVAL_MILLISECONDS = 1_000;

export class SenderGate {
  readonly #options: SenderGateOptions;
  readonly #known = new Map<string, Sender | SenderRefusal>();
  readonly #counts = new SenderCounts();
  #generation: number;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: SenderGateOptions) {
    this.#options = options;
    this.#generation = options.senders.generation;
  }

  /**
   * The sender that a peer is, or null for one that may not send; it has been counted then. `peer` is as the socket has
   * it (`::ffff:192.0.2.1`, `fe80::1%eth0`); `certificateNames` are those of a verified certificate, empty without one.
   * For each connection, or each datagram.
   */
  admit(peer: string, certificateNames: readonly string[] = NO_NAMES): Sender | null {
    if (this.#generation !== this.#options.senders.generation) this.#forget();
    const key = certificateNames.length === 0 ? peer : `${peer}\n${JSON.stringify(certificateNames)}`;
    let known = this.#known.get(key);
    if (known === undefined) {
      known = this.#find(peer, certificateNames);
      if (this.#known.size >= MAX_KNOWN_PEERS) this.#known.clear();
      this.#known.set(key, known);
    }
    if (typeof known !== 'string') return known;
    this.#countRefused(known, parseAddress(peer) ?? '');
    return null;
  }

  /**
   * The same sender as it is after a reload; null when it may no longer send. For connections, which outlive one;
   * costs a comparison as long as there was none.
   */
  renew(sender: Sender, certificateNames: readonly string[] = NO_NAMES): Sender | null {
    if (sender.generation === this.#options.senders.generation) return sender;
    return this.admit(sender.address, certificateNames);
  }

  /** Tells what has been counted since the last time; the listener calls it when it stops. */
  report(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const { emit, transport } = this.#options;
    for (const count of this.#counts.take()) {
      const { sender, name, via, records, bytes, limited, clockSkew, seenAt } = count;
      const dialects = [...count.dialects.values()];
      emit({
        kind: 'sender-activity',
        source: transport,
        sender,
        name,
        via,
        records,
        bytes,
        limited,
        dialects,
        clockSkew,
        seenAt,
      });
    }
  }

  /** For senders: the generation that they are of. */
  get generation(): number {
    return this.#generation;
  }

  /** For senders: what is to be counted of one in this second. */
  countOf(identity: string, plan: SenderPlan | null, via: string): SenderCount {
    const { reportMilliseconds = REPORT_INTERVAL_MILLISECONDS } = this.#options;
    this.#timer ??= setTimeout(() => this.report(), reportMilliseconds).unref();
    return this.#counts.of(identity, plan, via);
  }

  /** For senders: whom a relay's message claims to be of. */
  claimed(hostname: string): Claim | null {
    return this.#options.senders.claimed(this.#options.transport, hostname);
  }

  /** For senders: counts a message beyond the rate. */
  countLimited(who: string): void {
    const limit: LimitName = 'sender-rate';
    this.#options.tally.add(limit, who, (sender, count) => ({
      kind: 'limit',
      limit,
      detail: `${this.#options.transport} messages of ${sender || 'several senders'} dropped beyond their rate`,
      count,
    }));
  }

  #find(peer: string, certificateNames: readonly string[]): Sender | SenderRefusal {
    const address = parseAddress(peer);
    if (address === null) return 'unknown-sender';
    const standing = this.#options.senders.find(this.#options.transport, address, certificateNames);
    return typeof standing === 'string' ? standing : new Sender(this, address, standing);
  }

  #countRefused(reason: SenderRefusal, address: Address | ''): void {
    this.#options.tally.add(reason, address, (sender, count) => ({
      kind: 'rejected',
      source: this.#options.transport,
      sender,
      reason,
      count,
    }));
  }

  #forget(): void {
    this.report();
    this.#known.clear();
    this.#generation = this.#options.senders.generation;
  }
}

const NO_NAMES: readonly string[] = [];

/** What is counted of a message, whether or not it has become a record. */
export type Heading = Pick<LogRecord, 'at' | 'hostname' | 'timestamp'>;

type Claim = NonNullable<ReturnType<SenderDirectory['claimed']>>;

/** A peer that may send, over one listener. */
export class Sender {
  /** Canonical. */
  readonly address: Address;
  /** What its records carry as their sender. */
  readonly identity: string;
  /** Of the directory that let it in. */
  readonly generation: number;
  readonly #gate: SenderGate;
  readonly #standing: Standing;
  #count: SenderCount = UNCOUNTED;
  /** The message before, as long as it has become a record. */
  #last: LogRecord | null = null;

  constructor(gate: SenderGate, address: Address, standing: Standing) {
    this.#gate = gate;
    this.#standing = standing;
    this.address = address;
    this.identity = standing.identity;
    this.generation = gate.generation;
  }

  /** In the configuration; '' for a sender that has no entry there. */
  get name(): string {
    return this.#standing.plan?.name ?? '';
  }

  /** Whether a message that came at `at` is within the sender's rate. One that is not is counted; drop it unread. */
  admits(at: Microseconds): boolean {
    const { limiter } = this.#standing;
    if (limiter === null || limiter.take(at)) return true;
    this.#ownCount().limit(at);
    this.#gate.countLimited(this.name || this.identity);
    return false;
  }

  /**
   * Counts a record of `bytes` bytes and returns it; from a relay, as the record of the host that it names, and in place
   * of a word that the one before was repeated, that one.
   */
  take(received: LogRecord, bytes: number, dialect: Dialect): LogRecord {
    const claim = this.#claimOf(received);
    this.#countOf(claim).add(received, bytes, dialect);
    const record = repeatOf(received, this.#last) ?? received;
    this.#last = received;
    return claim === null ? record : { ...record, sender: claim.identity, via: this.identity };
  }

  /** As `take`, for a message that has become no record. */
  count(heading: Heading, bytes: number, dialect: Dialect): void {
    this.#last = null;
    this.#countOf(this.#claimOf(heading)).add(heading, bytes, dialect);
  }

  /** Whom a relay's message claims to be of; null for the sender itself. */
  #claimOf(heading: Heading): Claim | null {
    if (this.#standing.plan?.isRelay !== true) return null;
    const { hostname } = heading;
    const claim = hostname === '' ? null : this.#gate.claimed(hostname);
    return claim === null || claim.plan === this.#standing.plan ? null : claim;
  }

  #countOf(claim: Claim | null): SenderCount {
    return claim === null ? this.#ownCount() : this.#gate.countOf(claim.identity, claim.plan, this.identity);
  }

  #ownCount(): SenderCount {
    if (this.#count.isTaken) this.#count = this.#gate.countOf(this.identity, this.#standing.plan, '');
    return this.#count;
  }
}

type DialectCount = { readonly dialect: Dialect; count: number };

/** What one sender has sent since the last report. */
export class SenderCount {
  readonly sender: string;
  readonly name: string;
  readonly via: string;
  records = 0;
  bytes = 0;
  limited = 0;
  /** Of the record that was delayed least: a backlog is old without the clock being wrong. */
  clockSkew: Microseconds | null = null;
  seenAt: Microseconds = 0;
  readonly dialects = new Map<Dialect, DialectCount>();
  #lastDialect: DialectCount | null = null;
  /** Whether it has been reported; what follows is counted in another. */
  isTaken = false;

  constructor(sender: string, name: string, via: string) {
    this.sender = sender;
    this.name = name;
    this.via = via;
  }

  add({ at, timestamp }: Heading, bytes: number, dialect: Dialect): void {
    this.records++;
    this.bytes += bytes;
    this.seenAt = at;
    this.#countDialect(dialect);
    if (timestamp < 0) return;
    const skew = timestamp - at;
    if (this.clockSkew === null || skew > this.clockSkew) this.clockSkew = skew;
  }

  /** Nearly every message is written as the one before was: two look-ups less for each (20 ns). */
  #countDialect(dialect: Dialect): void {
    let counted = this.#lastDialect;
    if (counted?.dialect !== dialect) {
      counted = this.dialects.get(dialect) ?? { dialect, count: 0 };
      this.dialects.set(dialect, counted);
      this.#lastDialect = counted;
    }
    counted.count++;
  }

  limit(at: Microseconds): void {
    this.limited++;
    this.seenAt = at;
  }
}

const UNCOUNTED = new SenderCount('', '', '');
UNCOUNTED.isTaken = true;

/** The counts of all senders since the last report: each configured one its own, of the others the first to come. */
class SenderCounts {
  #counts = new Map<string, SenderCount>();
  #unconfigured = 0;
  #relayed = 0;

  of(identity: string, plan: SenderPlan | null, via: string): SenderCount {
    const known = this.#counts.get(keyOf(identity, plan, via));
    if (known !== undefined) return known;
    if (via !== '' && ++this.#relayed > MAX_RELAYED_SENDERS) return this.of('', null, '');
    if (plan === null && identity !== '' && ++this.#unconfigured > MAX_REPORTED_SENDERS)
      return this.of('', null, '');
    const count = new SenderCount(identity, plan?.name ?? '', via);
    this.#counts.set(keyOf(identity, plan, via), count);
    return count;
  }

  take(): readonly SenderCount[] {
    const taken = [...this.#counts.values()];
    for (const count of taken) count.isTaken = true;
    this.#counts = new Map();
    this.#unconfigured = 0;
    this.#relayed = 0;
    return taken;
  }
}

/** A configured sender is one, from however many addresses it sends. */
function keyOf(identity: string, plan: SenderPlan | null, via: string): string {
  return plan === null ? identity : `${plan.name}\n${via}`;
}
