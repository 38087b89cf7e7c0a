/**
 * `bailiff complete`, which no help names: what the completions of the shells ask at each press of the key. It is quick
 * or silent: nobody is waiting for an error message in the middle of a line.
 */
import { Argument } from 'commander';
import { parseNetwork } from '../../../core/address/address.ts';
import { OperationalError } from '../../../core/errors.ts';
import type { BanListReport, StatusReport } from '../../../http/control.ts';
import { askDaemon, pathOf } from '../../client.ts';
import { type AddCommand, configPathOf, EXIT, type SocketOptions, socketOption } from '../../command.ts';
import type { Terminal } from '../../render/terminal.ts';
import { LIVE_KINDS, type LiveKind } from '../../shells/model.ts';

/** Values that are offered; a list that is longer helps nobody. */
const MAX_VALUES = 1_000;

/** A daemon that has not answered by then is not waited for. */
const TIMEOUT_MILLISECONDS = 1_000;

/** Jails, filters, addresses, networks: nothing else may reach a shell. */
const VALUE = /^[a-z0-9][a-z0-9_:./-]*$/;

export const addComplete: AddCommand = (program, { terminal, end }) => {
  program
    .command('complete', { hidden: true })
    .description('Prints the values that begin with what is typed, one on each line.')
    .addArgument(new Argument('<KIND>', 'which values').choices([...LIVE_KINDS]))
    .argument('[START]', 'what is typed already', '')
    .addOption(socketOption())
    .action(async (kind: LiveKind, start: string, options: SocketOptions) => {
      const values = await valuesOf(kind, options, terminal).catch((error: unknown) => {
        if (error instanceof OperationalError) return [];
        throw error;
      });
      const offered = [...new Set(values)].filter((value) => VALUE.test(value) && value.startsWith(start));
      if (offered.length > 0) terminal.print(offered.sort().slice(0, MAX_VALUES).join('\n'));
      end(EXIT.done);
    });
};

async function valuesOf(
  kind: LiveKind,
  options: SocketOptions,
  terminal: Terminal,
): Promise<readonly string[]> {
  if (kind === 'filters') return filterNames(terminal);
  const path = pathOf([kind === 'jails' ? 'status' : 'bans']);
  const request = { method: 'GET', path, timeoutMilliseconds: TIMEOUT_MILLISECONDS } as const;
  if (kind === 'jails') {
    return (await askDaemon<StatusReport>(options, terminal, request)).jails.map((jail) => jail.name);
  }
  const { bans } = await askDaemon<BanListReport>(options, terminal, request);
  return bans.map((ban) => ban.offender).filter((offender) => parseNetwork(offender) === offender);
}

async function filterNames(terminal: Terminal): Promise<readonly string[]> {
  const { resolve } = await import('node:path');
  const { findFilters } = await import('../../../config/filters/filter-file.ts');
  const { defaultFilterDirectories } = await import('../../../config/load.ts');
  const { found } = findFilters(defaultFilterDirectories(resolve(configPathOf({}, terminal))));
  return [...found.keys()];
}
