/** Where this daemon's configuration comes from, so that a reload reads it just as the start did. */
import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { formatProblem, formatProblemLine } from '../../config/document/problem.ts';
import { type LoadedConfig, type LoadOptions, loadConfig } from '../../config/load.ts';
import { defaultConfigPath, defaultPaths } from '../../config/paths.ts';
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
export const DRY_RUN_DIRECTORY = 'dry-run';

/**
 * Where what was last in force is kept: with the state, unless the configuration itself says where that is, since one
 * that cannot be read says nothing. What a practice goes by, or a daemon of another configuration that shares the usual
 * place, must never be in force in place of this one: each has a directory of its own.
 */
export function keepingDirectory({ configPath, stateDirectory, dryRun }: ConfigSource): string {
  const usual = defaultPaths(process.getuid?.() ?? 0, process.env).stateDirectory;
  const ofPath = stateDirectory === null ? ownDirectory(resolve(configPath)) : '';
  return resolve(stateDirectory ?? usual, ofPath, dryRun ? DRY_RUN_DIRECTORY : '');
}

/** Below the usual place; '' for the configuration whose place it is. */
function ownDirectory(configPath: string): string {
  if (configPath === resolve(defaultConfigPath())) return '';
  return join(
    OTHERS_DIRECTORY,
    createHash('sha256').update(configPath).digest('hex').slice(0, DIGEST_LENGTH),
  );
}

const OTHERS_DIRECTORY = 'configurations';

/** In hexadecimal; whoever names the files is the administrator. */
const DIGEST_LENGTH = 16;

/** Reads the configuration and the filters. Throws nothing for what the files may contain. */
export function readConfig(
  source: ConfigSource,
  options: Pick<LoadOptions, 'withoutFiles'> = {},
): LoadedConfig {
  const loaded = loadConfig({
    ...options,
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
