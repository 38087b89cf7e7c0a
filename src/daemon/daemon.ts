/**
 * The composition root: the appliance as a list of parts. A part that cannot work is named and the rest runs; only what
 * would make the daemon wrong (another daemon on the same state or socket) keeps it from starting.
 */
import { randomBytes } from 'node:crypto';
import type { LoadedConfig } from '../config/load.ts';
import type { Plan } from '../config/plan.ts';
import { OperationalError } from '../core/errors.ts';
import { BanLog } from '../core/ledger/ban-log.ts';
import { Ledger } from '../core/ledger/ledger.ts';
import { VERSION } from '../core/version.ts';
import { refuseIfAnswered } from '../http/socket-file.ts';
import { takeActivation } from '../native/activation.ts';
import { trimMemory } from '../native/memory.ts';
import { SenderDirectory } from '../senders/directory.ts';
import type { Sink } from '../sources/source.ts';
import type { Prefilter } from '../syslog/parse.ts';
import { createSystemClock } from './clock.ts';
import {
  type ConfigSource,
  describeProblems,
  keepingDirectory,
  readConfig,
} from './configuration/config-source.ts';
import { choosePlan } from './configuration/first-plan.ts';
import { keepLastGood } from './configuration/last-good.ts';
import { type FirstConfiguration, Reloader } from './configuration/reloader.ts';
import { ControlService } from './control/service.ts';
import { ControlSocket } from './control/socket.ts';
import { Enforcement } from './enforcement/enforcement.ts';
import { EventBus } from './event-bus.ts';
import { Journal } from './journal.ts';
import { Judgement } from './judgement/judgement.ts';
import { Pipeline } from './judgement/pipeline.ts';
import { collectGarbage, Memory, mainThreadLoad } from './memory.ts';
import { MetricsEndpoint } from './metrics/endpoint.ts';
import { PartList, together } from './part.ts';
import type { SessionKeeper } from './state/persister.ts';
import { State } from './state/state.ts';
import { findServiceManager, Supervision } from './supervision.ts';
import { SyslogListeners } from './syslog/listeners.ts';
import { Watchers } from './watchers.ts';

/** Exit statuses. */
const DONE = 0;
const REFUSED = 1;
/** EX_CONFIG of sysexits.h(3head): what systemd.exec(5) knows as a fault of the configuration. */
const BAD_CONFIGURATION = 78;

/** Of chance in the name of this life in the ban log: 12 characters that no other life has had. */
const SESSION_BYTES = 9;

/**
 * Runs the daemon until SIGTERM or SIGINT and resolves to the exit status. A bug rejects, and is to end the process.
 */
export async function runDaemon(source: ConfigSource): Promise<number> {
  const first = choosePlan(source);
  const { plan, loaded, instead } = first;
  if (plan === null || instead !== null) process.stderr.write(`${describeProblems(loaded)}\n`);
  if (plan === null) return BAD_CONFIGURATION;
  const { parts, bus, supervision } = assemble(source, { ...first, plan });
  try {
    bus.emit({ kind: 'started', version: VERSION });
    await refuseIfAnswered(plan.socketPath);
    await parts.start(plan);
    bus.emit({ kind: 'ready' });
    supervision.ready();
    bus.emit({ kind: 'stopping', reason: await supervision.untilStopSignal() });
    supervision.stopping();
    return DONE;
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    process.stderr.write(`bailiff: ${error.message}${error.advice === '' ? '' : `; ${error.advice}`}\n`);
    return REFUSED;
  } finally {
    await parts.stop();
    supervision.ended();
  }
}

/** The appliance: what a record meets on its way, those who watch, and the doors to the outside. */
function assemble(source: ConfigSource, first: FirstConfiguration) {
  const { plan } = first;
  // Taken before any worker begins, which would inherit what says that there is any.
  const activation = takeActivation();
  const clock = createSystemClock();
  const bus = new EventBus();
  const { emit, subscribe } = bus;
  const ledger = new Ledger(plan.limits);
  const session = randomBytes(SESSION_BYTES).toString('base64url');
  const banLog = new BanLog({ session, bans: () => ledger.bans() });
  const watchers = new Watchers({ bus, ledger, clock });
  const { health } = watchers;
  const supervision = new Supervision(health, findServiceManager(emit));
  subscribe((event) => supervision.observe(event));

  const enforcement = new Enforcement({ ledger, clock, emit, adopt: (bans) => pipeline.adopt(bans) });
  const sessions: SessionKeeper = {
    takeSessions: () => pipeline.takeSessions(),
    returnSessions: () => pipeline.returnSessions(),
    restoreSessions: (kept, bootAt) => pipeline.restoreSessions(kept, bootAt),
  };
  const state = new State({ ledger, banLog, sessions, kernel: enforcement, clock, emit });
  const senders = new SenderDirectory(plan.senders);
  const pipeline = new Pipeline({
    ledger,
    banLog,
    enforcer: enforcement,
    persister: state,
    senders,
    clock,
    emit,
  });
  const judgement = new Judgement({ ledger, pipeline, senders, clock });
  const sink: Sink = (batch) => pipeline.accept(batch);
  const prefilter: Prefilter = (identifier, bytes, start, end) =>
    pipeline.mayMatch(identifier, bytes, start, end);
  const journal = new Journal({ sink, clock, emit, position: () => state.journalPosition });
  const syslog = new SyslogListeners({
    sink,
    prefilter,
    senders,
    activation,
    clock,
    elapsed: clock.elapsed,
    emit,
  });

  const apply = (next: Plan): Promise<void> => parts.apply(next);
  const keep = ({ sources }: LoadedConfig) => keepLastGood(keepingDirectory(source), sources);
  const reloader = new Reloader({ read: () => readConfig(source), apply, keep, emit }, first);
  const reload = async () => {
    await parts.whenStarted;
    return supervision.whileReloading(() => reloader.reload());
  };
  const control = new ControlService({
    ...watchers,
    ledger,
    banLog,
    enforcer: enforcement,
    persister: state,
    pipeline,
    clock,
    startedAt: clock.now(),
    configPath: source.configPath,
    plan: () => reloader.plan,
    reload,
  });
  const socket = new ControlSocket({ control, subscribe, emit, onBug });
  const isReady = () => ({ ready: parts.isRunning, components: health.components() });
  const metrics = new MetricsEndpoint({ metrics: watchers.metrics, health: isReady, clock, emit, onBug });
  const memory = new Memory({
    resident: process.memoryUsage.rss,
    load: mainThreadLoad(),
    collect: collectGarbage,
    trim: trimMemory,
  });
  supervision.onReloadSignal(reload);

  const parts = new PartList(
    [state, watchers, judgement, enforcement, socket, together([journal, syslog, metrics]), memory, reloader],
    { emit },
  );
  return { parts, bus, supervision };
}

/** A bug in a request's handler ends the process as any other does. */
function onBug(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
