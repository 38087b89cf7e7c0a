/**
 * Every metric: its name, what it says, its labels, and the event or level that drives it. The registry, the table in
 * docs/metrics.md and the tests are made from this one list, which takes in process-metrics.ts.
 *
 * Names follow https://prometheus.io/docs/practices/naming/: base units, `_total` for counters. Label values are
 * words of this program or names from the configuration, never an address, a user or text of a log. Counters begin at
 * zero with the process; Prometheus's rate() and increase() allow for that. The totals of `bailiff status` go on
 * across restarts instead, since they are part of the state.
 */
import { familyOf } from '../core/address.ts';
import type { Cause } from '../core/decision.ts';
import type { ComponentHealth, EventKind, EventOf, LimitName, RejectReason } from '../core/event.ts';
import type { RuleKind } from '../core/failure.ts';
import type { SourceKind } from '../core/record.ts';
import { type Microseconds, SECOND } from '../core/time.ts';
import {
  type DeclaredJail,
  each,
  type LabelName,
  type MetricEntry,
  on,
  product,
  words,
  wordsOf,
} from './entry.ts';
import { PROCESS_METRICS } from './process-metrics.ts';

/** From the fastest way that was measured to a daemon that works off a backlog. */
const KERNEL_BUCKETS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** One element takes 0.1 ms, a transaction of 1,000 takes 6 ms. */
const TRANSACTION_BUCKETS = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];
/** An fsync takes 0.1 ms on flash and 10 ms on a disk that turns. */
const COMMIT_BUCKETS = [0.0002, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

/** Those that the daemon reads as it is shipped. */
const SOURCES = words<SourceKind>('journal', 'udp', 'tcp');
const REASONS = wordsOf<RejectReason>({ 'unknown-sender': 1, malformed: 1, empty: 1, untrusted: 1 });
const HEALTHS = wordsOf<ComponentHealth>({ up: 1, degraded: 1, down: 1, off: 1 });
const LIMITS = wordsOf<LimitName>({
  offenders: 1,
  bans: 1,
  connections: 1,
  'connections-per-sender': 1,
  'idle-time': 1,
  'message-length': 1,
  sessions: 1,
  backlog: 1,
  'firewall-queue': 1,
  'event-listeners': 1,
});
const RULE_KINDS = wordsOf<RuleKind>({ failure: 1, success: 1, ignore: 1, note: 1 });
const RELOAD_RESULTS = wordsOf<EventOf<'reload'>['result']>({ applied: 1, refused: 1 });
const IGNORE_REASONS = wordsOf<EventOf<'ignored'>['reason']>({ ignore: 1, protected: 1, unbannable: 1 });
const FAMILIES = ['ipv4', 'ipv6'] as const;

/** In the order of the page: how it is, what comes in, what comes of it, what the kernel does, how the parts do. */
export const CATALOGUE: readonly MetricEntry[] = [
  {
    name: 'bailiff_ready',
    type: 'gauge',
    help: 'Whether the daemon has started completely and is not stopping.',
    labels: [],
    events: [on('ready', (_event, set) => set(1)), on('stopping', (_event, set) => set(0))],
  },
  {
    name: 'bailiff_component_up',
    type: 'gauge',
    help: 'Whether a part works, wholly or with a limitation (1), or is down or switched off (0).',
    labels: ['component'],
    events: [
      on('component', ({ component, health }, set) => {
        set(health === 'up' || health === 'degraded' ? 1 : 0, component);
      }),
    ],
  },
  {
    name: 'bailiff_component_health',
    type: 'gauge',
    help: 'How a part is: 1 for the health that it is in, 0 for the others.',
    labels: ['component', 'health'],
    events: [
      on('component', ({ component, health }, set) => {
        for (const each of HEALTHS) set(each === health ? 1 : 0, component, each);
      }),
    ],
  },
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
    name: 'bailiff_connections_total',
    type: 'counter',
    help: 'Connections of senders that were accepted.',
    labels: ['source'],
    events: [on('connection', ({ change, source }, add) => add(change === 'opened' ? 1 : 0, source))],
    zeros: () => each(words<SourceKind>('tcp')),
  },
  {
    name: 'bailiff_open_connections',
    type: 'gauge',
    help: 'Connections of senders that are open.',
    labels: ['source'],
    events: [on('connection', (event, set) => set(event.open, event.source))],
    zeros: () => each(words<SourceKind>('tcp')),
  },
  {
    name: 'bailiff_matches_total',
    type: 'counter',
    help: 'Rule hits, by what the rule says about the record.',
    labels: ['filter', 'kind'],
    events: [on('matched', (event, add) => add(1, event.filter, event.ruleKind))],
    zeros: (jails) =>
      product(
        jails.flatMap((jail) => jail.filters),
        RULE_KINDS,
      ),
  },
  {
    name: 'bailiff_failures_total',
    type: 'counter',
    help: 'Failures that were counted.',
    labels: ['jail', 'filter'],
    events: [on('failure', (event, add) => add(1, event.jail, event.filter))],
    zeros: (jails) => jails.flatMap(({ jail, filters }) => filters.map((filter) => [jail, filter])),
  },
  {
    name: 'bailiff_ignored_failures_total',
    type: 'counter',
    help: 'Failures of addresses that are never counted: on an ignore list, protected (trusted, or own), or no far host.',
    labels: ['jail', 'reason'],
    events: [on('ignored', (event, add) => add(1, event.jail, event.reason))],
    zeros: (jails) => product(namesOf(jails), IGNORE_REASONS),
  },
  {
    name: 'bailiff_bans_total',
    type: 'counter',
    help: 'Bans that began, by what began them.',
    labels: ['jail', 'cause'],
    events: [on('ban', ({ ban }, add) => add(1, ban.jail, ban.cause))],
    zeros: (jails) => product(namesOf(jails), words<Cause>('offence', 'operator')),
  },
  {
    name: 'bailiff_ban_extensions_total',
    type: 'counter',
    help: 'Bans in force that were made longer.',
    labels: ['jail'],
    events: [on('extend', ({ ban }, add) => add(1, ban.jail))],
    zeros: (jails) => each(namesOf(jails)),
  },
  {
    name: 'bailiff_unbans_total',
    type: 'counter',
    help: 'Bans that ended, by what ended them.',
    labels: ['jail', 'cause'],
    events: [on('unban', ({ ban, cause }, add) => add(1, ban.jail, cause))],
    zeros: (jails) => product(namesOf(jails), words<Cause>('expiry', 'operator')),
  },
  {
    name: 'bailiff_forgiven_offenders_total',
    type: 'counter',
    help: 'Offenders whose failures were dropped on the word of an operator.',
    labels: ['jail'],
    events: [on('forgive', (event, add) => add(1, event.jail))],
    zeros: (jails) => each(namesOf(jails)),
  },
  {
    name: 'bailiff_active_bans',
    type: 'gauge',
    help: 'Bans in force.',
    labels: ['jail', 'family'],
    ledger: ({ jails, bans }, add) => {
      for (const { jail } of jails) for (const family of FAMILIES) add(0, jail, family);
      for (const ban of bans) add(1, ban.jail, familyOf(ban.offender) === 4 ? 'ipv4' : 'ipv6');
    },
  },
  {
    name: 'bailiff_tracked_offenders',
    type: 'gauge',
    help: 'Offenders with failures within find_time.',
    labels: ['jail'],
    ledger: ({ jails }, add) => {
      for (const { jail, offenders } of jails) add(offenders, jail);
    },
  },
  {
    name: 'bailiff_tracked_failures',
    type: 'gauge',
    help: 'Failures within find_time that have not led to a ban yet.',
    labels: ['jail'],
    ledger: ({ jails }, add) => {
      for (const { jail, failures } of jails) add(failures, jail);
    },
  },
  {
    name: 'bailiff_arrival_to_kernel_seconds',
    type: 'histogram',
    help: 'From the arrival of the record that made an offence to the word of the kernel that it holds the ban.',
    labels: [],
    buckets: KERNEL_BUCKETS,
    events: [on('enforced', (event, observe) => observe(secondsOf(event.arrivalToKernel)))],
  },
  {
    name: 'bailiff_dropped_packets_total',
    type: 'counter',
    help: 'Packets that the kernel dropped because of a ban or a list.',
    labels: ['set'],
    events: [on('dropped', (event, add) => add(event.packets, event.set))],
  },
  {
    name: 'bailiff_dropped_bytes_total',
    type: 'counter',
    help: 'Bytes of the packets that the kernel dropped because of a ban or a list.',
    labels: ['set'],
    events: [on('dropped', (event, add) => add(event.bytes, event.set))],
  },
  {
    name: 'bailiff_firewall_transaction_seconds',
    type: 'histogram',
    help: 'How long the kernel took for a transaction that it accepted.',
    labels: [],
    buckets: TRANSACTION_BUCKETS,
    events: [on('firewall-transaction', (event, observe) => observe(secondsOf(event.duration)))],
  },
  {
    name: 'bailiff_firewall_elements_total',
    type: 'counter',
    help: 'Elements of sets that accepted transactions have put in or taken out.',
    labels: [],
    events: [on('firewall-transaction', (event, add) => add(event.elements))],
  },
  {
    name: 'bailiff_firewall_errors_total',
    type: 'counter',
    help: 'Transactions that the kernel refused, or that could not be tried.',
    labels: [],
    events: [on('firewall-error', (_event, add) => add(1))],
  },
  {
    name: 'bailiff_firewall_failed_elements_total',
    type: 'counter',
    help: 'Elements of sets in transactions that failed.',
    labels: [],
    events: [on('firewall-error', (event, add) => add(event.elements))],
  },
  {
    name: 'bailiff_firewall_repairs_total',
    type: 'counter',
    help: 'How often the kernel did not hold what the ledger does, and was repaired.',
    labels: [],
    events: [on('firewall-drift', (_event, add) => add(1))],
  },
  {
    name: 'bailiff_firewall_repaired_elements_total',
    type: 'counter',
    help: 'Elements that were missing in the kernel, too many, or had a wrong timeout.',
    labels: ['difference'],
    events: [
      on('firewall-drift', ({ missing, surplus, wrongTimeout }, add) => {
        add(missing, 'missing');
        add(surplus, 'surplus');
        add(wrongTimeout, 'timeout');
      }),
    ],
    zeros: () => each(['missing', 'surplus', 'timeout']),
  },
  {
    name: 'bailiff_firewall_table_losses_total',
    type: 'counter',
    help: 'How often another program had removed the whole table.',
    labels: [],
    events: [on('firewall-drift', (event, add) => add(event.tableLost ? 1 : 0))],
  },
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
  ...PROCESS_METRICS,
];

/** The registry's own metrics, which nothing outside of it drives. */
export const LABEL_OVERFLOWS: MetricEntry = {
  name: 'bailiff_label_overflows_total',
  type: 'counter',
  help: 'Values counted under "other", because the label has too many values or the name is none.',
  labels: ['label'],
  zeros: () => each(words<LabelName>('jail', 'filter', 'set')),
};
export const UNUSABLE_VALUES: MetricEntry = {
  name: 'bailiff_unusable_values_total',
  type: 'counter',
  help: 'Values that no metric can hold, such as a negative count: a bug, please report it.',
  labels: [],
};

/** Why an event has no metric; every other kind is in the catalogue. */
export const KINDS_WITHOUT_METRIC: Readonly<Partial<Record<EventKind, string>>> = {
  started: 'bailiff_build_info and process_start_time_seconds tell it from the beginning',
};

/** A clock that was set back makes no negative length of time. */
function secondsOf(duration: Microseconds): number {
  return Math.max(0, duration) / SECOND;
}

function namesOf(jails: readonly DeclaredJail[]): string[] {
  return jails.map(({ jail }) => jail);
}
