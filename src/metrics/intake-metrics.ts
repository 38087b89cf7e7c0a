/** What comes in: records, and the connections that bring them. */
import type { HandshakeFailureReason, RejectReason } from '../core/event.ts';
import type { SourceKind } from '../core/record.ts';
import { each, type MetricEntry, on, product, secondsOf, words, wordsOf } from './entry.ts';

/** Those that the daemon reads as it is shipped. */
const SOURCES = words<SourceKind>('journal', 'udp', 'tcp', 'tls');
const REASONS = wordsOf<RejectReason>({
  'unknown-sender': 1,
  'wrong-transport': 1,
  malformed: 1,
  empty: 1,
  'broken-line': 1,
  untrusted: 1,
});
const HANDSHAKE_FAILURES = wordsOf<HandshakeFailureReason>({
  'not-tls': 1,
  'protocol-version': 1,
  'no-shared-cipher': 1,
  'no-certificate': 1,
  'unknown-authority': 1,
  'self-signed': 1,
  expired: 1,
  'not-yet-valid': 1,
  revoked: 1,
  'wrong-purpose': 1,
  'refused-by-client': 1,
  timeout: 1,
  closed: 1,
  other: 1,
});

export const INTAKE_METRICS: readonly MetricEntry[] = [
  {
    name: 'bailiff_records_total',
    type: 'counter',
    help: 'Log records that came in and could be read.',
    labels: ['source'],
    events: [on('records', (event, add) => add(event.count, event.source))],
    zeros: () => each(SOURCES),
  },
  {
    name: 'bailiff_record_bytes_total',
    type: 'counter',
    help: 'Bytes of log records as they came in.',
    labels: ['source'],
    events: [on('records', (event, add) => add(event.bytes, event.source))],
    zeros: () => each(SOURCES),
  },
  {
    name: 'bailiff_matched_records_total',
    type: 'counter',
    help: 'Log records that a rule hit, whatever the rule says of them.',
    labels: ['source'],
    events: [on('records', (event, add) => add(event.matched, event.source))],
    zeros: () => each(SOURCES),
  },
  {
    name: 'bailiff_records_rejected_total',
    type: 'counter',
    help: 'Records that could not be used.',
    labels: ['source', 'reason'],
    events: [on('rejected', (event, add) => add(event.count, event.source, event.reason))],
    zeros: () => product(SOURCES, REASONS),
  },
  {
    name: 'bailiff_kernel_lost_datagrams_total',
    type: 'counter',
    help: 'Datagrams that the kernel dropped because the receive buffer of our socket was full.',
    labels: ['source'],
    events: [on('kernel-loss', (event, add) => add(event.count, event.source))],
    zeros: () => each(words<SourceKind>('udp')),
  },
  {
    name: 'bailiff_suppressed_messages_total',
    type: 'counter',
    help: 'Messages that journald or a relay says it has dropped for coming too fast, before they came here.',
    labels: ['source'],
    events: [on('suppressed', (event, add) => add(event.count, event.source))],
    zeros: () => each(SOURCES),
  },
  {
    name: 'bailiff_connections_total',
    type: 'counter',
    help: 'Connections of senders that were accepted.',
    labels: ['source'],
    events: [on('connection', ({ change, source }, add) => add(change === 'opened' ? 1 : 0, source))],
    zeros: () => each(words<SourceKind>('tcp', 'tls')),
  },
  {
    name: 'bailiff_open_connections',
    type: 'gauge',
    help: 'Connections of senders that are open.',
    labels: ['source'],
    events: [on('connection', (event, set) => set(event.open, event.source))],
    zeros: () => each(words<SourceKind>('tcp', 'tls')),
  },
  {
    name: 'bailiff_handshake_failures_total',
    type: 'counter',
    help: 'TLS handshakes of senders that came to nothing.',
    labels: ['reason'],
    events: [on('handshake-failed', (event, add) => add(event.count, event.reason))],
    zeros: () => each(HANDSHAKE_FAILURES),
  },
  {
    name: 'bailiff_certificate_expiry_timestamp_seconds',
    type: 'gauge',
    help: 'When the certificate of the TLS listeners, the first authority of their clients, or that of this page ends.',
    labels: ['certificate'],
    events: [
      on('certificate', ({ until, certificate }, set) => {
        set(until === null ? null : secondsOf(until), certificate);
      }),
    ],
  },
];
