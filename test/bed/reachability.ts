/** Whether a TCP connection from the attacker's end of the wire gets through to the bed. */
import type { Bed } from './namespace.ts';

export type Attempt = {
  /** One of the addresses of the attacker's end. */
  readonly from: string;
  readonly to: string;
  readonly port: number;
  /** How long to wait for an answer; a dropped packet has none. 500 ms by default, half a retransmission. */
  readonly timeoutMilliseconds?: number;
};

/** `open`: connected; `refused`: the host answered that nothing listens; `dropped`: no answer. */
export type Reachability = 'open' | 'refused' | 'dropped';

const CONNECT = `
const [localAddress, host, port, timeout] = process.argv.slice(1);
const socket = require('node:net').connect({ localAddress, host, port: Number(port) });
const tell = (word) => { console.log(word); process.exit(); };
socket.once('connect', () => tell('open'));
socket.once('error', (error) => tell(error.code));
setTimeout(() => tell('dropped'), Number(timeout));`;

export async function tryConnect(bed: Bed, attempt: Attempt): Promise<Reachability> {
  const timeoutMilliseconds = attempt.timeoutMilliseconds ?? 500;
  const { stdout } = await bed.run(
    [process.execPath, '-e', CONNECT, attempt.from, attempt.to, `${attempt.port}`, `${timeoutMilliseconds}`],
    { at: 'attacker' },
  );
  const word = stdout.trim();
  if (word === 'ECONNREFUSED') return 'refused';
  if (word === 'open' || word === 'dropped') return word;
  throw new Error(`connecting from ${attempt.from} to ${attempt.to}: ${word}`);
}
