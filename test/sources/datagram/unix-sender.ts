/** Sends datagrams to a unix socket, as syslog(3) does. Node has none of these sockets. */
import * as koffi from 'koffi';
import { PinnedBytes } from '../../../src/native/memory.ts';
import { AF_UNIX, encodeUnixAddress } from '../../../src/native/socket-address.ts';
import { closeSocket, connectSocket, openSocket, SOCK_DGRAM } from '../../../src/native/socket-calls.ts';

export type UnixSender = {
  /** Throws when the kernel does not take it. */
  send(message: string | Buffer): void;
  /** Passes a descriptor along (unix(7), SCM_RIGHTS). */
  sendDescriptor(message: string, descriptor: number): void;
  close(): void;
};

const libc = koffi.load('libc.so.6');
const send = libc.func('send', 'intptr_t', ['int', 'void *', 'size_t', 'int']);
const sendmsg = libc.func('sendmsg', 'intptr_t', ['int', 'void *', 'int']);

/** A struct msghdr, an iovec, a cmsghdr and its descriptor, and the message. */
const IOVEC = 56;
const CONTROL = 72;
const CONTROL_BYTES = 20;
const MESSAGE = 96;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;

export function openUnixSender(path: string): UnixSender {
  const descriptor = openSocket(AF_UNIX, SOCK_DGRAM);
  connectSocket(descriptor, encodeUnixAddress(path));
  return {
    send: (message) => {
      const bytes = Buffer.from(message);
      if (send(descriptor, bytes, bytes.length, 0) !== bytes.length)
        throw new Error(`send: errno ${koffi.errno()}`);
    },
    sendDescriptor: (message, passed) => {
      const header = layOut(Buffer.from(message), passed);
      if (sendmsg(descriptor, header, 0) < 0) throw new Error(`sendmsg: errno ${koffi.errno()}`);
    },
    close: () => closeSocket(descriptor),
  };
}

function layOut(message: Buffer, descriptor: number): Buffer {
  const memory = new PinnedBytes(new ArrayBuffer(MESSAGE + message.length));
  const { bytes, pointer } = memory;
  bytes.writeBigUInt64LE(BigInt(pointer + IOVEC), 16);
  bytes.writeBigUInt64LE(1n, 24);
  bytes.writeBigUInt64LE(BigInt(pointer + CONTROL), 32);
  bytes.writeBigUInt64LE(BigInt(CONTROL_BYTES), 40);
  bytes.writeBigUInt64LE(BigInt(pointer + MESSAGE), IOVEC);
  bytes.writeBigUInt64LE(BigInt(message.length), IOVEC + 8);
  bytes.writeBigUInt64LE(BigInt(CONTROL_BYTES), CONTROL);
  bytes.writeUInt32LE(SOL_SOCKET, CONTROL + 8);
  bytes.writeUInt32LE(SCM_RIGHTS, CONTROL + 12);
  bytes.writeInt32LE(descriptor, CONTROL + 16);
  message.copy(bytes, MESSAGE);
  return bytes;
}
