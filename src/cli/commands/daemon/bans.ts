/** `bailiff bans`: who is banned. */
import type { Network } from '../../../core/address/address.ts';
import type { BanListReport } from '../../../http/control.ts';
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
import { renderBans, summariseBans } from '../../render/ban-table.ts';
import type { Terminal } from '../../render/terminal.ts';
import { showAddress } from '../../show-address.ts';
import { readAddress } from './ban.ts';

type BansOptions = SocketOptions & JsonOptions & { readonly jail?: string; readonly follow?: true };

export const addBans: AddCommand = (program, { terminal, end }) => {
  const command = program
    .command('bans')
    .summary('list who is banned')
    .description(
      'Lists the bans in force, the newest last, and whether the kernel has confirmed them. With --follow it goes on with every change until Ctrl-C, over restarts of the daemon.',
    )
    .argument('[ADDRESS]', 'only what concerns this address or network', readAddress)
    .option('--jail <NAME>', 'only the bans of this jail')
    .option('--follow', 'the latest bans, and then each change when it happens')
    .addOption(jsonOption())
    .addOption(socketOption())
    .addHelpText(
      'after',
      examples([
        ['bailiff bans', 'every jail'],
        ['bailiff bans --jail sshd', 'one jail'],
        ['bailiff bans 203.0.113.9', 'all that concerns it'],
        ["bailiff bans --json | jq -r '.bans[].offender'", 'addresses only'],
        ['bailiff bans --follow', 'see bans begin and end'],
        ['bailiff bans --follow --json', 'a line for each change'],
      ]),
    );
  command.action(async (address: Network | undefined, options: BansOptions) => {
    if (address !== undefined) {
      if (options.follow) command.error('error: --follow is for all addresses');
      await showAddress(address, options, terminal);
      end(EXIT.done);
      return;
    }
    if (options.follow) {
      const { followBans } = await import('../../follow-bans.ts');
      await followBans(options, terminal);
      end(EXIT.done);
      return;
    }
    const path = pathOf(['bans'], { jail: options.jail });
    const report = await askDaemon<BanListReport>(options, terminal, { method: 'GET', path });
    if (options.json) printJson(terminal, report);
    else terminal.print(renderBanList(report, terminal));
    end(EXIT.done);
  });
};

/** The table, and how many there are. */
export function renderBanList({ bans }: BanListReport, terminal: Terminal): string {
  if (bans.length === 0) return 'nobody is banned';
  return `${renderBans(bans, true, terminal)}\n\n${summariseBans(bans)}`;
}
