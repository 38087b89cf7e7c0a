/**
 * Sends a file's lines as syslog over one connection, as fast as the other side takes them; tcp.ts starts it with `tcp`
 * or `tls`, a port of loopback and the file. Prints how many bytes it has sent.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** Written at once. */
const CHUNK_BYTES = 256 * 1024;

const [transport = '', port = '', file = ''] = process.argv.slice(2);
const bytes = Buffer.from(readFileSync(file, 'latin1').replace(/^(?=.)/gm, '<38>'), 'latin1');
const address = { host: '127.0.0.1', port: Number(port) };
const socket = transport === 'tls' ? connectTls({ ...address, rejectUnauthorized: false }) : connect(address);
await new Promise((resolve) => socket.once(transport === 'tls' ? 'secureConnect' : 'connect', resolve));
for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
  if (!socket.write(bytes.subarray(start, start + CHUNK_BYTES))) {
    await new Promise((resolve) => socket.once('drain', resolve));
  }
}
await new Promise<void>((resolve) => socket.end(resolve));
process.stdout.write(`${bytes.length}\n`);
