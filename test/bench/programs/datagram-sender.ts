/**
 * Sends datagrams as a device does; latency.ts starts it at the far end of the wire, with the address and the port to
 * send to. Reads one message a line, and answers each with the time just before the call that sent it, on the monotonic
 * clock that all processes share (nanoseconds).
 */
import { createSocket } from 'node:dgram';
import { createInterface } from 'node:readline';

const [host = '', port = ''] = process.argv.slice(2);
const socket = createSocket('udp4');
await new Promise<void>((resolve) => socket.connect(Number(port), host, resolve));

for await (const line of createInterface({ input: process.stdin })) {
  const message = Buffer.from(line);
  const handedOver = process.hrtime.bigint();
  socket.send(message);
  process.stdout.write(`${handedOver}\n`);
}
socket.close();
