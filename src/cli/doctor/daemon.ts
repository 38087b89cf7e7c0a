/** What the daemon itself knows to be wrong, and whether the files would be taken. */
import { raise } from '../../core/warning/catalogue.ts';
import { type Check, type DoctorWorld, found, ok, type Verdict } from './check.ts';

export const daemon: Check = { name: 'daemon', run: async (world) => look(world) };

function look({ status }: DoctorWorld): readonly Verdict[] {
  if (status === null) {
    const given = { reason: 'the daemon does not answer at its control socket', remedy: '' };
    return [found('daemon', raise('daemon-not-running', given))];
  }
  const { version, pid, warnings, jails } = status;
  const answers = ok('daemon', `bailiff ${version} answers, process ${pid}, ${jails.length} jails`);
  const standing = warnings.map(
    ({ severity, text, action, page }): Verdict => ({
      check: 'daemon',
      verdict: severity,
      text,
      action,
      page,
    }),
  );
  return [...standing, answers];
}

export const configuration: Check = {
  name: 'configuration',
  run: async ({ plan, faults }) =>
    plan === null
      ? [
          found(
            'configuration',
            raise('configuration-faulty', { reason: faults[0] ?? 'it has a fault', remedy: '' }),
          ),
        ]
      : [ok('configuration', 'the files have no fault')],
};
