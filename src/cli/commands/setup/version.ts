/** `bailiff version`: of this program; the daemon's own is in `bailiff status`. */
import { VERSION } from '../../../core/version.ts';
import { type AddCommand, EXIT, examples, type JsonOptions, jsonOption, printJson } from '../../command.ts';

export const addVersion: AddCommand = (program, { terminal, end }) => {
  program
    .command('version')
    .summary('print the version')
    .description('Prints the version of this program. That of a running daemon is in bailiff status.')
    .addOption(jsonOption())
    .addHelpText('after', examples([['bailiff version --json', 'the same for programs']]))
    .action((options: JsonOptions) => {
      if (options.json) printJson(terminal, { version: VERSION });
      else terminal.print(`bailiff ${VERSION}`);
      end(EXIT.done);
    });
};
