/** `bailiff explain`: the path of one line through routing, rules and jails. */
import { Option } from 'commander';
import { type AddCommand, configOption, EXIT, examples, jsonOption, printJson } from '../../command.ts';
import type { ExplainOptions } from '../../filter-tools/explain-line.ts';
import { filterOption, LINE_FORMS } from '../../filter-tools/filter-tool-options.ts';

export const addExplain: AddCommand = (program, { terminal, end }) => {
  program
    .command('explain')
    .summary('explain what becomes of a line')
    .description(
      'Shows the path of one line: which filters read it, where each rule stops matching, what is found, and what the jails would do. Exit status 1 when no rule matches.',
    )
    .argument('<LINE>', 'the line; - reads standard input, where earlier lines are of the same session')
    .addOption(filterOption())
    .addOption(new Option('--as <FORM>', 'what the line is').choices(LINE_FORMS).default('syslog'))
    .option('--identifier <NAME>', 'the identifier that the line came with')
    .option('--all', 'every rule, also those that differ from the first character on')
    .addOption(jsonOption())
    .addOption(configOption())
    .addHelpText(
      'after',
      examples([
        ['bailiff explain "$(tail -n 1 /var/log/auth.log)"', 'the newest line'],
        ["bailiff explain --filter ./new.toml 'a line'", 'a new filter'],
        ['grep 4711 /var/log/auth.log | bailiff explain -', 'a session'],
      ]),
    )
    .action(async (line: string, options: ExplainOptions) => {
      const { explainLine } = await import('../../filter-tools/explain-line.ts');
      const { renderExplanation } = await import('../../filter-tools/explain-text.ts');
      const explanation = await explainLine(line, options, terminal);
      if (options.json) printJson(terminal, explanation);
      else terminal.print(renderExplanation(explanation, options.all === true, terminal));
      end(explanation.matches.length > 0 ? EXIT.done : EXIT.no);
    });
};
