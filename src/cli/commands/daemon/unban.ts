/** `bailiff unban`: lifts bans before their time. */
import type { Network } from '../../../core/address/address.ts';
import { printable } from '../../../core/text/printable.ts';
import type { BanReport, LiftReport } from '../../../http/control.ts';
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
import { formatRemaining, oldestFirst } from '../../render/ban-table.ts';
import { countOf } from '../../render/table.ts';
import { readAddress } from './ban.ts';

type UnbanOptions = SocketOptions & JsonOptions & { readonly all?: true; readonly jail?: string };

/** Lifted bans that are named one by one; `--json` has all. */
const MAX_NAMED = 50;

export const addUnban: AddCommand = (program, { terminal, end }) => {
  const command = program
    .command('unban')
    .summary('lift the bans of an address, or all')
    .description(
      'Lifts the bans of an address or network, in every jail or in one, and prints what it lifted; that nobody was banned is no failure. An address inside the ban of a wider network stays banned: the answer says what holds it and how to let it alone through.',
    )
    .argument('[ADDRESS]', 'as bailiff bans shows it', readAddress)
    .option('--all', 'every ban')
    .option('--jail <NAME>', 'only the bans of this jail')
    .addOption(jsonOption())
    .addOption(socketOption())
    .addHelpText(
      'after',
      examples([
        ['bailiff unban 203.0.113.9', 'in every jail'],
        ['bailiff unban 2001:db8:1:2::/64 --jail sshd', 'in one jail'],
        ['bailiff unban --all', 'everybody'],
      ]),
    );
  command.action(async (address: Network | undefined, options: UnbanOptions) => {
    if ((address === undefined) === (options.all === undefined)) {
      command.error('error: name one address, or --all');
    }
    const path =
      address === undefined
        ? pathOf(['bans'], { all: 'true', jail: options.jail })
        : pathOf(['bans', address], { jail: options.jail });
    const report = await askDaemon<LiftReport>(options, terminal, { method: 'DELETE', path });
    if (options.json) printJson(terminal, report);
    else if (report.lifted.length > 0) terminal.print(describeLifted(report.lifted));
    else terminal.print(describeNobody(address, options.jail, report));
    end(EXIT.done);
  });
};

/** One line for each ban, and how many. */
export function describeLifted(lifted: readonly BanReport[]): string {
  const lines = oldestFirst(lifted)
    .slice(0, MAX_NAMED)
    .map((ban) => printable(`${ban.offender} is no longer banned in ${ban.jail} (${describeRest(ban)})`));
  if (lifted.length > MAX_NAMED) lines.push(`and ${countOf(lifted.length - MAX_NAMED, 'more ban')}`);
  return lifted.length === 1
    ? lines.join('\n')
    : [...lines, `lifted ${countOf(lifted.length, 'ban')}`].join('\n');
}

function describeNobody(
  address: Network | undefined,
  jail: string | undefined,
  { changed }: LiftReport,
): string {
  const where = jail === undefined ? '' : ` in ${jail}`;
  const sentence = `${address ?? 'nobody'} was ${address === undefined ? '' : 'not '}banned${where}`;
  return printable(
    changed ? `${sentence}; failures that were counted are forgotten` : `${sentence}; nothing changed`,
  );
}

function describeRest(ban: BanReport): string {
  if (ban.remainingSeconds === null) return 'it was permanent';
  return ban.remainingSeconds < 1 ? 'it was ending' : `${formatRemaining(ban)} before its end`;
}
