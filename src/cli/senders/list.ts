/** Senders as people read them: who sends what, who was refused, and what the kernel lost. */
import { printable } from '../../core/text/printable.ts';
import { formatDuration, MILLISECOND, type Microseconds, SECOND } from '../../core/time.ts';
import type { LossReport, RefusedPeerReport, SenderReport, SendersReport } from '../../senders/report.ts';
import { type Column, countOf, formatCount, type Row, renderTable } from '../render/table.ts';
import type { Terminal } from '../render/terminal.ts';

const SENDER_COLUMNS: readonly Column[] = [
  { title: 'NAME', align: 'left' },
  { title: 'SENDER', align: 'left' },
  { title: 'OVER', align: 'left' },
  { title: 'DIALECT', align: 'left' },
  { title: 'RECORDS', align: 'right' },
  { title: 'BYTES', align: 'right' },
  { title: 'RATE', align: 'right' },
  { title: 'SEEN', align: 'right' },
  { title: 'CLOCK', align: 'right' },
  { title: 'STATE', align: 'left' },
];

const REFUSED_COLUMNS: readonly Column[] = [
  { title: 'REFUSED', align: 'left' },
  { title: 'OVER', align: 'left' },
  { title: 'COUNT', align: 'right' },
  { title: 'SEEN', align: 'right' },
  { title: 'REASON', align: 'left' },
];

/** Dialects that are named of one sender; the rest are counted. */
const MAX_NAMED_DIALECTS = 2;

/** Refused peers that are listed; the rest are counted. */
const MAX_LISTED_PEERS = 20;

/** Clocks that differ by less are right: many devices send whole seconds. */
const CLOCK_TOLERANCE_SECONDS = 2;

export function renderSenders(report: SendersReport, terminal: Terminal): string {
  const { senders, refused, lost } = report;
  const parts = [
    senders.length === 0
      ? 'nobody has sent anything'
      : renderTable(
          SENDER_COLUMNS,
          senders.map((sender) => senderRow(sender, terminal)),
          terminal,
        ),
    ...(refused.length === 0 ? [] : [renderRefused(refused, terminal)]),
    ...lost.map(describeLoss),
  ];
  return parts.join('\n\n');
}

function senderRow(sender: SenderReport, { style, ...terminal }: Terminal): Row {
  const { name, records, bytes, recordsPerSecond, lastSeen, clockSkewSeconds } = sender;
  const isWrong = Math.abs(clockSkewSeconds ?? 0) >= CLOCK_TOLERANCE_SECONDS;
  const clock = formatSkew(clockSkewSeconds);
  return [
    name === null ? '-' : { text: name, paint: style.bold },
    sender.sender || '-',
    sender.transports.join(' ') || '-',
    describeDialects(sender.dialects),
    formatCount(records),
    formatBytes(bytes),
    `${recordsPerSecond < 10 ? recordsPerSecond.toFixed(1) : formatCount(Math.round(recordsPerSecond))}/s`,
    lastSeen === null ? 'never' : formatAge(lastSeen, terminal.now()),
    isWrong ? { text: clock, paint: style.yellow } : clock,
    sender.state === 'usual' && !sender.isUnseparated
      ? describeState(sender)
      : { text: describeState(sender), paint: sender.state === 'unheard' ? style.dim : style.yellow },
  ];
}

function describeDialects(dialects: SenderReport['dialects']): string {
  const named = dialects.slice(0, MAX_NAMED_DIALECTS).map(({ dialect }) => dialect);
  const rest = dialects.length - named.length;
  return [...named, ...(rest > 0 ? [`+${rest}`] : [])].join(' ') || '-';
}

function describeState({ state, relays, limited, rejected, isUnseparated }: SenderReport): string {
  return [
    state,
    ...(relays.length === 0 ? [] : [`via ${relays.join(', ')}`]),
    ...(limited === 0 ? [] : [`${formatCount(limited)} beyond its rate`]),
    ...(rejected === 0 ? [] : [`${formatCount(rejected)} empty or damaged`]),
    ...(isUnseparated ? ['ends its messages with nothing: have it end each with LF'] : []),
  ].join(', ');
}

function renderRefused(refused: readonly RefusedPeerReport[], terminal: Terminal): string {
  const rows = refused
    .slice(0, MAX_LISTED_PEERS)
    .map(
      ({ address, transports, count, lastSeen, reason }): Row => [
        address,
        transports.join(' '),
        formatCount(count),
        formatAge(lastSeen, terminal.now()),
        reason,
      ],
    );
  const lines = [renderTable(REFUSED_COLUMNS, rows, terminal)];
  if (refused.length > rows.length) lines.push(`and ${countOf(refused.length - rows.length, 'more peer')}`);
  const stranger = refused.find(({ reason }) => reason === 'unknown-sender');
  if (stranger !== undefined)
    lines.push(printable(`one of yours? bailiff senders adopt ${stranger.address} --name NAME`));
  return lines.join('\n');
}

function describeLoss({ listener, count }: LossReport): string {
  return printable(`the kernel dropped ${countOf(count, 'datagram')} for ${listener}: nobody knows whose`);
}

/** `12s` since an RFC 3339 instant, given now in milliseconds. */
function formatAge(instant: string, now: number): string {
  const age = (now - Date.parse(instant)) * MILLISECOND;
  return Number.isNaN(age) ? '-' : formatDuration(roundToSecond(Math.max(0, age)));
}

function roundToSecond(duration: Microseconds): Microseconds {
  return Math.round(duration / SECOND) * SECOND;
}

/** `+3h`, `-12s`, `right` within CLOCK_TOLERANCE_SECONDS. */
function formatSkew(seconds: number | null): string {
  if (seconds === null) return '-';
  if (Math.abs(seconds) < CLOCK_TOLERANCE_SECONDS) return 'right';
  return `${seconds < 0 ? '-' : '+'}${formatDuration(Math.abs(seconds) * SECOND)}`;
}

/** `812 B`, `1.5 MiB`. */
function formatBytes(bytes: number): string {
  const exponent = bytes < 1024 ? 0 : Math.min(4, Math.floor(Math.log2(bytes) / 10));
  const amount = bytes / 1024 ** exponent;
  const unit = ['B', 'KiB', 'MiB', 'GiB', 'TiB'][exponent] ?? 'B';
  return `${exponent === 0 || amount >= 100 ? Math.round(amount) : amount.toFixed(1)} ${unit}`;
}
