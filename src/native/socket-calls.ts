/**
 * libc's calls on sockets that Node does not make: socket(7), getsockname(2), recvmmsg(2). A socket is its file
 * descriptor, and belongs to whoever opened it. What fails throws OperationalError with the errno's name.
 */
import * as koffi from 'koffi';
import { OperationalError } from '../core/errors.ts';
import { openLibrary } from './library.ts';
import { POINTER, type Pointer } from './memory.ts';
import { decodeSocketAddress, SOCKET_ADDRESS_BYTES, type SocketAddress } from './socket-address.ts';
import { checkResult } from './systemd.ts';

export type Descriptor = number;

/** asm-generic/socket.h; the same on x86-64 and arm64. */
export const SOL_SOCKET = 1;
export const SO_TYPE = 3;
export const SO_RCVBUF = 8;
export const SO_PASSCRED = 16;
const SO_PEERCRED = 17;
export const SO_ACCEPTCONN = 30;
export const SO_RCVBUFFORCE = 33;
const SO_MEMINFO = 55;

/** linux/in.h, linux/in6.h. */
export const IPPROTO_IPV6 = 41;
export const IPV6_V6ONLY = 26;

/** bits/socket_type.h. */
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;

/** linux/fcntl.h. */
const F_DUPFD_CLOEXEC = 1030;
const F_SETFD = 2;
const FD_CLOEXEC = 1;

/** What the kernel says where it knows none. */
const NO_UID = 0xffff_ffff;

/** linux/sock_diag.h: SO_MEMINFO answers with an array of 32-bit numbers, of which one is sk_drops. */
const SK_MEMINFO_DROPS = 8;
const SK_MEMINFO_VARS = 9;

/** Opens a socket that does not block and is not inherited by programs that we start. */
export function openSocket(family: number, type: number): Descriptor {
  return checked('socket', openCalls().socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

export function bindSocket(descriptor: Descriptor, address: Buffer): void {
  checked('bind', openCalls().bind(descriptor, address, address.length));
}

/** Connects, or sets where a socket of datagrams sends to. */
export function connectSocket(descriptor: Descriptor, address: Buffer): void {
  checked('connect', openCalls().connect(descriptor, address, address.length));
}

export function closeSocket(descriptor: Descriptor): void {
  openCalls().close(descriptor);
}

/** Another descriptor for the same socket (fcntl(2), F_DUPFD_CLOEXEC). */
export function duplicateSocket(descriptor: Descriptor): Descriptor {
  return checked('fcntl F_DUPFD_CLOEXEC', openCalls().fcntl(descriptor, F_DUPFD_CLOEXEC, 'int', 0));
}

/** Keeps programs that we start from inheriting the socket (fcntl(2), FD_CLOEXEC). */
export function closeOnExec(descriptor: Descriptor): void {
  checked('fcntl F_SETFD', openCalls().fcntl(descriptor, F_SETFD, 'int', FD_CLOEXEC));
}

/** Where the socket is bound; null when its family is none of ours. */
export function readLocalAddress(descriptor: Descriptor): SocketAddress | null {
  const address = Buffer.alloc(SOCKET_ADDRESS_BYTES);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(address.length);
  checked('getsockname', openCalls().getsockname(descriptor, address, length));
  return decodeSocketAddress(address, Math.min(length.readUInt32LE(), address.length));
}

export function readOption(descriptor: Descriptor, level: number, option: number): number {
  const value = Buffer.alloc(4);
  getOption(descriptor, level, option, value);
  return value.readInt32LE();
}

export function setOption(descriptor: Descriptor, level: number, option: number, value: number): void {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  checked(`setsockopt ${option}`, openCalls().setsockopt(descriptor, level, option, bytes, bytes.length));
}

/**
 * How many datagrams the kernel has dropped since the socket was opened, because its receive buffer was full: sk_drops
 * by SO_MEMINFO (Linux 4.12). Unlike SO_RXQ_OVFL it needs no datagram that arrives later. It wraps at 2^32.
 */
export function readDrops(descriptor: Descriptor): number {
  const counters = Buffer.alloc(SK_MEMINFO_VARS * 4);
  getOption(descriptor, SOL_SOCKET, SO_MEMINFO, counters);
  return counters.readUInt32LE(SK_MEMINFO_DROPS * 4);
}

/** The user on the other end of a connected unix socket (unix(7), SO_PEERCRED); null when that cannot be known. */
export function readPeerUser(descriptor: Descriptor): number | null {
  // struct ucred: pid, uid, gid.
  const credentials = Buffer.alloc(12);
  try {
    getOption(descriptor, SOL_SOCKET, SO_PEERCRED, credentials);
  } catch (error) {
    if (error instanceof OperationalError) return null;
    throw error;
  }
  const uid = credentials.readUInt32LE(4);
  return uid === NO_UID ? null : uid;
}

function getOption(descriptor: Descriptor, level: number, option: number, value: Buffer): void {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(value.length);
  checked(`getsockopt ${option}`, openCalls().getsockopt(descriptor, level, option, value, length));
}

/** Receives into the `count` headers of struct mmsghdr at `vector`; how many were filled, or -errno. */
export function receiveMessages(
  descriptor: Descriptor,
  vector: Pointer,
  count: number,
  flags: number,
): number {
  const received = openCalls().recvmmsg(descriptor, vector, count, flags, 0);
  return received < 0 ? -koffi.errno() : received;
}

function checked(operation: string, result: number): number {
  return checkResult(operation, result < 0 ? -koffi.errno() : result);
}

type Calls = {
  socket(family: number, type: number, protocol: number): number;
  bind(descriptor: number, address: Buffer, length: number): number;
  connect(descriptor: number, address: Buffer, length: number): number;
  getsockname(descriptor: number, address: Buffer, length: Buffer): number;
  getsockopt(descriptor: number, level: number, option: number, value: Buffer, length: Buffer): number;
  setsockopt(descriptor: number, level: number, option: number, value: Buffer, length: number): number;
  recvmmsg(descriptor: number, vector: Pointer, count: number, flags: number, timeout: Pointer): number;
  fcntl(descriptor: number, command: number, type: 'int', argument: number): number;
  close(descriptor: number): number;
};

let calls: Calls | null = null;

function openCalls(): Calls {
  if (calls !== null) return calls;
  const libc = openLibrary({ soname: 'libc.so.6', debianPackage: 'libc6', fedoraPackage: 'glibc' });
  calls = {
    socket: libc.func('socket', 'int', ['int', 'int', 'int']),
    bind: libc.func('bind', 'int', ['int', 'void *', 'uint32_t']),
    connect: libc.func('connect', 'int', ['int', 'void *', 'uint32_t']),
    getsockname: libc.func('getsockname', 'int', ['int', 'void *', 'void *']),
    getsockopt: libc.func('getsockopt', 'int', ['int', 'int', 'int', 'void *', 'void *']),
    setsockopt: libc.func('setsockopt', 'int', ['int', 'int', 'int', 'void *', 'uint32_t']),
    recvmmsg: libc.func('recvmmsg', 'int', ['int', POINTER, 'uint32_t', 'int', POINTER]),
    fcntl: libc.func('fcntl', 'int', ['int', 'int', '...']),
    close: libc.func('close', 'int', ['int']),
  };
  return calls;
}
