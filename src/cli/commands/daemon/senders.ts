/** `bailiff senders`: who sends us syslog, and who was refused. */
import type { SendersReport } from '../../../senders/report.ts';
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
import { addAdopt, addForget } from '../../senders/adopt.ts';
import { renderSenders } from '../../senders/list.ts';

export const addSenders: AddCommand = (program, session) => {
  const { terminal, end } = session;
  const senders = program
    .command('senders')
    .summary('list who sends syslog')
    .description(
      'Lists who has sent syslog since the daemon started, what and how much, whose clock is wrong and who fell silent; and the peers that were refused.',
    )
    .addOption(jsonOption())
    .addOption(socketOption())
    .addHelpText(
      'after',
      examples([
        ['bailiff senders', 'everybody'],
        ["bailiff senders --json | jq '.refused'", 'who was refused'],
        ['bailiff senders adopt 192.168.1.10 --name nas1', 'give one a name'],
        ['bailiff senders forget nas1', 'take it back'],
      ]),
    )
    .action(async (options: SocketOptions & JsonOptions) => {
      const path = pathOf(['senders']);
      const report = await askDaemon<SendersReport>(options, terminal, { method: 'GET', path });
      if (options.json) printJson(terminal, report);
      else terminal.print(renderSenders(report, terminal));
      end(EXIT.done);
    });
  addAdopt(senders, session);
  addForget(senders, session);
};
