/**
 * Fuzz of the way of a datagram: real sockets, many datagrams at once, of any content and length. What comes out is
 * what the parser makes of each alone, whatever lay in the same memory before.
 */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LogRecord } from '../../src/core/record.ts';
import { createUdpSource } from '../../src/sources/datagram/udp.ts';
import { createUnixSource } from '../../src/sources/datagram/unix.ts';
import { SyslogParser } from '../../src/syslog/parse.ts';
import { PATIENCE_MILLISECONDS, waitFor } from '../bed/waiting.ts';
import { openUnixSender } from '../sources/datagram/unix-sender.ts';
import { Listening } from '../sources/listening.ts';
import { message, RUNS, SEED } from './messages.ts';

/** Of one burst, which fits into any receive buffer. */
const BURST = 100;
const MAX_MESSAGE_BYTES = 300;

/** Mostly short, some at the limit, over it, and as long as UDP allows. */
const datagram = fc.oneof(
  { weight: 20, arbitrary: message },
  {
    weight: 2,
    arbitrary: fc.uint8Array({ minLength: 290, maxLength: 310 }).map((bytes) => Buffer.from(bytes)),
  },
  {
    weight: 1,
    arbitrary: message.map((bytes) => Buffer.alloc(60_000, Buffer.concat([bytes, Buffer.from('.')]))),
  },
);

const burst = fc.array(datagram, { minLength: 1, maxLength: BURST });

function expected(
  datagrams: readonly Buffer[],
  source: 'udp' | 'unix',
  sender: string,
  at: number,
): LogRecord[] {
  const parser = new SyslogParser();
  return datagrams.flatMap((bytes) => {
    const isCut = bytes.length > MAX_MESSAGE_BYTES;
    const end = Math.min(bytes.length, MAX_MESSAGE_BYTES);
    const record = parser.parse(bytes, 0, end, { at, source, sender }, isCut);
    return record === null ? [] : [record];
  });
}

test('what comes over UDP is what the parser makes of each datagram', async (t) => {
  await using listening = new Listening();
  await listening.start(createUdpSource({ ...listening.options(), maxMessageBytes: MAX_MESSAGE_BYTES }));
  const socket = createSocket('udp4');
  t.after(() => socket.close());
  let datagrams = 0;
  const property = fc.asyncProperty(burst, async (sent) => {
    listening.batches.length = 0;
    const wanted = expected(sent, 'udp', '127.0.0.1', listening.now);
    for (const bytes of sent)
      await new Promise((resolve) => socket.send(bytes, listening.port, '127.0.0.1', resolve));
    datagrams += sent.length;
    await receivedAll(listening, wanted.length);
    assert.deepEqual(listening.records, wanted);
  });
  await fc.assert(property, { seed: SEED, numRuns: RUNS / 200 });
  assert.deepEqual(listening.eventsOf('kernel-loss'), [], `${datagrams} datagrams`);
});

test('what comes at a unix socket is what the parser makes of each datagram', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'bailiff-fuzz-'));
  const path = join(directory, 'log.sock');
  await using listening = new Listening();
  const { clock, elapsed, sink, emit, onState } = listening.options();
  const options = { path, maxMessageBytes: MAX_MESSAGE_BYTES, clock, elapsed, sink, emit, onState };
  const believedUids = new Set([process.getuid?.() ?? -1]);
  await listening.start(createUnixSource({ ...options, believedUids }));
  const sender = openUnixSender(path);
  t.after(() => {
    sender.close();
    rmSync(directory, { recursive: true });
  });
  // The kernel holds no more of them than ten (net.unix.max_dgram_qlen), and then has the sender wait.
  const property = fc.asyncProperty(fc.array(datagram, { minLength: 1, maxLength: 8 }), async (sent) => {
    listening.batches.length = 0;
    const wanted = expected(sent, 'unix', '', listening.now);
    for (const bytes of sent) sender.send(bytes);
    await receivedAll(listening, wanted.length);
    assert.deepEqual(listening.records, wanted);
  });
  await fc.assert(property, { seed: SEED, numRuns: RUNS / 40 });
});

/** Looks in each turn of the event loop first: it is seldom long, and there are many of them. */
async function receivedAll(listening: Listening, count: number): Promise<void> {
  for (let turn = 0; turn < 20 && listening.records.length < count; turn++)
    await new Promise((resolve) => setImmediate(resolve));
  if (listening.records.length < count)
    await waitFor(`${count} records`, PATIENCE_MILLISECONDS, () =>
      listening.records.length >= count ? true : null,
    );
}
