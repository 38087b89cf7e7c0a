/**
 * Datagrams on loopback, by the same sender at the same rates, to bailiff with every shipped filter, to rsyslogd from
 * its package that writes them to a file, and to loops that only receive. All have a receive buffer of 16 MiB.
 */
import { createSocket } from 'node:dgram';
import { existsSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Benchmark, Outcome, Row } from './benchmark.ts';
import { withMixedLogFile } from './logs/log-file.ts';
import { readMemory } from './measure/processor-time.ts';
import {
  cpuOf,
  linesOf,
  nextLine,
  RSYSLOGD,
  spawnOn,
  startRsyslogd,
  startSink,
} from './measure/receivers.ts';
import { median } from './measure/statistics.ts';
import type { FloodResult } from './programs/datagram-flood.ts';
import type { SinkReport } from './programs/datagram-sink.ts';

/** Datagrams a second; 0 for as many as the sender can. */
const RATES: readonly number[] = [50_000, 100_000, 200_000, 300_000, 400_000, 0];
const SECONDS = 1;
const COUNT_AT_FULL_SPEED = 500_000;
/** V8 is done with optimising after two million messages. */
const WARM_UP = 2_000_000;
const WARM_UP_RATE = 200_000;
const ROUNDS = 3;

/** A receiver is done when nothing has changed for so long. */
const QUIET_MILLISECONDS = 300;

type Receiver = {
  readonly pid: number;
  readonly port: number;
  /** Datagrams that it has got. */
  received(): Promise<number>;
  stop(): Promise<void>;
};

type Contender = { readonly name: string; start(): Promise<Receiver> };

type Run = {
  readonly rate: number;
  readonly lost: number;
  readonly cpuMicroseconds: number;
  readonly memory: number;
};

export const udp: Benchmark = {
  name: 'udp',
  measures: 'loss and CPU of datagrams, received, parsed, routed and matched against every shipped filter',
  missing: () => (existsSync(RSYSLOGD) ? null : 'needs a peer: apt-get install rsyslog'),
  run: () => withMixedLogFile(measure),
};

const CONTENDERS: readonly Contender[] = [
  { name: 'bailiff', start: () => startProgram('bailiff') },
  { name: 'rsyslogd', start: startPeer },
  { name: 'bare recvmmsg', start: () => startProgram('bare') },
  { name: 'bare node:dgram', start: () => startProgram('dgram') },
];

async function measure(path: string): Promise<Outcome> {
  const rows: Row[] = [];
  const peaks = new Map<string, number>();
  await using receivers = new Receivers();
  for (const { name, start } of CONTENDERS) receivers.add(name, await start());
  for (const receiver of receivers.all.values()) await flood(receiver.port, WARM_UP, WARM_UP_RATE, path);
  for (const rate of RATES) {
    const runs = new Map<string, Run[]>();
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, receiver] of receivers.all) {
        runs.set(name, [...(runs.get(name) ?? []), await runOne(receiver, rate, path)]);
      }
    }
    for (const [name, own] of runs) {
      rows.push(rowOf(`${rate === 0 ? 'all it can' : rate.toLocaleString('en-US')}: ${name}`, own));
      peaks.set(name, Math.max(peaks.get(name) ?? 0, ...own.map((run) => run.memory)));
    }
  }
  const memory = [...peaks].map(([name, peak]) => `${name} ${Math.round(peak / 1_024)} MB`).join(', ');
  return {
    tables: [{ columns: ['sent/s', `lost in ${ROUNDS} runs`, 'CPU µs each', 'least'], rows }],
    notes: [
      `CPU is that of all threads of a receiver, for each datagram that it got. Memory after the runs: ${memory}.`,
      'rsyslogd writes what it receives to a file, and does nothing else with it.',
    ],
  };
}

function rowOf(label: string, runs: readonly Run[]): Row {
  const cpu = runs.map((run) => run.cpuMicroseconds);
  const lost = runs.map((run) => run.lost.toLocaleString('en-US')).join(' / ');
  return {
    label,
    cells: [Math.round(median(runs.map((run) => run.rate))), lost, median(cpu), Math.min(...cpu)],
  };
}

/** All of them live as long as the benchmark runs; those that are not sent to do nothing. */
class Receivers {
  readonly all = new Map<string, Receiver>();

  add(name: string, receiver: Receiver): void {
    this.all.set(name, receiver);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const receiver of this.all.values()) await receiver.stop();
  }
}

async function runOne(receiver: Receiver, rate: number, path: string): Promise<Run> {
  const before = await settle(receiver);
  const cpuBefore = cpuOf(receiver.pid);
  const count = rate === 0 ? COUNT_AT_FULL_SPEED : rate * SECONDS;
  const { sent, seconds } = await flood(receiver.port, count, rate, path);
  const received = (await settle(receiver)) - before;
  return {
    rate: sent / seconds,
    lost: sent - received,
    cpuMicroseconds: (cpuOf(receiver.pid) - cpuBefore) / 1_000 / received,
    memory: readMemory(receiver.pid, 'VmRSS'),
  };
}

/** How many it has got, once that grows no longer. */
async function settle(receiver: Receiver): Promise<number> {
  let received = -1;
  for (;;) {
    const now = await receiver.received();
    if (now === received) return received;
    received = now;
    await pause(QUIET_MILLISECONDS);
  }
}

async function flood(port: number, count: number, rate: number, path: string): Promise<FloodResult> {
  const program = join(import.meta.dirname, 'programs/datagram-flood.ts');
  const words = [process.execPath, program, '127.0.0.1', ...[port, count, rate].map(String), path];
  const child = spawnOn('', words, ['ignore', 'pipe', 'inherit']);
  return JSON.parse(await nextLine(linesOf(child))) as FloodResult;
}

async function startProgram(work: string): Promise<Receiver> {
  const sink = await startSink<SinkReport>('datagram-sink.ts', work);
  return { ...sink, received: async () => (await sink.report()).received };
}

async function startPeer(): Promise<Receiver> {
  const port = await findPort();
  const { output, ...rsyslogd } = await startRsyslogd([
    'module(load="imudp")',
    `input(type="imudp" address="127.0.0.1" port="${port}" rcvbufSize="16m")`,
  ]);
  let counted = 0;
  let last = 0;
  const received = async () => {
    const lines = countLines(output);
    // It appends, so what has been counted can go.
    if (lines === last) {
      truncateSync(output);
      counted += lines;
      last = 0;
    } else last = lines;
    return counted + last;
  };
  return { ...rsyslogd, port, received };
}

/** Those from the sender; rsyslogd adds some of its own. */
function countLines(path: string): number {
  const text = readFileSync(path);
  let lines = 0;
  for (let at = text.indexOf(0x0a); at >= 0; at = text.indexOf(0x0a, at + 1)) lines++;
  return lines;
}

function findPort(): Promise<number> {
  const socket = createSocket('udp4');
  return new Promise((resolve) => {
    socket.bind(0, '127.0.0.1', () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}
