/** This host's own addresses, which are never banned whatever the configuration says. */
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { type Network, parseAddress } from '../core/address.ts';

/** The addresses of this host's interfaces, canonical and sorted. */
export function ownAddresses(
  interfaces: NodeJS.Dict<readonly NetworkInterfaceInfo[]> = networkInterfaces(),
): Network[] {
  const addresses = Object.values(interfaces)
    .flatMap((infos) => infos ?? [])
    .flatMap((info) => parseAddress(info.address) ?? []);
  return [...new Set(addresses)].sort();
}
