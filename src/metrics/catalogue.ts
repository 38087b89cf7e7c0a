/**
 * Every metric: its name, what it says, its labels, and the event or level that drives it. The registry, the table in
 * docs/metrics.md and the tests are made from this one list, which the *-metrics.ts files beside it make up by theme.
 *
 * Names follow https://prometheus.io/docs/practices/naming/: base units, `_total` for counters. Label values are
 * words of this program or names from the configuration, never an address, a user or text of a log. Counters begin at
 * zero with the process; Prometheus's rate() and increase() allow for that. The totals of `bailiff status` go on
 * across restarts instead, since they are part of the state.
 */
import type { EventKind } from '../core/event.ts';
import { BAN_METRICS } from './ban-metrics.ts';
import { COMPONENT_METRICS } from './component-metrics.ts';
import { each, type LabelName, type MetricEntry, words } from './entry.ts';
import { FILTER_METRICS } from './filter-metrics.ts';
import { FIREWALL_METRICS } from './firewall-metrics.ts';
import { INTAKE_METRICS } from './intake-metrics.ts';
import { PROCESS_METRICS } from './process-metrics.ts';
import { SENDER_METRICS } from './sender-metrics.ts';
import { UPKEEP_METRICS } from './upkeep-metrics.ts';

/** In the order of the page: how it is, what comes in and is found in it, what comes of that, how the parts do. */
export const CATALOGUE: readonly MetricEntry[] = [
  ...COMPONENT_METRICS,
  ...INTAKE_METRICS,
  ...SENDER_METRICS,
  ...FILTER_METRICS,
  ...BAN_METRICS,
  ...FIREWALL_METRICS,
  ...UPKEEP_METRICS,
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
  warning: 'bailiff_warning says what stands',
  'warning-over': 'bailiff_warning says what stands',
  'warning-began': 'bailiff_warning says what stands',
  'warning-ended': 'bailiff_warning says what stands',
};
