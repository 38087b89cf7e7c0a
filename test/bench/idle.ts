/** What the daemon costs while nothing happens: as it is shipped, on a machine whose journal is quiet. */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { openBed } from '../bed/namespace.ts';
import { requirements } from '../bed/requirements.ts';
import { Daemon } from '../bed/services/daemon.ts';
import { Journald } from '../bed/services/journald.ts';
import type { Benchmark, Outcome, Row } from './benchmark.ts';
import { readMemory, readProcessTicks, readThreadTimes, type ThreadTime } from './measure/processor-time.ts';
import { sum } from './measure/statistics.ts';

/** After its start the daemon looks at the journal more often for a while, and V8 tidies up. */
const SETTLE_MILLISECONDS = 8_000;
const MEASURE_MILLISECONDS = 30_000;
const TICK_NANOSECONDS = 10_000_000;
const CONFIGURATION = new URL('../../etc/bailiff.toml', import.meta.url);

export const idle: Benchmark = {
  name: 'idle',
  measures: `processor and memory with a quiet journal, as shipped, over ${MEASURE_MILLISECONDS / 1_000} s`,
  missing: () => requirements('namespaces', 'journald'),
  run: measure,
};

async function measure(): Promise<Outcome> {
  await using bed = await openBed();
  await Journald.start(bed);
  const daemon = await Daemon.start(bed, { configuration: readFileSync(CONFIGURATION, 'utf8') });
  await pause(SETTLE_MILLISECONDS);
  const ticksBefore = readProcessTicks(daemon.pid);
  const before = readThreadTimes(daemon.pid);
  const startedAt = performance.now();
  await pause(MEASURE_MILLISECONDS);
  const after = readThreadTimes(daemon.pid);
  const ticks = readProcessTicks(daemon.pid) - ticksBefore;
  const seconds = (performance.now() - startedAt) / 1_000;
  const threads = groupThreads(before, after);
  const total = usageRow('all threads', threads, seconds, '< 0.3 %');
  const rows = [...threads]
    .sort((left, right) => right.nanoseconds - left.nanoseconds)
    .map((thread) => usageRow(`  ${thread.name}`, [thread], seconds, ''));
  return {
    tables: [
      { columns: ['% of a core', 'sleeps/s', 'target'], rows: [total, ...rows] },
      { columns: ['MB'], rows: memoryRows(daemon.pid) },
    ],
    notes: [
      `utime and stime of the process: ${((ticks * TICK_NANOSECONDS) / seconds / 1e7).toFixed(2)} % of a core.`,
    ],
  };
}

type Usage = { readonly name: string; readonly nanoseconds: number; readonly sleeps: number };

/** The growth of each thread; threads of one name, such as those of a pool, are one. */
function groupThreads(before: readonly ThreadTime[], after: readonly ThreadTime[]): Usage[] {
  const groups = new Map<string, Usage[]>();
  for (const thread of after) {
    const earlier = before.find(({ id }) => id === thread.id);
    const nanoseconds = thread.nanoseconds - (earlier?.nanoseconds ?? 0);
    const sleeps = thread.sleeps - (earlier?.sleeps ?? 0);
    groups.set(thread.name, [...(groups.get(thread.name) ?? []), { name: thread.name, nanoseconds, sleeps }]);
  }
  return [...groups].map(([name, members]) => ({
    name: members.length === 1 ? name : `${name} (${members.length})`,
    nanoseconds: sum(members.map((member) => member.nanoseconds)),
    sleeps: sum(members.map((member) => member.sleeps)),
  }));
}

function usageRow(label: string, threads: readonly Usage[], seconds: number, target: string): Row {
  const nanoseconds = sum(threads.map((thread) => thread.nanoseconds));
  const sleeps = sum(threads.map((thread) => thread.sleeps));
  return { label, cells: [nanoseconds / seconds / 1e7, sleeps / seconds, target] };
}

function memoryRows(pid: number): Row[] {
  const megabytes = (line: string): number => Math.round(readMemory(pid, line) / 1_024);
  return [
    { label: 'resident', cells: [megabytes('VmRSS')] },
    { label: '  of its own', cells: [megabytes('RssAnon')] },
    { label: '  mapped files', cells: [megabytes('RssFile')] },
    { label: 'peak', cells: [megabytes('VmHWM')] },
  ];
}
