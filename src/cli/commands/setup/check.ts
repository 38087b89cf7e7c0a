/** `bailiff check`: would the daemon take this configuration? Reads it exactly as the daemon does. */

import { formatProblem, formatWarning, type Problem } from '../../../config/document/problem.ts';
import type { LoadedConfig } from '../../../config/load.ts';
import type { Plan } from '../../../config/plan.ts';
import { printable } from '../../../core/text/printable.ts';
import {
  type AddCommand,
  type ConfigOptions,
  configOption,
  configPathOf,
  EXIT,
  examples,
  type JsonOptions,
  jsonOption,
  printJson,
} from '../../command.ts';
import { checkNamedFiles, type NamedFilesCheck } from '../../named-files.ts';
import { countOf, wrapText } from '../../render/table.ts';
import { complainAbout, type Terminal } from '../../render/terminal.ts';

/** What `--json` prints. A problem's `line` is 0 when it is of the file as a whole. */
export type CheckReport = {
  readonly good: boolean;
  readonly files: readonly string[];
  readonly jails: readonly string[];
  readonly filters: readonly string[];
  readonly samples: number;
  /** The day on which the certificate of the TLS listeners ends, `2031-11-20`; '' without one. */
  readonly tlsValidUntil: string;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
};

export const addCheck: AddCommand = (program, { terminal, end }) => {
  program
    .command('check')
    .summary('check the configuration and the filters')
    .description(
      'Reads the configuration, the certificates, keys and tokens that it names, and every filter as the daemon ' +
        'would, and runs the samples of every filter. Names all mistakes at once; exit status 4 when there is one.',
    )
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples([
        ['bailiff check', "the system's configuration"],
        ['bailiff check --config etc/bailiff.toml', 'another one'],
      ]),
    )
    .action(async (options: ConfigOptions & JsonOptions) => {
      const { loadConfig } = await import('../../../config/load.ts');
      const configPath = configPathOf(options, terminal);
      const { userId: uid, environment: env } = terminal;
      const loaded = loadConfig({ configPath, uid, env });
      const named = await checkNamedFiles(loaded.plan, configPath, terminal.now() * 1_000);
      const report = reportOn(loaded, named);
      if (options.json) printJson(terminal, report);
      else showReport(report, configPath, terminal);
      end(report.good ? EXIT.done : EXIT.configuration);
    });
};

function reportOn({ plan, files, ...loaded }: LoadedConfig, named: NamedFilesCheck): CheckReport {
  const problems = [...loaded.problems, ...named.problems];
  const warnings = [...loaded.warnings, ...named.warnings];
  const { validUntil } = named;
  return {
    good: plan !== null && problems.length === 0,
    files,
    jails: plan?.jails.map((jail) => jail.policy.name) ?? [],
    filters: plan?.filters.map((filter) => filter.name) ?? [],
    samples: plan === null ? 0 : countSamples(plan),
    tlsValidUntil: validUntil,
    problems,
    warnings,
  };
}

function countSamples(plan: Plan): number {
  const rules = plan.filters.flatMap((filter) => filter.rules);
  return rules.reduce((sum, rule) => sum + rule.samples.length, 0);
}

function showReport(report: CheckReport, configPath: string, terminal: Terminal): void {
  for (const problem of report.problems) terminal.complain(formatProblem(problem));
  for (const warning of report.warnings) terminal.complain(formatWarning(warning));
  if (report.good) terminal.print(describeGood(report, configPath, terminal));
  else complainAbout(terminal, `${countOf(report.problems.length, 'problem')} in ${configPath}`);
}

function describeGood(report: CheckReport, configPath: string, terminal: Terminal): string {
  const jails = report.jails.length === 0 ? 'no jail is enabled' : `jails: ${report.jails.join(', ')}`;
  const counts = `${countOf(report.filters.length, 'filter')} with ${countOf(report.samples, 'sample')}`;
  const more = report.files.length > 1 ? ` and ${countOf(report.files.length - 1, 'more file')}` : '';
  const tls = report.tlsValidUntil === '' ? [] : [`TLS certificate valid until ${report.tlsValidUntil}`];
  const lines = [`${configPath}${more}: good`, jails, counts, ...tls];
  return lines.flatMap((line) => wrapText(printable(line), terminal.columns)).join('\n');
}
