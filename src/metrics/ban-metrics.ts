/** What comes of the matches: failures, bans, and how soon the kernel holds those. */
import { familyOf } from '../core/address/address.ts';
import type { EventOf } from '../core/event.ts';
import type { Cause } from '../core/ledger/decision.ts';
import { each, type MetricEntry, namesOf, on, product, secondsOf, words, wordsOf } from './entry.ts';

/** From the fastest way that was measured to a daemon that works off a backlog. */
const KERNEL_BUCKETS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const IGNORE_REASONS = wordsOf<EventOf<'ignored'>['reason']>({
  ignore: 1,
  protected: 1,
  unbannable: 1,
  'sender-jails': 1,
  repeat: 1,
  old: 1,
});
const FAMILIES = ['ipv4', 'ipv6'] as const;

export const BAN_METRICS: readonly MetricEntry[] = [
  {
    name: 'bailiff_failures_total',
    type: 'counter',
    help: 'Failures that were counted.',
    labels: ['jail', 'filter'],
    events: [on('failure', (event, add) => add(event.weight, event.jail, event.filter))],
    zeros: (jails) => jails.flatMap(({ jail, filters }) => filters.map((filter) => [jail, filter])),
  },
  {
    name: 'bailiff_offences_total',
    type: 'counter',
    help: 'Failures that began a ban, or made one longer, by the filter that found the last of them.',
    labels: ['jail', 'filter'],
    events: [on('failure', (event, add) => add(event.isOffence ? 1 : 0, event.jail, event.filter))],
    zeros: (jails) => jails.flatMap(({ jail, filters }) => filters.map((filter) => [jail, filter])),
  },
  {
    name: 'bailiff_ignored_failures_total',
    type: 'counter',
    help: 'Failures that were not counted: of ignored or protected addresses, of no far host, not from this sender.',
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
];
