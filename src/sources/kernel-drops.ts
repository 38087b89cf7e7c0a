/**
 * How many datagrams the kernel has dropped for one socket: the last column of /proc/net/udp and /proc/net/udp6
 * (Documentation/networking/proc_net_tcp.rst has the others; `drops` is sk_drops, net/ipv4/udp.c).
 */
import { readFile } from 'node:fs/promises';
import { type Address, familyOf, parseAddress } from '../core/address.ts';

/** The count since the socket was opened, or null when the table cannot be read or does not hold it. */
export async function readKernelDrops(address: Address, port: number): Promise<number | null> {
  const file = familyOf(address) === 4 ? '/proc/net/udp' : '/proc/net/udp6';
  try {
    return findDrops(await readFile(file, 'latin1'), address, port);
  } catch {
    return null;
  }
}

/** Looks the socket that is bound to `address` and `port` up in the text of the table; null when it is not there. */
export function findDrops(table: string, address: Address, port: number): number | null {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const line of table.split('\n')) {
    const columns = line.trim().split(/ +/);
    const local = columns[LOCAL_ADDRESS];
    if (local === undefined || !local.endsWith(suffix)) continue;
    if (decodeAddress(local.slice(0, -suffix.length)) !== address) continue;
    const drops = Number(columns.at(-1));
    return Number.isSafeInteger(drops) ? drops : null;
  }
  return null;
}

const LOCAL_ADDRESS = 1;

/** The table has addresses as 32-bit words in the machine's order, which is little-endian wherever this runs. */
function decodeAddress(hex: string): Address | null {
  const words = hex.match(/.{8}/g) ?? [];
  const octets = words.flatMap((word) => (word.match(/../g) ?? []).reverse());
  if (octets.length === 4) return parseAddress(octets.map((octet) => Number.parseInt(octet, 16)).join('.'));
  const groups: string[] = [];
  for (let index = 0; index < octets.length; index += 2) groups.push(`${octets[index]}${octets[index + 1]}`);
  return parseAddress(groups.join(':'));
}
