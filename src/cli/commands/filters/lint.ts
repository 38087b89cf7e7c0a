/** `bailiff lint`: proves what can be proved about the filters, and tries to deceive them. */
import {
  type AddCommand,
  type ConfigOptions,
  configOption,
  configPathOf,
  EXIT,
  examples,
  helpSection,
  type JsonOptions,
  jsonOption,
  printJson,
} from '../../command.ts';

type LintCommandOptions = ConfigOptions & JsonOptions & { readonly strict?: true };

export const addLint: AddCommand = (program, { terminal, end }) => {
  program
    .command('lint')
    .summary('prove that the filters cannot be deceived')
    .description(
      'Examines filters for everything by which an attacker could harm. Exit status 1 when there is a problem.',
    )
    .argument('[NAME...]', 'filters, by name or by file (default: all)')
    .option('--strict', "the rules for filters that are shipped, also for a user's own: warnings are errors")
    .addOption(jsonOption())
    .addOption(configOption())
    .addHelpText('after', lintNotes)
    .action(async (names: readonly string[], options: LintCommandOptions) => {
      const { nameFilters } = await import('../../filter-tools/filter-choice.ts');
      const { checkFilters, showCheck } = await import('../../filter-tools/filter-check.ts');
      const named = nameFilters(names, configPathOf(options, terminal), terminal);
      const strict = options.strict === true;
      const report = await checkFilters(named, { forge: true, strict, isTold: !options.json }, terminal);
      if (options.json) printJson(terminal, report);
      else showCheck(report, ['rules', 'samples', 'forged'], terminal);
      end(report.good ? EXIT.done : EXIT.no);
    });
};

function lintNotes(): string {
  return [
    helpSection('What is examined', [
      ['linear time', 'no line, however made, takes longer than its length'],
      ['one reading', 'nothing that a client writes can pass for what follows it'],
      ['samples', 'every sample comes out as labelled'],
      ['forged lines', 'lines of the samples with addresses put wherever a client writes'],
    ]),
    examples([
      ['bailiff lint', 'every filter'],
      ['bailiff lint --strict ./new.toml', 'a filter that is to be shipped'],
    ]),
  ].join('\n');
}
