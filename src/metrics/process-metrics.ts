/** The metrics of the process itself, under the names that Prometheus's client libraries agree on. */
import type { MetricEntry } from './entry.ts';

export const PROCESS_METRICS: readonly MetricEntry[] = [
  {
    name: 'bailiff_build_info',
    type: 'gauge',
    help: 'Always 1; which bailiff this is.',
    labels: ['version'],
    process: (levels, add) => add(1, levels.version),
  },
  {
    name: 'bailiff_event_loop_active_seconds_total',
    type: 'counter',
    help: 'Time that the event loop of the main thread was not waiting.',
    labels: [],
    process: (levels, add) => add(levels.eventLoopActiveSeconds),
  },
  {
    name: 'process_cpu_seconds_total',
    type: 'counter',
    help: 'User and system CPU time of all threads.',
    labels: [],
    process: (levels, add) => add(levels.cpuSeconds),
  },
  {
    name: 'process_start_time_seconds',
    type: 'gauge',
    help: 'When the process started, in Unix time.',
    labels: [],
    process: (levels, add) => add(levels.startedAtSeconds),
  },
  {
    name: 'process_resident_memory_bytes',
    type: 'gauge',
    help: 'Resident memory.',
    labels: [],
    process: (levels, add) => add(levels.residentBytes),
  },
  {
    name: 'process_open_fds',
    type: 'gauge',
    help: 'Open file descriptors; 0 when that is not known.',
    labels: [],
    process: (levels, add) => add(levels.openFiles ?? 0),
  },
  {
    name: 'process_max_fds',
    type: 'gauge',
    help: 'How many file descriptors may be open; 0 when that is not known.',
    labels: [],
    process: (levels, add) => add(levels.maxFiles ?? 0),
  },
  {
    name: 'nodejs_heap_size_used_bytes',
    type: 'gauge',
    help: 'Heap of the main thread that is in use.',
    labels: [],
    process: (levels, add) => add(levels.heapBytes),
  },
  {
    name: 'nodejs_version_info',
    type: 'gauge',
    help: 'Always 1; which Node.js runs the daemon.',
    labels: ['version'],
    process: (levels, add) => add(1, levels.nodeVersion),
  },
];
