/** `bailiff reload`: the daemon reads its configuration again. */
import { printable, printableLines } from '../../../core/text/printable.ts';
import type { ReloadReport } from '../../../http/control.ts';
import { askDaemon, pathOf } from '../../client.ts';
import {
  type AddCommand,
  EXIT,
  examples,
  type JsonOptions,
  jsonOption,
  printJson,
  type SocketOptions,
  socketOption,
} from '../../command.ts';
import { complainAbout } from '../../render/terminal.ts';

export const addReload: AddCommand = (program, { terminal, end }) => {
  program
    .command('reload')
    .summary('read the configuration again')
    .description(
      'Tells the daemon to read its configuration again. One with mistakes is refused (exit status 4), and the daemon goes on with the old one.',
    )
    .addOption(jsonOption())
    .addOption(socketOption())
    .addHelpText(
      'after',
      examples([
        ['bailiff reload', 'after a change'],
        ['bailiff check && bailiff reload', 'only when it is good'],
      ]),
    )
    .action(async (options: SocketOptions & JsonOptions) => {
      const path = pathOf(['reload']);
      const report = await askDaemon<ReloadReport>(options, terminal, { method: 'POST', path });
      if (options.json) printJson(terminal, report);
      else if (report.applied) terminal.print(describeJails(report.jails));
      if (!options.json) for (const problem of report.problems) terminal.complain(printableLines(problem));
      if (!report.applied) complainAbout(terminal, 'reload refused: the old configuration goes on');
      end(report.applied ? EXIT.done : EXIT.configuration);
    });
};

function describeJails(jails: readonly string[]): string {
  return printable(
    jails.length === 0 ? 'reloaded; no jail is enabled' : `reloaded; jails: ${jails.join(', ')}`,
  );
}
