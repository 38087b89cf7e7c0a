/**
 * Runs nftables scripts; latency.ts starts it inside a bed. Reads one script a line, and answers each with the time at
 * which the kernel had acknowledged it, on the monotonic clock that all processes share (nanoseconds), or with `error`.
 */
import { createInterface } from 'node:readline';
import { openNftContext } from '../../../src/native/nftables.ts';

const context = openNftContext();
for await (const line of createInterface({ input: process.stdin })) {
  const { ok, error } = context.run(line);
  const acknowledged = process.hrtime.bigint();
  process.stdout.write(ok ? `${acknowledged}\n` : `error ${JSON.stringify(error)}\n`);
}
context.close();
