/**
 * Enforcement as a part: from the ledger's bans at the start to its decisions from then on, into the kernel's sets or,
 * where these cannot be had, into a stand-in that says what it would have done.
 */
import type { Plan } from '../../config/plan.ts';
import type { Network } from '../../core/address/address.ts';
import { OperationalError } from '../../core/errors.ts';
import type { Emit } from '../../core/event.ts';
import type { BanChange } from '../../core/ledger/ban-log.ts';
import type { Ban, Decision } from '../../core/ledger/decision.ts';
import type { Clock, Microseconds } from '../../core/time.ts';
import { raise } from '../../core/warning/catalogue.ts';
import type { Firewall } from '../../firewall/firewall.ts';
import type { Part } from '../part.ts';
import type { Enforcer } from './enforcer.ts';
import { jailScopesOf, prepareFirewall, startEnforcer } from './firewall-choice.ts';

export type EnforcementOptions = {
  readonly ledger: { bans(): Iterable<Ban> };
  readonly clock: Clock;
  readonly emit: Emit;
  /** Told of bans that the kernel holds and the ledger does not, which it may want or have lifted. */
  readonly adopt: (bans: readonly Ban[]) => void;
  /** In place of `prepareFirewall`. */
  readonly prepare?: (plan: Plan) => Firewall | null;
};

/** Decisions made before the enforcer is there. */
type Waiting = { readonly decisions: readonly Decision[]; readonly arrivedAt: Microseconds };

export class Enforcement implements Part {
  readonly name = 'firewall';
  readonly isVital = true;
  readonly #options: EnforcementOptions;
  #prepared: Firewall | null = null;
  #waiting: Waiting[] = [];
  #enforcer: Enforcer | null = null;
  #startedWith: Plan | null = null;
  /** Resolves when the enforcer has started, or will not. */
  readonly #decided = Promise.withResolvers<void>();

  constructor(options: EnforcementOptions) {
    this.#options = options;
  }

  readonly prepare = (plan: Plan): void => {
    this.#prepared = (this.#options.prepare ?? prepareFirewall)(plan);
  };

  /** Resolves when the kernel holds the ledger's bans, or a stand-in does because there is no kernel's firewall. */
  readonly start = async (plan: Plan): Promise<void> => {
    const { ledger, clock, emit } = this.#options;
    let found: readonly Ban[] = [];
    let adopt = (bans: readonly Ban[]): void => {
      found = found.concat(bans);
    };
    const { enforcer, surplus } = await startEnforcer({
      prepared: this.#prepared,
      plan,
      clock,
      emit,
      bans: [...ledger.bans()],
      adopt: (bans) => adopt(bans),
    });
    this.#prepared = null;
    this.#enforcer = enforcer;
    this.#startedWith = plan;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { decisions, arrivedAt } of waiting) enforcer.enqueue(decisions, arrivedAt);
    this.#decided.resolve();
    adopt = this.#options.adopt;
    adopt(withoutLifted([...surplus, ...found], waiting));
  };

  readonly apply = async (plan: Plan): Promise<void> => {
    // The enforcer began with this one.
    if (plan === this.#startedWith) return;
    this.#startedWith = null;
    this.#enforcer?.reconfigure(jailScopesOf(plan));
    await this.#enforcer?.setTrust(plan.trust).catch((error: unknown) => this.#tellTrustFailed(error));
  };

  /** Bans stay in the kernel. */
  readonly stop = async (): Promise<void> => {
    await this.#prepared?.close();
    await this.#enforcer?.stop();
    this.#decided.resolve();
  };

  /** As Enforcer.enqueue; before the start it waits for that. */
  enqueue(decisions: readonly Decision[], arrivedAt: Microseconds): void {
    if (this.#enforcer === null) this.#waiting.push({ decisions, arrivedAt });
    else this.#enforcer.enqueue(decisions, arrivedAt);
  }

  get isDryRun(): boolean {
    return this.#enforcer?.isDryRun ?? true;
  }

  /** As Enforcer.isEnforced. */
  isEnforced(jail: string, offender: Network): boolean {
    return this.#enforcer?.isEnforced(jail, offender) ?? false;
  }

  /** As Enforcer.written; before the start it waits for that. */
  written(): boolean | Promise<boolean> {
    if (this.#enforcer !== null) return this.#enforcer.written();
    if (this.#waiting.length === 0) return true;
    return this.#decided.promise.then(() => this.#enforcer?.written() ?? false);
  }

  /** As Enforcer.hasTaken. */
  hasTaken(change: BanChange): boolean {
    return this.#enforcer?.hasTaken(change) ?? false;
  }

  /** As Enforcer.settled. */
  async settled(offender: Network): Promise<void> {
    await this.#enforcer?.settled(offender);
  }

  /** As Enforcer.flush. */
  async flush(): Promise<void> {
    await this.#enforcer?.flush();
  }

  #tellTrustFailed(error: unknown): void {
    if (!(error instanceof OperationalError)) throw error;
    const message = `trusted networks are not set: ${error.message}`;
    const { emit } = this.#options;
    emit({ kind: 'firewall-error', message, advice: error.advice, elements: 0 });
    const raised = raise('trust-not-set', { reason: error.message, remedy: error.advice });
    emit({ kind: 'warning', raised });
  }
}

/** The kernel still holds what was lifted before the enforcer started. That is no reason to ban it again. */
function withoutLifted(bans: readonly Ban[], waiting: readonly Waiting[]): readonly Ban[] {
  const keyOf = ({ jail, offender }: Ban): string => `${jail} ${offender}`;
  const decisions = waiting.flatMap((one) => one.decisions);
  const lifted = new Set(decisions.flatMap((one) => (one.kind === 'unban' ? [keyOf(one.ban)] : [])));
  return bans.filter((ban) => !lifted.has(keyOf(ban)));
}
