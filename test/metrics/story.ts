/** One event of every kind, with an attacker's text wherever text can be. */
import type { BailiffEvent, EventKind, EventOf } from '../../src/core/event.ts';
import { FOREVER, HOUR, MINUTE } from '../../src/core/time.ts';
import { raise } from '../../src/core/warning/catalogue.ts';
import { warningOf } from '../../src/core/warning/standing.ts';
import type { LedgerLevels, ProcessLevels } from '../../src/metrics/levels.ts';
import type { SenderLevels } from '../../src/senders/report.ts';

/** Tries to forge a series, to drive a terminal, and to be recognised. */
export const HOSTILE = 'evil"} 1\nbailiff_forged_total 99\u001b[31m\\';

export const ATTACKER = '203.0.113.66';

const ban = {
  jail: 'sshd',
  offender: ATTACKER,
  since: 1_000_000,
  until: 2_000_000,
  cause: 'offence',
  failures: 5,
} as const;
const at = 1_000_000;
const position = { session: 'life', serial: 7 };

const RAISED = raise('sender-silent', { reason: HOSTILE }, HOSTILE);
const WARNING = warningOf(RAISED, 1_000_000);

/** A Record, so that the type checker asks for the event of a new kind. */
export const STORY: { readonly [Kind in EventKind]: EventOf<Kind> } = {
  started: { kind: 'started', version: '1.2.3' },
  ready: { kind: 'ready' },
  stopping: { kind: 'stopping', reason: HOSTILE },
  component: {
    kind: 'component',
    component: 'firewall',
    health: 'degraded',
    detail: HOSTILE,
    warnings: [RAISED],
  },
  warning: { kind: 'warning', raised: RAISED },
  'warning-over': { kind: 'warning-over', code: 'sender-silent', subject: HOSTILE },
  'warning-began': { kind: 'warning-began', warning: WARNING },
  'warning-ended': { kind: 'warning-ended', warning: WARNING },
  'clock-set': { kind: 'clock-set', step: -90_000_000 },
  'part-failed': {
    kind: 'part-failed',
    part: 'metrics',
    message: 'cannot start: it has taken more than 5 s',
    advice: '',
  },
  records: { kind: 'records', source: 'udp', count: 3, bytes: 300, matched: 2 },
  rejected: { kind: 'rejected', source: 'udp', sender: ATTACKER, reason: 'malformed', count: 2 },
  'sender-activity': {
    kind: 'sender-activity',
    source: 'udp',
    sender: ATTACKER,
    name: 'nas1',
    via: '',
    records: 3,
    bytes: 300,
    limited: 2,
    dialects: [{ dialect: 'rfc3164', count: 3 }],
    clockSkew: -1_500_000,
    seenAt: 1_000_000,
  },
  'sender-change': {
    kind: 'sender-change',
    sender: ATTACKER,
    name: 'nas1',
    change: 'silent',
    detail: HOSTILE,
  },
  'kernel-loss': { kind: 'kernel-loss', source: 'udp', listener: '127.0.0.1:5514', count: 7 },
  suppressed: {
    kind: 'suppressed',
    by: 'rsyslog',
    source: 'udp',
    sender: HOSTILE,
    origin: HOSTILE,
    count: 9,
  },
  connection: { kind: 'connection', source: 'tcp', sender: ATTACKER, change: 'opened', open: 4 },
  'handshake-failed': {
    kind: 'handshake-failed',
    source: 'tls',
    sender: ATTACKER,
    reason: 'not-tls',
    detail: HOSTILE,
    advice: HOSTILE,
    count: 2,
  },
  certificate: { kind: 'certificate', certificate: 'syslog-server', until: 1_800_000_000_000_000 },
  matched: { kind: 'matched', filter: 'sshd', rule: 'invalid-user', ruleKind: 'failure', source: 'udp' },
  refused: {
    kind: 'refused',
    reason: 'untrusted',
    filter: 'sshd',
    identifier: HOSTILE,
    from: HOSTILE,
    container: HOSTILE,
    count: 3,
  },
  'filter-activity': {
    kind: 'filter-activity',
    filters: [
      { filter: 'sshd', nearMisses: 2, busyMicroseconds: 1_250.5 },
      { filter: 'dropbear', nearMisses: 0, busyMicroseconds: 12.75 },
    ],
  },
  failure: {
    kind: 'failure',
    jail: 'sshd',
    filter: 'sshd',
    address: ATTACKER,
    offender: ATTACKER,
    user: HOSTILE,
    seenAt: 1_000_000,
    weight: 1,
    count: 1,
    maxRetry: 5,
    isOffence: false,
  },
  ignored: { kind: 'ignored', jail: 'sshd', address: ATTACKER, reason: 'protected' },
  ban: { kind: 'ban', ban, at, position, lacks: [] },
  extend: { kind: 'extend', ban, at, position, lacks: [] },
  unban: { kind: 'unban', ban, cause: 'expiry', at, position, lacks: [] },
  forgive: { kind: 'forgive', jail: 'sshd', offender: ATTACKER },
  enforced: { kind: 'enforced', ban, arrivalToKernel: 3_500 },
  'firewall-transaction': { kind: 'firewall-transaction', elements: 10, duration: 400 },
  'firewall-error': { kind: 'firewall-error', message: HOSTILE, advice: HOSTILE, elements: 6 },
  'firewall-drift': { kind: 'firewall-drift', missing: 3, surplus: 2, wrongTimeout: 1, tableLost: true },
  dropped: { kind: 'dropped', set: 'ban4', packets: 12, bytes: 720 },
  'state-commit': { kind: 'state-commit', changes: 5, duration: 1_200 },
  'state-error': { kind: 'state-error', message: HOSTILE, advice: HOSTILE },
  'journal-gap': { kind: 'journal-gap', detail: HOSTILE },
  'journal-lag': { kind: 'journal-lag', lag: 1_500_000 },
  limit: { kind: 'limit', limit: 'offenders', detail: HOSTILE, count: 8 },
  reload: { kind: 'reload', result: 'refused', problems: [HOSTILE], jails: 1 },
  'filter-refused': { kind: 'filter-refused', filter: HOSTILE, problems: [HOSTILE] },
};

export const STORY_EVENTS: readonly BailiffEvent[] = Object.values(STORY);

/** The ledger after the story, more or less. */
export const LEDGER_LEVELS: LedgerLevels = {
  jails: [
    {
      jail: 'sshd',
      offenders: 2,
      failures: 5,
      bans: 2,
      totalFailures: 70,
      totalBans: 14,
      maxRetry: 5,
      findTime: 10 * MINUTE,
      banTime: FOREVER,
    },
    {
      jail: 'nginx',
      offenders: 0,
      failures: 0,
      bans: 0,
      totalFailures: 0,
      totalBans: 0,
      maxRetry: 3,
      findTime: 1.5 * MINUTE,
      banTime: HOUR,
    },
  ],
  bans: [ban, { ...ban, offender: '2001:db8::/64' }, { ...ban, jail: 'removed' }],
};

/** One that was heard of, and one that was not. */
export const SENDER_LEVELS: readonly SenderLevels[] = [
  { sender: 'nas1', isSilent: false, lastSeenAt: 1_795_000_000_500_000, clockSkew: -1_500_000 },
  { sender: 'router', isSilent: true, lastSeenAt: null, clockSkew: null },
];

export const PROCESS_LEVELS: ProcessLevels = {
  version: '1.2.3',
  cpuSeconds: 1.5,
  startedAtSeconds: 1_795_132_800,
  residentBytes: 64_000_000,
  openFiles: 21,
  maxFiles: 1_024,
  heapBytes: 9_000_000,
  eventLoopActiveSeconds: 0.75,
  nodeVersion: '26.10.0',
};
