/**
 * The composition root: makes the parts, joins them, starts them in order and stops them in the other. A part that
 * cannot work is named and the rest runs; only what would make the daemon wrong (a bad configuration, another daemon on
 * the same state or socket) keeps it from starting.
 */
import { randomBytes } from 'node:crypto';
import type { Plan } from '../config/plan.ts';
import { OperationalError } from '../core/errors.ts';
import { BanLog } from '../core/ledger/ban-log.ts';
import type { Ban, Decision } from '../core/ledger/decision.ts';
import { Ledger } from '../core/ledger/ledger.ts';
import { VERSION } from '../core/version.ts';
import type { Firewall } from '../firewall/firewall.ts';
import { refuseIfAnswered } from '../http/socket-file.ts';
import type { LedgerLevels } from '../metrics/levels.ts';
import { createMetrics, type Metrics } from '../metrics/metrics.ts';
import { takeActivation } from '../native/activation.ts';
import { SenderDirectory } from '../senders/directory.ts';
import { SenderTable } from '../senders/table.ts';
import { Activity } from './activity.ts';
import { createSystemClock, type SystemClock } from './clock.ts';
import { type ConfigSource, describeProblems, readConfig } from './config-source.ts';
import { ControlService, type ControlServiceParts } from './control-service.ts';
import type { Enforcer } from './enforcement/enforcer.ts';
import { prepareFirewall, startEnforcer } from './enforcement/firewall-choice.ts';
import { EventBus } from './event-bus.ts';
import { Health } from './health.ts';
import { createLog, type Log } from './log/log.ts';
import { openLogWriter } from './log/log-output.ts';
import { MetricsEndpoint } from './metrics/endpoint.ts';
import { Pipeline } from './pipeline.ts';
import { ProtectedNetworks } from './protected-networks.ts';
import { Reloader, tellConfiguration } from './reloader.ts';
import { rulesOf } from './rules.ts';
import { Sources } from './sources.ts';
import { openState } from './state/open.ts';
import { Persister } from './state/persister.ts';
import { findServiceManager, Supervision } from './supervision.ts';

/** Exit statuses. */
const DONE = 0;
const REFUSED = 1;
const BAD_CONFIGURATION = 4;

const TICK_MILLISECONDS = 1_000;

/**
 * Stopping takes milliseconds; a part that hangs, as on a disk that does not answer, is left to the end of the
 * process.
 */
const STOP_TIMEOUT_MILLISECONDS = 5_000;

/** Of chance in the name of this life in the ban log: 12 characters that no other life has had. */
const SESSION_BYTES = 9;

/** Every so many ticks this host's own addresses are looked at again. */
const TICKS_BETWEEN_ADDRESS_CHECKS = 15;

/**
 * Runs the daemon until SIGTERM or SIGINT and resolves to the exit status. A bug rejects, and is to end the process.
 */
export async function runDaemon(source: ConfigSource): Promise<number> {
  const loaded = readConfig(source);
  if (loaded.plan === null) {
    process.stderr.write(`${describeProblems(loaded)}\n`);
    return BAD_CONFIGURATION;
  }
  const daemon = new Daemon(source, loaded.plan);
  try {
    await daemon.start();
    await daemon.untilToldToStop();
    return DONE;
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    process.stderr.write(`bailiff: ${error.message}${error.advice === '' ? '' : `; ${error.advice}`}\n`);
    return REFUSED;
  } finally {
    await stopInTime(daemon);
  }
}

async function stopInTime(daemon: Daemon): Promise<void> {
  const timeout = Promise.withResolvers<void>();
  const timer = setTimeout(() => {
    process.stderr.write('bailiff: a part does not stop; ending all the same\n');
    timeout.resolve();
  }, STOP_TIMEOUT_MILLISECONDS);
  await Promise.race([daemon.stop(), timeout.promise]);
  clearTimeout(timer);
}

class Daemon {
  readonly #source: ConfigSource;
  readonly #plan: Plan;
  readonly #clock: SystemClock = createSystemClock();
  readonly #bus = new EventBus();
  readonly #health = new Health();
  readonly #activity = new Activity(this.#clock);
  readonly #senderTable = new SenderTable(this.#clock, this.#bus.emit);
  readonly #log: Log = createLog(openLogWriter(this.#clock), this.#clock);
  readonly #metrics: Metrics = createMetrics({ version: VERSION });
  readonly #supervision: Supervision;
  readonly #startedAt = this.#clock.now();
  /** Taken before any worker begins, which would inherit what says that there is any. */
  readonly #activation = takeActivation();
  /** What has been started, to be stopped from its end. */
  readonly #started: (() => Promise<void>)[] = [];
  #isReady = false;
  /** A reload must not meet the start half-way. */
  readonly #readyToReload = Promise.withResolvers<void>();

  constructor(source: ConfigSource, plan: Plan) {
    this.#source = source;
    this.#plan = plan;
    const { emit, subscribe } = this.#bus;
    for (const listener of [this.#log, this.#health, this.#metrics, this.#activity, this.#senderTable])
      subscribe((event) => listener.observe(event));
    this.#supervision = new Supervision(this.#health, findServiceManager(emit));
    subscribe((event) => this.#supervision.observe(event));
  }

  /** Throws OperationalError when it must not run; `stop` then takes back what has been started. */
  async start(): Promise<void> {
    const emit = this.#bus.emit;
    const clock = this.#clock;
    emit({ kind: 'started', version: VERSION });
    await refuseIfAnswered(this.#plan.socketPath);
    const opening = openState(this.#plan.stateDirectory, emit);
    const meanwhile = this.#prepare();
    const { store, state } = await opening;
    this.#started.push(() => store.close());
    const protectedNetworks = new ProtectedNetworks(this.#plan.trust);
    const ledger = new Ledger(this.#plan.limits);
    ledger.restore(state.ledger, clock.now());
    const decisions = configureLedger(ledger, this.#plan, protectedNetworks, clock);
    const { journalPosition, banLogPosition } = state;
    const session = randomBytes(SESSION_BYTES).toString('base64url');
    const banLog = new BanLog({ stored: banLogPosition, session, bans: () => ledger.bans() });
    const persister = new Persister({ store, ledger, banLog, journalPosition, clock, emit });
    this.#started.push(() => persister.close());
    let found: readonly Ban[] = [];
    let adopt = (bans: readonly Ban[]): void => {
      found = found.concat(bans);
    };
    const { enforcer, surplus } = await this.#startEnforcer(ledger, meanwhile.firewall, (bans) =>
      adopt(bans),
    );
    const senders = new SenderDirectory(this.#plan.senders);
    const pipeline = new Pipeline(
      { ledger, banLog, enforcer, persister, senders, clock, emit },
      meanwhile.rules,
    );
    adopt = (bans) => this.#adopt(bans, ledger, enforcer, pipeline);
    pipeline.carryOut(decisions);
    adopt(withoutLifted([...surplus, ...found], decisions));
    const sources = new Sources({
      clock,
      sink: (batch) => pipeline.accept(batch),
      wants: (identifier, bytes, start, end) => pipeline.wants(identifier, bytes, start, end),
      emit,
      senders,
      activation: this.#activation,
      journalPosition,
    });
    const metrics = this.#metricsEndpoint();
    const parts = {
      read: () => readConfig(this.#source),
      ledger,
      banLog,
      enforcer,
      pipeline,
      sources,
      metrics,
      protectedNetworks,
      persister,
      clock,
      emit,
    };
    const reloader = new Reloader(parts, this.#plan);
    this.#metrics.readLedgerFrom(() => ledgerLevels(reloader.plan, ledger));
    this.#metrics.readSendersFrom(() => this.#senderTable.levels());
    this.#configureObservers(this.#plan);
    reloader.onApplied((plan) => this.#configureObservers(plan));
    this.#startTicking(pipeline, reloader, protectedNetworks);
    await this.#startControl(await meanwhile.http, { ...parts, reloader });
    tellConfiguration(this.#plan, [], emit);
    this.#started.push(() => Promise.all([sources.stop(), metrics.stop()]).then(() => {}));
    await Promise.all([sources.apply(this.#plan), metrics.apply(this.#plan.metrics)]);
    this.#started.push(() => reloader.close());
    this.#isReady = true;
    emit({ kind: 'ready' });
    this.#supervision.ready();
    this.#readyToReload.resolve();
  }

  /** Resolves at the first SIGTERM or SIGINT. */
  async untilToldToStop(): Promise<void> {
    const signal = await this.#supervision.untilStopSignal();
    this.#bus.emit({ kind: 'stopping', reason: signal });
    this.#supervision.stopping();
  }

  /** Stops what was started, latest first. Bans stay in the kernel. */
  async stop(): Promise<void> {
    this.#isReady = false;
    for (let stop = this.#started.pop(); stop !== undefined; stop = this.#started.pop()) await stop();
    this.#supervision.close();
  }

  /** Tells those that only watch of a plan that is in force. */
  #configureObservers(plan: Plan): void {
    this.#senderTable.configure(plan.senders.configured);
    this.#metrics.showFail2banNames(plan.metrics.fail2banNames);
    this.#metrics.declareJails(plan.jails.map(({ policy, filters }) => ({ jail: policy.name, filters })));
    this.#metrics.declareSenders(plan.senders.configured.map(({ name }) => name));
  }

  /** What takes time and needs no state: it is made while the worker of the state starts. */
  #prepare() {
    const firewall = prepareFirewall(this.#plan);
    this.#started.push(async () => firewall?.close());
    return { firewall, http: import('../http/control-server.ts'), rules: rulesOf(this.#plan) };
  }

  async #startEnforcer(ledger: Ledger, prepared: Firewall | null, adopt: (bans: readonly Ban[]) => void) {
    const started = await startEnforcer({
      prepared,
      plan: this.#plan,
      clock: this.#clock,
      emit: this.#bus.emit,
      bans: [...ledger.bans()],
      adopt,
    });
    this.#started.push(() => started.enforcer.stop());
    return started;
  }

  /** Puts bans that the kernel holds and the state has lost into the ledger, or lifts those that it must not hold. */
  #adopt(bans: readonly Ban[], ledger: Ledger, enforcer: Enforcer, pipeline: Pipeline): void {
    const at = this.#clock.now();
    const decisions: Decision[] = [];
    for (const ban of bans) {
      if (ledger.ban(ban, at, decisions) === null) continue;
      enforcer.enqueue([{ kind: 'unban', ban, cause: 'restore', at }], at);
    }
    pipeline.carryOut(decisions);
  }

  #metricsEndpoint(): MetricsEndpoint {
    return new MetricsEndpoint({
      metrics: this.#metrics,
      health: () => ({ ready: this.#isReady, components: this.#health.components() }),
      emit: this.#bus.emit,
      onBug,
    });
  }

  async #startControl(
    { createControlServer }: typeof import('../http/control-server.ts'),
    parts: Pick<
      ControlServiceParts,
      'ledger' | 'banLog' | 'enforcer' | 'persister' | 'pipeline' | 'clock'
    > & {
      readonly reloader: Reloader;
    },
  ): Promise<void> {
    const { reloader } = parts;
    const control = new ControlService({
      ...parts,
      health: this.#health,
      activity: this.#activity,
      senderTable: this.#senderTable,
      startedAt: this.#startedAt,
      configPath: this.#source.configPath,
      plan: () => reloader.plan,
      reload: async () => {
        await this.#readyToReload.promise;
        return this.#supervision.whileReloading(() => reloader.reload());
      },
    });
    const { socketPath } = this.#plan;
    const { emit, subscribe } = this.#bus;
    const server = createControlServer({ socketPath, control, subscribe, emit, onBug });
    this.#supervision.onReloadSignal(() => control.reload());
    this.#started.push(() => server.stop());
    try {
      await server.start();
      emit({ kind: 'component', component: 'control', health: 'up', detail: socketPath, advice: '' });
    } catch (error) {
      if (!(error instanceof OperationalError) || error.code === 'already-running') throw error;
      const { message, advice } = error;
      emit({ kind: 'component', component: 'control', health: 'down', detail: message, advice });
    }
  }

  #startTicking(pipeline: Pipeline, reloader: Reloader, protectedNetworks: ProtectedNetworks): void {
    let ticks = 0;
    const timer = setInterval(() => {
      pipeline.tick();
      this.#log.tick();
      this.#senderTable.tick();
      ticks++;
      if (ticks % TICKS_BETWEEN_ADDRESS_CHECKS === 0 && protectedNetworks.refresh())
        reloader.refreshProtection();
    }, TICK_MILLISECONDS);
    this.#started.push(async () => clearInterval(timer));
  }
}

function configureLedger(
  ledger: Ledger,
  plan: Plan,
  protectedNetworks: ProtectedNetworks,
  clock: SystemClock,
): Decision[] {
  const decisions: Decision[] = [];
  const policies = plan.jails.map(({ policy }) => policy);
  const settings = { policies, limits: plan.limits, protectedNetworks: protectedNetworks.list() };
  ledger.reconfigure(settings, clock.now(), decisions);
  return decisions;
}

function ledgerLevels(plan: Plan, ledger: Ledger): LedgerLevels {
  return {
    jails: plan.jails.map(({ policy: { name, maxRetry, findTime, banTime } }) => ({
      jail: name,
      maxRetry,
      findTime,
      banTime,
      ...ledger.counts(name),
    })),
    bans: ledger.bans(),
  };
}

/** The kernel still holds what was lifted before the enforcer started. That is no reason to ban it again. */
function withoutLifted(bans: readonly Ban[], decisions: readonly Decision[]): readonly Ban[] {
  const keyOf = ({ jail, offender }: Ban): string => `${jail} ${offender}`;
  const lifted = new Set(
    decisions.flatMap((decision) => (decision.kind === 'unban' ? [keyOf(decision.ban)] : [])),
  );
  return bans.filter((ban) => !lifted.has(keyOf(ban)));
}

/** A bug in a request's handler ends the process as any other does. */
function onBug(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
