/** `bailiff import`: carries the configuration of another program over. */
import { Argument } from 'commander';
import { type AddCommand, EXIT, examples, helpSection, jsonOption } from '../../command.ts';
import type { ImportOptions } from '../../fail2ban/import-run.ts';

/** Where fail2ban has its configuration. */
const FAIL2BAN_DIRECTORY = '/etc/fail2ban';

export const addImport: AddCommand = (program, { terminal, end }) => {
  program
    .command('import')
    .summary('carry over the jails and filters of fail2ban')
    .description(
      "Reads fail2ban's jails that are on and the filters that they use, and makes jails and filters of them. Tells what cannot be carried over, line by line. Changes nothing unless told where to write.",
    )
    .addArgument(new Argument('<PROGRAM>', 'whose configuration it is').choices(['fail2ban']))
    .argument('[DIR]', 'where it is', FAIL2BAN_DIRECTORY)
    .option('--all', 'also jails that are off, and filters that none uses')
    .option('--write <DIR>', 'write bailiff.toml, conf.d and filters into this directory')
    .addOption(jsonOption())
    .addHelpText('after', importNotes)
    .action(async (_program: string, directory: string, options: ImportOptions) => {
      const { runImport } = await import('../../fail2ban/import-run.ts');
      await runImport(directory, options, terminal);
      end(EXIT.done);
    });
};

function importNotes(): string {
  return [
    helpSection('Remarks', [
      ['refused', 'left out: what fail2ban finds or does there is missing'],
      ['changed', 'carried over, but not exactly'],
      ['note', 'what is to be known or done'],
    ]),
    examples([
      ['bailiff import fail2ban', 'what would become of it'],
      ['bailiff import fail2ban --write ./imported', ''],
      ['bailiff check --config ./imported/bailiff.toml', 'whether the result is good'],
    ]),
  ].join('\n');
}
