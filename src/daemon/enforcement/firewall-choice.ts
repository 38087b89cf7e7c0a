/** Chooses the firewall: the kernel's where it can be had, else a stand-in that says what it would have done. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Plan } from '../../config/plan.ts';
import { OperationalError } from '../../core/errors.ts';
import type { Emit } from '../../core/event.ts';
import type { Ban } from '../../core/ledger/decision.ts';
import type { Clock } from '../../core/time.ts';
import type { JailScope } from '../../firewall/desired.ts';
import { DryRunFirewall } from '../../firewall/dry-run.ts';
import type { Firewall } from '../../firewall/firewall.ts';
import { NftFirewall } from '../../firewall/nft.ts';
import { Enforcer, SYSTEM_TIMERS } from './enforcer.ts';

/** At boot others may be busy with the ruleset, or the kernel with loading its modules. */
export const START_ATTEMPTS = 3;
const PAUSE_MILLISECONDS = 300;

export type EnforcementOptions = {
  readonly plan: Plan;
  readonly clock: Clock;
  readonly emit: Emit;
  /** The ledger's bans. */
  readonly bans: readonly Ban[];
  readonly adopt: (bans: readonly Ban[]) => void;
  /** From `prepareFirewall`, for the first attempt. */
  readonly prepared?: Firewall | null;
  /** Opens the kernel's firewall; another one in tests only. */
  readonly openFirewall?: (table: string) => Firewall;
};

/** The kernel's firewall, whose worker starts meanwhile; null for a dry run. Asks nothing of the kernel. */
export function prepareFirewall({ firewall: { backend, table } }: Plan): Firewall | null {
  if (backend === 'dry-run') return null;
  const firewall = new NftFirewall(table);
  firewall.prepare();
  return firewall;
}

/** Starts an enforcer; `surplus` are the bans that the kernel holds beyond ours. */
export async function startEnforcer(
  options: EnforcementOptions,
): Promise<{ readonly enforcer: Enforcer; readonly surplus: readonly Ban[] }> {
  const { plan } = options;
  let { prepared = null } = options;
  if (plan.firewall.backend === 'dry-run') return start(options, new DryRunFirewall(options.clock), null);
  const openFirewall = options.openFirewall ?? ((table) => new NftFirewall(table));
  for (let attempt = 1; ; attempt++) {
    const firewall = prepared ?? openFirewall(plan.firewall.table);
    prepared = null;
    try {
      return await start(options, firewall, null);
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      await firewall.close();
      if (!error.retriable || attempt === START_ATTEMPTS)
        return start(options, new DryRunFirewall(options.clock), error);
      await pause(PAUSE_MILLISECONDS);
    }
  }
}

async function start(options: EnforcementOptions, firewall: Firewall, limitation: OperationalError | null) {
  const { plan, clock, emit, adopt, bans } = options;
  const enforcer = new Enforcer({
    firewall,
    clock,
    emit,
    timers: SYSTEM_TIMERS,
    jails: jailScopesOf(plan),
    trust: plan.trust,
    adopt,
    limitation,
  });
  return { enforcer, surplus: await enforcer.start(bans) };
}

/** Which ports each jail bans from. */
export function jailScopesOf(plan: Plan): readonly JailScope[] {
  return plan.jails.map(({ policy }) => policy);
}
