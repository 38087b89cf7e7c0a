/**
 * Sends each line of its input over a new TCP connection, as a device does that has just been switched on; scene.ts
 * starts it with an address, a port and the address to send from. Answers each with the time at which it began, on the
 * monotonic clock that all processes share (nanoseconds).
 */
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

const [host = '', port = '', localAddress = ''] = process.argv.slice(2);

for await (const line of createInterface({ input: process.stdin })) {
  const begun = process.hrtime.bigint();
  const socket = connect({ host, port: Number(port), localAddress });
  socket.on('error', () => {});
  socket.resume();
  socket.end(`${line}\n`);
  await new Promise((resolve) => socket.once('close', resolve));
  process.stdout.write(`${begun}\n`);
}
