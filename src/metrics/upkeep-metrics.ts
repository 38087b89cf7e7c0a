/** How the parts do: the journal, the state on the disk, limits, the configuration. */

import type { EventOf } from '../core/event.ts';
import type { LimitName } from '../core/limit.ts';
import { each, type MetricEntry, on, secondsOf, wordsOf } from './entry.ts';

/** An fsync takes 0.1 ms on flash and 10 ms on a disk that turns. */
const COMMIT_BUCKETS = [0.0002, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];
const LIMITS = wordsOf<LimitName>({
  offenders: 1,
  bans: 1,
  connections: 1,
  'connections-per-sender': 1,
  'sender-rate': 1,
  handshakes: 1,
  'idle-time': 1,
  'message-length': 1,
  sessions: 1,
  'kept-sessions': 1,
  refusals: 1,
  deliveries: 1,
  backlog: 1,
  'firewall-queue': 1,
  senders: 1,
  'http-connections': 1,
  'http-connections-per-peer': 1,
  'pipelined-requests': 1,
  'unread-answers': 1,
  'event-listeners': 1,
});
const RELOAD_RESULTS = wordsOf<EventOf<'reload'>['result']>({ applied: 1, refused: 1 });

export const UPKEEP_METRICS: readonly MetricEntry[] = [
  {
    name: 'bailiff_journal_lag_seconds',
    type: 'gauge',
    help: 'How far reading is behind the end of the journal.',
    labels: [],
    events: [on('journal-lag', (event, set) => set(secondsOf(event.lag)))],
  },
  {
    name: 'bailiff_journal_gaps_total',
    type: 'counter',
    help: 'How often journal entries were gone before they were read.',
    labels: [],
    events: [on('journal-gap', (_event, add) => add(1))],
  },
  {
    name: 'bailiff_state_commit_seconds',
    type: 'histogram',
    help: 'How long it took until changes of the state were on the disk.',
    labels: [],
    buckets: COMMIT_BUCKETS,
    events: [on('state-commit', (event, observe) => observe(secondsOf(event.duration)))],
  },
  {
    name: 'bailiff_state_changes_total',
    type: 'counter',
    help: 'Changes of the state that are on the disk.',
    labels: [],
    events: [on('state-commit', (event, add) => add(event.changes))],
  },
  {
    name: 'bailiff_state_errors_total',
    type: 'counter',
    help: 'How often the state could not be stored, or was found damaged.',
    labels: [],
    events: [on('state-error', (_event, add) => add(1))],
  },
  {
    name: 'bailiff_limit_hits_total',
    type: 'counter',
    help: 'How often a limit had a victim: something was refused, cut or dropped.',
    labels: ['limit'],
    events: [on('limit', (event, add) => add(event.count, event.limit))],
    zeros: () => each(LIMITS),
  },
  {
    name: 'bailiff_reloads_total',
    type: 'counter',
    help: 'Times that the configuration was read again.',
    labels: ['result'],
    events: [on('reload', (event, add) => add(1, event.result))],
    zeros: () => each(RELOAD_RESULTS),
  },
  {
    name: 'bailiff_jails',
    type: 'gauge',
    help: 'Jails that are configured.',
    labels: [],
    ledger: ({ jails }, add) => add(jails.length),
  },
  {
    name: 'bailiff_refused_filters_total',
    type: 'counter',
    help: 'Filters that could not be loaded, each time that the configuration was read.',
    labels: [],
    events: [on('filter-refused', (_event, add) => add(1))],
  },
];
