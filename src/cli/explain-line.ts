/** Finds out what becomes of a line, by the code that the daemon runs. */
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import { OperationalError } from '../core/errors.ts';
import type { Match } from '../core/failure.ts';
import type { LogRecord } from '../core/record.ts';
import { MILLISECOND } from '../core/time.ts';
import { explainRecord, type RuleOutcome } from '../match/explain.ts';
import type { Filter, Pattern } from '../match/filter.ts';
import { Matcher } from '../match/matcher.ts';
import type { RouteResult } from '../match/router.ts';
import { compileFilter } from '../match/rule.ts';
import { configPathOf } from './command.ts';
import type { ExplainOptions } from './explain.ts';
import { loadChosenFilters } from './filter-choice.ts';
import { type JailVerdict, judgeMatch } from './jail-verdict.ts';
import { createLineReader, type LineForm } from './line-record.ts';
import { openLines } from './record-input.ts';
import type { Terminal } from './terminal.ts';

/** What `--json` prints. */
export type Explanation = {
  readonly record: Pick<LogRecord, 'sender' | 'hostname' | 'identifier' | 'pid' | 'message'>;
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
  const records = await readRecords(line, options, terminal);
  const record = records.at(-1);
  if (record === undefined) throw new OperationalError('there is no line to explain', { code: 'no-line' });
  const isTriedByAll = record.identifier === '';
  const { filters, plan } = loadFiltersAndPlan(options, terminal);
  const compiled = filters.map(compileFilter);
  const matcher = new Matcher(compiled);
  let matches: Match[] = [];
  for (const each of records) {
    matches = [];
    if (each.identifier === '') matcher.matchAll(each, matches);
    else matcher.match(each, matches);
  }
  const { sender, hostname, identifier, pid, message } = record;
  return {
    record: { sender, hostname, identifier, pid, message },
    isTriedByAll,
    filters: explainRecord(compiled, record, isTriedByAll).map(({ filter, route, rules }) => ({
      filter,
      route,
      rules: rules.map(({ rule, outcome }) => describeRule(filters, filter, rule, outcome)),
    })),
    matches: matches.map(({ record: { at }, ...match }) => {
      const jails = plan === null ? null : judgeMatch({ ...match, record }, plan, at);
      return { ...match, jails };
    }),
  };
}

/** The records of the session, the last of which is the one to be explained. */
async function readRecords(
  line: string,
  options: ExplainOptions,
  terminal: Terminal,
): Promise<readonly LogRecord[]> {
  const records: LogRecord[] = [];
  if (line === '-') {
    const input = await openLines(line, options.as, terminal);
    for await (const batch of input.batches) records.push(...batch.map(({ record }) => record));
  } else {
    const record = readLine(line, options.as, terminal);
    if (record !== null) records.push(record);
  }
  const { identifier } = options;
  return identifier === undefined ? records : records.map((record) => ({ ...record, identifier }));
}

function readLine(line: string, form: LineForm, terminal: Terminal): LogRecord | null {
  const bytes = Buffer.from(line);
  const found = createLineReader(form, terminal.now() * MILLISECOND)(bytes, 0, bytes.length, false);
  if (typeof found === 'string') throw new OperationalError(`the line ${found}`, { code: 'no-line' });
  return found?.record ?? null;
}

/** The filters that are chosen, and the configuration when it can be used. */
function loadFiltersAndPlan(
  options: ExplainOptions,
  terminal: Terminal,
): { filters: readonly Filter[]; plan: LoadedConfig['plan'] } {
  const { userId: uid, environment: env } = terminal;
  const { plan, problems } = loadConfig({ configPath: configPathOf(options, terminal), uid, env });
  if (plan === null && options.filter === undefined) {
    const [first] = problems;
    if (first !== undefined) terminal.complain(formatProblem(first));
  }
  const filters =
    plan === null || options.filter !== undefined ? loadChosenFilters(options, terminal) : plan.filters;
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
