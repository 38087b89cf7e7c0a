/** What the daemon knows of an address: `bailiff status ADDRESS` and `bailiff bans ADDRESS`. */
import type { AddressReport } from '../http/control.ts';
import { askDaemon, pathOf } from './client.ts';
import { type JsonOptions, printJson, type SocketOptions } from './command.ts';
import { renderAddress } from './render/address.ts';
import type { Terminal } from './render/terminal.ts';

/** All that concerns an address or network, of one jail or of all. */
export async function showAddress(
  address: string,
  options: SocketOptions & JsonOptions & { readonly jail?: string },
  terminal: Terminal,
): Promise<void> {
  const path = pathOf(['addresses', address], { jail: options.jail });
  const report = await askDaemon<AddressReport>(options, terminal, { method: 'GET', path });
  if (options.json) printJson(terminal, report);
  else terminal.print(renderAddress(report, terminal));
}
