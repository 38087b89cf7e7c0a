/**
 * Syslog over one TCP connection on loopback, by the same sender, to bailiff with every shipped filter, to rsyslogd
 * from its package that writes it to a file, and to a loop that only receives. Each receiver has one core to itself,
 * with all of its threads, and the sender another.
 */
import { existsSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Benchmark, Outcome, Row } from './benchmark.ts';
import { MIXED_LOG_LINES, withMixedLogFile } from './logs/log-file.ts';
import { findFreePort } from './measure/ports.ts';
import { readMemory } from './measure/processor-time.ts';
import { cpuOf, ended, RSYSLOGD, spawnOn, startRsyslogd, startSink, TASKSET } from './measure/receivers.ts';
import { median } from './measure/statistics.ts';
import type { StreamSinkReport } from './programs/stream-sink.ts';

const RECEIVER_CORE = '0';
const SENDER_CORE = '1';
/** V8 is done with optimising after two million messages. */
const WARM_UP_ROUNDS = 3;
const ROUNDS = 5;
const POLL_MILLISECONDS = 5;

/** A receiver is done when nothing has come for so long. */
const QUIET_MILLISECONDS = 1_500;

type Receiver = {
  readonly pid: number;
  readonly port: number;
  /** Grows with what it has got; its unit is its own. */
  progress(): Promise<number>;
  stop(): Promise<void>;
};

type Contender = { readonly name: string; readonly transport: 'tcp' | 'tls'; start(): Promise<Receiver> };

type Run = { readonly rate: number; readonly cpuMicroseconds: number; readonly memory: number };

const CONTENDERS: readonly Contender[] = [
  { name: 'bailiff', transport: 'tcp', start: () => startProgram('bailiff') },
  { name: 'rsyslogd, imptcp', transport: 'tcp', start: () => startPeer('imptcp') },
  { name: 'rsyslogd, imtcp', transport: 'tcp', start: () => startPeer('imtcp') },
  { name: 'bare receive loop', transport: 'tcp', start: () => startProgram('bare') },
  { name: 'bailiff over TLS', transport: 'tls', start: () => startProgram('tls') },
];

export const tcp: Benchmark = {
  name: 'tcp',
  measures:
    'messages/s of one TCP connection, received, parsed, routed and matched against every shipped filter',
  missing: () => {
    if (!existsSync(RSYSLOGD)) return 'needs a peer: apt-get install rsyslog';
    if (!existsSync(TASKSET)) return 'needs taskset: apt-get install util-linux';
    return availableParallelism() < 2 ? 'needs two cores: one for the sender' : null;
  },
  run: () => withMixedLogFile(measure),
};

async function measure(path: string): Promise<Outcome> {
  const runs = CONTENDERS.map((): Run[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, contender] of CONTENDERS.entries()) runs[index]?.push(await runOne(contender, path));
  }
  const rates = runs.map((own) => median(own.map(({ rate }) => rate)));
  const theirs = Math.max(rates[1] ?? 0, rates[2] ?? 0);
  const rows = CONTENDERS.map(({ name }, index): Row => {
    const own = runs[index] ?? [];
    return {
      label: name,
      cells: [
        Math.round(rates[index] ?? 0),
        Math.round(Math.max(...own.map(({ rate }) => rate))),
        median(own.map(({ cpuMicroseconds }) => cpuMicroseconds)),
        (rates[index] ?? 0) / theirs,
        `${Math.round(Math.max(...own.map(({ memory }) => memory)) / 1_024)} MB`,
      ],
    };
  });
  return {
    tables: [
      { columns: ['messages/s', 'best run', 'CPU µs each', 'of rsyslogd’s better', 'peak memory'], rows },
    ],
    notes: [
      `${MIXED_LOG_LINES.toLocaleString('en-US')} mixed lines behind <38>, each ended by LF; medians of ${ROUNDS} runs.`,
      'CPU is that of all threads of a receiver, which share one core. rsyslogd only writes to a file. Target: 1.5.',
    ],
  };
}

/** A fresh receiver, warmed up, then the file once more. */
async function runOne({ transport, start }: Contender, path: string): Promise<Run> {
  const receiver = await start();
  try {
    for (let round = 0; round < WARM_UP_ROUNDS; round++) await flood(receiver, transport, path);
    const cpuBefore = cpuOf(receiver.pid);
    const seconds = await flood(receiver, transport, path);
    return {
      rate: MIXED_LOG_LINES / seconds,
      cpuMicroseconds: (cpuOf(receiver.pid) - cpuBefore) / 1_000 / MIXED_LOG_LINES,
      memory: readMemory(receiver.pid, 'VmHWM'),
    };
  } finally {
    await receiver.stop();
  }
}

/** Seconds from the first sign of what was sent to the last. */
async function flood(receiver: Receiver, transport: string, path: string): Promise<number> {
  const before = await receiver.progress();
  const program = join(import.meta.dirname, 'programs/stream-flood.ts');
  const words = [process.execPath, program, transport, String(receiver.port), path];
  const child = spawnOn(SENDER_CORE, words, 'ignore');
  const over = ended(child);
  let isOver = false;
  void over.then(() => {
    isOver = true;
  });
  let startedAt = 0;
  let lastAt = 0;
  let last = before;
  while (!isOver || performance.now() - lastAt < QUIET_MILLISECONDS) {
    const now = await receiver.progress();
    if (now !== last) {
      lastAt = performance.now();
      if (startedAt === 0) startedAt = lastAt - POLL_MILLISECONDS;
    }
    last = now;
    await pause(POLL_MILLISECONDS);
  }
  return (lastAt - startedAt) / 1_000;
}

async function startProgram(work: string): Promise<Receiver> {
  const sink = await startSink<StreamSinkReport>('stream-sink.ts', work, RECEIVER_CORE);
  return { ...sink, progress: async () => (await sink.report()).bytes };
}

async function startPeer(module: 'imptcp' | 'imtcp'): Promise<Receiver> {
  const port = await findFreePort();
  const input = [`module(load="${module}")`, `input(type="${module}" address="127.0.0.1" port="${port}")`];
  const { output, ...rsyslogd } = await startRsyslogd(input, RECEIVER_CORE);
  return { ...rsyslogd, port, progress: async () => statSync(output).size };
}
