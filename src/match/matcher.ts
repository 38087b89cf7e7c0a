/**
 * From records to matches: the hot path. A record that no filter reads costs one look-up; one that is read costs a few
 * comparisons of its beginning and allocates nothing unless a rule hits.
 */
import type { Refusal } from '../core/event.ts';
import type { Match } from '../core/failure.ts';
import type { KeptSession } from '../core/kept-session.ts';
import type { LogRecord } from '../core/record.ts';
import { copyText } from '../core/text/text-copy.ts';
import type { Microseconds } from '../core/time.ts';
import type { Filter } from './filter.ts';
import { MAX_WEIGHT } from './filter.ts';
import type { Finding } from './pattern.ts';
import { PrefixTree } from './prefix-tree.ts';
import { Refusals } from './refusals.ts';
import { isOfEngine, type Route, type RoutedFilter, type RoutedRule, Router } from './router.ts';
import { type CompiledFilter, type CompiledRule, compileFilter } from './rule.ts';
import { NO_RANK, resetSession, type Session, SessionTable } from './session.ts';
import { sessionsName } from './session-name.ts';
import type { Sought } from './sought.ts';
import { type FilterCounters, type Stopclock, Stopwatch } from './tally.ts';

/** No identifier of a filter is longer. */
const MAX_WORD = 128;

/** Refused records whose message is compared with rules between two reports; each costs some microseconds. */
const MAX_COMPARISONS = 256;

/** What happened since the last time that it was asked. */
export type MatcherCounters = {
  /** Journal entries that name a filter's identifier, but carry none of the trusted fields that it asks for. */
  readonly untrusted: number;
  /** Those that no filter has read, and containers' lines that look like failures of filters that do not mean them. */
  readonly refusals: readonly Refusal[];
  /** Records of more kinds than MAX_REFUSALS. */
  readonly refusalsDropped: number;
  /** Sessions dropped because there were more than MAX_SESSIONS. */
  readonly sessionsDropped: number;
  /** Of the filters that there is something to say about. */
  readonly filters: readonly FilterCounters[];
};

/**
 * Builds a matcher. Filters are expected to have passed the linter; throws PatternError for one whose patterns do not
 * compile. Without a clock no filter is timed. `keepsSessions`: whether somebody calls `takeSessions`.
 */
export function createMatcher(
  filters: readonly Filter[],
  clock: Stopclock | null = null,
  keepsSessions = false,
): Matcher {
  return new Matcher(filters.map(compileFilter), clock, keepsSessions);
}

export class Matcher {
  readonly #router: Router;
  readonly #sessions = new Map<CompiledFilter, SessionTable>();
  #untrusted = 0;
  readonly #refusals = new Refusals();
  /** Refused records that may still be compared with rules before the next report. */
  #comparisons = MAX_COMPARISONS;
  /** Messages looked at. */
  #looks = 0;
  readonly #stopwatch: Stopwatch | null;

  constructor(filters: readonly CompiledFilter[], clock: Stopclock | null = null, keepsSessions = false) {
    this.#router = new Router(filters);
    this.#stopwatch = clock === null ? null : new Stopwatch(clock);
    for (const filter of filters) {
      if (filter.rules.some((rule) => rule.usesSession)) {
        this.#sessions.set(filter, new SessionTable(keepsSessions));
      }
    }
  }

  /**
   * Appends to `out` what the filters that read the record find, at most one match for each of them: of all rules that
   * match, one of the narrowest mode, of those an `ignore` rule before others, then the first in the file.
   */
  match(record: LogRecord, out: Match[]): void {
    const tagged = record.identifier === '' ? this.#nameByFirstWord(record) : null;
    if (tagged !== null) {
      const before = out.length;
      this.#matchRoute(tagged.route, tagged.record, out);
      if (out.length > before) return;
    }
    const isEngine = isOfEngine(record);
    const route = isEngine ? this.#router.routeOfContainer(record) : this.#router.route(record.identifier);
    if (route.filters.length === 0) {
      if (isEngine) this.#noteUnnamed(record);
      return;
    }
    // The PID is the engine's, the same for all of its containers and their clients.
    const lone = isEngine && record.pid !== '' ? { ...record, pid: '' } : record;
    if (this.#matchRoute(route, lone, out)) return;
    this.#untrusted++;
    this.#noteUntrusted(record, route);
  }

  /** Tells of a record that its filters do not believe, unless one of them does. */
  #noteUntrusted(record: LogRecord, route: Route): void {
    const { trusted, identifier } = record;
    if (trusted === null || route.filters.some(({ trusts }) => trusts(trusted))) return;
    const wanted =
      this.#wouldBe(route, record) ??
      route.filters.find(({ compiled: { filter } }) => filter.input.identifiers.includes(identifier)) ??
      route.filters[0];
    if (wanted !== undefined) this.#refusals.add('untrusted', wanted.compiled.filter.name, record);
  }

  /** Tells of a line that would be a failure for a filter that does not mean its container. */
  #noteUnnamed(record: LogRecord): void {
    const wanted = this.#wouldBe(this.#router.all, record);
    if (wanted === null || record.trusted === null || !wanted.trusts(record.trusted)) return;
    this.#refusals.add('unnamed', wanted.compiled.filter.name, record);
  }

  /** The first filter for which the message is a failure; null also when too many were looked at already. */
  #wouldBe(route: Route, { message }: LogRecord): RoutedFilter | null {
    if (this.#comparisons === 0) return null;
    this.#comparisons--;
    const look = ++this.#looks;
    for (const { filter, rule, needs } of route.find(message)) {
      if (rule.rule.kind !== 'failure' || !areMet(needs, message, look)) continue;
      const finding = rule.reader.read(message);
      if (finding !== null && finding.address !== '') return filter;
    }
    return null;
  }

  /** As `match`, and where that finds nothing with every filter; for tools that look at loose lines. */
  matchAll(record: LogRecord, out: Match[]): void {
    const before = out.length;
    if (this.named(record) !== record) this.match(record, out);
    if (out.length === before) this.#matchRoute(this.#router.all, record, out);
  }

  /** The record as `match` looks at it first: where its first word names its program, that is its identifier. */
  named(record: LogRecord): LogRecord {
    return (record.identifier === '' ? this.#nameByFirstWord(record)?.record : null) ?? record;
  }

  /**
   * Whether `match` may find anything in the message that the UTF-8 in bytes[start, end) is, or count it as nearly
   * matched. A record of which this is false need not be made: half of what a server writes begins like no rule.
   */
  mayMatch(identifier: string, bytes: Uint8Array, start: number, end: number): boolean {
    if (identifier === '' && this.#mayMatchByFirstWord(bytes, start, end)) return true;
    const route = this.#router.route(identifier);
    if (route.filters.length === 0) return false;
    return route.mayFindBytes(bytes, start, end) || DECORATED.mayFindBytes(bytes, start, end);
  }

  /**
   * A syslog message with a host name and no tag, whose first word is what some filter calls its program: to RFC 3164
   * (4.1.3) and to every relay that is the tag, with or without a colon. Null for any other.
   */
  #nameByFirstWord(record: LogRecord): { readonly route: Route; readonly record: LogRecord } | null {
    if (record.hostname === '' || record.trusted !== null) return null;
    const { message } = record;
    const wordEnd = message.indexOf(' ');
    if (wordEnd < 1 || wordEnd > MAX_WORD) return null;
    const identifier = message.slice(0, wordEnd);
    const route = this.#router.exactRoute(identifier);
    return route && { route, record: { ...record, identifier, message: message.slice(wordEnd + 1) } };
  }

  #mayMatchByFirstWord(bytes: Uint8Array, start: number, end: number): boolean {
    const limit = Math.min(end, start + MAX_WORD + 1);
    const wordEnd = bytes.subarray(start, limit).indexOf(0x20) + start;
    if (wordEnd <= start) return false;
    const route = this.#router.exactRoute(Buffer.from(bytes.subarray(start, wordEnd)).toString('latin1'));
    return route?.mayFindBytes(bytes, wordEnd + 1, end) ?? false;
  }

  /** Goes on with the sessions of an earlier matcher, which ends, for the filters whose rules are the same. */
  adoptSessions(earlier: Matcher): void {
    const tables = new Map(
      [...earlier.#sessions].map(([{ filter }, table]) => [sessionsName(filter), table]),
    );
    for (const compiled of this.#sessions.keys()) {
      const table = tables.get(sessionsName(compiled.filter));
      if (table !== undefined) this.#sessions.set(compiled, table);
    }
  }

  /** The sessions that have changed since this was asked last. */
  takeSessions(): KeptSession[] {
    const taken: KeptSession[] = [];
    for (const [{ filter }, table] of this.#sessions) {
      if (table.hasChanged) table.take(sessionsName(filter), taken);
    }
    return taken;
  }

  /** What was taken is kept nowhere. */
  returnSessions(): void {
    for (const table of this.#sessions.values()) table.returnAll();
  }

  /**
   * Takes in what an earlier life has kept; those of filters that are gone, or have other rules, are left out. `bootAt`
   * is when this host booted, 0 when that is not known.
   */
  restoreSessions(kept: readonly KeptSession[], bootAt: Microseconds): void {
    const byFilter = Map.groupBy(kept, ({ filter }) => filter);
    for (const [{ filter }, table] of this.#sessions)
      table.restore(byFilter.get(sessionsName(filter)) ?? [], bootAt);
  }

  takeCounters(): MatcherCounters {
    const untrusted = this.#untrusted;
    this.#untrusted = 0;
    this.#comparisons = MAX_COMPARISONS;
    const { refusals, others: refusalsDropped } = this.#refusals.take();
    let sessionsDropped = 0;
    for (const table of this.#sessions.values()) sessionsDropped += table.takeDropped();
    const filters = this.#router.tallies.flatMap((tally) => tally.take() ?? []);
    return { untrusted, refusals, refusalsDropped, sessionsDropped, filters };
  }

  /** Returns false when a filter does not trust the record. */
  #matchRoute(route: Route, record: LogRecord, out: Match[]): boolean {
    const { trusted, structuredData } = record;
    const isTrusted = trusted === null || route.filters.every(({ trusts }) => trusts(trusted));
    const before = out.length;
    let { message } = record;
    let times = 1;
    if (DECORATED.find(message).length > 0) ({ message, times } = undecorate(message));
    let nearest = this.#tryRules(route.find(message), record, message, times, isTrusted, out);
    if (structuredData !== '' && out.length === before) {
      const text = `${structuredData} ${record.message}`;
      nearest = this.#tryRules(route.findOfStructuredData(text), record, text, 1, isTrusted, out) ?? nearest;
    }
    if (nearest !== null && out.length === before && (trusted === null || nearest.trusts(trusted))) {
      nearest.tally.countNearMiss();
    }
    return isTrusted;
  }

  /** Tries rules on a text of the record. Returns the filter that it nearly matches first. */
  #tryRules(
    rules: readonly RoutedRule[],
    record: LogRecord,
    text: string,
    times: number,
    isTrusted: boolean,
    out: Match[],
  ): RoutedFilter | null {
    let settled: RoutedFilter | null = null;
    let nearest: RoutedFilter | null = null;
    const { trusted } = record;
    const look = ++this.#looks;
    const stopwatch = this.#stopwatch?.begin() ? this.#stopwatch : null;
    for (const { filter, rule, needs, nearness } of rules) {
      if (filter === settled) continue;
      stopwatch?.turnTo(filter.tally);
      if (!areMet(needs, text, look)) {
        if (nearness === 'begins') nearest ??= filter;
        continue;
      }
      if (!isTrusted && trusted !== null && !filter.trusts(trusted)) continue;
      const finding = rule.reader.read(text);
      if (finding === null) {
        if (nearness !== 'never') nearest ??= filter;
        continue;
      }
      const match = this.#settle(filter.compiled, rule, finding, record, times);
      if (match === null) continue;
      out.push(match);
      settled = filter;
    }
    stopwatch?.turnTo(null);
    return nearest;
  }

  #settle(
    compiled: CompiledFilter,
    rule: CompiledRule,
    finding: Finding,
    record: LogRecord,
    repeated: number,
  ): Match | null {
    const times = repeated * (finding.attempts ?? 1);
    if (!rule.usesSession) return newMatch(compiled, rule, finding, record, rule.rule.weight * times);
    return settle(this.#sessions.get(compiled), compiled, rule, finding, record, times);
  }
}

function areMet(needs: readonly Sought[], message: string, look: number): boolean {
  for (const sought of needs) if (!sought.isIn(message, look)) return false;
  return true;
}

/**
 * What relays put around a message: rsyslog's `message repeated 5 times: [ ... ]`, and the `[ID 800047 auth.info] ` of
 * Solaris. Both stand at the very beginning, where no client writes.
 */
export function undecorate(message: string): { message: string; times: number } {
  const repeated = /^message repeated (\d{1,4}) times: \[ ?(.*)\]$/s.exec(message);
  if (repeated !== null) return { message: repeated[2] ?? '', times: Math.max(1, Number(repeated[1])) };
  return { message: message.replace(/^\[ID \d{1,10} \w{1,16}\.\w{1,16}\] /, ''), times: 1 };
}

/** How messages begin that `undecorate` may take something off. */
const DECORATED = new PrefixTree(['message repeated ', '[ID '], (beginning) => [beginning]);

/**
 * What a hit comes to in its session. Null when the rule must not match here: it needs an address and there is none,
 * or a line that should have come before it did not.
 */
function settle(
  table: SessionTable | undefined,
  compiled: CompiledFilter,
  rule: CompiledRule,
  finding: Finding,
  record: LogRecord,
  times: number,
): Match | null {
  const session = table?.open(record, finding.session) ?? null;
  // Another client's address: the PID has been used again.
  if (
    session !== null &&
    finding.address !== '' &&
    session.address !== '' &&
    finding.address !== session.address
  ) {
    resetSession(session);
  }
  if (rule.rule.after.length > 0 && ((session?.marks ?? 0) & rule.after) === 0) return null;
  const found = finding.address === '' && session !== null ? recall(session, finding) : finding;
  const { kind, weight, remember } = rule.rule;
  if (kind === 'failure' && found.address === '') return null;
  if (session === null) return newMatch(compiled, rule, found, record, weight * times);
  if (kind === 'success') resetSession(session);
  else session.address = found.address;
  if (remember) {
    session.user = copyText(found.user);
    session.marks |= rule.mark;
  }
  const counted = kind === 'failure' ? countInSession(session, rule, times) : times;
  return newMatch(compiled, rule, found, record, weight * counted);
}

/** Fills in what earlier lines of the session have named. */
function recall(session: Session, finding: Finding): Finding {
  return { ...finding, address: session.address, user: finding.user || session.user };
}

/** How many of the `times` that the line stands for are new in this session; notes that they are counted. */
function countInSession(session: Session, { rule, rank }: CompiledRule, times: number): number {
  const isOpen = session.openRank <= rank;
  const isCounted = session.countedRank <= rank;
  session.countedRank = Math.min(session.countedRank, rank);
  switch (rule.attempt) {
    case 'start':
      if (isOpen) return times - 1;
      session.openRank = rank;
      return times;
    case 'result':
      session.openRank = NO_RANK;
      return isOpen ? times - 1 : times;
    case 'end':
      return isCounted ? 0 : times;
    default:
      return times;
  }
}

/** A failure that comes to nothing is a note: it was seen, and it is counted already. */
function newMatch(
  { filter }: CompiledFilter,
  { rule }: CompiledRule,
  finding: Finding,
  record: LogRecord,
  weight: number,
): Match {
  return {
    filter: filter.name,
    rule: rule.name,
    kind: rule.kind === 'failure' && weight === 0 ? 'note' : rule.kind,
    mode: rule.mode,
    address: finding.address,
    user: finding.user,
    weight: Math.min(weight, MAX_WEIGHT),
    record,
  };
}
