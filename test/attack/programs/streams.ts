/**
 * Connections of syslog that mean no good. scene.ts starts it with an address and a port, what they do (`idle`,
 * `endless`, `long`), how many each address has, and the addresses. Says `begun` when all have connected or failed
 * once; who is cut off comes again.
 */
import { connect, type Socket } from 'node:net';

const CHUNK_BYTES = 64 * 1024;
const RETURN_MILLISECONDS = 50;

const [host = '', port = '', work = '', count = '', ...addresses] = process.argv.slice(2);
const total = Number(count) * addresses.length;
const first = Buffer.from('<38>sshd[1]: ');
const endless = Buffer.alloc(CHUNK_BYTES, 'x');
/** As long as a message may be, and as near to a failure as one can come that is none. */
const long = Buffer.from(
  `<38>sshd[1]: Failed password for ${'invalid user from 192.0.2.1 port 1 '.repeat(2_000).slice(0, 65_400)}\n`,
);
let begun = 0;

for (const address of addresses) for (let index = 0; index < Number(count); index++) attack(address);

function attack(localAddress: string): void {
  const socket = connect({ host, port: Number(port), localAddress });
  let isCounted = false;
  const tell = (): void => {
    if (!isCounted && ++begun === total) process.stdout.write('begun\n');
    isCounted = true;
  };
  socket.on('error', tell);
  socket.on('connect', () => {
    tell();
    if (work === 'idle') return;
    if (work === 'endless') socket.write(first);
    pour(socket, work === 'endless' ? endless : long);
  });
  socket.resume();
  socket.on('close', () => setTimeout(() => attack(localAddress), RETURN_MILLISECONDS));
}

function pour(socket: Socket, bytes: Buffer): void {
  if (socket.destroyed) return;
  if (socket.write(bytes)) setImmediate(() => pour(socket, bytes));
  else socket.once('drain', () => pour(socket, bytes));
}
