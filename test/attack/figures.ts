/** What a daemon goes through under a load: its memory, and how long a ban and an answer of the control socket take. */
import { setTimeout as pause } from 'node:timers/promises';
import { readMemory } from '../bench/measure/processor-time.ts';
import { percentile } from '../bench/measure/statistics.ts';
import type { Scene } from './scene.ts';

export type Figures = {
  readonly load: string;
  readonly idleMegabytes: number;
  readonly peakMegabytes: number;
  /** REST_MILLISECONDS behind the load. */
  readonly afterMegabytes: number;
  readonly banMilliseconds: readonly number[];
  readonly answerMilliseconds: readonly number[];
};

/** Between two honest failures, and between two questions to the control socket. */
const GAP_MILLISECONDS = 200;
const SAMPLE_MILLISECONDS = 25;
/** Twice the time between two looks at the memory, and some. */
const REST_MILLISECONDS = 25_000;
/** What has not come by then counts as so late. */
const PATIENCE_MILLISECONDS = 60_000;

/** Measures while `load` runs; what it resolves to ends the load. */
export async function measureUnder(
  name: string,
  scene: Scene,
  milliseconds: number,
  load: () => Promise<() => void>,
): Promise<Figures> {
  const { pid } = scene.daemon;
  const resident = (): number => readMemory(pid, 'VmRSS') / 1_024;
  const idleMegabytes = resident();
  let peakMegabytes = idleMegabytes;
  const sampler = setInterval(() => {
    peakMegabytes = Math.max(peakMegabytes, resident());
  }, SAMPLE_MILLISECONDS);
  const stop = await load();
  const until = performance.now() + milliseconds;
  const [banMilliseconds, answerMilliseconds] = await Promise.all([
    timeAgainAndAgain(until, () => scene.ban(PATIENCE_MILLISECONDS)),
    timeAgainAndAgain(until, () => scene.ask(PATIENCE_MILLISECONDS)),
  ]);
  stop();
  await pause(REST_MILLISECONDS);
  clearInterval(sampler);
  const afterMegabytes = resident();
  return { load: name, idleMegabytes, peakMegabytes, afterMegabytes, banMilliseconds, answerMilliseconds };
}

async function timeAgainAndAgain(until: number, act: () => Promise<number>): Promise<number[]> {
  const milliseconds: number[] = [];
  while (performance.now() < until) {
    milliseconds.push(await act().catch(() => PATIENCE_MILLISECONDS));
    await pause(GAP_MILLISECONDS);
  }
  return milliseconds;
}

/** One line for each load, aligned. */
export function tableOf(all: readonly Figures[]): string {
  const head = ['load', 'idle MB', 'peak MB', 'after MB', 'ban p50 ms', 'max', 'socket p50 ms', 'max'];
  const rows = all.map((figures) => {
    const { load, idleMegabytes, peakMegabytes, afterMegabytes, banMilliseconds, answerMilliseconds } =
      figures;
    const delays = [banMilliseconds, answerMilliseconds].flatMap((sample) => [
      percentile(sample, 50),
      Math.max(...sample),
    ]);
    const numbers = [idleMegabytes, peakMegabytes, afterMegabytes, ...delays];
    return [load, ...numbers.map((number) => (number < 10 ? number.toFixed(1) : `${Math.round(number)}`))];
  });
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  '),
    )
    .join('\n');
}
