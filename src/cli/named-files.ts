/** What `bailiff check` says of the files that a configuration names: they are read and tried as the daemon does. */

import { type Problem, problemOfFile } from '../config/document/problem.ts';
import type { Plan } from '../config/plan.ts';
import { OperationalError } from '../core/errors.ts';
import { formatInstant, type Microseconds } from '../core/time.ts';

export type NamedFilesCheck = {
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** Until when the certificate of the TLS listeners is valid: `2031-11-20`, or '' where none is. */
  readonly validUntil: string;
};

/** `configPath` is where a person would look. */
export async function checkNamedFiles(
  plan: Plan | null,
  configPath: string,
  at: Microseconds,
): Promise<NamedFilesCheck> {
  if (plan === null) return { problems: [], warnings: [], validUntil: '' };
  const problems = await checkMetricsFiles(plan, configPath);
  const syslog = await checkSyslogFiles(plan, configPath, at);
  return { ...syslog, problems: [...syslog.problems, ...problems] };
}

async function checkSyslogFiles(
  { syslog: { tlsServer } }: Plan,
  configPath: string,
  at: Microseconds,
): Promise<NamedFilesCheck> {
  if (tlsServer === null) return { problems: [], warnings: [], validUntil: '' };
  const { readCredentials } = await import('../daemon/syslog/tls.ts');
  const { certificateWarnings } = await import('../core/warning/from-events.ts');
  const { warningOf } = await import('../core/warning/standing.ts');
  let validUntil = '';
  const warnings: Problem[] = [];
  const problems = problemsOf(configPath, () => {
    const loaded = readCredentials(tlsServer);
    validUntil = formatInstant(loaded.until).slice(0, 10);
    const ends = [
      ...certificateWarnings('syslog-server', loaded.until, at),
      ...certificateWarnings('syslog-client-ca', loaded.clientCaUntil, at),
    ];
    for (const change of ends) {
      if (change.kind !== 'raise') continue;
      const { text, action } = warningOf(change.raised, at);
      warnings.push(problemOfFile(configPath, `${text}; ${action}`));
    }
  });
  return { problems, warnings, validUntil };
}

/** The daemon does not read the files when it serves no metrics. */
async function checkMetricsFiles({ metrics }: Plan, configPath: string): Promise<readonly Problem[]> {
  if (metrics.listen.length === 0 || (metrics.tokenFile === null && metrics.tls === null)) return [];
  const { readMetricsAccess } = await import('../daemon/metrics/access.ts');
  return [
    ...problemsOf(configPath, () => readMetricsAccess({ ...metrics, tls: null })),
    ...problemsOf(configPath, () => readMetricsAccess({ ...metrics, tokenFile: null })),
  ];
}

/** What keeps `deed`, which uses files, from succeeding. */
function problemsOf(configPath: string, deed: () => unknown): readonly Problem[] {
  try {
    deed();
    return [];
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    return [problemOfFile(configPath, error.message)];
  }
}
