/** Finds out what becomes of a line, by the code that the daemon runs. */

import { formatProblem } from '../../config/document/problem.ts';
import { type LoadedConfig, loadConfig } from '../../config/load.ts';
import { OperationalError } from '../../core/errors.ts';
import type { Match } from '../../core/failure.ts';
import type { LogRecord } from '../../core/record.ts';
import { MILLISECOND } from '../../core/time.ts';
import { explainRecord, type RuleOutcome } from '../../match/explain.ts';
import type { Filter, Pattern } from '../../match/filter.ts';
import { Matcher } from '../../match/matcher.ts';
import type { RouteResult } from '../../match/router.ts';
import { compileFilter } from '../../match/rule.ts';
import { STANDARD_INPUT } from '../../sources/file.ts';
import { configPathOf, type JsonOptions } from '../command.ts';
import type { Terminal } from '../render/terminal.ts';
import { type FilterOptions, loadChosenFilters } from './filter-choice.ts';
import type { LineForm } from './filter-tool-options.ts';
import { type JailVerdict, judgeMatch } from './jail-verdict.ts';
import { createLineReader } from './line-record.ts';
import { openLines } from './record-input.ts';

export type ExplainOptions = FilterOptions &
  JsonOptions & {
    readonly as: LineForm;
    readonly identifier?: string;
    readonly all?: true;
  };

/** What `--json` prints. */
export type Explanation = {
  readonly record: Pick<LogRecord, 'sender' | 'hostname' | 'identifier' | 'pid' | 'message' | 'trusted'>;
  /** Whether every filter was tried, since nothing says which ones read the record. */
  readonly isTriedByAll: boolean;
  readonly filters: readonly ExplainedFilter[];
  /** What the matcher makes of it, after the lines before. */
  readonly matches: readonly ExplainedMatch[];
};

export type ExplainedFilter = {
  readonly filter: string;
  readonly route: RouteResult;
  readonly rules: readonly ExplainedRule[];
};

export type ExplainedRule = {
  readonly rule: string;
  readonly kind: Match['kind'];
  readonly mode: Match['mode'];
  /** The pattern as it is written, '' for one that is made of fields. */
  readonly pattern: string;
  readonly outcome: RuleOutcome;
};

export type ExplainedMatch = Omit<Match, 'record'> & {
  /** Null when there is no configuration to ask. */
  readonly jails: readonly JailVerdict[] | null;
};

/** Throws OperationalError when there is no line that can be read. */
export async function explainLine(
  line: string,
  options: ExplainOptions,
  terminal: Terminal,
): Promise<Explanation> {
  const { filters, plan } = loadFiltersAndPlan(options, terminal);
  const compiled = filters.map(compileFilter);
  const matcher = new Matcher(compiled);
  const { record: read, matches } = await runSession(line, matcher, options, terminal);
  const record = matcher.named(read);
  const isTriedByAll = record.identifier === '';
  const { at, sender, hostname, identifier, pid, message, trusted } = record;
  return {
    record: { sender, hostname, identifier, pid, message, trusted },
    isTriedByAll,
    filters: explainRecord(compiled, record, isTriedByAll).map(({ filter, route, rules }) => ({
      filter,
      route,
      rules: rules.map(({ rule, outcome }) => describeRule(filters, filter, rule, outcome)),
    })),
    matches: matches.map((match) => {
      const { record: _, ...found } = match;
      return { ...found, jails: plan === null ? null : judgeMatch(match, plan, at) };
    }),
  };
}

/** Matches the lines of a session one after the other; what comes of the last one is what is wanted. */
async function runSession(
  line: string,
  matcher: Matcher,
  options: ExplainOptions,
  terminal: Terminal,
): Promise<{ record: LogRecord; matches: readonly Match[] }> {
  const last: { record: LogRecord | null; matches: Match[] } = { record: null, matches: [] };
  const take = (read: LogRecord): void => {
    const record = { ...read, identifier: options.identifier ?? read.identifier };
    const matches: Match[] = [];
    if (record.identifier === '') matcher.matchAll(record, matches);
    else matcher.match(record, matches);
    Object.assign(last, { record, matches });
  };
  if (line === STANDARD_INPUT) {
    const input = await openLines(line, options.as, terminal);
    await input.read(take, async () => true);
  } else take(readLine(line, options.as, terminal));
  const { record, matches } = last;
  if (record === null) throw noLine('there is no line to explain');
  return { record, matches };
}

function readLine(line: string, form: LineForm, terminal: Terminal): LogRecord {
  const bytes = Buffer.from(line);
  const reader = createLineReader(form, terminal.now() * MILLISECOND);
  const record = reader.read(bytes, 0, bytes.length, false);
  if (record === null) throw noLine('there is nothing in the line');
  if (typeof record === 'string') throw noLine(`the line ${record}`);
  return record;
}

function noLine(message: string): OperationalError {
  return new OperationalError(message, { code: 'no-line' });
}

/** The filters that are chosen, and the configuration when it can be used. */
function loadFiltersAndPlan(
  options: ExplainOptions,
  terminal: Terminal,
): { filters: readonly Filter[]; plan: LoadedConfig['plan'] } {
  const { userId: uid, environment: env } = terminal;
  const { plan, problems } = loadConfig({ configPath: configPathOf(options, terminal), uid, env });
  // With a plan the problems are of filters that stay out; those that are named are told of when they are loaded.
  const isNamed = options.filter !== undefined;
  const told = plan === null ? problems.slice(0, 1) : isNamed ? [] : problems;
  for (const problem of told) terminal.complain(formatProblem(problem));
  const filters = plan === null || isNamed ? loadChosenFilters(options, terminal) : plan.filters;
  return { filters, plan };
}

function describeRule(
  filters: readonly Filter[],
  filterName: string,
  ruleName: string,
  outcome: RuleOutcome,
): ExplainedRule {
  const rules = filters.find(({ name }) => name === filterName)?.rules ?? [];
  const rule = rules.find(({ name }) => name === ruleName);
  return {
    rule: ruleName,
    kind: rule?.kind ?? 'note',
    mode: rule?.mode ?? 'normal',
    pattern: rule === undefined ? '' : textOf(rule.pattern),
    outcome,
  };
}

function textOf(pattern: Pattern): string {
  return 'text' in pattern ? pattern.text : '';
}
