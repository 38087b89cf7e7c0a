/** Runs an import, writes what it makes, and tells what it could not carry over. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SHIPPED_FILTER_DIRECTORY } from '../../config/paths.ts';
import { OperationalError } from '../../core/errors.ts';
import { printable } from '../../core/text/printable.ts';
import { readOurs } from '../../import/fail2ban/compare.ts';
import { type Fail2banImport, importFail2ban } from '../../import/fail2ban/directory.ts';
import type { ImportedJail } from '../../import/fail2ban/jail.ts';
import type { Remark } from '../../import/fail2ban/remark.ts';
import { IMPORT_MARK, writeFilter, writeJails } from '../../import/fail2ban/toml.ts';
import { examineFilter } from '../../import/python-regex/examine.ts';
import { type JsonOptions, printJson } from '../command.ts';
import { countOf, formatCount } from '../render/table.ts';
import type { Terminal } from '../render/terminal.ts';
import { type ImportFindings, showFindings } from './import-report.ts';
import { type LogInput, logInputs, writeListener, writeRsyslog } from './log-files.ts';

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
  /** Log files that rsyslog is to send, under which program name, and for which jails. */
  readonly log_files: readonly LogInput[];
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
  const inputs = logInputs(imported.jails, (jail) => identifiersOf(jail, imported));
  const written = options.write === undefined ? [] : writeAll(options.write, imported, inputs);
  const findings = { imported, remarks, inputs };
  if (options.json) printJson(terminal, reportOn(findings, written));
  else {
    showFindings(findings, options.write ?? null, terminal);
    if (options.write !== undefined) showWritten(options.write, written, terminal);
  }
}

/** Names of the programs that a jail's filter reads. */
function identifiersOf({ filter, isOurs }: ImportedJail, { filters }: Fail2banImport): readonly string[] {
  if (isOurs) return readOurs(SHIPPED_FILTER_DIRECTORY, filter)?.input.identifiers ?? [];
  return filters.find(({ name }) => name === filter)?.input.identifiers ?? [];
}

function showWritten(directory: string, written: readonly string[], terminal: Terminal): void {
  terminal.print(
    `${countOf(written.length, 'file')} written to ${printable(directory)}; see whether they are good:`,
  );
  terminal.print(`\n    bailiff check --config ${printable(join(directory, 'bailiff.toml'))}`);
}

function reportOn(
  { imported: { filters, jails, tally }, remarks, inputs }: ImportFindings,
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
    log_files: inputs,
    tally,
    remarks,
    written,
  };
}

/** Writes everything, or nothing when a file is in the way that no import has written. */
function writeAll(
  directory: string,
  { filters, jails, defaults }: Fail2banImport,
  inputs: readonly LogInput[],
): string[] {
  const texts = new Map([
    [join(directory, 'conf.d', 'fail2ban.toml'), writeJails(jails, defaults)],
    ...filters.map(
      (filter) => [join(directory, 'filters', `${filter.name}.toml`), writeFilter(filter)] as const,
    ),
  ]);
  if (inputs.length > 0) {
    texts.set(join(directory, 'conf.d', 'fail2ban-files.toml'), writeListener(inputs));
    texts.set(join(directory, 'rsyslog.d', '60-bailiff-files.conf'), writeRsyslog(inputs));
  }
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
