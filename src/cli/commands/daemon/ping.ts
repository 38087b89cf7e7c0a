/** `bailiff ping`: is the daemon there? */
import { printable } from '../../../core/text/printable.ts';
import type { PingReport } from '../../../http/control.ts';
import { askDaemon, pathOf } from '../../client.ts';
import { type AddCommand, EXIT, examples, type SocketOptions, socketOption } from '../../command.ts';

export const addPing: AddCommand = (program, { terminal, end }) => {
  program
    .command('ping')
    .summary('ask whether the daemon is running')
    .description('Asks the daemon for an answer and prints it: pong. Exit status 3 when it is not running.')
    .addOption(socketOption())
    .addHelpText('after', examples([['bailiff ping && echo running', 'for a script']]))
    .action(async (options: SocketOptions) => {
      const { answer } = await askDaemon<PingReport>(options, terminal, {
        method: 'GET',
        path: pathOf(['ping']),
      });
      terminal.print(printable(answer));
      end(EXIT.done);
    });
};
