/**
 * Receives syslog over TCP on a free port of loopback and says how much came; tcp.ts starts it with what to do with it:
 *
 *     bare      counts bytes and nothing else: the floor
 *     bailiff   the TCP source of the daemon with its senders and events, and every shipped filter
 *     tls       the same over TLS, with a certificate of its own
 *
 * Prints the port, then, for each line on its input, one line of JSON: StreamSinkReport.
 */
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createAuthority, issue } from '../../../src/certificates/authority.ts';
import { loadFilters } from '../../../src/config/filters/filter-file.ts';
import type { Match } from '../../../src/core/failure.ts';
import { DAY } from '../../../src/core/time.ts';
import { VERSION } from '../../../src/core/version.ts';
import { createMatcher } from '../../../src/match/matcher.ts';
import { createMetrics } from '../../../src/metrics/metrics.ts';
import { SenderDirectory } from '../../../src/senders/directory.ts';
import { createStreamSource } from '../../../src/sources/stream/stream.ts';
import type { TlsCredentials } from '../../../src/sources/stream/tls-handshakes.ts';

/** `messages` stays 0 for who counts none. */
export type StreamSinkReport = {
  readonly messages: number;
  readonly bytes: number;
  readonly matched: number;
};

type Sink = { readonly port: number; report(): StreamSinkReport };

const HOST = '127.0.0.1';
const MAX_MESSAGE_BYTES = 16_384;

async function receiveBare(): Promise<Sink> {
  let bytes = 0;
  const server = createServer((socket) => {
    socket.on('data', (chunk) => {
      bytes += chunk.length;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { port, report: () => ({ messages: 0, bytes, matched: 0 }) };
}

async function receiveAsDaemon(credentials?: TlsCredentials): Promise<Sink> {
  const filters = join(import.meta.dirname, '../../../etc/filters');
  const matcher = createMatcher(loadFilters([{ path: filters, strict: false }], false).filters);
  const metrics = createMetrics({ version: VERSION });
  const networks = ['127.0.0.0/8'];
  const matches: Match[] = [];
  const totals = { messages: 0, bytes: 0, matched: 0 };
  const source = createStreamSource({
    listen: { host: HOST, port: 0 },
    senders: new SenderDirectory({ networks, udpConfidence: 'full', rate: null, configured: [] }),
    maxMessageBytes: MAX_MESSAGE_BYTES,
    elapsed: () => performance.now(),
    maxConnections: 10,
    maxConnectionsPerSender: 10,
    ...(credentials === undefined ? {} : { credentials }),
    clock: { now: () => Date.now() * 1_000 },
    onState: () => {},
    emit: (event) => metrics.observe(event),
    prefilter: (identifier, message, start, end) => matcher.mayMatch(identifier, message, start, end),
    sink: ({ source: kind, records, skipped = 0, bytes }) => {
      const count = records.length + skipped;
      matches.length = 0;
      for (const record of records) matcher.match(record, matches);
      const matched = matches.length;
      totals.messages += count;
      totals.bytes += bytes;
      totals.matched += matched;
      metrics.observe({ kind: 'records', source: kind, count, bytes, matched });
    },
  });
  await source.start();
  return { port: source.address()?.port ?? 0, report: () => totals };
}

async function receiveOverTls(): Promise<Sink> {
  const now = Date.now() * 1_000;
  const validity = { from: now - DAY, until: now + DAY };
  const authority = await createAuthority('benchmark', validity);
  const server = await issue(authority, {
    purpose: 'server',
    name: 'localhost',
    hostNames: ['localhost'],
    addresses: [HOST],
    validity,
  });
  return receiveAsDaemon({ ...server, clientCa: null, requiresClientCertificate: false, revoked: null });
}

const RECEIVERS: Readonly<Record<string, () => Promise<Sink>>> = {
  bare: receiveBare,
  bailiff: () => receiveAsDaemon(),
  tls: receiveOverTls,
};

const sink = await RECEIVERS[process.argv[2] ?? '']?.();
if (sink === undefined) throw new Error(`what to do: ${Object.keys(RECEIVERS).join(', ')}`);
process.stdout.write(`${sink.port}\n`);
for await (const _ of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(sink.report())}\n`);
}
process.exit(0);
