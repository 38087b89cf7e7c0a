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
      "Reads fail2ban's jails that are on and the filters that they use, and makes jails and filters of them. A filter of fail2ban that nobody has changed becomes bailiff's own. Tells what works then, what is to be done, and what cannot be carried over. Changes nothing unless told where to write.",
    )
    .addArgument(new Argument('<PROGRAM>', 'whose configuration it is').choices(['fail2ban']))
    .argument('[DIR]', 'where it is', FAIL2BAN_DIRECTORY)
    .option('--all', 'also jails that are off, and filters that none uses')
    .option('--write <DIR>', 'write bailiff.toml, conf.d, filters and rsyslog.d into this directory')
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
    helpSection('What is told', [
      ['works now', 'jails whose lines come by the journal or syslog'],
      ['waits', 'jails of a log file; --write makes what lets rsyslog send it'],
      ['must do', 'what is to be known or done; "note" in --json'],
      ['could not be', 'what is missing; "refused" in --json'],
      ['not exactly', 'carried over, but not as it was; "changed" in --json'],
    ]),
    examples([
      ['bailiff import fail2ban', 'what would become of it'],
      ['bailiff import fail2ban --write ./imported', ''],
      ['bailiff check --config ./imported/bailiff.toml', 'whether the result is good'],
    ]),
  ].join('\n');
}
