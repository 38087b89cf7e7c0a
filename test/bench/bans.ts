/** Bans into a real kernel, through the enforcer and its worker. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { openBed } from '../bed/namespace.ts';
import { requirements } from '../bed/requirements.ts';
import type { Benchmark, Outcome, Row } from './benchmark.ts';
import { median, percentile, sum } from './measure/statistics.ts';
import type { BanWeight } from './programs/ban-log-weight.ts';
import { type BanTimes, BURST_BANS, SINGLE_BANS } from './programs/ban-writer.ts';

const ROUNDS = 3;

export const bans: Benchmark = {
  name: 'bans',
  measures: `bans/s into the kernel, ${BURST_BANS.toLocaleString('en-US')} distinct addresses`,
  missing: () => requirements('namespaces', 'nft'),
  run: measure,
};

async function measure(): Promise<Outcome> {
  const rounds: BanTimes[] = [];
  const logged: BanTimes[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push(await runRound());
    logged.push(await runRound('log'));
  }
  const rows: Row[] = [
    burstRow(`${BURST_BANS.toLocaleString('en-US')} at once`, rounds, 'fail2ban: 70 to 119/s'),
    burstRow('the same with the ban log', logged),
    singleRow('one after the other, empty set', rounds, 'intoEmptyMilliseconds'),
    singleRow(
      `one after the other, set of ${BURST_BANS.toLocaleString('en-US')}`,
      rounds,
      'intoFullMilliseconds',
    ),
  ];
  const singles = SINGLE_BANS.toLocaleString('en-US');
  const transactions = median(rounds.map((round) => round.transactions));
  return {
    tables: [{ columns: ['bans/s', 'p50 ms', 'p99 ms', 'max ms', 'target'], rows }],
    notes: [
      `At once: ${transactions} transactions. One after the other: ${singles} bans, each waits for the kernel.`,
      `The ban log takes ${share(logged).toFixed(2)} % of the time of ${BURST_BANS.toLocaleString('en-US')} at once, announcements included; without it these take ${share(rounds).toFixed(2)} %.`,
      ...(await weighBanLog()),
      `Medians of ${ROUNDS} rounds, max is of all of them; each round is a new process on a new table.`,
    ],
  };
}

function singleRow(
  label: string,
  rounds: readonly BanTimes[],
  kind: 'intoEmptyMilliseconds' | 'intoFullMilliseconds',
): Row {
  const middle = (percent: number): number => median(rounds.map((round) => percentile(round[kind], percent)));
  const perSecond = median(rounds.map((round) => (round[kind].length / sum(round[kind])) * 1_000));
  const max = Math.max(...rounds.flatMap((round) => round[kind]));
  return { label, cells: [Math.round(perSecond), middle(50), middle(99), max, ''] };
}

function burstRow(label: string, rounds: readonly BanTimes[], target = ''): Row {
  const burst = median(rounds.map(({ burstMilliseconds }) => burstMilliseconds));
  return { label, cells: [Math.round(BURST_BANS / (burst / 1_000)), '', '', '', target] };
}

/** What announcements take of the time of a burst, in percent. */
function share(rounds: readonly BanTimes[]): number {
  return median(
    rounds.map(
      ({ burstAnnouncingMilliseconds, burstMilliseconds }) =>
        (burstAnnouncingMilliseconds / burstMilliseconds) * 100,
    ),
  );
}

/** What the ledger and the ban log hold in memory for each ban. */
async function weighBanLog(): Promise<string[]> {
  const script = new URL('programs/ban-log-weight.ts', import.meta.url).pathname;
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', script]);
  return (JSON.parse(stdout) as BanWeight[]).map(
    ({ bans: count, ledgerBytes, logBytes }) =>
      `${count.toLocaleString('en-US')} bans: ${Math.round(ledgerBytes)} bytes each in the ledger, ${Math.round(logBytes)} more in the ban log.`,
  );
}

async function runRound(...words: readonly string[]): Promise<BanTimes> {
  await using bed = await openBed();
  const script = new URL('programs/ban-writer.ts', import.meta.url).pathname;
  const { stdout } = await bed.run([process.execPath, script, ...words]);
  return JSON.parse(stdout) as BanTimes;
}
