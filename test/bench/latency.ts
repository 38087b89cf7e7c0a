/**
 * From the write of a log line to the element in the kernel, end to end: a real journald or a real socket, the daemon
 * as it is run, a real kernel. The clock starts before the call that writes the line, and stops when a listener of the
 * kernel's own notifications has read that the element was added. Nothing is subtracted; how long the listener itself
 * takes is told beside it.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { ElementWatch } from '../bed/kernel.ts';
import { type Bed, HOST, openBed } from '../bed/namespace.ts';
import { requirements } from '../bed/requirements.ts';
import { Daemon } from '../bed/services/daemon.ts';
import { Journald } from '../bed/services/journald.ts';
import { Random } from '../sim/random.ts';
import type { Benchmark, Outcome, Row } from './benchmark.ts';
import { median, percentile } from './measure/statistics.ts';
import { TimedProcess } from './measure/timed-process.ts';

const BANS = 100;
const ROUNDS = 3;
const WARM_UP_BANS = 50;
/** At the start of a round, not counted: while the other source had its turn, this one may have gone to sleep. */
const WAKING_BANS = 5;

/** How far apart the lines are "while entries arrive". */
const MIN_GAP_MILLISECONDS = 20;
const MAX_GAP_MILLISECONDS = 50;

/** The daemon reads the journal less often from two seconds of quiet on. */
const QUIET_MILLISECONDS = 5_000;
const QUIET_BANS = 20;
/** Machines of their own that are quiet at the same time, each for itself, so that the waiting takes a fifth. */
const QUIET_SCENES = 5;

const BAN_TIMEOUT_MILLISECONDS = 5_000;
const PORT = 5514;

/** One line makes one ban: a threshold of one. */
const CONFIGURATION = `
[syslog]
udp = ["${HOST.deviceIpv4}:${PORT}"]

[jail.sshd]
max_retry = 1
`;

export const latency: Benchmark = {
  name: 'latency',
  measures:
    'from the write of a log line to the element in the kernel; one line makes one ban (max_retry = 1)',
  missing: () => requirements('namespaces', 'journald', 'nft'),
  run: measure,
};

/** Writes a line about an attack; resolves to when. */
type Write = (address: string) => Promise<bigint>;

type Scene = {
  readonly bed: Bed;
  readonly watch: ElementWatch;
  readonly daemon: Daemon;
  readonly journal: Write;
  readonly udp: Write;
};

async function measure(): Promise<Outcome> {
  const observer = await measureObserver();
  const { journal, udp, ownMean } = await measureBusy();
  const quiet = await measureQuiet();
  const busy = `${BANS} bans, ${MIN_GAP_MILLISECONDS} to ${MAX_GAP_MILLISECONDS} ms apart`;
  const silence = `${QUIET_BANS} bans, each after ${QUIET_MILLISECONDS / 1_000} s of quiet`;
  const rows: Row[] = [
    roundsRow(`journal, ${busy}`, journal, 'p50 < 5, p90 < 10'),
    roundsRow(`UDP, ${busy}`, udp, ''),
    roundsRow(`journal, ${silence}`, [quiet.journal], 'max < 30'),
    roundsRow(`UDP, ${silence}`, [quiet.udp], ''),
    roundsRow('observer: kernel has acknowledged, to listener has read', [observer], ''),
  ];
  return {
    tables: [{ columns: ['p50 ms', 'p90 ms', 'max ms', 'target'], rows }],
    notes: [
      `Rows of ${BANS} bans: p50 and p90 are medians of ${ROUNDS} rounds, max is of all of them.`,
      `The daemon's own account, from a record's arrival to the kernel's word: ${ownMean.toFixed(2)} ms on average.`,
    ],
  };
}

function roundsRow(label: string, rounds: readonly (readonly number[])[], target: string): Row {
  const middle = (percent: number): number => median(rounds.map((round) => percentile(round, percent)));
  return { label, cells: [middle(50), middle(90), Math.max(...rounds.flat()), target] };
}

/** Elements added by a process that knows when the kernel has taken them. */
async function measureObserver(): Promise<number[]> {
  await using bed = await openBed();
  await bed.run(['nft', 'add table inet probe; add set inet probe ban4 { type ipv4_addr; }']);
  const watch = await ElementWatch.start(bed);
  const script = new URL('programs/element-adder.ts', import.meta.url).pathname;
  const adder = new TimedProcess(await bed.start([process.execPath, script]));
  const random = new Random(1);
  const milliseconds: number[] = [];
  for (let index = 0; index < WARM_UP_BANS + BANS; index++) {
    await pause(gap(random));
    const address = addressOf(index);
    const added = watch.added('ban4', address, BAN_TIMEOUT_MILLISECONDS);
    const acknowledged = await adder.ask(`add element inet probe ban4 { ${address} }`);
    milliseconds.push(millisecondsBetween(acknowledged, await added));
  }
  return milliseconds.slice(WARM_UP_BANS);
}

async function measureBusy() {
  const scene = await openScene();
  await using _bed = scene.bed;
  const journal: number[][] = [];
  const udp: number[][] = [];
  const random = new Random(2);
  let next = 0;
  const round = async (write: Write, bans: number): Promise<number[]> => {
    const milliseconds: number[] = [];
    for (let ban = 0; ban < WAKING_BANS + bans; ban++) {
      await pause(gap(random));
      milliseconds.push(await timeBan(scene.watch, write, addressOf(next++)));
    }
    return milliseconds.slice(WAKING_BANS);
  };
  for (const write of [scene.journal, scene.udp]) await round(write, WARM_UP_BANS);
  for (let index = 0; index < ROUNDS; index++) {
    journal.push(await round(scene.journal, BANS));
    udp.push(await round(scene.udp, BANS));
  }
  return { journal, udp, ownMean: await readOwnMean(scene.daemon) };
}

/** The scenes take turns, so that only one of them has something to do at a time. */
async function measureQuiet(): Promise<{ readonly journal: number[]; readonly udp: number[] }> {
  const journal: number[] = [];
  const udp: number[] = [];
  const random = new Random(3);
  const scenes: Scene[] = [];
  for (let index = 0; index < QUIET_SCENES; index++) scenes.push(await openScene());
  const play = async (scene: Scene, index: number): Promise<void> => {
    let next = 0;
    for (let ban = 0; ban < WARM_UP_BANS; ban++) {
      await timeBan(scene.watch, ban % 2 === 0 ? scene.journal : scene.udp, addressOf(next++));
    }
    await pause((index * QUIET_MILLISECONDS) / QUIET_SCENES);
    for (let ban = 0; ban < (2 * QUIET_BANS) / QUIET_SCENES; ban++) {
      await pause(QUIET_MILLISECONDS + random.below(MAX_GAP_MILLISECONDS));
      const write = ban % 2 === 0 ? scene.journal : scene.udp;
      const milliseconds = await timeBan(scene.watch, write, addressOf(next++));
      (ban % 2 === 0 ? journal : udp).push(milliseconds);
    }
  };
  try {
    await Promise.all(scenes.map(play));
  } finally {
    await Promise.all(scenes.map((scene) => scene.bed.close()));
  }
  return { journal, udp };
}

async function openScene(): Promise<Scene> {
  const bed = await openBed();
  try {
    const journald = await Journald.start(bed);
    const daemon = await Daemon.start(bed, { configuration: CONFIGURATION });
    const script = new URL('programs/datagram-sender.ts', import.meta.url).pathname;
    const words = [process.execPath, script, HOST.deviceIpv4, `${PORT}`];
    const sender = new TimedProcess(await bed.start(words, { at: 'attacker' }));
    const watch = await ElementWatch.start(bed);
    return {
      bed,
      watch,
      daemon,
      journal: (address) =>
        journald.write({
          MESSAGE: failedLogin(address),
          SYSLOG_IDENTIFIER: 'sshd',
          SYSLOG_FACILITY: '4',
          PRIORITY: '6',
        }),
      udp: (address) => sender.ask(`<38>Mar  5 04:12:33 nas sshd[4711]: ${failedLogin(address)}`),
    };
  } catch (error) {
    await bed.close();
    throw error;
  }
}

async function timeBan(watch: ElementWatch, write: Write, address: string): Promise<number> {
  const added = watch.added('ban4', address, BAN_TIMEOUT_MILLISECONDS);
  const written = await write(address);
  return millisecondsBetween(written, await added);
}

async function readOwnMean(daemon: Daemon): Promise<number> {
  let seconds = 0;
  let bans = 0;
  for (const [name, value] of await daemon.metrics()) {
    if (name.startsWith('bailiff_arrival_to_kernel_seconds_sum')) seconds += value;
    if (name.startsWith('bailiff_arrival_to_kernel_seconds_count')) bans += value;
  }
  return (seconds / bans) * 1_000;
}

function failedLogin(address: string): string {
  return `Failed password for root from ${address} port 40022 ssh2`;
}

/** The second half of the network for benchmarks (RFC 2544), of which the bed itself has nothing. */
function addressOf(index: number): string {
  return `198.19.${1 + Math.floor(index / 250)}.${1 + (index % 250)}`;
}

function gap(random: Random): number {
  return MIN_GAP_MILLISECONDS + random.below(MAX_GAP_MILLISECONDS - MIN_GAP_MILLISECONDS);
}

function millisecondsBetween(from: bigint, to: bigint): number {
  return Number(to - from) / 1_000_000;
}
