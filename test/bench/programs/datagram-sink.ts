/**
 * Receives datagrams on a free port of loopback and says how much came; udp.ts starts it with what to do with them:
 *
 *     bare      recvmmsg(2) into one buffer, and nothing else: the floor
 *     dgram     node:dgram and nothing else: what Node offers
 *     bailiff   the UDP source of the daemon with its senders and events, and every shipped filter
 *
 * Prints the port, then, for each line on its input, one line of JSON: SinkReport.
 */
import { createSocket } from 'node:dgram';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { loadFilters } from '../../../src/config/filters/filter-file.ts';
import type { Match } from '../../../src/core/failure.ts';
import { VERSION } from '../../../src/core/version.ts';
import { createMatcher } from '../../../src/match/matcher.ts';
import { createMetrics } from '../../../src/metrics/metrics.ts';
import { DatagramReceiver, MAX_RECEIVED } from '../../../src/native/datagram-receiver.ts';
import { bindUdp } from '../../../src/native/datagram-socket.ts';
import { SenderDirectory } from '../../../src/senders/directory.ts';
import { createUdpSource } from '../../../src/sources/datagram/udp.ts';

export type SinkReport = { readonly received: number; readonly matched: number; readonly lost: number };

type Sink = { readonly port: number; report(): SinkReport };

const HOST = '127.0.0.1';
const MAX_MESSAGE_BYTES = 16_384;

function receiveBare(): Sink {
  const socket = bindUdp({ host: HOST, port: 0, ipv6Only: false });
  const receiver = new DatagramReceiver(socket.descriptor, MAX_MESSAGE_BYTES);
  let received = 0;
  const onReadable = (): void => {
    for (let call = 0; call < 4; call++) {
      const count = receiver.receive();
      received += count;
      if (count < MAX_RECEIVED) return;
    }
  };
  socket.watch(onReadable, (error) => {
    throw error;
  });
  const address = socket.address();
  return {
    port: address?.family === 'internet' ? address.port : 0,
    report: () => ({ received, matched: 0, lost: socket.drops() }),
  };
}

async function receiveWithNode(): Promise<Sink> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 16 * 1024 * 1024 });
  let received = 0;
  socket.on('message', () => {
    received++;
  });
  await new Promise<void>((resolve) => socket.bind(0, HOST, resolve));
  return { port: socket.address().port, report: () => ({ received, matched: 0, lost: 0 }) };
}

async function receiveAsDaemon(): Promise<Sink> {
  const { filters } = loadFilters(
    [{ path: join(import.meta.dirname, '../../../etc/filters'), strict: false }],
    false,
  );
  const matcher = createMatcher(filters);
  const metrics = createMetrics({ version: VERSION });
  const senders = new SenderDirectory({
    networks: ['127.0.0.0/8'],
    udpConfidence: 'full',
    rate: null,
    configured: [],
  });
  const matches: Match[] = [];
  const totals = { received: 0, matched: 0, lost: 0 };
  const source = createUdpSource({
    listen: { host: HOST, port: 0 },
    senders,
    maxMessageBytes: MAX_MESSAGE_BYTES,
    clock: { now: () => Date.now() * 1_000 },
    elapsed: () => performance.now(),
    onState: () => {},
    emit: (event) => {
      if (event.kind === 'kernel-loss') totals.lost += event.count;
      metrics.observe(event);
    },
    lossIntervalMilliseconds: 100,
    prefilter: (identifier, message, start, end) => matcher.mayMatch(identifier, message, start, end),
    sink: ({ source: kind, records, skipped = 0, bytes }) => {
      const count = records.length + skipped;
      matches.length = 0;
      for (const record of records) matcher.match(record, matches);
      totals.received += count;
      totals.matched += matches.length;
      metrics.observe({
        kind: 'records',
        source: kind,
        count,
        bytes,
        matched: matches.length,
      });
    },
  });
  await source.start();
  return { port: source.address()?.port ?? 0, report: () => totals };
}

const RECEIVERS: Readonly<Record<string, () => Sink | Promise<Sink>>> = {
  bare: receiveBare,
  dgram: receiveWithNode,
  bailiff: receiveAsDaemon,
};

const sink = await RECEIVERS[process.argv[2] ?? '']?.();
if (sink === undefined) throw new Error(`what to do: ${Object.keys(RECEIVERS).join(', ')}`);
process.stdout.write(`${sink.port}\n`);
for await (const _ of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(sink.report())}\n`);
}
process.exit(0);
