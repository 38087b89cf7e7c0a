/** Who sends what: one series for each sender with a name in the configuration, and `other` for all the rest. */
import type { SenderChange } from '../core/event.ts';
import { SECOND } from '../core/time.ts';
import type { SenderTransport } from '../senders/directory.ts';
import type { Dialect } from '../syslog/header.ts';
import { type MetricEntry, on, product, words, wordsOf } from './entry.ts';
import { OTHER } from './series.ts';

const CHANGES = wordsOf<SenderChange>({
  silent: 1,
  returned: 1,
  storm: 1,
  old: 1,
  current: 1,
  calm: 1,
  dialect: 1,
  unseparated: 1,
});

const TRANSPORTS = words<SenderTransport>('udp', 'tcp', 'tls');
const DIALECTS = wordsOf<Dialect>({
  rfc5424: 1,
  rfc3164: 1,
  'iso-time': 1,
  'no-hostname': 1,
  'no-time': 1,
  'no-tag': 1,
  'no-pri': 1,
  cisco: 1,
  routeros: 1,
  unifi: 1,
  cef: 1,
  leef: 1,
  raw: 1,
});

/** An address is never a label: whoever sends from many would make as many series. */
function labelOf({ name }: { readonly name: string }): string {
  return name === '' ? OTHER : name;
}

function named(senders: readonly string[]): string[][] {
  return [...senders, OTHER].map((sender) => [sender]);
}

export const SENDER_METRICS: readonly MetricEntry[] = [
  {
    name: 'bailiff_sender_records_total',
    type: 'counter',
    help: 'Syslog records of a sender, "other" for those without a name in the configuration.',
    labels: ['sender'],
    events: [on('sender-activity', (event, add) => add(event.records, labelOf(event)))],
    senderZeros: named,
  },
  {
    name: 'bailiff_sender_bytes_total',
    type: 'counter',
    help: 'Bytes of the records of a sender as they came in.',
    labels: ['sender'],
    events: [on('sender-activity', (event, add) => add(event.bytes, labelOf(event)))],
    senderZeros: named,
  },
  {
    name: 'bailiff_sender_limited_messages_total',
    type: 'counter',
    help: 'Messages of a sender that were dropped unread because they were beyond its rate.',
    labels: ['sender'],
    events: [on('sender-activity', (event, add) => add(event.limited, labelOf(event)))],
    senderZeros: named,
  },
  {
    name: 'bailiff_sender_changes_total',
    type: 'counter',
    help: 'How often a sender began to do otherwise than usual, or as usual again.',
    labels: ['sender', 'change'],
    events: [on('sender-change', (event, add) => add(1, labelOf(event), event.change))],
    senderZeros: (senders) => product([...senders, OTHER], CHANGES),
  },
  {
    name: 'bailiff_dialect_records_total',
    type: 'counter',
    help: 'Syslog records by the form that they were recognised by; "raw" is none.',
    labels: ['source', 'dialect'],
    events: [
      on('sender-activity', ({ source, dialects }, add) => {
        for (const { dialect, count } of dialects) add(count, source, dialect);
      }),
    ],
    zeros: () => product(TRANSPORTS, DIALECTS),
  },
  {
    name: 'bailiff_sender_silent',
    type: 'gauge',
    help: 'Whether a sender says nothing for longer than usual, or than it may.',
    labels: ['sender'],
    senders: (levels, set) => {
      for (const { sender, isSilent } of levels) set(isSilent ? 1 : 0, sender);
    },
  },
  {
    name: 'bailiff_sender_last_record_timestamp_seconds',
    type: 'gauge',
    help: 'When the last record of a sender came, in Unix time; absent until one has come.',
    labels: ['sender'],
    senders: (levels, set) => {
      for (const { sender, lastSeenAt } of levels) if (lastSeenAt !== null) set(lastSeenAt / SECOND, sender);
    },
  },
  {
    name: 'bailiff_sender_clock_skew_seconds',
    type: 'gauge',
    help: 'How far the clock of a sender is ahead of ours, negative behind, in its latest record that tells a time.',
    labels: ['sender'],
    least: Number.NEGATIVE_INFINITY,
    senders: (levels, set) => {
      for (const { sender, clockSkew } of levels) if (clockSkew !== null) set(clockSkew / SECOND, sender);
    },
  },
];
