/** `bailiff ban`: an operator's ban. */
import { InvalidArgumentError } from 'commander';
import { type Network, parseNetwork } from '../../../core/address/address.ts';
import { MANUAL_JAIL } from '../../../core/ledger/policy.ts';
import { printable } from '../../../core/text/printable.ts';
import { parseDuration } from '../../../core/time.ts';
import type { BanReport } from '../../../http/control.ts';
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
import { formatRemaining, formatTime } from '../../render/ban-table.ts';

type BanOptions = SocketOptions & JsonOptions & { readonly jail?: string; readonly for?: string };

export const addBan: AddCommand = (program, { terminal, end }) => {
  program
    .command('ban')
    .summary('ban an address or network')
    .description(
      'Bans an address or network, in the jail manual unless told another. What is trusted, ignored by the jail, or belongs to this host is refused.',
    )
    .argument('<ADDRESS>', '203.0.113.9, 2001:db8::1, or a network such as 203.0.113.0/24', readAddress)
    .option('--jail <NAME>', `the jail that holds the ban (default: ${MANUAL_JAIL})`)
    .option('--for <DURATION>', "10m, 1h, 1d12h or forever (default: the jail's ban_time)", readDuration)
    .addOption(jsonOption())
    .addOption(socketOption())
    .addHelpText(
      'after',
      examples([
        ['bailiff ban 203.0.113.9', 'for the default time'],
        ['bailiff ban 203.0.113.9 --for 1h', 'for an hour'],
        ['bailiff ban 2001:db8:1:2::/64 --for forever', 'a network, for good'],
        ['bailiff ban 203.0.113.9 --jail sshd', 'as this jail would'],
      ]),
    )
    .action(async (address: Network, options: BanOptions) => {
      const body = { address, jail: options.jail, for: options.for };
      const report = await askDaemon<BanReport>(options, terminal, {
        method: 'POST',
        path: pathOf(['bans']),
        body,
      });
      if (options.json) printJson(terminal, report);
      else terminal.print(describeBan(report));
      end(EXIT.done);
    });
};

/** One sentence, and a second one when the kernel does not hold the ban. */
export function describeBan(ban: BanReport): string {
  const until =
    ban.remainingSeconds === null
      ? 'until it is unbanned'
      : `for ${formatRemaining(ban)}, until ${formatTime(ban.until)}`;
  const sentence = printable(`${ban.offender} is banned in ${ban.jail} ${until}`);
  return ban.enforced ? sentence : `${sentence}\nnot enforced: bailiff status says why`;
}

/** For commander: the canonical address or network. */
export function readAddress(text: string): Network {
  const network = parseNetwork(text);
  if (network === null) throw new InvalidArgumentError('It is not an address or a network.');
  return network;
}

function readDuration(text: string): string {
  if (parseDuration(text) === null) throw new InvalidArgumentError('Write it as 10m, 1h, 1d12h or forever.');
  return text;
}
