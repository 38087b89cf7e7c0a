/** How the daemon and its parts are. */

import type { ComponentHealth } from '../core/component.ts';
import { codesOfWarnings, kindOfWarning } from '../core/warning/catalogue.ts';
import { type MetricEntry, on, wordsOf } from './entry.ts';

const HEALTHS = wordsOf<ComponentHealth>({ up: 1, degraded: 1, down: 1, off: 1 });

export const COMPONENT_METRICS: readonly MetricEntry[] = [
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
    name: 'bailiff_part_failures_total',
    type: 'counter',
    help: 'How often a part could not start, take a configuration or stop, or not within its time.',
    labels: ['part'],
    events: [on('part-failed', ({ part }, add) => add(1, part))],
  },
  {
    name: 'bailiff_warning',
    type: 'gauge',
    help: 'What is wrong: 1 for each kind of warning that stands, 0 for the others. See docs/warnings.md.',
    labels: ['code', 'severity'],
    warnings: (standing, write) => {
      const codes = new Set(standing.map(({ code }) => code));
      for (const code of codesOfWarnings())
        write(codes.has(code) ? 1 : 0, code, kindOfWarning(code).severity);
    },
  },
  {
    name: 'bailiff_clock_set_total',
    type: 'counter',
    help: "How often the machine's clock was set forward or back.",
    labels: [],
    events: [on('clock-set', (_event, add) => add(1))],
  },
];
