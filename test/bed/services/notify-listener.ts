/**
 * A stand-in for systemd's notification socket (sd_notify(3)): binds the path in its argument, and prints each message
 * that comes as one line, its line feeds as blanks. Node has no datagram sockets of the unix family, so libc it is.
 */
import { writeSync } from 'node:fs';
import * as koffi from 'koffi';

/** socket.h: AF_UNIX and SOCK_DGRAM; sockaddr_un of unix(7) has the family in 2 bytes and the path in 108. */
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const ADDRESS_BYTES = 110;

const libc = koffi.load('libc.so.6');
const socket = libc.func('int socket(int, int, int)');
const bind = libc.func('int bind(int, void *, uint32_t)');
const receive = libc.func('int64_t recv(int, void *, size_t, int)');

const address = Buffer.alloc(ADDRESS_BYTES);
address.writeUInt16LE(AF_UNIX);
address.write(process.argv[2] ?? '', 2);
const descriptor = socket(AF_UNIX, SOCK_DGRAM, 0) as number;
if (descriptor < 0 || bind(descriptor, address, address.length) !== 0) throw new Error('cannot bind');
writeSync(1, 'listening\n');

const message = Buffer.alloc(4_096);
for (;;) {
  const length = Number(receive(descriptor, message, message.length, 0));
  if (length <= 0) break;
  writeSync(1, `${message.toString('utf8', 0, length).replaceAll('\n', ' ')}\n`);
}
