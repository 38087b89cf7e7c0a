/**
 * Failures of ever new addresses over UDP. scene.ts starts it with an address, a port, how many a second, and how many
 * in all (0 for no end). Says `begun` with the first, and `done` behind the last.
 */
import { createSocket } from 'node:dgram';
import { setTimeout as pause } from 'node:timers/promises';

const TICK_MILLISECONDS = 5;

const [host = '', port = '', rate = '', count = ''] = process.argv.slice(2);
const total = Number(count) || Number.POSITIVE_INFINITY;
const socket = createSocket('udp4');
await new Promise<void>((resolve) => socket.connect(Number(port), host, resolve));
const startedAt = performance.now();
process.stdout.write('begun\n');
for (let sent = 0; sent < total; ) {
  const due = Math.min(total, ((performance.now() - startedAt) / 1_000) * Number(rate));
  for (; sent < due; sent++) {
    const address = `${101 + (sent >> 24)}.${(sent >> 16) & 255}.${(sent >> 8) & 255}.${sent & 255}`;
    socket.send(`<38>sshd[4711]: Failed password for root from ${address} port 40022 ssh2`);
  }
  await pause(TICK_MILLISECONDS);
}
process.stdout.write('done\n');
socket.close();
