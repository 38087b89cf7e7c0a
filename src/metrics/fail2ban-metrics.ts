/**
 * The jails once more, under the names that fail2ban-prometheus-exporter gives them, so that dashboards and alerts made
 * for fail2ban go on working. Off unless the configuration asks for them. The totals are those of `bailiff status`:
 * they go on across restarts.
 */
import { FOREVER, SECOND } from '../core/time.ts';
import type { MetricEntry } from './entry.ts';

/** What fail2ban has for a ban that does not end by itself. */
const PERMANENT = -1;

export const FAIL2BAN_METRICS: readonly MetricEntry[] = [
  {
    name: 'f2b_up',
    type: 'gauge',
    help: 'Always 1: who answers is up.',
    labels: [],
    ledger: (_levels, add) => add(1),
  },
  {
    name: 'f2b_jail_banned_current',
    type: 'gauge',
    help: 'Bans in force.',
    labels: ['jail'],
    ledger: ({ jails }, add) => {
      for (const { jail, bans } of jails) add(bans, jail);
    },
  },
  {
    name: 'f2b_jail_banned_total',
    type: 'counter',
    help: 'Bans since the state directory was made, those that have ended included.',
    labels: ['jail'],
    ledger: ({ jails }, add) => {
      for (const { jail, totalBans } of jails) add(totalBans, jail);
    },
  },
  {
    name: 'f2b_jail_failed_current',
    type: 'gauge',
    help: 'Offenders with failures within find_time: fail2ban counts addresses here, not failures.',
    labels: ['jail'],
    ledger: ({ jails }, add) => {
      for (const { jail, offenders } of jails) add(offenders, jail);
    },
  },
  {
    name: 'f2b_jail_failed_total',
    type: 'counter',
    help: 'Failures since the state directory was made.',
    labels: ['jail'],
    ledger: ({ jails }, add) => {
      for (const { jail, totalFailures } of jails) add(totalFailures, jail);
    },
  },
  {
    name: 'f2b_config_jail_ban_time',
    type: 'gauge',
    help: 'How long a ban lasts, in seconds; -1 for one that does not end by itself.',
    labels: ['jail'],
    least: PERMANENT,
    ledger: ({ jails }, add) => {
      for (const { jail, banTime } of jails) add(banTime >= FOREVER ? PERMANENT : banTime / SECOND, jail);
    },
  },
  {
    name: 'f2b_config_jail_find_time',
    type: 'gauge',
    help: 'Within how many seconds failures count together.',
    labels: ['jail'],
    ledger: ({ jails }, add) => {
      for (const { jail, findTime } of jails) add(findTime / SECOND, jail);
    },
  },
  {
    name: 'f2b_config_jail_max_retries',
    type: 'gauge',
    help: 'How many failures lead to a ban.',
    labels: ['jail'],
    ledger: ({ jails }, add) => {
      for (const { jail, maxRetry } of jails) add(maxRetry, jail);
    },
  },
];
