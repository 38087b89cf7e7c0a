/** `bailiff status`: how the daemon is, and each jail; with a jail's name, that jail and whom it has banned. */
import type { Refused } from '../../../config/plan.ts';
import { parseNetwork } from '../../../core/address/address.ts';
import { printable, printableLines } from '../../../core/text/printable.ts';
import { formatDuration, MILLISECOND } from '../../../core/time.ts';
import type { JailReport, JailStatusReport, StatusReport, WarningReport } from '../../../http/control.ts';
import { askDaemon, pathOf } from '../../client.ts';
import {
  type AddCommand,
  EXIT,
  examples,
  type JsonOptions,
  jsonOption,
  printJson,
  type SocketOptions,
  socketOption,
} from '../../command.ts';
import { oldestFirst, renderBans } from '../../render/ban-table.ts';
import { describePolicy } from '../../render/policy.ts';
import { renderActivity } from '../../render/sparkline.ts';
import { countOf, formatCount, type Row, renderTable, wrapText } from '../../render/table.ts';
import type { Paint, Style, Terminal } from '../../render/terminal.ts';
import { showAddress } from '../../show-address.ts';

/** Warnings that the status shows, the worst; --json has all. */
const MAX_SHOWN_WARNINGS = 5;

/** Bans that the status of a jail shows, the newest; `bailiff bans --jail NAME` has all. */
const MAX_SHOWN_BANS = 20;

export const addStatus: AddCommand = (program, { terminal, end }) => {
  program
    .command('status')
    .summary('how the daemon is, or one jail, or an address')
    .description(
      'Shows what is wrong and what to do about it, what the daemon reads and enforces, the counts of each jail, and the failures and bans of the last hour. With a jail, its counts and whom it has banned; with an address or a network, what bans it, what holds it, and the failures that are counted.',
    )
    .argument('[JAIL]', 'a jail, or an address or network')
    .addOption(jsonOption())
    .addOption(socketOption())
    .addHelpText(
      'after',
      examples([
        ['bailiff status', 'everything at a glance'],
        ['bailiff status sshd', 'one jail, and its bans'],
        ['bailiff status 203.0.113.9', 'what is known of an address'],
        ["bailiff status --json | jq '.jails[].currentBans'", 'for programs'],
      ]),
    )
    .action(async (jail: string | undefined, options: SocketOptions & JsonOptions) => {
      if (jail !== undefined && parseNetwork(jail) !== null) {
        await showAddress(jail, options, terminal);
        end(EXIT.done);
        return;
      }
      const path = jail === undefined ? pathOf(['status']) : pathOf(['jails', jail]);
      const report = await askDaemon<StatusReport | JailStatusReport>(options, terminal, {
        method: 'GET',
        path,
      });
      if (options.json) printJson(terminal, report);
      else if ('jails' in report) terminal.print(renderStatus(report, terminal));
      else terminal.print(renderJailStatus(report, terminal));
      end(EXIT.done);
    });
};

export function renderStatus(report: StatusReport, terminal: Terminal): string {
  const sections = [
    renderHead(report, terminal),
    renderWarnings(report.warnings, terminal),
    renderComponents(report, terminal),
    renderJails(report.jails, terminal),
    renderRefused('jail', report.refusedJails, terminal),
    renderRefused('filter', report.refusedFilters, terminal),
    renderActivity(report.activity, terminal),
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

export function renderJailStatus(report: JailStatusReport, terminal: Terminal): string {
  const { style } = terminal;
  const counts = renderTable(
    [
      { title: '', align: 'left' },
      { title: 'NOW', align: 'right' },
      { title: 'TOTAL', align: 'right' },
      { title: '', align: 'left' },
    ],
    [
      [
        'failures',
        formatCount(report.currentFailures),
        formatCount(report.totalFailures),
        `of ${countOf(report.currentOffenders, 'offender')} within ${report.findTime}`,
      ],
      ['bans', paintCount(report.currentBans, style.red), formatCount(report.totalBans), ''],
    ],
    terminal,
  );
  const head = `${style.bold(printable(report.name))}: ${printable(describePolicy(report))}`;
  const filters = printable(`filters: ${report.filters.join(', ') || 'none'}`);
  return [`${head}\n${filters}`, counts, renderNewestBans(report, terminal)].join('\n\n');
}

function renderHead(report: StatusReport, { style, now }: Terminal): string {
  const uptime = Math.max(1_000, now() - Date.parse(report.startedAt)) * MILLISECOND;
  const bans = report.jails.reduce((sum, jail) => sum + jail.currentBans, 0);
  const failures = report.jails.reduce((sum, jail) => sum + jail.currentFailures, 0);
  const lines = [
    `${style.bold(printable(`bailiff ${report.version}`))}, pid ${report.pid}, up ${formatDuration(uptime)}, ` +
      `${countOf(bans, 'ban')} now, ${countOf(failures, 'failure')} being counted`,
    printable(`configuration ${report.configuration}`),
  ];
  if (report.dryRun) lines.push(style.yellow('dry run: bans are decided and recorded, but not enforced'));
  return lines.join('\n');
}

/** Worst first; the rest as a number. */
function renderWarnings(warnings: readonly WarningReport[], terminal: Terminal): string {
  if (warnings.length === 0) return '';
  const { style, columns } = terminal;
  const paints: Readonly<Record<string, Paint>> = {
    error: style.red,
    warning: style.yellow,
    hint: style.dim,
  };
  const lines = warnings.slice(0, MAX_SHOWN_WARNINGS).flatMap(({ severity, text, action, more }) => {
    const paint = paints[severity] ?? style.bold;
    const others = more === 0 ? '' : ` (and ${more} more like it)`;
    const label = `${severity.toUpperCase()}  `;
    const [first = '', ...rest] = wrapText(printable(`${text}${others}`), columns - label.length);
    const indent = ' '.repeat(label.length);
    const remedy = wrapText(printable(`-> ${action}`), columns - label.length);
    return [
      `${paint(label.trimEnd())}  ${first}`,
      ...rest.map((line) => `${indent}${line}`),
      ...remedy.map((line) => `${indent}${style.bold(line)}`),
    ];
  });
  const hidden = warnings.length - MAX_SHOWN_WARNINGS;
  if (hidden > 0) lines.push(style.dim(`and ${hidden} more: bailiff doctor`));
  return lines.join('\n');
}

function renderComponents(report: StatusReport, terminal: Terminal): string {
  const { style } = terminal;
  const paints: Readonly<Record<string, Paint>> = {
    up: style.green,
    degraded: style.yellow,
    down: style.red,
    off: style.dim,
  };
  const rows = report.components.map(({ component, health, detail }): Row => {
    const paint = paints[health];
    return [component, paint === undefined ? health : { text: health, paint }, detail];
  });
  return renderTable(
    [
      { title: 'COMPONENT', align: 'left' },
      { title: 'HEALTH', align: 'left' },
      { title: '', align: 'left' },
    ],
    rows,
    terminal,
  );
}

function renderJails(jails: readonly JailReport[], terminal: Terminal): string {
  if (jails.every(({ filters }) => filters.length === 0)) return 'no jail is enabled: nobody will be banned';
  const sum = (count: (jail: JailReport) => number): number =>
    jails.reduce((total, jail) => total + count(jail), 0);
  const rows = jails.map((jail) =>
    toJailRow(jail.name, (count) => count(jail), describePolicy(jail), terminal.style),
  );
  if (jails.length > 1) rows.push(toJailRow('all jails', sum, '', terminal.style));
  return renderTable(
    [
      { title: 'JAIL', align: 'left' },
      { title: 'FAILURES', align: 'right' },
      { title: 'TOTAL', align: 'right' },
      { title: 'BANS', align: 'right' },
      { title: 'TOTAL', align: 'right' },
      { title: 'POLICY', align: 'left' },
    ],
    rows,
    terminal,
  );
}

function toJailRow(
  name: string,
  read: (count: (jail: JailReport) => number) => number,
  policy: string,
  style: Style,
): Row {
  return [
    { text: name, paint: style.bold },
    formatCount(read((jail) => jail.currentFailures)),
    formatCount(read((jail) => jail.totalFailures)),
    paintCount(
      read((jail) => jail.currentBans),
      style.red,
    ),
    formatCount(read((jail) => jail.totalBans)),
    policy,
  ];
}

function renderRefused(kind: 'filter' | 'jail', refused: readonly Refused[], { style }: Terminal): string {
  return refused
    .map(({ name, problems }) => {
      const lines = problems.flatMap((problem) => printableLines(problem).split('\n'));
      const head = style.red(printable(`${kind} ${name} stays out:`));
      return [head, ...lines.map((line) => `  ${line}`)].join('\n');
    })
    .join('\n\n');
}

function renderNewestBans({ bans, name }: JailStatusReport, terminal: Terminal): string {
  if (bans.length === 0) return 'nobody is banned';
  const table = renderBans(oldestFirst(bans).slice(-MAX_SHOWN_BANS), false, terminal);
  if (bans.length <= MAX_SHOWN_BANS) return table;
  const earlier = countOf(bans.length - MAX_SHOWN_BANS, 'earlier ban');
  const hint = wrapText(printable(`and ${earlier}: bailiff bans --jail ${name}`), terminal.columns);
  return `${table}\n\n${hint.join('\n')}`;
}

function paintCount(count: number, paint: Paint): Row[number] {
  return count === 0 ? '0' : { text: formatCount(count), paint };
}
