/** Where this daemon's configuration comes from, so that a reload reads it just as the start did. */
import { join } from 'node:path';
import { formatProblem, formatProblemLine } from '../../config/document/problem.ts';
import { type LoadedConfig, loadConfig } from '../../config/load.ts';
import type { Plan } from '../../config/plan.ts';
import { printableLines } from '../../core/text/printable.ts';

export type ConfigSource = {
  readonly configPath: string;
  /** In place of what the configuration says; null to go by it. */
  readonly stateDirectory: string | null;
  readonly socketPath: string | null;
  readonly dryRun: boolean;
};

/** Bans that were only practised must not become real ones at the next start: they have a state of their own. */
const DRY_RUN_DIRECTORY = 'dry-run';

/** Reads the configuration and the filters. Throws nothing for what the files may contain. */
export function readConfig(source: ConfigSource): LoadedConfig {
  const loaded = loadConfig({
    configPath: source.configPath,
    uid: process.getuid?.() ?? 0,
    env: process.env,
    filtersInUseOnly: true,
    overrides: {
      stateDir: source.stateDirectory ?? undefined,
      socket: source.socketPath ?? undefined,
      dryRun: source.dryRun,
    },
  });
  return { ...loaded, plan: loaded.plan === null ? null : separateDryRun(loaded.plan) };
}

/** What keeps a configuration from being used, for people: each problem with its line and a caret. */
export function describeProblems(loaded: LoadedConfig): string {
  return loaded.problems.map((problem) => printableLines(formatProblem(problem))).join('\n');
}

/** The same in one line each. */
export function problemLines(loaded: LoadedConfig): readonly string[] {
  return loaded.problems.map(formatProblemLine);
}

function separateDryRun(plan: Plan): Plan {
  if (plan.firewall.backend !== 'dry-run') return plan;
  return { ...plan, stateDirectory: join(plan.stateDirectory, DRY_RUN_DIRECTORY) };
}
