/**
 * From the bytes of a file to matches, on one core, with few filters and with all that are shipped: what a line costs,
 * and whether that grows with the filters installed. Then other programs, on the same file.
 */
import { join } from 'node:path';
import { loadFilters } from '../../src/config/filters/filter-file.ts';
import type { Match } from '../../src/core/failure.ts';
import type { LogRecord } from '../../src/core/record.ts';
import type { Filter } from '../../src/match/filter.ts';
import { createMatcher, type Matcher } from '../../src/match/matcher.ts';
import { Framer } from '../../src/syslog/framing.ts';
import { type Origin, SyslogParser } from '../../src/syslog/parse.ts';
import type { Benchmark, Outcome, Row, Table } from './benchmark.ts';
import { MIXED_LOG_LINES, readChunks, withMixedLogFile } from './logs/log-file.ts';
import { SHARES } from './logs/mixed-log.ts';
import { measurePeers } from './measure/peers.ts';
import { median } from './measure/statistics.ts';

const FILTERS = join(import.meta.dirname, '../../etc/filters');
const MAX_MESSAGE_BYTES = 8 * 1_024;
const WARM_UP_ROUNDS = 1;
const ROUNDS = 5;
const TARGET_LINES_PER_SECOND = '1,000,000';

/** At least one for each kind of line. */
const TEN_FILTERS: ReadonlySet<string> = new Set([
  'sshd',
  'pam',
  'postfix',
  'dovecot',
  'nginx-http-auth',
  'nginx-botsearch',
  'http-401',
  'apache-auth',
  'kernel-drops',
  'recidive',
]);

/** What is done with each message; `count` tells what has come of it. */
type Reader = { take(bytes: Buffer, start: number, end: number, isCut: boolean): void; count(): string };

type Stage = { readonly name: string; prepare(): Reader };

type Measurement = { readonly cpuSeconds: number; readonly seconds: number; readonly count: string };

export const matching: Benchmark = {
  name: 'matching',
  measures: `lines/s from a file of ${MIXED_LOG_LINES.toLocaleString('en-US')} mixed lines to matches`,
  missing: () => null,
  run: () => withMixedLogFile(measure),
};

async function measure(path: string): Promise<Outcome> {
  const { filters, refused } = loadFilters([{ path: FILTERS, strict: false }], false);
  const stages = stagesWith(filters);
  const measured = stages.map((): Measurement[] => []);
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
    for (const [index, stage] of stages.entries()) {
      const measurement = readFile(path, stage.prepare());
      if (round >= WARM_UP_ROUNDS) measured[index]?.push(measurement);
    }
  }
  const peers = await measurePeers(path, MIXED_LOG_LINES);
  const shares = Object.entries(SHARES).map(([kind, percent]) => `${kind} ${percent} %`);
  return {
    tables: [stageTable(stages, measured), ...peers.tables],
    notes: [
      `Lines: ${shares.join(', ')}; ${filters.length} filters, ${refused.length} refused. Medians of ${ROUNDS} runs.`,
      'Each row does what framing does, parse what it takes to make records, and the others match these as well.',
      ...peers.notes,
    ],
  };
}

function stagesWith(filters: readonly Filter[]): readonly Stage[] {
  const few = filters.filter(({ name }) => TEN_FILTERS.has(name));
  const one = filters.filter(({ name }) => name === 'sshd');
  return [
    { name: 'framing', prepare: frame },
    { name: 'parse', prepare: () => parse(() => {}) },
    ...[one, few, filters].map((chosen) => {
      // One for all rounds: the first also compiles expressions. It is timed as the daemon has it.
      const matcher = createMatcher(chosen, () => performance.now() * 1_000);
      return { name: `match, ${chosen.length} filters`, prepare: () => match(matcher) };
    }),
  ];
}

function readFile(path: string, reader: Reader): Measurement {
  const framer = new Framer(MAX_MESSAGE_BYTES);
  const cpuBefore = process.threadCpuUsage();
  const startedAt = performance.now();
  for (const chunk of readChunks(path)) framer.push(chunk, reader.take);
  framer.end(true, reader.take);
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.threadCpuUsage(cpuBefore);
  return { seconds, cpuSeconds: (user + system) / 1_000_000, count: reader.count() };
}

function stageTable(stages: readonly Stage[], measured: readonly (readonly Measurement[])[]): Table {
  const rows = stages.map(({ name }, index): Row => {
    const runs = measured[index] ?? [];
    const cpuSeconds = median(runs.map((run) => run.cpuSeconds));
    return {
      label: name,
      cells: [
        Math.round(MIXED_LOG_LINES / median(runs.map((run) => run.seconds))),
        Math.round(MIXED_LOG_LINES / cpuSeconds),
        (cpuSeconds / MIXED_LOG_LINES) * 1_000_000,
        index === stages.length - 1 ? TARGET_LINES_PER_SECOND : '',
        runs[0]?.count ?? '',
      ],
    };
  });
  return { columns: ['lines/s', 'lines/CPU s', 'CPU µs/line', 'target', 'found'], rows };
}

function frame(): Reader {
  let frames = 0;
  return {
    take: () => {
      frames++;
    },
    count: () => `${frames} frames`,
  };
}

function parse(take: (record: LogRecord) => void): Reader {
  const parser = new SyslogParser();
  const origin: Origin = { at: 0, source: 'file', sender: '' };
  let records = 0;
  return {
    take: (bytes, start, end, isCut) => {
      const record = parser.parse(bytes, start, end, origin, isCut);
      if (record === null) return;
      records++;
      take(record);
    },
    count: () => `${records} records`,
  };
}

function match(matcher: Matcher): Reader {
  const matches: Match[] = [];
  let matched = 0;
  const { take } = parse((record) => {
    matches.length = 0;
    matcher.match(record, matches);
    matched += matches.length;
  });
  return { take, count: () => `${matched} matches` };
}
