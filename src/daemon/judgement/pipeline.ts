/**
 * The way of a record: matched, judged by every jail that its filter feeds, decided by the ledger, and handed on to
 * the firewall at once and to the disk. One batch is dealt with in one go; nothing here waits.
 */

import { type BailiffEvent, type Emit, LACKS_NOTHING } from '../../core/event.ts';
import { admitsMode, type Match, type RuleMode } from '../../core/failure.ts';
import type { KeptSession } from '../../core/kept-session.ts';
import type { BanLog } from '../../core/ledger/ban-log.ts';
import type { Ban, Decision } from '../../core/ledger/decision.ts';
import type { Ledger } from '../../core/ledger/ledger.ts';
import type { LogRecord } from '../../core/record.ts';
import { type Clock, MINUTE, type Microseconds, SECOND } from '../../core/time.ts';
import type { Matcher } from '../../match/matcher.ts';
import type { Permission, SenderDirectory } from '../../senders/directory.ts';
import { readSuppression, SUPPRESSION_IDENTIFIER } from '../../senders/suppression.ts';
import { OLD_AGE } from '../../senders/watch.ts';
import type { RecordBatch } from '../../sources/source.ts';
import type { Enforcer } from '../enforcement/enforcer.ts';
import type { Persister } from '../state/persister.ts';
import { Deliveries } from './deliveries.ts';

/** Journal entries older than this on arrival are a backlog, not the present; windows outlive find_time by as much. */
export const BACKLOG_AGE: Microseconds = 5 * SECOND;

/** How long after the last of a backlog, or after the start, more of it may come: a lost reader is back in a minute. */
export const BACKLOG_PATIENCE: Microseconds = 2 * MINUTE;

/**
 * Bans that are ended in one go, which takes some 50 ms; a hundred thousand of them at once, as after a sleep of the
 * machine, would hold up the records for half a second. In the kernel they have ended by themselves.
 */
export const MAX_ENDED_AT_ONCE = 10_000;

/** In Debian, Fedora and SUSE. */
const RSYSLOGD = '/usr/sbin/rsyslogd';

/** A jail that the matches of some filter feed. */
export type JailRoute = { readonly jail: string; readonly mode: RuleMode; readonly maxRetry: number };

/** What a reload exchanges as a whole. */
export type Rules = {
  readonly matcher: Pick<Matcher, 'match' | 'mayMatch' | 'takeCounters'>;
  /** Of the same matcher. */
  readonly sessions?: Matcher;
  /** By filter name. */
  readonly routes: ReadonlyMap<string, readonly JailRoute[]>;
};

export type PipelineParts = {
  readonly ledger: Ledger;
  /** Of that ledger. */
  readonly banLog: Pick<BanLog, 'record'>;
  readonly enforcer: Pick<Enforcer, 'enqueue'>;
  readonly persister: Pick<Persister, 'advance' | 'changed' | 'stir'>;
  /** Says what the records of a sender may do. */
  readonly senders: Pick<SenderDirectory, 'permissionOf'>;
  readonly clock: Clock;
  readonly emit: Emit;
};

/** Before there are any. */
const NO_RULES: Rules = {
  matcher: {
    match: () => undefined,
    mayMatch: () => false,
    takeCounters: () => ({
      untrusted: 0,
      refusals: [],
      refusalsDropped: 0,
      sessionsDropped: 0,
      filters: [],
    }),
  },
  routes: new Map(),
};

export class Pipeline {
  readonly #parts: PipelineParts;
  #rules: Rules;
  readonly #matches: Match[] = [];
  readonly #deliveries = new Deliveries();
  #announcements: BailiffEvent[] = [];
  #counted = false;
  /** Sessions of an earlier life, until there are rules. */
  #kept: readonly KeptSession[] = [];
  #bootAt: Microseconds = 0;
  /** Journal entries seen before this may still come; null when there is no backlog. */
  #backlogSeenAt: Microseconds | null = 0;
  #backlogUntil: Microseconds;

  /** Without rules nothing matches until `setRules` brings some. */
  constructor(parts: PipelineParts, rules: Rules = NO_RULES) {
    this.#parts = parts;
    this.#rules = rules;
    this.#backlogUntil = parts.clock.now() + BACKLOG_PATIENCE;
  }

  /** From the next record on, other rules; the sessions of filters whose rules are the same go on. */
  setRules(rules: Rules): void {
    this.#reportMatcher();
    const { sessions } = this.#rules;
    if (sessions !== undefined) rules.sessions?.adoptSessions(sessions);
    rules.sessions?.restoreSessions(this.#kept, this.#bootAt);
    this.#kept = [];
    this.#rules = rules;
  }

  /** Takes in the sessions that an earlier life has kept; as Matcher.restoreSessions. */
  restoreSessions(kept: readonly KeptSession[], bootAt: Microseconds): void {
    this.#bootAt = bootAt;
    if (this.#rules.sessions === undefined) this.#kept = kept;
    else this.#rules.sessions.restoreSessions(kept, bootAt);
  }

  /** The sessions that have changed since this was asked last, to be stored with what they have led to. */
  takeSessions(): readonly KeptSession[] {
    return this.#rules.sessions?.takeSessions() ?? [];
  }

  /** What was taken could not be stored. */
  returnSessions(): void {
    this.#rules.sessions?.returnSessions();
  }

  /** Whether a message is to become a record: no other can match the rules as they are now. */
  mayMatch(identifier: string, bytes: Uint8Array, start: number, end: number): boolean {
    return (
      identifier === SUPPRESSION_IDENTIFIER || this.#rules.matcher.mayMatch(identifier, bytes, start, end)
    );
  }

  /** Deals with a batch: when this returns, the ledger has seen all of it. */
  accept(batch: RecordBatch): void {
    const { clock, emit, persister } = this.#parts;
    const at = clock.now();
    if (batch.source === 'journal') this.#noteBacklog(batch.records[0], at);
    this.#advance(at);
    let matched = 0;
    for (const record of batch.records) if (this.#acceptRecord(record, at)) matched++;
    const { source, records, skipped = 0, bytes } = batch;
    emit({ kind: 'records', source, count: records.length + skipped, bytes, matched });
    if (batch.source === 'journal') this.#noteBacklog(batch.records.at(-1), at);
    if (batch.position !== null) persister.advance(batch.position);
    else if (matched > 0) persister.stir();
    this.#settle();
  }

  /** Ends the bans whose time has come; call it every second. */
  tick(): void {
    this.#advance(this.#parts.clock.now());
    this.#reportMatcher();
    const forgotten = this.#deliveries.takeForgotten();
    if (forgotten > 0) {
      const detail = 'records that may come a second time are not known again';
      this.#parts.emit({ kind: 'limit', limit: 'deliveries', detail, count: forgotten });
    }
    for (const { jail, windows, bans } of this.#parts.ledger.takeEvictions()) {
      this.#reportEviction('offenders', windows, `jail ${jail} dropped those heard of longest ago`);
      this.#reportEviction('bans', bans, `jail ${jail} lifted those that would end first`);
    }
    this.#settle();
  }

  /** Carries out decisions that were made elsewhere: an operator's, or a reload's. */
  carryOut(decisions: readonly Decision[]): void {
    this.#follow(decisions, this.#parts.clock.now());
    this.#settle();
  }

  /** Takes bans that the kernel holds and the ledger does not into it, or has those lifted that it must not hold. */
  adopt(bans: readonly Ban[]): void {
    const { ledger, enforcer, clock } = this.#parts;
    const at = clock.now();
    const decisions: Decision[] = [];
    for (const ban of bans) {
      if (ledger.ban(ban, at, decisions) === null) continue;
      enforcer.enqueue([{ kind: 'unban', ban, cause: 'restore', at }], at);
    }
    this.carryOut(decisions);
  }

  /** Returns whether a rule hit. */
  #acceptRecord(record: LogRecord, at: Microseconds): boolean {
    const { matcher, routes } = this.#rules;
    if (record.identifier === SUPPRESSION_IDENTIFIER) this.#noteSuppression(record);
    this.#matches.length = 0;
    matcher.match(record, this.#matches);
    const isRepeat = this.#matches.length > 0 && this.#deliveries.isRepeat(record);
    const isOld = record.timestamp >= 0 && record.at - record.timestamp > OLD_AGE;
    for (const match of this.#matches) {
      const { filter, rule, kind } = match;
      this.#parts.emit({ kind: 'matched', filter, rule, ruleKind: kind, source: record.source });
      if (kind !== 'failure' || match.address === '') continue;
      const permission = this.#parts.senders.permissionOf(record.source, record.sender, record.via ?? '');
      for (const route of routes.get(filter) ?? []) {
        if (!admitsMode(route.mode, match.mode)) continue;
        if (isOld && !permission.countsOld)
          this.#parts.emit({ kind: 'ignored', jail: route.jail, address: match.address, reason: 'old' });
        else if (!isRepeat) this.#judge(match, route, permission, at);
        else
          this.#parts.emit({ kind: 'ignored', jail: route.jail, address: match.address, reason: 'repeat' });
      }
    }
    return this.#matches.length > 0;
  }

  /** Of the journal's entries only rsyslogd's own are believed. */
  #noteSuppression({ source, sender, trusted, message }: LogRecord): void {
    if (trusted !== null && trusted.executable !== RSYSLOGD) return;
    const suppression = readSuppression(message);
    if (suppression === null) return;
    const { input: origin, count } = suppression;
    this.#parts.emit({ kind: 'suppressed', by: 'rsyslog', source, sender, origin, count });
  }

  #judge(match: Match, route: JailRoute, { jails, confidence }: Permission, at: Microseconds): void {
    const { ledger, emit } = this.#parts;
    const { jail, maxRetry } = route;
    const { address, user, filter, weight } = match;
    if (jails !== null && !jails.has(jail)) {
      emit({ kind: 'ignored', jail, address, reason: 'sender-jails' });
      return;
    }
    const decisions: Decision[] = [];
    const seenAt = Math.min(match.record.at, at);
    const observation = ledger.observe({ jail, address, seenAt, weight, confidence }, at, decisions);
    if (observation.outcome === 'ignored') {
      emit({ kind: 'ignored', jail, address, reason: observation.reason });
      return;
    }
    this.#counted = true;
    // The ban first: the kernel should not wait for a line of our own log.
    this.#follow(decisions, match.record.at);
    const { offender, count } = observation;
    const isOffence = decisions.some(({ kind }) => kind === 'ban' || kind === 'extend');
    emit({
      kind: 'failure',
      jail,
      filter,
      address,
      offender,
      user,
      seenAt,
      weight,
      count,
      maxRetry,
      isOffence,
    });
  }

  #advance(at: Microseconds): void {
    const decisions: Decision[] = [];
    if (at >= this.#backlogUntil) this.#backlogSeenAt = null;
    const horizon = Math.min(at - BACKLOG_AGE, this.#backlogSeenAt ?? at);
    this.#parts.ledger.advance(at, horizon, decisions, MAX_ENDED_AT_ONCE);
    this.#follow(decisions, at);
  }

  /**
   * While old entries are being read, windows of their time must live on, or the backlog would be judged in pieces. The
   * entry is the next to be judged, or the last that was.
   */
  #noteBacklog(entry: LogRecord | undefined, at: Microseconds): void {
    if (entry === undefined) return;
    this.#backlogSeenAt = at - entry.at > BACKLOG_AGE ? entry.at : null;
    this.#backlogUntil = at + BACKLOG_PATIENCE;
  }

  #follow(decisions: readonly Decision[], arrivedAt: Microseconds): void {
    if (decisions.length === 0) return;
    this.#parts.enforcer.enqueue(decisions, arrivedAt);
    for (const decision of decisions) this.#announcements.push(this.#record(decision));
  }

  /** Enters a decision in the ban log, and returns what is announced of it. */
  #record(decision: Decision): BailiffEvent {
    const { kind } = decision;
    if (kind === 'forgive') return { kind, jail: decision.jail, offender: decision.offender };
    return { ...decision, position: this.#parts.banLog.record(decision), lacks: LACKS_NOTHING };
  }

  #settle(): void {
    if (this.#announcements.length === 0 && !this.#counted) return;
    this.#parts.persister.changed(this.#announcements);
    this.#announcements = [];
    this.#counted = false;
  }

  #reportMatcher(): void {
    const { untrusted, refusals, refusalsDropped, sessionsDropped, filters } =
      this.#rules.matcher.takeCounters();
    const { emit } = this.#parts;
    if (filters.length > 0) emit({ kind: 'filter-activity', filters });
    if (untrusted > 0)
      emit({ kind: 'rejected', source: 'journal', sender: '', reason: 'untrusted', count: untrusted });
    for (const refusal of refusals) emit({ kind: 'refused', ...refusal });
    if (refusalsDropped > 0) {
      const detail = 'records that no filter reads were counted and not told of by name';
      emit({ kind: 'limit', limit: 'refusals', detail, count: refusalsDropped });
    }
    const detail = 'the sessions heard of longest ago were forgotten';
    if (sessionsDropped > 0) emit({ kind: 'limit', limit: 'sessions', detail, count: sessionsDropped });
  }

  #reportEviction(limit: 'offenders' | 'bans', count: number, detail: string): void {
    if (count > 0) this.#parts.emit({ kind: 'limit', limit, detail, count });
  }
}
