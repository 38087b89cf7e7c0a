/** Addresses of sockets as the kernel lays them out: ip(7), ipv6(7) and unix(7). Pure, on bytes. */
import { type Address, parseAddress } from '../core/address/address.ts';
import { assert } from '../core/errors.ts';

/** bits/socket.h. */
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;

/** The largest of them: struct sockaddr_un with its 108 bytes of path. */
export const SOCKET_ADDRESS_BYTES = 110;

/** Bytes of a path; one more is needed for the NUL (unix(7)). */
export const MAX_SOCKET_PATH_BYTES = 107;

/** Where a socket is bound. A path is '' for an unnamed socket, and begins with `@` for an abstract one. */
export type SocketAddress =
  | { readonly family: 'internet'; readonly host: string; readonly port: number }
  | { readonly family: 'unix'; readonly path: string };

const PORT = 2;
const INET_HOST = 4;
const INET_BYTES = 16;
const INET6_HOST = 8;
const INET6_BYTES = 28;
const UNIX_PATH = 2;

/** struct sockaddr_in or sockaddr_in6 for a canonical address. */
export function encodeInternetAddress(host: Address, port: number): Buffer {
  if (!host.includes(':')) {
    const bytes = Buffer.alloc(INET_BYTES);
    bytes.writeUInt16LE(AF_INET, 0);
    bytes.writeUInt16BE(port, PORT);
    for (const [index, octet] of host.split('.').entries()) bytes[INET_HOST + index] = Number(octet);
    return bytes;
  }
  const bytes = Buffer.alloc(INET6_BYTES);
  bytes.writeUInt16LE(AF_INET6, 0);
  bytes.writeUInt16BE(port, PORT);
  for (const [index, group] of groupsOf(host).entries()) bytes.writeUInt16BE(group, INET6_HOST + index * 2);
  return bytes;
}

/** struct sockaddr_un for a path in the file system. */
export function encodeUnixAddress(path: string): Buffer {
  const bytes = Buffer.from(path);
  assert(
    bytes.length > 0 && bytes.length <= MAX_SOCKET_PATH_BYTES,
    `a socket's path has ${bytes.length} bytes`,
  );
  const address = Buffer.alloc(UNIX_PATH + bytes.length + 1);
  address.writeUInt16LE(AF_UNIX, 0);
  bytes.copy(address, UNIX_PATH);
  return address;
}

/** What getsockname(2) wrote; null for a family that is not ours. */
export function decodeSocketAddress(bytes: Buffer, length: number): SocketAddress | null {
  switch (length < UNIX_PATH ? -1 : bytes.readUInt16LE(0)) {
    case AF_INET:
      return { family: 'internet', host: decodeInet(bytes, INET_HOST), port: bytes.readUInt16BE(PORT) };
    case AF_INET6:
      return { family: 'internet', host: decodeInet6(bytes, INET6_HOST), port: bytes.readUInt16BE(PORT) };
    case AF_UNIX:
      return { family: 'unix', path: decodePath(bytes.subarray(UNIX_PATH, length)) };
    default:
      return null;
  }
}

/** The eight groups of a canonical IPv6 address. */
function groupsOf(host: Address): readonly number[] {
  const [head, tail] = host.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - (head?.length ?? 0) - (tail?.length ?? 0);
  const zeros = new Array<string>(missing).fill('0');
  return [...(head ?? []), ...zeros, ...(tail ?? [])].map((group) => Number.parseInt(group, 16));
}

/** The text of the four bytes at `offset`. */
export function decodeInet(bytes: Buffer, offset: number): Address {
  return `${bytes[offset]}.${bytes[offset + 1]}.${bytes[offset + 2]}.${bytes[offset + 3]}`;
}

/** The canonical text of the 16 bytes at `offset`; a mapped IPv4 address is folded. */
export function decodeInet6(bytes: Buffer, offset: number): Address {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(offset + index * 2).toString(16));
  return parseAddress(groups.join(':')) ?? '::';
}

function decodePath(bytes: Buffer): string {
  if (bytes[0] === 0) return bytes.length > 1 ? `@${bytes.toString('utf8', 1)}` : '';
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}
