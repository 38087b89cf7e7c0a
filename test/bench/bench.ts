/**
 * Measures how fast bailiff is, on real parts, and prints a table for each benchmark:
 *
 *     npm run bench                                   all of them, in some four minutes
 *     npm run bench pipeline peers                    these
 *     npm run bench -- --json build/bench.json idle   also writes the numbers to a file
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { bans } from './bans.ts';
import type { Benchmark } from './benchmark.ts';
import { idle } from './idle.ts';
import { latency } from './latency.ts';
import { matching } from './matching.ts';
import { describeMachine, formatMachine, loadAverage } from './measure/machine.ts';
import { peers } from './measure/peers.ts';
import { formatNumber, formatOutcome, outcomeAsJson } from './measure/report.ts';
import { pipeline } from './pipeline.ts';
import { tcp } from './tcp.ts';
import { udp } from './udp.ts';

const BENCHMARKS: readonly Benchmark[] = [latency, idle, pipeline, matching, udp, tcp, bans, peers];

const USAGE = `usage: npm run bench -- [--json FILE] [${BENCHMARKS.map(({ name }) => name).join('|')}]...\n`;
const FAILED = 1;
const WRONG_USAGE = 2;

async function main(): Promise<number> {
  const wanted = readArguments();
  if (wanted === null) {
    process.stderr.write(USAGE);
    return WRONG_USAGE;
  }
  const machine = describeMachine();
  process.stdout.write(`${formatMachine(machine)}\n`);
  const outcomes: Record<string, object> = {};
  for (const benchmark of wanted.benchmarks) outcomes[benchmark.name] = await runOne(benchmark);
  if (wanted.file !== null) {
    const measuredAt = new Date().toISOString();
    writeFileSync(wanted.file, `${JSON.stringify({ machine, measuredAt, outcomes }, null, 2)}\n`);
  }
  return Object.values(outcomes).some((outcome) => 'failed' in outcome) ? FAILED : 0;
}

function readArguments(): { readonly benchmarks: readonly Benchmark[]; readonly file: string | null } | null {
  try {
    const { values, positionals } = parseArgs({
      options: { json: { type: 'string' } },
      allowPositionals: true,
    });
    const isKnown = positionals.every((word) => BENCHMARKS.some(({ name }) => name === word));
    if (!isKnown) return null;
    const benchmarks = BENCHMARKS.filter(
      ({ name }) => positionals.length === 0 || positionals.includes(name),
    );
    return { benchmarks, file: values.json ?? null };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return null;
  }
}

/** One that fails does not keep the others from running. */
async function runOne(benchmark: Benchmark): Promise<object> {
  const load = loadAverage();
  process.stdout.write(`\n${benchmark.name}: ${benchmark.measures} (load ${formatNumber(load)})\n`);
  const skipped = benchmark.missing();
  if (skipped !== null) {
    process.stdout.write(`  skipped: ${skipped}\n`);
    return { skipped };
  }
  try {
    const outcome = await benchmark.run();
    process.stdout.write(formatOutcome(outcome));
    return { load, ...outcomeAsJson(outcome) };
  } catch (error) {
    const failed = error instanceof Error ? error.message : String(error);
    process.stdout.write(`  failed: ${failed}\n`);
    return { load, failed };
  }
}

process.exitCode = await main();
