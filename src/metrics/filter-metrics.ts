/** What filters find in the records, what they nearly find, and what they cost. */
import type { RefusalReason } from '../core/event.ts';
import type { RuleKind } from '../core/failure.ts';
import { type DeclaredJail, each, type MetricEntry, on, product, secondsOf, wordsOf } from './entry.ts';

const RULE_KINDS = wordsOf<RuleKind>({ failure: 1, success: 1, ignore: 1, note: 1 });

const REFUSAL_REASONS = wordsOf<RefusalReason>({ untrusted: 1, unnamed: 1 });

export const FILTER_METRICS: readonly MetricEntry[] = [
  {
    name: 'bailiff_matches_total',
    type: 'counter',
    help: 'Rule hits, by what the rule says about the record.',
    labels: ['filter', 'kind'],
    events: [on('matched', (event, add) => add(1, event.filter, event.ruleKind))],
    zeros: (jails) => product(filtersOf(jails), RULE_KINDS),
  },
  {
    name: 'bailiff_near_misses_total',
    type: 'counter',
    help: "Records that look like a line of one of the filter's rules, and that no rule of any filter matched.",
    labels: ['filter'],
    events: [
      on('filter-activity', ({ filters }, add) => {
        for (const { filter, nearMisses } of filters) add(nearMisses, filter);
      }),
    ],
    zeros: (jails) => each(filtersOf(jails)),
  },
  {
    name: 'bailiff_refused_entries_total',
    type: 'counter',
    help: 'Journal entries that the filter would read, were their writer believed or their container meant.',
    labels: ['filter', 'reason'],
    events: [on('refused', (event, add) => add(event.count, event.filter, event.reason))],
    zeros: (jails) => product(filtersOf(jails), REFUSAL_REASONS),
  },
  {
    name: 'bailiff_filter_seconds_total',
    type: 'counter',
    help: 'Time spent on the rules of a filter, an estimate: some of the records are timed.',
    labels: ['filter'],
    events: [
      on('filter-activity', ({ filters }, add) => {
        for (const { filter, busyMicroseconds } of filters) add(secondsOf(busyMicroseconds), filter);
      }),
    ],
    zeros: (jails) => each(filtersOf(jails)),
  },
];

function filtersOf(jails: readonly DeclaredJail[]): string[] {
  return jails.flatMap(({ filters }) => filters);
}
