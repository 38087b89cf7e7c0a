/**
 * How fail2ban-client writes things, to the tab: its trees, lists as Python shows them, its log lines. Programs that
 * parse them are many, and none of them forgives a difference.
 */
import { printable } from '../../core/text/printable.ts';
import type { BanReport, JailReport, JailStatusReport } from '../../http/control.ts';
import { oldestFirst } from '../render/ban-table.ts';

/** What `status JAIL` shows of the bans; `cymru` has three lists more. */
export type Flavor = 'basic' | 'short' | 'cymru';

/** A leaf: its name and value. */
type Leaf = readonly [string, string | number];

/** What stands for the end of a permanent ban: the last second of a four-digit year. */
const END_OF_TIME = '9999-12-31 23:59:59';

/** The answer to `status`. */
export function renderServerStatus(jails: readonly Pick<JailReport, 'name'>[]): string {
  const names = jails.map((jail) => jail.name).sort();
  const leaves: Leaf[] = [
    ['Number of jail', names.length],
    ['Jail list', names.join(', ')],
  ];
  return ['Status', ...renderLeaves('', leaves)].join('\n');
}

/** The answer to `status --all`: the same, and below it the tree of each jail. */
export function renderEveryStatus(reports: readonly JailStatusReport[], flavor: Flavor): string {
  const [heading = '', count = '', list = ''] = renderServerStatus(reports).split('\n');
  const trees = reports.flatMap((report, index) => {
    const isLast = index === reports.length - 1;
    const below = jailTree(report, flavor).map((line) => `${isLast ? '      ' : '   |  '}${line}`);
    return [`   ${branch(index, reports)} Jail: ${printable(report.name)}`, ...below];
  });
  return [heading, count, list.replace('`-', '|-'), '`- Status for the jails:', ...trees].join('\n');
}

/** The answer to `status JAIL`. */
export function renderJailStatus(report: JailStatusReport, flavor: Flavor): string {
  return [`Status for the jail: ${printable(report.name)}`, ...jailTree(report, flavor)].join('\n');
}

function jailTree(report: JailStatusReport, flavor: Flavor): string[] {
  const filter: Leaf[] = [
    ['Currently failed', report.currentOffenders],
    ['Total failed', report.totalFailures],
    ['File list', ''],
  ];
  const actions: Leaf[] = [
    ['Currently banned', report.currentBans],
    ['Total banned', report.totalBans],
  ];
  if (flavor !== 'short') actions.push(['Banned IP list', offendersOf(report.bans).join(' ')]);
  // What it writes where it cannot ask Team Cymru's DNS; this program asks nobody.
  if (flavor === 'cymru') {
    for (const what of ['ASN', 'Country', 'RIR']) actions.push([`Banned ${what} list`, 'error']);
  }
  return ['|- Filter', ...renderLeaves('|  ', filter), '`- Actions', ...renderLeaves('   ', actions)];
}

/** What stands for the source of the records, since its word for the journal is what scripts know. */
const BACKEND = 'systemd';

/** The answer to `stats`: a row for each jail, of failures and bans those that count and all there were. */
export function renderStatistics(reports: readonly JailStatusReport[]): string {
  const rows = reports.map((report) => [
    printable(report.name),
    BACKEND,
    ...[report.currentOffenders, report.totalFailures, report.currentBans, report.totalBans].map(String),
  ]);
  const widths = [8, 8, 3, 3, 3, 3].map((least, column) =>
    Math.max(least, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const [name = 0, backend = 0, ...numbers] = widths;
  const filter = 3 + (numbers[0] ?? 0) + (numbers[1] ?? 0);
  const actions = 3 + (numbers[2] ?? 0) + (numbers[3] ?? 0);
  const groups = [name, backend, filter, actions];
  const row = (cells: readonly string[]): string => {
    const [first = '', second = '', ...others] = cells;
    const [a, b, c, d] = others.map((cell, index) => cell.padStart(numbers[index] ?? 0));
    return [first.padEnd(name), second.padEnd(backend), `${a} │ ${b}`, `${c} │ ${d}`].join(' ║ ');
  };
  const rule = (crossing: string): string =>
    `${groups.map((width) => '═'.repeat(width)).join(`═${crossing}═`)}═`;
  return [
    [''.padEnd(name), ''.padEnd(backend), 'Filter'.padEnd(filter), 'Actions'.padEnd(actions)].join(' ║ '),
    `${'Jail'.padEnd(name)} ║ ${'Backend'.padEnd(backend)} ╟─${'─'.repeat(filter)}─╫─${'─'.repeat(actions)}─`,
    row(['', '', 'cur', 'tot', 'cur', 'tot']),
    rule('╬'),
    ...rows.map(row),
    rule('╩'),
  ].join('\n');
}

/** A heading, and what is below it. */
export function renderTree(heading: string, lines: readonly string[]): string {
  const drawn = lines.map((line, index) => `${branch(index, lines)} ${printable(line)}`);
  return [heading, ...drawn].join('\n');
}

/** Offenders, the ban that is oldest first. */
export function offendersOf(bans: readonly BanReport[]): readonly string[] {
  return oldestFirst(bans).map((ban) => printable(ban.offender));
}

/** The bans in the order of their ends. */
export function soonestFirst(bans: readonly BanReport[]): readonly BanReport[] {
  const end = (ban: BanReport): number =>
    ban.remainingSeconds === null ? Number.MAX_SAFE_INTEGER : Date.parse(ban.until);
  return [...oldestFirst(bans)].sort((one, other) => end(one) - end(other));
}

/** `203.0.113.9 \t2026-11-21 03:13:44 + 600 = 2026-11-21 03:23:44`; -1 seconds for a permanent ban. */
export function renderBanWithTime(ban: BanReport): string {
  const since = Date.parse(ban.since);
  const head = `${printable(ban.offender)} \t${formatLocalTime(since)}`;
  if (ban.remainingSeconds === null) return `${head} + -1 = ${END_OF_TIME}`;
  const until = Date.parse(ban.until);
  return `${head} + ${Math.round((until - since) / 1_000)} = ${formatLocalTime(until)}`;
}

/** Strings as repr() of Python writes them. */
export function pythonText(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replaceAll('\\', '\\\\').replaceAll(quote, `\\${quote}`);
  return quote + printable(escaped) + quote;
}

/** Lists as repr() of Python writes them, of items that are written already. */
export function pythonList(items: readonly string[]): string {
  return `[${items.join(', ')}]`;
}

/** A line of its log, as it goes to standard error; `at` in milliseconds. */
export function renderLogLine(at: number, pid: number, message: string): string {
  const milliseconds = String(Math.floor(at) % 1_000).padStart(3, '0');
  const time = `${formatLocalTime(at)},${milliseconds}`;
  return `${time} ${'fail2ban'.padEnd(24)}[${pid}]: ${'ERROR'.padEnd(7)} ${printable(message)}`;
}

function renderLeaves(indent: string, leaves: readonly Leaf[]): string[] {
  return leaves.map(([name, value], index) => `${indent}${branch(index, leaves)} ${name}:\t${value}`);
}

function branch(index: number, lines: readonly unknown[]): string {
  return index === lines.length - 1 ? '`-' : '|-';
}

/** `2026-11-21 03:13:44` in the reader's time zone. */
function formatLocalTime(milliseconds: number): string {
  const date = new Date(milliseconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`;
}
