/** What the kernel does: packets dropped, transactions, and repairs of what others have changed. */
import { each, type MetricEntry, on, secondsOf } from './entry.ts';

/** The sets that every table has; further ones come with the first ban of their prefix length. */
const SETS = ['ban4', 'ban6_64', 'ban4_port', 'ban6_64_port'];

/** One element takes 0.1 ms, a transaction of 1,000 takes 6 ms. */
const TRANSACTION_BUCKETS = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];

export const FIREWALL_METRICS: readonly MetricEntry[] = [
  {
    name: 'bailiff_dropped_packets_total',
    type: 'counter',
    help: 'Packets that the kernel dropped because of a ban or a list.',
    labels: ['set'],
    events: [on('dropped', (event, add) => add(event.packets, event.set))],
    zeros: () => each(SETS),
  },
  {
    name: 'bailiff_dropped_bytes_total',
    type: 'counter',
    help: 'Bytes of the packets that the kernel dropped because of a ban or a list.',
    labels: ['set'],
    events: [on('dropped', (event, add) => add(event.bytes, event.set))],
    zeros: () => each(SETS),
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
];
