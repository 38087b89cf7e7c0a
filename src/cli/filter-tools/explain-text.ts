/** The explanation of a line as text for people. */
import { isSystemEngine, originOf } from '../../core/container.ts';
import type { TrustedFields } from '../../core/record.ts';
import { printable } from '../../core/text/printable.ts';
import { excerptAround } from '../render/excerpt.ts';
import { countOf, wrapText } from '../render/table.ts';
import type { Terminal } from '../render/terminal.ts';
import type { ExplainedFilter, ExplainedMatch, ExplainedRule, Explanation } from './explain-line.ts';

/** Filters, and rules of one filter, that are shown unless all are asked for: those that go farthest. */
const MAX_FILTERS = 3;
const MAX_RULES = 4;

/** Characters of a value that are shown. */
const MAX_VALUE_LENGTH = 500;

const MARGIN = '    ';

export function renderExplanation(explanation: Explanation, isAll: boolean, terminal: Terminal): string {
  const { filters, matches } = explanation;
  const tried = filters.filter(({ rules }) => rules.length > 0);
  const shown = isAll ? tried : chooseFilters(tried);
  const parts = [renderRecord(explanation, terminal), renderRouting(explanation, terminal)];
  parts.push(...shown.map((filter) => renderFilter(filter, explanation, isAll, terminal)));
  const rest = tried.length - shown.length;
  if (rest > 0) parts.push(`${countOf(rest, 'more filter')} did not come closer: --all shows everything`);
  if (matches.length > 0) parts.push(...matches.map((match) => renderMatch(match, terminal)));
  else if (tried.length > 0) parts.push(terminal.style.bold('no rule matches'));
  return parts.join('\n\n');
}

function renderRecord({ record }: Explanation, terminal: Terminal): string {
  const { sender, hostname, identifier, pid, message } = record;
  const lines = [
    ['sender', sender],
    ['host', hostname],
    ['identifier', identifier],
    ['pid', pid],
    ['message', message],
  ] as const;
  return section(
    'record',
    lines.filter(([, value]) => value !== ''),
    terminal,
  );
}

function renderRouting({ filters, isTriedByAll, record }: Explanation, terminal: Terminal): string {
  const { bold } = terminal.style;
  if (isTriedByAll) return `${bold('routing')}\n  it has no identifier, so every filter is tried`;
  const named = (route: ExplainedFilter['route']): string =>
    filters
      .filter((filter) => filter.route === route)
      .map(({ filter }) => filter)
      .join(', ');
  const lines: string[] = [];
  const identifier = printable(record.identifier, MAX_VALUE_LENGTH);
  if (named('read') !== '') lines.push(`read by ${named('read')}`);
  else
    lines.push(
      `no filter reads the identifier ${identifier}; for a line without a syslog header there is --as message`,
    );
  if (named('untrusted') !== '') {
    lines.push(`not read by ${named('untrusted')}: ${describeDistrust(record.trusted)}`);
  }
  return [
    bold('routing'),
    ...lines.flatMap((line) => indent(wrapText(line, terminal.columns - 2), '  ')),
  ].join('\n');
}

function describeDistrust(trusted: TrustedFields | null): string {
  if (trusted === null || originOf(trusted) === 'host') {
    return 'none of the fields that only journald writes is as they ask';
  }
  return isSystemEngine(trusted)
    ? 'it came out of a container, which services of the host do not believe'
    : 'it came out of a container whose engine is not run by root: name its user under [journal], uids';
}

/** Those in which a rule matches, else the ones that go farthest. */
function chooseFilters(filters: readonly ExplainedFilter[]): readonly ExplainedFilter[] {
  const matching = filters.filter(({ rules }) => rules.some(({ outcome }) => outcome.kind === 'matches'));
  if (matching.length > 0) return matching;
  const farthest = (filter: ExplainedFilter): number => Math.max(...filter.rules.map(progressOf));
  return [...filters].sort((left, right) => farthest(right) - farthest(left)).slice(0, MAX_FILTERS);
}

/** How far a rule goes: characters, 0 when it has nothing in common with the line. */
function progressOf({ outcome }: ExplainedRule): number {
  if (outcome.kind === 'differs') return outcome.offset;
  return outcome.kind === 'missing' ? 0 : Number.MAX_SAFE_INTEGER;
}

function renderFilter(
  { filter, rules }: ExplainedFilter,
  { matches }: Explanation,
  isAll: boolean,
  terminal: Terminal,
): string {
  const match = matches.find((found) => found.filter === filter);
  const hit = rules.findIndex(({ rule }) => rule === match?.rule);
  const tried = hit < 0 ? rules : rules.slice(0, hit + 1);
  const shown = isAll ? tried : chooseRules(tried);
  const lines = shown.flatMap((rule) => renderRule(rule, rule.rule === match?.rule, terminal));
  const rest = [
    countOrNothing(tried.length - shown.length, 'rule differs earlier', 'rules differ earlier'),
    countOrNothing(rules.length - tried.length, 'rule after it is not tried', 'rules after it are not tried'),
  ].filter((text) => text !== '');
  const notes = rest.length === 0 ? [] : [`  ${terminal.style.dim(rest.join(', '))}`];
  return [terminal.style.bold(`filter ${filter}`), ...lines, ...notes].join('\n');
}

function countOrNothing(count: number, one: string, many: string): string {
  return count === 0 ? '' : `${count} ${count === 1 ? one : many}`;
}

/** In the order of trying: the ones that go farthest, and any that fits. */
function chooseRules(rules: readonly ExplainedRule[]): readonly ExplainedRule[] {
  const sorted = [...rules].sort((left, right) => progressOf(right) - progressOf(left));
  const chosen = new Set(sorted.slice(0, MAX_RULES).filter((rule) => progressOf(rule) > 0));
  return rules.filter((rule) => chosen.has(rule));
}

function renderRule(rule: ExplainedRule, isHit: boolean, terminal: Terminal): string[] {
  const { columns, style } = terminal;
  const { outcome, kind, mode } = rule;
  const head = `  ${style.bold(rule.rule)} ${style.dim(mode === 'normal' ? kind : `${kind}, ${mode}`)}`;
  const pattern = rule.pattern === '' ? [] : [style.dim(`${MARGIN}${printable(rule.pattern)}`)];
  switch (outcome.kind) {
    case 'differs': {
      const { text, column } = excerptAround(outcome.text, outcome.offset, columns - MARGIN.length);
      const field = outcome.field === '' ? '' : ` in ${printable(outcome.field)}`;
      const where = outcome.offset >= outcome.text.length ? 'something is missing here' : 'differs here';
      const caret = `${' '.repeat(column)}${style.yellow(`^ ${where}${field}`)}`;
      return [head, ...pattern, ...indent([text, caret], MARGIN)];
    }
    case 'missing':
      return [`${head}: the message has no field ${printable(outcome.field)}`];
    case 'maybe-cut':
      return [`${head}: fits, but so long a line may have been cut before its true address`, ...pattern];
    case 'no-address':
      return [
        `${head}: fits, but where an address must be is none, or the line has two readings`,
        ...pattern,
      ];
    case 'matches': {
      const what = isHit
        ? style.green('matches')
        : 'fits, but its session does not: it has no address, or no line before';
      const found = outcome.fields.filter(({ value }) => value !== '');
      const fields = found.map(({ name, value }) => `${name} = ${printable(value, MAX_VALUE_LENGTH)}`);
      return [`${head}: ${what}`, ...pattern, ...indent(fields, MARGIN)];
    }
  }
}

function renderMatch(match: ExplainedMatch, terminal: Terminal): string {
  const { kind, address, user, filter, rule, mode, weight, jails } = match;
  const found = section(
    `${kind} by ${filter}/${rule}`,
    [
      ['address', address === '' ? 'none' : address],
      ['user', user === '' ? 'none' : user],
      ['mode', mode],
      ['weight', String(weight)],
    ],
    terminal,
  );
  return [found, ...renderJails(jails, filter, terminal)].join('\n');
}

function renderJails(jails: ExplainedMatch['jails'], filter: string, terminal: Terminal): string[] {
  if (jails === null) return ['  jails: there is no configuration to ask; name one with --config'];
  if (jails.length === 0) return [`  jails: no jail that is enabled uses the filter ${filter}`];
  return jails.flatMap(({ jail, text }) =>
    indent(wrapText(printable(`jail ${jail} ${text}`), terminal.columns - 2), '  '),
  );
}

function section(title: string, pairs: ReadonlyArray<readonly [string, string]>, terminal: Terminal): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  const lines = pairs.map(
    ([name, value]) => `  ${terminal.style.dim(name.padEnd(width))}  ${printable(value, MAX_VALUE_LENGTH)}`,
  );
  return [terminal.style.bold(printable(title)), ...lines].join('\n');
}

function indent(lines: readonly string[], margin: string): string[] {
  return lines.map((line) => margin + line);
}
