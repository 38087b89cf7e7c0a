/** Who is judged by what: the rules, the jails' policies and whom nothing may ban, put in force in one go. */
import type { Plan } from '../../config/plan.ts';
import type { Decision } from '../../core/ledger/decision.ts';
import type { Ledger } from '../../core/ledger/ledger.ts';
import type { SenderDirectory } from '../../senders/directory.ts';
import type { SystemClock } from '../clock.ts';
import type { Part } from '../part.ts';
import type { Pipeline, Rules } from './pipeline.ts';
import { ProtectedNetworks } from './protected-networks.ts';
import { rulesOf } from './rules.ts';

export type JudgementOptions = {
  readonly ledger: Pick<Ledger, 'reconfigure'>;
  readonly pipeline: Pick<Pipeline, 'setRules' | 'carryOut' | 'tick'>;
  readonly senders: Pick<SenderDirectory, 'configure'>;
  readonly clock: Pick<SystemClock, 'now' | 'elapsed'>;
  /** In place of this host's own addresses and those that are trusted. */
  readonly protect?: (plan: Plan) => ProtectedNetworks;
};

/** Every so many ticks this host's own addresses are looked at again. */
export const TICKS_BETWEEN_ADDRESS_CHECKS = 15;

export class Judgement implements Part {
  readonly name = 'jails';
  readonly isVital = true;
  readonly #options: JudgementOptions;
  #compiling: Promise<Rules> | null = null;
  #compiled: { readonly plan: Plan; readonly rules: Rules } | null = null;
  #plan: Plan | null = null;
  #protected: ProtectedNetworks | null = null;
  #ticks = 0;

  constructor(options: JudgementOptions) {
    this.#options = options;
  }

  /** Compiling keeps this thread busy: it begins when the workers of the other parts have been sent for. */
  readonly prepare = (plan: Plan): void => {
    this.#compiling = Promise.resolve().then(() => this.#rulesOf(plan));
  };

  readonly start = async (plan: Plan): Promise<void> => {
    this.#compiled = { plan, rules: (await this.#compiling) ?? this.#rulesOf(plan) };
  };

  /** In one turn: no record may meet a jail that only half of us know. Throws OperationalError `own-addresses`. */
  readonly apply = (plan: Plan): void => {
    const { senders, pipeline, protect = ({ trust }) => new ProtectedNetworks(trust) } = this.#options;
    const rules = this.#compiled?.plan === plan ? this.#compiled.rules : this.#rulesOf(plan);
    this.#compiled = null;
    this.#protected ??= protect(plan);
    this.#protected.setTrust(plan.trust);
    this.#plan = plan;
    senders.configure(plan.senders);
    pipeline.setRules(rules);
    this.#reconfigureLedger();
  };

  readonly tick = (): void => {
    this.#options.pipeline.tick();
    this.#ticks++;
    if (this.#ticks % TICKS_BETWEEN_ADDRESS_CHECKS === 0 && this.#protected?.refresh() === true)
      this.#reconfigureLedger();
  };

  #rulesOf(plan: Plan): Rules {
    return rulesOf(plan, this.#options.clock.elapsed);
  }

  #reconfigureLedger(): void {
    if (this.#plan === null || this.#protected === null) return;
    const { ledger, clock, pipeline } = this.#options;
    const decisions: Decision[] = [];
    const policies = this.#plan.jails.map(({ policy }) => policy);
    const settings = { policies, limits: this.#plan.limits, protectedNetworks: this.#protected.list() };
    ledger.reconfigure(settings, clock.now(), decisions);
    pipeline.carryOut(decisions);
  }
}
