/** Chooses the firewall: the kernel's where it can be had, else a stand-in that says what it would have done. */
import type { Plan } from '../config/plan.ts';
import type { Ban } from '../core/decision.ts';
import { OperationalError } from '../core/errors.ts';
import type { Emit } from '../core/event.ts';
import type { Clock } from '../core/time.ts';
import type { JailScope } from '../firewall/desired.ts';
import { DryRunFirewall } from '../firewall/dry-run.ts';
import type { Firewall } from '../firewall/firewall.ts';
import { NftFirewall } from '../firewall/nft.ts';
import { Enforcer, SYSTEM_TIMERS } from './enforcer.ts';

export type EnforcementOptions = {
  readonly plan: Plan;
  readonly clock: Clock;
  readonly emit: Emit;
  /** The ledger's bans. */
  readonly bans: readonly Ban[];
  readonly adopt: (bans: readonly Ban[]) => void;
};

/** Starts an enforcer; `surplus` are the bans that the kernel holds beyond ours. */
export async function startEnforcer(
  options: EnforcementOptions,
): Promise<{ readonly enforcer: Enforcer; readonly surplus: readonly Ban[] }> {
  const { plan } = options;
  if (plan.firewall.backend === 'dry-run') return start(options, new DryRunFirewall(options.clock), null);
  const firewall = new NftFirewall(plan.firewall.table);
  try {
    return await start(options, firewall, null);
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    await firewall.close();
    return start(options, new DryRunFirewall(options.clock), error);
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
