/** The catalogue as a table for people: docs/metrics.md. */
import {
  CATALOGUE,
  KINDS_WITHOUT_METRIC,
  LABEL_OVERFLOWS,
  UNUSABLE_VALUES,
} from '../../src/metrics/catalogue.ts';
import type { MetricEntry } from '../../src/metrics/entry.ts';
import { FAIL2BAN_METRICS } from '../../src/metrics/fail2ban-metrics.ts';
import { MAX_LABEL_VALUES, OTHER } from '../../src/metrics/series.ts';

const TABLE_HEAD = ['| metric | type | labels | says | driven by |', '| --- | --- | --- | --- | --- |'];

/** The whole of docs/metrics.md, in Markdown. */
export function formatCatalogue(): string {
  const rows = [...CATALOGUE, LABEL_OVERFLOWS, UNUSABLE_VALUES].map(formatRow);
  const without = Object.entries(KINDS_WITHOUT_METRIC).map(([kind, reason]) => `- \`${kind}\`: ${reason}.`);
  return `${[
    '# Metrics',
    '',
    'Made from src/metrics/, as a test checks; change the catalogue there, not this file.',
    '',
    'Counters begin at zero with the process. The totals of `bailiff status` are part of the state and go on.',
    `No label ever holds an address, a user or text of a log. A label takes ${MAX_LABEL_VALUES} values; further ones`,
    `count as \`${OTHER}\` and in \`${LABEL_OVERFLOWS.name}\`.`,
    '',
    ...TABLE_HEAD,
    ...rows,
    '',
    'Events without a metric:',
    '',
    ...without,
    '',
    "## fail2ban's names",
    '',
    'With `fail2ban_names = true` in `[metrics]` the page also shows the jails as fail2ban-prometheus-exporter does, so',
    'that dashboards made for it go on working. The totals here do go on across restarts.',
    '',
    ...TABLE_HEAD,
    ...FAIL2BAN_METRICS.map(formatRow),
  ].join('\n')}\n`;
}

function formatRow(entry: MetricEntry): string {
  const labels = entry.labels.map((label) => `\`${label}\``).join(', ');
  return `| \`${entry.name}\` | ${entry.type} | ${labels} | ${entry.help} | ${describeDriver(entry)} |`;
}

function describeDriver(entry: MetricEntry): string {
  if (entry.events !== undefined) return entry.events.map(({ kind }) => `event \`${kind}\``).join(', ');
  if (entry.ledger !== undefined) return 'the ledger, for each page';
  if (entry.senders !== undefined) return 'the senders, for each page';
  return entry.process === undefined ? 'the registry itself' : 'the process, for each page';
}
