/** All checks of `bailiff doctor`, one after another; one that fails is told and the others go on. */
import { OperationalError } from '../../core/errors.ts';
import type { ConfigOptions, SocketOptions } from '../command.ts';
import type { Terminal } from '../render/terminal.ts';
import { banProof } from './ban-proof.ts';
import { bypass } from './bypass.ts';
import { type Check, type DoctorWorld, skipped, sortVerdicts, type Verdict } from './check.ts';
import { configuration, daemon } from './daemon.ts';
import { journal } from './journal.ts';
import { neighbours } from './neighbours.ts';
import { senders } from './senders.ts';
import { sshd } from './sshd.ts';
import { lookAround } from './world.ts';

export const CHECKS: readonly Check[] = [
  daemon,
  configuration,
  banProof,
  bypass,
  journal,
  senders,
  neighbours,
  sshd,
];

export async function examine(
  options: SocketOptions & ConfigOptions,
  terminal: Terminal,
): Promise<readonly Verdict[]> {
  return examineWorld(await lookAround(options, terminal));
}

export async function examineWorld(
  world: DoctorWorld,
  checks: readonly Check[] = CHECKS,
): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const { name, run } of checks) {
    try {
      verdicts.push(...(await run(world)));
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      verdicts.push(skipped(name, error.message));
    }
  }
  return sortVerdicts(verdicts);
}
