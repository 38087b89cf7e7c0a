/**
 * A netlink socket to the kernel's packet filter (netlink(7), NETLINK_NETFILTER), through libc, since Node has no such
 * sockets. Only for asking: what is written to nftables goes through libnftables, which speaks in reviewable text.
 * Asking through libnftables 1.0.6 costs 1.3 s for a set of 100,000 elements, and 0.7 s for any other `list` while
 * such a set exists; the kernel's own dump can be read in small steps, and its generation in microseconds.
 */
import * as koffi from 'koffi';
import { OperationalError } from '../core/errors.ts';
import { openLibrary } from './library.ts';

const LIBC = { soname: 'libc.so.6', debianPackage: 'libc6', fedoraPackage: 'glibc' };

/** bits/socket.h and linux/netlink.h. */
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_NETFILTER = 12;
const MSG_DONTWAIT = 0x40;
const SOCKADDR_NL_BYTES = 12;

/** The kernel fills at most 32 KiB of a dump at a time (netlink_recvmsg); a longer message would be cut. */
const RECEIVE_BYTES = 64 * 1024;

export interface NetlinkSocket {
  /** Sends one request. Throws OperationalError. */
  send(request: Uint8Array): void;
  /**
   * The next datagram of the answer: one or more messages. The kernel answers while it takes the request, so there is
   * nothing to wait for. The bytes are overwritten by the next call. Throws OperationalError.
   */
  receive(): Uint8Array;
  close(): void;
}

/** Opens a socket; throws OperationalError. */
export function openNetlinkSocket(): NetlinkSocket {
  const libc = bind();
  const descriptor = libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  if (descriptor < 0) throw failure('open a netlink socket');
  const kernel = new Uint8Array(SOCKADDR_NL_BYTES);
  new DataView(kernel.buffer).setUint16(0, AF_NETLINK, true);
  const buffer = new Uint8Array(RECEIVE_BYTES);
  return {
    send(request) {
      const sent = libc.sendto(descriptor, request, request.length, 0, kernel, kernel.length);
      if (sent !== request.length) throw failure('send to netlink');
    },
    receive() {
      const length = libc.recv(descriptor, buffer, buffer.length, MSG_DONTWAIT);
      if (length < 0) throw failure('receive from netlink');
      return buffer.subarray(0, length);
    },
    close: () => {
      libc.close(descriptor);
    },
  };
}

function failure(action: string): OperationalError {
  const name = Object.entries(koffi.os.errno).find(([, value]) => value === koffi.errno())?.[0] ?? 'EUNKNOWN';
  return new OperationalError(`cannot ${action}: ${name}`, { code: name, retriable: true });
}

type Symbols = {
  socket(domain: number, type: number, protocol: number): number;
  sendto(
    descriptor: number,
    bytes: Uint8Array,
    length: number,
    flags: number,
    to: Uint8Array,
    toLength: number,
  ): number;
  recv(descriptor: number, bytes: Uint8Array, length: number, flags: number): number;
  close(descriptor: number): number;
};

let symbols: Symbols | null = null;

function bind(): Symbols {
  if (symbols !== null) return symbols;
  const library = openLibrary(LIBC);
  symbols = {
    socket: library.func('int socket(int domain, int type, int protocol)'),
    sendto: library.func(
      'intptr_t sendto(int fd, const uint8_t *buf, size_t len, int flags, const uint8_t *addr, uint32_t addrlen)',
    ),
    recv: library.func('intptr_t recv(int fd, _Out_ uint8_t *buf, size_t len, int flags)'),
    close: library.func('int close(int fd)'),
  };
  return symbols;
}
