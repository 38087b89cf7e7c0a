/** What an import has to tell a person: what works, what is to be done, what could not be carried over. */
import { printable } from '../../core/text/printable.ts';
import type { Fail2banImport } from '../../import/fail2ban/directory.ts';
import type { ImportedJail } from '../../import/fail2ban/jail.ts';
import type { Remark } from '../../import/fail2ban/remark.ts';
import { writeTime } from '../../import/fail2ban/toml.ts';
import { countOf, renderTable, wrapText } from '../render/table.ts';
import type { Terminal } from '../render/terminal.ts';
import { type LogInput, writeListener, writeRsyslog } from './log-files.ts';

export type ImportFindings = {
  readonly imported: Fail2banImport;
  readonly remarks: readonly Remark[];
  readonly inputs: readonly LogInput[];
};

/** Names in one list; `--json` has all of them. */
const MAX_LISTED = 5;

/** `directory` is what was written; null for nothing. */
export function showFindings(findings: ImportFindings, directory: string | null, terminal: Terminal): void {
  const { imported, inputs, remarks } = findings;
  const waiting = new Set(inputs.flatMap(({ jails }) => jails));
  const working = imported.jails.filter(({ name, isEnabled }) => isEnabled && !waiting.has(name));
  showJails('What works now', working, imported, terminal);
  showJails(
    'What waits for its log file',
    imported.jails.filter(({ name }) => waiting.has(name)),
    imported,
    terminal,
  );
  const distinct = withoutTwins(remarks);
  const ofSeverity = (severity: Remark['severity']): Remark[] =>
    distinct.filter((remark) => remark.severity === severity);
  const notes = ofSeverity('note');
  if (inputs.length > 0 || notes.length > 0) showTitle('What you must do', terminal);
  if (inputs.length > 0) showLogFiles(inputs, directory, terminal);
  showRemarks(notes, terminal);
  for (const [title, severity] of [
    ['What could not be carried over', 'refused'],
    ['What is not exactly as it was', 'changed'],
  ] as const) {
    const some = ofSeverity(severity);
    if (some.length === 0) continue;
    showTitle(title, terminal);
    showRemarks(some, terminal);
  }
  showSum(imported, waiting.size, terminal);
}

function showTitle(title: string, terminal: Terminal): void {
  terminal.print(`\n${terminal.style.bold(title)}\n`);
}

function showJails(
  title: string,
  jails: readonly ImportedJail[],
  { defaults, filters }: Fail2banImport,
  terminal: Terminal,
): void {
  if (jails.length === 0) return;
  showTitle(title, terminal);
  const rows = jails.map(({ name, filter, isOurs, mode, policy }) => {
    const { maxRetry, findTime, banTime } = { ...defaults, ...policy };
    const made = filters.find((one) => one.name === filter);
    const count =
      made === undefined ? '' : `, ${made.expressions.converted} of ${made.expressions.all} expressions`;
    return [
      `  ${name}`,
      maxRetry === undefined || findTime === undefined ? '' : `${maxRetry} in ${writeTime(findTime)}`,
      banTime === undefined ? '' : writeTime(banTime),
      isOurs
        ? `bailiff's own filter ${filter}${mode === 'normal' ? '' : `, mode ${mode}`}`
        : `filters/${filter}.toml${count}`,
    ];
  });
  const columns = ['  JAIL', 'FAILURES', 'BAN', 'FILTER'].map(
    (text) => ({ title: text, align: 'left' }) as const,
  );
  terminal.print(renderTable(columns, rows, terminal));
}

function showLogFiles(inputs: readonly LogInput[], directory: string | null, terminal: Terminal): void {
  const print = (text: string): void => showText(text, terminal);
  print(
    'The jails that wait read log files; bailiff reads the journal and syslog. Let rsyslog send the files:',
  );
  if (directory === null) {
    print('/etc/rsyslog.d/60-bailiff-files.conf:');
    showLines(writeRsyslog(inputs), terminal);
    print('/etc/bailiff/conf.d/fail2ban-files.toml:');
    showLines(writeListener(inputs), terminal);
  } else {
    print(`copy ${directory}/rsyslog.d/60-bailiff-files.conf to /etc/rsyslog.d, then restart rsyslog.`);
  }
  const own = [
    ['nginx', /^(?:nginx|angie|openresty)/],
    ['apache', /^(?:apache|httpd)/],
  ] as const;
  for (const [guide, names] of own)
    if (inputs.some(({ tag }) => names.test(tag)))
      print(`${guide} can send by itself, without rsyslog: docs/devices/${guide}.md.`);
}

/** Lines to paste, as they are. */
function showLines(text: string, terminal: Terminal): void {
  const lines = text.trimEnd().split('\n');
  terminal.print(`\n${lines.map((line) => printable(`    ${line}`)).join('\n')}\n`);
}

function showText(text: string, terminal: Terminal, indent = '  '): void {
  for (const line of wrapText(printable(text), Math.max(20, terminal.columns - indent.length)))
    terminal.print(indent + line);
}

/** Equal remarks once, with all that they are about. */
function showRemarks(remarks: readonly Remark[], terminal: Terminal): void {
  for (const [message, equal] of Map.groupBy(remarks, ({ message }) => message)) {
    showText(message, terminal);
    const subjects = listedSubjects(equal.map(({ subject }) => subject));
    const places = listed(
      equal.map(({ place }) => (place.line === 0 ? place.file : `${place.file}:${place.line}`)),
    );
    const about = subjects === '' ? places : `${subjects}: ${places}`;
    terminal.print(terminal.style.dim(printable(`      ${about}`)));
  }
}

/** `jail sshd`, `jails sshd, postfix`, `filter shop`. */
function listedSubjects(subjects: readonly string[]): string {
  const distinct = [...new Set(subjects)];
  const kind = /^(?:jail|filter) /.exec(distinct[0] ?? '')?.[0];
  if (kind === undefined || distinct.length === 1 || !distinct.every((subject) => subject.startsWith(kind)))
    return listed(distinct);
  return `${kind.trim()}s ${listed(distinct.map((subject) => subject.slice(kind.length)))}`;
}

function listed(names: readonly string[]): string {
  const distinct = [...new Set(names)].filter((name) => name !== '');
  const shown = distinct.slice(0, MAX_LISTED).join(', ');
  return distinct.length > MAX_LISTED ? `${shown} and ${distinct.length - MAX_LISTED} more` : shown;
}

/** What the linter says of the rules of one expression is one remark: the first tells what is wrong with it. */
function withoutTwins(remarks: readonly Remark[]): Remark[] {
  const seen = new Set<string>();
  return remarks.filter(({ message, place, subject }) => {
    if (!message.startsWith('rule ')) return true;
    const key = `${subject} ${place.line}`;
    return !seen.has(key) && seen.add(key);
  });
}

function showSum({ jails, tally }: Fail2banImport, waiting: number, terminal: Terminal): void {
  const on = jails.filter(({ isEnabled }) => isEnabled).length;
  const counts = [
    [on - waiting, 'working'],
    [waiting, 'waiting for a log file'],
    [jails.length - on, 'off'],
    [tally.jails - jails.length, 'not carried over'],
  ] as const;
  const parts = counts.flatMap(([count, state]) => (count === 0 ? [] : `${count} ${state}`));
  terminal.print(`\n${terminal.style.bold(`${countOf(tally.jails, 'jail')}: ${parts.join(', ')}`)}`);
  const refused = tally.refused.length === 0 ? '' : `; not carried over: ${tally.refused.join(', ')}`;
  const others = tally.filters - tally.replaced.length - tally.refused.length;
  terminal.print(
    printable(
      `${countOf(tally.filters, 'filter')}: ${tally.replaced.length} by bailiff's own, ${others} made anew${refused}`,
    ),
  );
  if (tally.off > 0)
    terminal.print(`${countOf(tally.off, 'jail')} are off and were not read; --all reads them too`);
}
