/** Which filters read a record: by its identifier, and for a journal entry by the fields that only journald writes. */
import { ENGINE_MATCHES, isSystemEngine, originOf } from '../core/container.ts';
import type { LogRecord, TrustedFields } from '../core/record.ts';
import { fitsGlob } from '../core/text/glob.ts';
import type { Filter, FilterInput } from './filter.ts';
import { PrefixTree } from './prefix-tree.ts';
import { accessStatus, type CompiledFilter, type CompiledRule, NO_STATUS, type Reader } from './rule.ts';
import { type Nearness, nearnessOf, type Sought, shareClauses } from './sought.ts';
import { FilterTally } from './tally.ts';

export type RoutedFilter = {
  readonly compiled: CompiledFilter;
  readonly trusts: (fields: TrustedFields) => boolean;
  readonly tally: FilterTally;
};

export type RoutedRule = {
  readonly filter: RoutedFilter;
  readonly rule: CompiledRule;
  /** What a message that the rule matches contains, besides its beginning. */
  readonly needs: readonly Sought[];
  /** When a message looks like the rule's lines: when it begins like them, also when it contains all that is needed. */
  readonly nearness: Nearness;
};

/** What a route does with one record. */
export type RouteResult = 'read' | 'untrusted' | 'other-identifier';

/** Identifiers whose routes are remembered; when there are more, all are forgotten, so nobody can make it grow. */
const MAX_REMEMBERED = 4_096;

/**
 * The filters that read the same records. Whether they trust a record is still to be asked. What it holds is made when
 * it is first asked for.
 */
export class Route {
  readonly filters: readonly RoutedFilter[];
  #rules: readonly RoutedRule[] | undefined;
  /** Status codes that rules name; null when no rule reads access logs. */
  #statuses: ReadonlySet<number> | null = null;
  /** Of the rules that read STRUCTURED-DATA, of which there are few; null when there are none. */
  #ofStructuredData: PrefixTree<RoutedRule> | null = null;
  /**
   * The others, by the status of the access log's line, OTHER_STATUS for one that no rule names; NO_STATUS for other
   * messages.
   */
  readonly #sorted = new Map<number, PrefixTree<RoutedRule>>();

  constructor(filters: readonly RoutedFilter[]) {
    this.filters = filters;
  }

  /**
   * The rules that may match a message without its STRUCTURED-DATA, by how it begins, filter by filter. One tree for
   * all filters, so that a line costs what the rules cost that may match it, however many filters there are; and one
   * for each status that rules name, as most rules that read access logs name a certain one.
   */
  find(message: string): readonly RoutedRule[] {
    this.#rules ??= this.#routeRules();
    return this.#sortedFor(this.#statuses === null ? NO_STATUS : accessStatus(message)).find(message);
  }

  /** The rules that may match STRUCTURED-DATA with its message behind it. */
  findOfStructuredData(text: string): readonly RoutedRule[] {
    this.#rules ??= this.#routeRules();
    return this.#ofStructuredData?.find(text) ?? NO_RULES;
  }

  /** Whether one of both may find any rule for the text that the UTF-8 in bytes[start, end) is. */
  mayFindBytes(bytes: Uint8Array, start: number, end: number): boolean {
    this.#rules ??= this.#routeRules();
    if (this.#ofStructuredData?.mayFindBytes(bytes, start, end)) return true;
    // A line of an access log begins with anything, so its rules may match every message.
    return this.#statuses !== null || this.#sortedFor(NO_STATUS).mayFindBytes(bytes, start, end);
  }

  #routeRules(): readonly RoutedRule[] {
    const rules = this.filters.flatMap((filter) => filter.compiled.rules.map((rule) => ({ filter, rule })));
    const needs = shareClauses(rules.map(({ rule }) => rule.reader));
    const statuses = rules.map(({ rule }) => rule.reader.statuses);
    if (statuses.some((codes) => codes !== undefined)) {
      this.#statuses = new Set(statuses.flatMap((codes) => [...(codes ?? [])]));
    }
    const routed = rules.map(
      ({ filter, rule }, index): RoutedRule => ({
        filter,
        rule,
        needs: needs[index] ?? [],
        nearness: nearnessOf(rule.reader),
      }),
    );
    const ofData = routed.filter(({ rule }) => rule.reader.isOfStructuredData);
    if (ofData.length > 0) this.#ofStructuredData = treeOf(ofData);
    return routed.filter(({ rule }) => !rule.reader.isOfStructuredData);
  }

  #sortedFor(status: number): PrefixTree<RoutedRule> {
    const key = status === NO_STATUS || this.#statuses?.has(status) ? status : OTHER_STATUS;
    let tree = this.#sorted.get(key);
    if (tree === undefined) {
      const rules = this.#rules?.filter(({ rule }) => mayRead(rule.reader, key)) ?? [];
      tree = treeOf(rules);
      this.#sorted.set(key, tree);
    }
    return tree;
  }
}

const NO_RULES: readonly RoutedRule[] = [];

function treeOf(rules: readonly RoutedRule[]): PrefixTree<RoutedRule> {
  return new PrefixTree(rules, ({ rule }) => rule.reader.prefixes);
}

/** Stands for every status code that no rule names. */
const OTHER_STATUS = 0;

function mayRead(reader: Reader, status: number): boolean {
  const { statuses } = reader;
  if (statuses === undefined) return status === NO_STATUS || reader.mayReadAccess();
  return status !== NO_STATUS && (statuses === null || statuses.has(status));
}

/**
 * Routes for identifiers. One that is remembered costs one look-up; another, one for each distinct length of a prefix
 * that some filter names. Neither grows with the number of filters.
 */
export class Router {
  /** For tools that are asked to try every filter. */
  readonly all: Route;
  /** One for each filter. */
  readonly tallies: readonly FilterTally[];
  readonly #exact = new Map<string, Route>();
  readonly #prefixed = new Map<string, Route>();
  /** Lengths of prefixes, longest first: the longest that fits has the filters of all shorter ones too. */
  readonly #prefixLengths: readonly number[];
  readonly #everything: Route;
  readonly #remembered = new Map<string, Route>();
  /** Of containers, by identifier, name and image. */
  readonly #ofContainers = new Map<string, Route>();
  readonly #routeFor: (reads: (input: FilterInput) => boolean) => Route;
  readonly #joined = new Map<Route, Map<Route, Route>>();

  constructor(filters: readonly CompiledFilter[]) {
    const routed = filters.map(
      (compiled): RoutedFilter => ({
        compiled,
        trusts: trustOf(compiled.filter.input),
        tally: new FilterTally(compiled.filter.name),
      }),
    );
    this.tallies = routed.map(({ tally }) => tally);
    const routes = new Map<string, Route>();
    const routeFor = (reads: (input: FilterInput) => boolean): Route => {
      const readers = routed.filter(({ compiled }) => reads(compiled.filter.input));
      const key = readers.map((reader) => routed.indexOf(reader)).join();
      const route = routes.get(key) ?? new Route(readers);
      routes.set(key, route);
      return route;
    };
    for (const name of new Set(filters.flatMap(({ filter }) => filter.input.identifiers))) {
      const isPrefix = name.endsWith('*');
      const identifier = isPrefix ? name.slice(0, -1) : name;
      const route = routeFor((input) =>
        isPrefix ? namesPrefixOf(input, identifier) : namesIdentifier(input, identifier),
      );
      (isPrefix ? this.#prefixed : this.#exact).set(identifier, route);
    }
    const lengths = new Set([...this.#prefixed.keys()].map((prefix) => prefix.length));
    this.#prefixLengths = [...lengths].sort((left, right) => right - left);
    this.#everything = routeFor((input) => input.identifiers.length === 0);
    this.all = routeFor(() => true);
    this.#routeFor = routeFor;
  }

  /** The route of a record: by its identifier, or by all that an engine says of its container. */
  routeOf(record: LogRecord): Route {
    return isOfEngine(record) ? this.routeOfContainer(record) : this.route(record.identifier);
  }

  /** The route of a record that `isOfEngine`. */
  routeOfContainer(record: LogRecord): Route {
    const { identifier, container } = record;
    const key = `${identifier}\n${container?.name ?? ''}\n${container?.image ?? ''}`;
    const remembered = this.#ofContainers.get(key);
    if (remembered !== undefined) return remembered;
    const route = this.#routeFor((input) => namesContainer(input, record));
    if (this.#ofContainers.size >= MAX_REMEMBERED) this.#ofContainers.clear();
    this.#ofContainers.set(key, route);
    return route;
  }

  /** The route of the records with this identifier. */
  route(identifier: string): Route {
    const remembered = this.#remembered.get(identifier);
    if (remembered !== undefined) return remembered;
    const route = this.#find(identifier);
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(identifier, route);
    return route;
  }

  #find(identifier: string): Route {
    const exact = this.#exact.get(identifier);
    if (exact !== undefined) return exact;
    const prefixed = this.#findPrefixed(identifier);
    const base = beforeParenthesis(identifier);
    if (base === '') return prefixed ?? this.#everything;
    return prefixed === null ? this.#find(base) : this.#join(this.#find(base), prefixed);
  }

  #findPrefixed(identifier: string): Route | null {
    for (const length of this.#prefixLengths) {
      const route = this.#prefixed.get(identifier.slice(0, length));
      if (route !== undefined) return route;
    }
    return null;
  }

  /** The filters of both: one that reads every name must not take what the others read of a program. */
  #join(route: Route, other: Route): Route {
    const further = other.filters.filter((filter) => !route.filters.includes(filter));
    if (further.length === 0) return route;
    const joined = this.#joined.get(route) ?? new Map<Route, Route>();
    this.#joined.set(route, joined);
    const known = joined.get(other) ?? new Route([...route.filters, ...further]);
    joined.set(other, known);
    return known;
  }

  /** The route of the records that filters name by this very identifier; null when none does. */
  exactRoute(identifier: string): Route | null {
    return this.#exact.get(identifier) ?? null;
  }
}

/**
 * The program's name in `sshd(pam_unix)`, `openvpn(site)`: what a library or an instance has put behind it in
 * parentheses; '' when there is nothing.
 */
function beforeParenthesis(identifier: string): string {
  return /^([^()]+)\([^()]*\)$/.exec(identifier)?.[1] ?? '';
}

/** Whether a filter reads a record, and if not, why. */
export function routeResult(filter: Filter, record: LogRecord): RouteResult {
  const { identifier, trusted } = record;
  if (trusted !== null && isOfEngine(record)) {
    if (!namesContainer(filter.input, record)) return 'other-identifier';
    return trustOf(filter.input)(trusted) ? 'read' : 'untrusted';
  }
  const base = beforeParenthesis(identifier);
  const isNamed = namesIdentifier(filter.input, identifier);
  if (!isNamed && (base === '' || !namesIdentifier(filter.input, base))) return 'other-identifier';
  return trusted === null || trustOf(filter.input)(trusted) ? 'read' : 'untrusted';
}

/**
 * The `FIELD=value` matches that select all journal entries which some filter may read, for sd_journal_add_match(3);
 * null when a filter reads identifiers that cannot be listed. A filter without trusted fields reads none. Trusted
 * fields are not among them: entries of short-lived processes come without unit and executable, and their uid is all
 * that says that they are genuine.
 */
export function journalMatches(filters: readonly Filter[]): readonly string[] | null {
  const identifiers = new Set<string>();
  for (const { input } of filters) {
    if (input.identifiers.length === 0) return null;
    if (!namesTrustedFields(input) && !readsContainers(input)) continue;
    for (const identifier of input.identifiers) {
      if (identifier.endsWith('*')) return null;
      identifiers.add(`SYSLOG_IDENTIFIER=${identifier}`);
    }
    // Whatever a container is called, so that its name and image can be looked at.
    if (readsContainers(input)) for (const match of ENGINE_MATCHES) identifiers.add(match);
  }
  return [...identifiers].sort();
}

/** Whether it is a container's line, by the hand of its engine. Its identifier, and its PID, are the engine's choice. */
export function isOfEngine({ trusted }: LogRecord): boolean {
  return trusted !== null && originOf(trusted) === 'engine';
}

/** Whether the filter reads lines of containers at all. One that believes no entry of the journal does not. */
function readsContainers(input: FilterInput): boolean {
  const { containers } = input.journal;
  if (containers !== undefined) return containers.length > 0;
  return namesTrustedFields(input) || input.identifiers.length === 0;
}

/** Whether the filter means this container by its tag, its name or its image. */
function namesContainer(input: FilterInput, { identifier, container }: LogRecord): boolean {
  if (input.identifiers.length === 0) return true;
  const isNamed = (name: string): boolean =>
    name !== '' &&
    input.identifiers.some((wanted) =>
      wanted.length > 1 && wanted.endsWith('*') ? name.startsWith(wanted.slice(0, -1)) : name === wanted,
    );
  if (isNamed(identifier)) return true;
  if (!readsContainers(input)) return false;
  const { name = '', image = '' } = container ?? {};
  if (isNamed(name)) return true;
  const patterns = input.journal.containers ?? [];
  return patterns.some((pattern) => [name, image, identifier].some((called) => fitsGlob(called, pattern)));
}

function namesIdentifier(input: FilterInput, identifier: string): boolean {
  if (input.identifiers.length === 0) return true;
  return input.identifiers.some((name) =>
    name.endsWith('*') ? identifier.startsWith(name.slice(0, -1)) : identifier === name,
  );
}

/** Whether the filter reads whatever begins with `beginning`. */
function namesPrefixOf(input: FilterInput, beginning: string): boolean {
  if (input.identifiers.length === 0) return true;
  return input.identifiers.some((name) => name.endsWith('*') && beginning.startsWith(name.slice(0, -1)));
}

function namesTrustedFields({ journal }: FilterInput): boolean {
  return journal.uids.length + journal.units.length + journal.executables.length > 0;
}

/**
 * The test that a journal entry must pass. What comes out of a container is never believed of the host's own services,
 * whatever its uid; those of other filters believe the engine.
 */
function trustOf(input: FilterInput): (fields: TrustedFields) => boolean {
  const isOfHost = hostTrustOf(input);
  if (readsContainers(input)) return (fields) => isOfHost(fields) || isSystemEngine(fields);
  return (fields) => isOfHost(fields) && originOf(fields) === 'host';
}

function hostTrustOf(input: FilterInput): (fields: TrustedFields) => boolean {
  const { journal } = input;
  if (!namesTrustedFields(input)) return () => input.identifiers.length === 0;
  const uids = new Set(journal.uids);
  const executables = new Set(journal.executables);
  const exactUnits = new Set(journal.units.filter((unit) => !unit.includes('*')));
  const patterns = journal.units.filter((unit) => unit.includes('*')).map(splitWildcard);
  return (fields) =>
    uids.has(fields.uid) ||
    (fields.executable !== '' && executables.has(fields.executable) && isSystemUser(fields.uid)) ||
    exactUnits.has(fields.unit) ||
    patterns.some(([head, tail]) => fitsWildcard(fields.unit, head, tail));
}

/**
 * Whether a user is one that runs services. Whoever logs in can start every program with words of his own, and in a
 * mount namespace call any program whatever he likes, so that for him an executable says nothing.
 */
function isSystemUser(uid: number): boolean {
  return (uid >= 0 && uid <= LAST_SYSTEM_UID) || (uid >= FIRST_DYNAMIC_UID && uid <= LAST_DYNAMIC_UID);
}

/** SYS_UID_MAX of login.defs(5), and DynamicUser= of systemd.exec(5). */
const LAST_SYSTEM_UID = 999;
const FIRST_DYNAMIC_UID = 61_184;
const LAST_DYNAMIC_UID = 65_519;

function splitWildcard(unit: string): readonly [string, string] {
  const star = unit.indexOf('*');
  return [unit.slice(0, star), unit.slice(star + 1)];
}

function fitsWildcard(unit: string, head: string, tail: string): boolean {
  return unit.length >= head.length + tail.length && unit.startsWith(head) && unit.endsWith(tail);
}
