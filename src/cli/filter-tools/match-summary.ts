/** What a run of `bailiff match` came to: lines, matches and time of each rule, and the lines that came close. */

import type { Refusal } from '../../core/event.ts';
import type { Match, RuleMode } from '../../core/failure.ts';
import type { LogRecord } from '../../core/record.ts';
import { printable } from '../../core/text/printable.ts';
import { refusalWarning } from '../../core/warning/from-events.ts';
import { warningOf } from '../../core/warning/standing.ts';
import type { MatcherCounters } from '../../match/matcher.ts';
import type { CompiledFilter, CompiledRule } from '../../match/rule.ts';
import type { Elapsed } from '../../native/machine-clocks.ts';
import { excerptAround } from '../render/excerpt.ts';
import { countOf, formatCount, type Row, renderTable, wrapText } from '../render/table.ts';
import type { Terminal } from '../render/terminal.ts';
import { type NearMiss, NearMisses } from './near-misses.ts';
import { RuleTimer } from './rule-timer.ts';

/** Rules without a match that are listed for the time that they take. */
const MAX_IDLE_RULES = 5;
const MAX_NEAR_MISSES = 10;
const MAX_REFUSALS_SHOWN = 10;

const MARGIN = '    ';

export class MatchSummary {
  readonly #filters: readonly CompiledFilter[];
  readonly #timer: RuleTimer;
  readonly #near: NearMisses;
  readonly #matches = new Map<string, number>();
  /** Records that matched, and those that some filter reads without finding anything. */
  #matched = 0;
  #missed = 0;
  #lastMatched: LogRecord | null = null;

  /** Matches of a wider mode than this count as none. */
  constructor(filters: readonly CompiledFilter[], mode: RuleMode, elapsed: Elapsed) {
    this.#filters = filters;
    this.#timer = new RuleTimer(filters, elapsed);
    this.#near = new NearMisses(mode);
  }

  addMatch({ record, filter, rule }: Match): void {
    const key = `${filter}/${rule}`;
    this.#matches.set(key, (this.#matches.get(key) ?? 0) + 1);
    if (record === this.#lastMatched) return;
    this.#lastMatched = record;
    this.#matched++;
    this.#timer.sample(record, this.#timer.routeOf(record));
  }

  /** Takes note of a record in which nothing was found. */
  addMiss(record: LogRecord, line: number): void {
    const route = this.#timer.routeOf(record);
    if (route.filters.length === 0) return;
    this.#missed++;
    this.#timer.sample(record, route);
    this.#near.add(record, line, route);
  }

  render(
    lines: number,
    milliseconds: number,
    { refusals }: Pick<MatcherCounters, 'refusals'>,
    terminal: Terminal,
  ): string {
    const parts = [this.#describeCounts(lines, milliseconds, terminal)];
    const rows = this.#ruleRows(terminal);
    if (rows.length > 0) parts.push(renderRules(rows, terminal));
    if (this.#near.count > 0) parts.push(renderNearMisses(this.#near, terminal));
    if (refusals.length > 0) parts.push(renderRefusals(refusals, terminal));
    return parts.join('\n\n');
  }

  #describeCounts(lines: number, milliseconds: number, { columns }: Terminal): string {
    const speed = formatCount(Math.round((lines * 1_000) / Math.max(1, milliseconds)));
    const seconds = (milliseconds / 1_000).toFixed(1);
    const read = `${countOf(lines, 'line')} in ${seconds} s (${speed} a second)`;
    const counts = [
      `${formatCount(this.#matched)} matched`,
      `${formatCount(this.#missed)} did not`,
      `${formatCount(lines - this.#matched - this.#missed)} read by no filter`,
    ];
    return wrapText(`${read}: ${counts.join(', ')}`, columns).join('\n');
  }

  #ruleRows({ style }: Terminal): Row[] {
    const all = this.#filters.flatMap(({ filter, rules }) =>
      rules.map((rule) => ({
        rule,
        name: `${filter.name}/${rule.rule.name}`,
        matches: this.#matches.get(`${filter.name}/${rule.rule.name}`) ?? 0,
        milliseconds: this.#timer.millisecondsOf(rule),
      })),
    );
    const idle = all
      .filter(({ matches, milliseconds }) => matches === 0 && milliseconds > 0)
      .sort((left, right) => right.milliseconds - left.milliseconds);
    const matching = all
      .filter(({ matches }) => matches > 0)
      .sort((left, right) => right.matches - left.matches);
    return [...matching, ...idle.slice(0, MAX_IDLE_RULES)].map(({ rule, name, matches, milliseconds }) => [
      { text: name, paint: matches > 0 ? style.bold : style.dim },
      describeKind(rule),
      formatCount(matches),
      formatTime(milliseconds),
    ]);
  }
}

/** `failure`, or `failure (extra)` for a rule that not every jail switches on. */
function describeKind({ rule: { kind, mode } }: CompiledRule): string {
  return mode === 'normal' ? kind : `${kind} (${mode})`;
}

function renderRules(rows: readonly Row[], terminal: Terminal): string {
  return renderTable(
    [
      { title: 'RULE', align: 'left' },
      { title: 'KIND', align: 'left' },
      { title: 'MATCHES', align: 'right' },
      { title: 'TIME', align: 'right' },
    ],
    rows,
    terminal,
  );
}

/** An estimate: two digits are more than it is worth. */
function formatTime(milliseconds: number): string {
  if (milliseconds < 0.1) return `${Math.max(1, Math.round(milliseconds * 1_000))} µs`;
  return milliseconds < 1_000 ? `${milliseconds.toFixed(1)} ms` : `${(milliseconds / 1_000).toFixed(1)} s`;
}

/** As the daemon warns of them. */
function renderRefusals(refusals: readonly Refusal[], { columns }: Terminal): string {
  const ranked = [...refusals].sort((left, right) => right.count - left.count);
  const lines = ranked.slice(0, MAX_REFUSALS_SHOWN).map((refusal) => {
    const { text, action } = warningOf(refusalWarning(refusal, refusal.count), 0);
    return `${printable(text)}: ${printable(action)}`;
  });
  return [
    'refused:',
    ...lines.flatMap((line) => wrapText(line, columns - 2).map((part) => `  ${part}`)),
  ].join('\n');
}

function renderNearMisses(near: NearMisses, terminal: Terminal): string {
  const shown = near.list(MAX_NEAR_MISSES);
  const head = `${countOf(near.count, 'line')} came close:`;
  return [head, ...shown.map((miss) => renderNearMiss(miss, terminal))].join('\n');
}

function renderNearMiss(miss: NearMiss, { columns, style }: Terminal): string {
  const { text, column } = excerptAround(miss.text, Math.max(0, miss.offset), columns - MARGIN.length);
  const more = miss.count > 1 ? ` and ${formatCount(miss.count - 1)} more like it` : '';
  const what = `${printable(`${miss.filter}/${miss.rule}`)} ${describeReason(miss)}`;
  const caret = miss.reason === 'differs' ? [`${MARGIN}${' '.repeat(column)}${style.yellow('^')}`] : [];
  return [`  line ${formatCount(miss.line)}${more}: ${what}`, `${MARGIN}${text}`, ...caret].join('\n');
}

function describeReason({ reason }: NearMiss): string {
  switch (reason) {
    case 'differs':
      return 'goes as far as the caret';
    case 'no-address':
      return 'fits, but there is no address in it, or more than one reading';
    case 'maybe-cut':
      return 'fits, but so long a line may have been cut before its true address';
    case 'session':
      return 'fits, but only after another line of its session';
  }
}
