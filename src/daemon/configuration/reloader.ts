/**
 * Exchanges the configuration of a running daemon. The new one is read and compiled whole before anything changes; when
 * it has a fault the old one stays. One reload runs at a time, and all that are asked for meanwhile are one more.
 */
import type { LoadedConfig } from '../../config/load.ts';
import type { Plan } from '../../config/plan.ts';
import { OperationalError } from '../../core/errors.ts';
import type { Emit } from '../../core/event.ts';
import { type RaisedWarning, raise } from '../../core/warning/catalogue.ts';
import type { ReloadReport } from '../../http/control.ts';
import { describeJails } from '../judgement/rules.ts';
import type { Part } from '../part.ts';
import { describeProblems, problemLines } from './config-source.ts';
import type { FirstPlan } from './first-plan.ts';

export type ReloaderOptions = {
  /** Reads the configuration as the start did. */
  readonly read: () => LoadedConfig;
  /** Puts a plan in force everywhere. */
  readonly apply: (plan: Plan) => Promise<void>;
  /** Keeps a configuration that is in force for a start that finds a mistake; throws the system's error. */
  readonly keep: (loaded: LoadedConfig) => void;
  readonly emit: Emit;
};

/** As FirstPlan, with a plan. */
export type FirstConfiguration = FirstPlan & { readonly plan: Plan };

const BEFORE = 'the configuration of before';

export class Reloader implements Part {
  readonly name = 'configuration';
  readonly #options: ReloaderOptions;
  readonly #first: FirstConfiguration;
  #plan: Plan;
  /** For people, what is in force in place of files with a fault. */
  #instead: string;
  #running: Promise<ReloadReport> | null = null;
  #next: Promise<ReloadReport> | null = null;
  #isClosed = false;

  /** `first` is what the start puts in force. */
  constructor(options: ReloaderOptions, first: FirstConfiguration) {
    this.#options = options;
    this.#first = first;
    this.#plan = first.plan;
    this.#instead = first.instead ?? BEFORE;
  }

  /** The plan in force. */
  get plan(): Plan {
    return this.#plan;
  }

  /**
   * Reads the configuration again and puts it in force, unless it has a fault. Throws OperationalError `stopping` after
   * stop.
   */
  reload(): Promise<ReloadReport> {
    if (this.#running === null) return this.#begin();
    this.#next ??= this.#running.then(() => {
      this.#next = null;
      return this.#begin();
    });
    return this.#next;
  }

  readonly start = async (): Promise<void> => {
    const { loaded, instead } = this.#first;
    if (instead === null) this.#inForce(loaded, []);
    else this.#notInForce(loaded);
  };

  /** Resolves when no reload is under way any more, and none will be. */
  readonly stop = async (): Promise<void> => {
    this.#isClosed = true;
    await this.#running;
  };

  #begin(): Promise<ReloadReport> {
    this.#running = this.#run().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #run(): Promise<ReloadReport> {
    if (this.#isClosed) throw new OperationalError('the daemon is stopping', { code: 'stopping' });
    const { emit, read, apply } = this.#options;
    const loaded = read();
    const jails = this.#plan.jails.length;
    if (loaded.plan === null) {
      emit({ kind: 'reload', result: 'refused', problems: problemLines(loaded), jails });
      this.#notInForce(loaded);
      return { applied: false, problems: describeProblems(loaded).split('\n'), jails: namesOf(this.#plan) };
    }
    const unchangeable = settingsThatNeedRestart(this.#first.plan, loaded.plan);
    this.#plan = loaded.plan;
    this.#instead = BEFORE;
    await apply(loaded.plan);
    const problems = [
      ...problemLines(loaded),
      ...unchangeable.map((setting) => `${setting} is used after a restart`),
    ];
    emit({ kind: 'reload', result: 'applied', problems, jails: loaded.plan.jails.length });
    this.#inForce(
      loaded,
      unchangeable.map((setting) => raise('restart-needed', {}, setting)),
    );
    return { applied: true, problems, jails: namesOf(loaded.plan) };
  }

  /** Keeps what is in force for a start that finds a mistake, and tells it. */
  #inForce(loaded: LoadedConfig, further: readonly RaisedWarning[]): void {
    const { keep, emit } = this.#options;
    tellConfiguration(this.#plan, [...further, ...whyNotKept(() => keep(loaded))], emit);
  }

  #notInForce(loaded: LoadedConfig): void {
    const [reason = ''] = problemLines(loaded);
    const raised = raise('configuration-not-in-force', { reason, instead: this.#instead });
    tellConfiguration(this.#plan, [raised], this.#options.emit);
  }
}

function whyNotKept(keep: () => void): readonly RaisedWarning[] {
  try {
    keep();
    return [];
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    return [raise('configuration-not-kept', { reason: error.message, remedy: '' })];
  }
}

/** Tells which jails are active, and what of the configuration is not used. */
function tellConfiguration(plan: Plan, further: readonly RaisedWarning[], emit: Emit): void {
  for (const { name, problems } of plan.refusedFilters)
    emit({ kind: 'filter-refused', filter: name, problems });
  const warnings = [
    ...plan.refusedJails.map(({ name, problems }) =>
      raise('jail-refused', { reason: problems[0] ?? '' }, name),
    ),
    ...plan.refusedFilters.map(({ name, problems }) =>
      raise('filter-refused', { reason: problems[0] ?? '' }, name),
    ),
    ...further,
  ];
  const health = warnings.length === 0 ? 'up' : 'degraded';
  emit({ kind: 'component', component: 'configuration', health, detail: describeJails(plan), warnings });
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
  return changed.filter((setting) => setting !== '');
}
