/**
 * Datagrams as fast as they go, of a sender that nobody has permitted. scene.ts starts it with an address and a port;
 * it says `begun` with the first.
 */
import { createSocket } from 'node:dgram';

const BATCH = 64;

const [host = '', port = ''] = process.argv.slice(2);
const message = '<38>sshd[4711]: Failed password for root from 203.0.113.9 port 40022 ssh2';
const socket = createSocket('udp4');
await new Promise<void>((resolve) => socket.connect(Number(port), host, resolve));
process.stdout.write('begun\n');
flood();

function flood(): void {
  for (let sent = 0; sent < BATCH; sent++) socket.send(message);
  setImmediate(flood);
}
