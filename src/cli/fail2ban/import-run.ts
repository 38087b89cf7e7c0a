/** Runs an import, writes what it makes, and tells what it could not carry over. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findFilters } from '../../config/filters/filter-file.ts';
import { defaultFilterDirectories } from '../../config/load.ts';
import { OperationalError } from '../../core/errors.ts';
import { printable } from '../../core/text/printable.ts';
import { type Fail2banImport, importFail2ban } from '../../import/fail2ban/directory.ts';
import type { Remark } from '../../import/fail2ban/remark.ts';
import { IMPORT_MARK, writeFilter, writeJails } from '../../import/fail2ban/toml.ts';
import { examineFilter } from '../../import/python-regex/examine.ts';
import { type JsonOptions, printJson } from '../command.ts';
import { countOf, formatCount } from '../render/table.ts';
import type { Terminal } from '../render/terminal.ts';

export type ImportOptions = JsonOptions & { readonly write?: string; readonly all?: boolean };

/** What `--json` prints. */
export type ImportReport = {
  readonly filters: readonly {
    readonly name: string;
    readonly source: string;
    readonly expressions: number;
    readonly converted: number;
    readonly rules: number;
  }[];
  readonly jails: readonly string[];
  /** Filters of fail2ban, and names of those that could not be carried over as a whole. */
  readonly tally: Fail2banImport['tally'];
  readonly remarks: readonly Remark[];
  /** Files that were written. */
  readonly written: readonly string[];
};

/** Throws OperationalError for a directory that cannot be read or written. */
export async function runImport(
  directory: string,
  options: ImportOptions,
  terminal: Terminal,
): Promise<void> {
  terminal.showProgress('reading');
  const imported = importFail2ban(directory, { all: options.all === true });
  const remarks = [...imported.remarks];
  for (const [index, filter] of imported.filters.entries()) {
    terminal.showProgress(
      `${formatCount(index)} of ${countOf(imported.filters.length, 'filter')}: ${printable(filter.name)}`,
    );
    remarks.push(...examineFilter(filter));
    // A signal, such as that of Ctrl-C, is heard between two filters.
    await new Promise((resolve) => setImmediate(resolve));
  }
  terminal.showProgress('');
  const written = options.write === undefined ? [] : writeAll(options.write, imported);
  if (options.json) printJson(terminal, reportOn(imported, remarks, written));
  else showReport(imported, remarks, written, options.write, terminal);
}

function reportOn(
  { filters, jails, tally }: Fail2banImport,
  remarks: readonly Remark[],
  written: readonly string[],
): ImportReport {
  return {
    filters: filters.map(({ name, source, expressions, rules }) => ({
      name,
      source,
      expressions: expressions.all,
      converted: expressions.converted,
      rules: rules.length,
    })),
    jails: jails.map(({ name }) => name),
    tally,
    remarks,
    written,
  };
}

function showReport(
  { filters, jails, tally }: Fail2banImport,
  remarks: readonly Remark[],
  written: readonly string[],
  directory: string | undefined,
  terminal: Terminal,
): void {
  const { red, yellow, dim, bold } = terminal.style;
  const paint = { refused: red, changed: yellow, note: dim };
  for (const { severity, subject, place, message } of remarks) {
    const line = place.line === 0 ? '' : `:${place.line}`;
    const about = subject === '' ? '' : `${subject}: `;
    terminal.print(
      `${printable(`${place.file}${line}`)}: ${paint[severity](severity)}: ${printable(about + message)}`,
    );
  }
  const whole = tally.filters - tally.refused.length;
  const left = tally.refused.length === 0 ? '' : `; not ${printable(tally.refused.join(', '))}`;
  const rules = filters.reduce((sum, filter) => sum + filter.rules.length, 0);
  terminal.print(bold(`${formatCount(whole)} of ${countOf(tally.filters, 'filter')} carried over${left}`));
  terminal.print(`${countOf(rules, 'rule')} in ${countOf(filters.length, 'file')}`);
  terminal.print(`${formatCount(jails.length)} of ${countOf(tally.jails, 'jail')}`);
  if (directory === undefined) return;
  terminal.print(`${countOf(written.length, 'file')} written to ${printable(directory)}`);
  const shadowed = shippedNames(filters.map(({ name }) => name));
  if (shadowed.length === 0) return;
  terminal.print(
    `bailiff has filters of its own of these names, which the imported ones would replace: ${shadowed.join(', ')}`,
  );
}

/** The names that filters of ours have too. */
function shippedNames(names: readonly string[]): string[] {
  const [shipped] = defaultFilterDirectories('/etc/bailiff/bailiff.toml');
  const { found } = findFilters(shipped === undefined ? [] : [shipped]);
  return names.filter((name) => found.has(name));
}

/** Writes everything, or nothing when a file is in the way that no import has written. */
function writeAll(directory: string, { filters, jails, defaults }: Fail2banImport): string[] {
  const texts = new Map([
    [join(directory, 'conf.d', 'fail2ban.toml'), writeJails(jails, defaults)],
    ...filters.map(
      (filter) => [join(directory, 'filters', `${filter.name}.toml`), writeFilter(filter)] as const,
    ),
  ]);
  const main = join(directory, 'bailiff.toml');
  try {
    for (const path of texts.keys()) {
      if (existsSync(path) && !readFileSync(path, 'utf8').startsWith(IMPORT_MARK)) {
        throw new OperationalError(`${path} is there already, and was not written by an import`, {
          code: 'file-in-the-way',
          advice: 'name another directory',
        });
      }
    }
    if (!existsSync(main)) texts.set(main, `${IMPORT_MARK}\n# The jails are in conf.d/fail2ban.toml.\n`);
    for (const [path, text] of texts) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
  } catch (error) {
    if (error instanceof OperationalError || !(error instanceof Error)) throw error;
    throw new OperationalError(`${directory} cannot be written: ${error.message}`, { code: 'not-written' });
  }
  return [...texts.keys()];
}
