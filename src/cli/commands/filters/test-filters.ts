/** `bailiff test`: runs the samples of the filters. */
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

export const addTest: AddCommand = (program, { terminal, end }) => {
  program
    .command('test')
    .summary('run the samples of the filters')
    .description(
      'Runs every sample of every rule, each in a session of its own, and names those that do not come out as labelled. Exit status 1 when there is one.',
    )
    .argument('[NAME...]', 'filters, by name or by file (default: all)')
    .addOption(jsonOption())
    .addOption(configOption())
    .addHelpText(
      'after',
      examples([
        ['bailiff test', 'every filter'],
        ['bailiff test sshd', 'one of them'],
        ['bailiff test ./new.toml', 'one that is not installed yet'],
      ]),
    )
    .action(async (names: readonly string[], options: ConfigOptions & JsonOptions) => {
      const { nameFilters } = await import('../../filter-tools/filter-choice.ts');
      const { checkFilters, showCheck } = await import('../../filter-tools/filter-check.ts');
      const named = nameFilters(names, configPathOf(options, terminal), terminal);
      const report = await checkFilters(
        named,
        { forge: false, strict: false, isTold: !options.json },
        terminal,
      );
      if (options.json) printJson(terminal, report);
      else showCheck(report, ['rules', 'samples'], terminal);
      end(report.good ? EXIT.done : EXIT.no);
    });
};
