/**
 * Exchanges the configuration of a running daemon. The new one is read and compiled whole before anything changes; when
 * it has a fault the old one stays. One reload runs at a time, and all that are asked for meanwhile are one more.
 */
import type { LoadedConfig } from '../config/load.ts';
import type { Plan } from '../config/plan.ts';
import { OperationalError } from '../core/errors.ts';
import type { Emit } from '../core/event.ts';
import type { Decision } from '../core/ledger/decision.ts';
import type { Ledger } from '../core/ledger/ledger.ts';
import type { Clock } from '../core/time.ts';
import type { ReloadReport } from '../http/control.ts';
import { describeProblems, problemLines } from './config-source.ts';
import type { Enforcer } from './enforcement/enforcer.ts';
import { jailScopesOf } from './enforcement/firewall-choice.ts';
import type { MetricsEndpoint } from './metrics/endpoint.ts';
import type { Pipeline } from './pipeline.ts';
import type { ProtectedNetworks } from './protected-networks.ts';
import { describeJails, rulesOf } from './rules.ts';
import type { Sources } from './sources.ts';

export type ReloaderParts = {
  /** Reads the configuration as the start did. */
  readonly read: () => LoadedConfig;
  readonly ledger: Ledger;
  readonly enforcer: Pick<Enforcer, 'reconfigure' | 'setTrust'>;
  readonly pipeline: Pick<Pipeline, 'setRules' | 'carryOut'>;
  readonly sources: Pick<Sources, 'apply'>;
  readonly metrics: Pick<MetricsEndpoint, 'apply'>;
  readonly protectedNetworks: ProtectedNetworks;
  readonly clock: Clock;
  readonly emit: Emit;
};

export class Reloader {
  readonly #parts: ReloaderParts;
  readonly #firstPlan: Plan;
  #plan: Plan;
  #running: Promise<ReloadReport> | null = null;
  #next: Promise<ReloadReport> | null = null;
  #isClosed = false;
  #applied: (plan: Plan) => void = () => {};

  constructor(parts: ReloaderParts, plan: Plan) {
    this.#parts = parts;
    this.#firstPlan = plan;
    this.#plan = plan;
  }

  /** The plan in force. */
  get plan(): Plan {
    return this.#plan;
  }

  /** Says who else is told of a plan that has been put in force. */
  onApplied(applied: (plan: Plan) => void): void {
    this.#applied = applied;
  }

  /**
   * Reads the configuration again and puts it in force, unless it has a fault. Throws OperationalError `stopping` after
   * close.
   */
  reload(): Promise<ReloadReport> {
    if (this.#running === null) return this.#begin();
    this.#next ??= this.#running.then(() => {
      this.#next = null;
      return this.#begin();
    });
    return this.#next;
  }

  /** Resolves when no reload is under way any more, and none will be. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
  }

  /** Tells the ledger once more whom it must never ban. */
  refreshProtection(): void {
    this.#reconfigureLedger(this.#plan);
  }

  #begin(): Promise<ReloadReport> {
    this.#running = this.#run().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #run(): Promise<ReloadReport> {
    if (this.#isClosed) throw new OperationalError('the daemon is stopping', { code: 'stopping' });
    const { emit, read } = this.#parts;
    const loaded = read();
    const jails = this.#plan.jails.length;
    if (loaded.plan === null) {
      const problems = problemLines(loaded);
      emit({ kind: 'reload', result: 'refused', problems, jails });
      tellConfiguration(this.#plan, [`what the files say now is not in force: ${problems[0] ?? ''}`], emit);
      return { applied: false, problems: describeProblems(loaded).split('\n'), jails: namesOf(this.#plan) };
    }
    const unchangeable = settingsThatNeedRestart(this.#firstPlan, loaded.plan);
    await this.#apply(loaded.plan);
    const problems = [...problemLines(loaded), ...unchangeable];
    emit({ kind: 'reload', result: 'applied', problems, jails: loaded.plan.jails.length });
    tellConfiguration(loaded.plan, unchangeable, emit);
    return { applied: true, problems, jails: namesOf(loaded.plan) };
  }

  async #apply(plan: Plan): Promise<void> {
    const { pipeline, enforcer, sources, metrics, protectedNetworks } = this.#parts;
    const rules = rulesOf(plan);
    this.#plan = plan;
    this.#applied(plan);
    pipeline.setRules(rules);
    protectedNetworks.setTrust(plan.trust);
    this.#reconfigureLedger(plan);
    enforcer.reconfigure(jailScopesOf(plan));
    await enforcer.setTrust(plan.trust).catch((error: unknown) => this.#tellTrustFailed(error));
    await Promise.all([sources.apply(plan), metrics.apply(plan.metrics)]);
  }

  #reconfigureLedger(plan: Plan): void {
    const { ledger, clock, pipeline, protectedNetworks } = this.#parts;
    const decisions: Decision[] = [];
    const policies = plan.jails.map(({ policy }) => policy);
    const settings = { policies, limits: plan.limits, protectedNetworks: protectedNetworks.list() };
    ledger.reconfigure(settings, clock.now(), decisions);
    pipeline.carryOut(decisions);
  }

  #tellTrustFailed(error: unknown): void {
    if (!(error instanceof OperationalError)) throw error;
    const message = `trusted networks are not set: ${error.message}`;
    this.#parts.emit({ kind: 'firewall-error', message, advice: error.advice, elements: 0 });
  }
}

/** Tells which jails are active, and what of the configuration is not used. */
export function tellConfiguration(plan: Plan, further: readonly string[], emit: Emit): void {
  for (const { name, problems } of plan.refusedFilters)
    emit({ kind: 'filter-refused', filter: name, problems });
  const shortcomings = [
    ...plan.refusedJails.map(({ name, problems }) => problems[0] ?? `jail ${name} stays out`),
    ...plan.refusedFilters.map(({ name }) => `filter ${name} is refused`),
    ...further,
  ];
  emit({
    kind: 'component',
    component: 'configuration',
    health: shortcomings.length === 0 ? 'up' : 'degraded',
    detail: [describeJails(plan), ...shortcomings].join('; '),
    advice: shortcomings.length === 0 ? '' : 'bailiff check shows every problem',
  });
}

function namesOf(plan: Plan): readonly string[] {
  return plan.jails.map(({ policy }) => policy.name);
}

/** What is opened once, at the start. */
function settingsThatNeedRestart(before: Plan, after: Plan): readonly string[] {
  const changed = [
    before.stateDirectory === after.stateDirectory ? '' : 'state_dir in [daemon]',
    before.socketPath === after.socketPath ? '' : 'socket in [daemon]',
    before.firewall.backend === after.firewall.backend ? '' : 'backend in [firewall]',
    before.firewall.table === after.firewall.table ? '' : 'table in [firewall]',
  ];
  return changed.filter((setting) => setting !== '').map((setting) => `${setting} is used after a restart`);
}
