/** This host's own addresses, which are never banned whatever the configuration says. */
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { type Network, parseAddress } from '../../core/address/address.ts';
import { OperationalError } from '../../core/errors.ts';

export type Interfaces = NodeJS.Dict<readonly NetworkInterfaceInfo[]>;

/**
 * The addresses of this host's interfaces, canonical and sorted. Throws OperationalError `own-addresses` when the
 * kernel does not tell: getifaddrs(3) needs a netlink socket.
 */
export function ownAddresses(readInterfaces: () => Interfaces = networkInterfaces): Network[] {
  const addresses = Object.values(interfacesOf(readInterfaces))
    .flatMap((infos) => infos ?? [])
    .flatMap((info) => parseAddress(info.address) ?? []);
  return [...new Set(addresses)].sort();
}

function interfacesOf(readInterfaces: () => Interfaces): Interfaces {
  try {
    return readInterfaces();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SYSTEM_ERROR') throw error;
    throw new OperationalError(`cannot read this host's addresses: ${(error as Error).message}`, {
      code: 'own-addresses',
      advice: 'allow netlink sockets: AF_NETLINK in RestrictAddressFamilies= of the unit',
      cause: error,
    });
  }
}
