/**
 * The way of a line through the whole program, from the bytes of a file to decisions, on one core. It is run in stages,
 * each doing what the one before does and one thing more, so that their differences tell what each of them costs.
 */
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { loadConfig } from '../../src/config/load.ts';
import type { Plan } from '../../src/config/plan.ts';
import type { BailiffEvent, Emit } from '../../src/core/event.ts';
import type { Match } from '../../src/core/failure.ts';
import { BanLog } from '../../src/core/ledger/ban-log.ts';
import { Ledger } from '../../src/core/ledger/ledger.ts';
import type { LogRecord } from '../../src/core/record.ts';
import { HOUR, type Microseconds } from '../../src/core/time.ts';
import { VERSION } from '../../src/core/version.ts';
import { Enforcer } from '../../src/daemon/enforcement/enforcer.ts';
import { EventBus } from '../../src/daemon/event-bus.ts';
import { Health } from '../../src/daemon/health.ts';
import { Pipeline } from '../../src/daemon/judgement/pipeline.ts';
import { rulesOf } from '../../src/daemon/judgement/rules.ts';
import { createLog, createPlainWriter } from '../../src/daemon/log/log.ts';
import { DryRunFirewall } from '../../src/firewall/dry-run.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { SenderDirectory } from '../../src/senders/directory.ts';
import { Framer } from '../../src/syslog/framing.ts';
import { type Origin, SyslogParser } from '../../src/syslog/parse.ts';
import type { Benchmark, Outcome, Row } from './benchmark.ts';
import { LOG_LINES, readChunks, withLogFile } from './logs/log-file.ts';
import { ATTACKER_COUNT, LOG_HOURS } from './logs/sshd-log.ts';
import { median } from './measure/statistics.ts';

const WARM_UP_ROUNDS = 1;
const ROUNDS = 5;
const CONFIGURATION = join(import.meta.dirname, '../../etc/bailiff.toml');
const TARGET_LINES_PER_SECOND = 'fail2ban: 19,000';

/** Begun anew for each run; what it has at the end is told in the notes. */
type Stage = {
  readonly name: string;
  prepare(plan: Plan): Promise<StageRun>;
};

type StageRun = {
  take(bytes: Buffer, start: number, end: number, isCut: boolean): void;
  /** The chunk is over. */
  settle(): void;
  finish(): Promise<string>;
};

const STAGES: readonly Stage[] = [
  { name: 'framing', prepare: async () => frame() },
  { name: 'syslog parse', prepare: async () => parse() },
  { name: 'match', prepare: async (plan) => match(plan) },
  { name: 'ledger, decisions', prepare: (plan) => decide(plan, () => {}) },
  { name: 'metrics, log', prepare: (plan) => decideAndTell(plan) },
];

export const pipeline: Benchmark = {
  name: 'pipeline',
  measures: `lines/s of the whole pipeline from a file of ${LOG_LINES.toLocaleString('en-US')} sshd lines, dry run`,
  missing: () => null,
  run: () => withLogFile(measure),
};

type Measurement = { readonly seconds: number; readonly cpuSeconds: number; readonly summary: string };

async function measure(path: string): Promise<Outcome> {
  const plan = loadShippedPlan();
  const measured = STAGES.map((): Measurement[] => []);
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
    for (const [index, stage] of STAGES.entries()) {
      const measurement = await runStage(stage, plan, path);
      if (round >= WARM_UP_ROUNDS) measured[index]?.push(measurement);
    }
  }
  const whole = measured.at(-1) ?? [];
  return {
    tables: [
      { columns: ['lines/s', 'best run', 'CPU µs/line', 'target'], rows: [wholeRow(whole)] },
      stageTable(measured),
    ],
    notes: [
      `${whole[0]?.summary}, from ${ATTACKER_COUNT.toLocaleString('en-US')} addresses; medians of ${ROUNDS} runs.`,
      `CPU is that of the one thread that does it all. The ledger's time runs with the lines: they cover ${LOG_HOURS} hours.`,
    ],
  };
}

function loadShippedPlan(): Plan {
  const { plan } = loadConfig({ configPath: CONFIGURATION, uid: 0, env: {}, overrides: { dryRun: true } });
  if (plan === null) throw new Error('the shipped configuration does not load');
  return plan;
}

async function runStage(stage: Stage, plan: Plan, path: string): Promise<Measurement> {
  const run = await stage.prepare(plan);
  const framer = new Framer(plan.syslog.maxMessageBytes);
  const cpuBefore = process.threadCpuUsage();
  const startedAt = performance.now();
  for (const chunk of readChunks(path)) {
    framer.push(chunk, run.take);
    run.settle();
    await turn();
  }
  framer.end(true, run.take);
  run.settle();
  const summary = await run.finish();
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.threadCpuUsage(cpuBefore);
  return { seconds, cpuSeconds: (user + system) / 1_000_000, summary };
}

function wholeRow(runs: readonly Measurement[]): Row {
  const seconds = runs.map((run) => run.seconds);
  return {
    label: 'whole pipeline',
    cells: [
      Math.round(LOG_LINES / median(seconds)),
      Math.round(LOG_LINES / Math.min(...seconds)),
      (median(runs.map((run) => run.cpuSeconds)) / LOG_LINES) * 1_000_000,
      TARGET_LINES_PER_SECOND,
    ],
  };
}

function stageTable(measured: readonly (readonly Measurement[])[]) {
  const microseconds = measured.map(
    (runs) => (median(runs.map((run) => run.cpuSeconds)) / LOG_LINES) * 1_000_000,
  );
  const whole = microseconds.at(-1) ?? 0;
  const rows = STAGES.map(({ name }, index): Row => {
    const own = (microseconds[index] ?? 0) - (microseconds[index - 1] ?? 0);
    return { label: name, cells: [own, `${Math.round((own / whole) * 100)} %`] };
  });
  return { columns: ['CPU µs/line', 'share'], rows };
}

function frame(): StageRun {
  let frames = 0;
  return {
    take: () => {
      frames++;
    },
    settle: () => {},
    finish: async () => `${frames} frames`,
  };
}

function parse(): StageRun {
  let identified = 0;
  return {
    ...parsing((record) => {
      if (record.identifier !== '') identified++;
    }),
    settle: () => {},
    finish: async () => `${identified} records`,
  };
}

function match(plan: Plan): StageRun {
  const { matcher } = rulesOf(plan, () => performance.now());
  const matches: Match[] = [];
  let matched = 0;
  return {
    ...parsing((record) => {
      matches.length = 0;
      matcher.match(record, matches);
      matched += matches.length;
    }),
    settle: () => {},
    finish: async () => `${matched} matches`,
  };
}

function decideAndTell(plan: Plan): Promise<StageRun> {
  const bus = new EventBus();
  const clock = { now: () => Date.now() * 1_000 };
  const log = createLog(createPlainWriter({ write: () => {} }, clock, false), clock);
  const listeners = [log, new Health(clock, bus.emit), createMetrics({ version: VERSION })];
  for (const listener of listeners) bus.subscribe((event) => listener.observe(event));
  return decide(plan, bus.emit);
}

/** The daemon's own parts from the record on; only its disk and its kernel are not there. */
async function decide(plan: Plan, emit: Emit): Promise<StageRun> {
  let at = Date.UTC(2026, 2, 5) * 1_000;
  let lines = 0;
  const startedAt = at;
  const clock = { now: (): Microseconds => at };
  const ledger = new Ledger(plan.limits);
  const policies = plan.jails.map(({ policy }) => policy);
  ledger.reconfigure({ policies, limits: plan.limits, protectedNetworks: [] }, at, []);
  const enforcer = new Enforcer({
    firewall: new DryRunFirewall(clock),
    clock,
    emit,
    timers: { after: () => () => {} },
    jails: policies,
    trust: [],
    adopt: () => {},
    limitation: null,
  });
  await enforcer.start([]);
  const persister = {
    advance: () => {},
    stir: () => {},
    changed: (announcements: readonly BailiffEvent[]) => {
      ledger.takeChanges();
      for (const event of announcements) emit(event);
    },
  };
  const senders = new SenderDirectory(plan.senders);
  const banLog = new BanLog({ session: 'life', bans: () => ledger.bans() });
  const way = new Pipeline(
    { ledger, banLog, enforcer, persister, senders, clock, emit },
    rulesOf(plan, () => performance.now()),
  );
  let records: LogRecord[] = [];
  let bytes = 0;
  return {
    ...parsing((record, length) => {
      records.push(record);
      bytes += length;
      lines++;
    }, clock.now),
    settle: () => {
      at = startedAt + Math.floor((lines / LOG_LINES) * LOG_HOURS * HOUR);
      way.accept({ source: 'file', records, bytes, position: null });
      way.tick();
      records = [];
      bytes = 0;
    },
    finish: async () => {
      await enforcer.stop();
      const { totalFailures, totalBans } = ledger.counts(policies[0]?.name ?? '');
      const [failures, bans] = [totalFailures, totalBans].map((count) => count.toLocaleString('en-US'));
      return `${lines.toLocaleString('en-US')} records, ${failures} failures, ${bans} bans`;
    },
  };
}

function parsing(
  take: (record: LogRecord, bytes: number) => void,
  now: () => Microseconds = () => 0,
): Pick<StageRun, 'take'> {
  const parser = new SyslogParser();
  const origin: Origin = { at: 0, source: 'file', sender: '' };
  return {
    take: (bytes, start, end, isCut) => {
      origin.at = now();
      const record = parser.parse(bytes, start, end, origin, isCut);
      if (record !== null) take(record, end - start);
    },
  };
}
