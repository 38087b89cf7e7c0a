/** Holds sshd's own penalties against what bailiff trusts: sshd_config(5), PerSourcePenalties, from OpenSSH 9.8 on. */
import { type RaisedWarning, raise } from '../../core/warning/catalogue.ts';
import { type Check, type DoctorWorld, foundOrOk, ok, skipped, type Verdict } from './check.ts';

const NAME = 'sshd';

export const sshd: Check = { name: NAME, run: look };

async function look({ plan, isRoot, run }: DoctorWorld): Promise<readonly Verdict[]> {
  if (plan === null || plan.trust.length === 0)
    return [ok(NAME, 'nothing is trusted that sshd could refuse')];
  if (!isRoot) return [skipped(NAME, 'needs root: sshd -T reads the keys of the host')];
  const ran = await run(['sshd', '-T']);
  if (ran === null) return [ok(NAME, 'no sshd on this host')];
  if (ran.status !== 0) return [skipped(NAME, `sshd -T: ${ran.stderr.trim().split('\n')[0] ?? ''}`)];
  return foundOrOk(NAME, findPenalties(ran.stdout, plan.trust), 'does not refuse whom bailiff trusts');
}

/** In the settings that `sshd -T` prints, one a line, in lower case (OpenSSH 9.2 and 10.0). */
export function findPenalties(settings: string, trust: readonly string[]): readonly RaisedWarning[] {
  const settingOf = (key: string): string =>
    settings
      .split('\n')
      .find((line) => line.startsWith(`${key} `))
      ?.slice(key.length + 1) ?? '';
  const penalties = settingOf('persourcepenalties');
  if (penalties === '' || penalties === 'no') return [];
  const exempt = new Set(settingOf('persourcepenaltyexemptlist').split(','));
  const missing = trust.filter((network) => !exempt.has(network));
  return missing.length === 0 ? [] : [raise('sshd-penalties', { trusted: missing.join(',') })];
}
