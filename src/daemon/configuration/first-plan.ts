/**
 * What the daemon starts with. A mistake in a file must not leave a host without its bans: the configuration that was
 * last in force takes the place of one that cannot be used, and where none was kept the bans are restored and nobody
 * new is banned.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadedConfig } from '../../config/load.ts';
import type { Plan } from '../../config/plan.ts';
import { STATE_FILE } from '../../state/sqlite.ts';
import { type ConfigSource, DRY_RUN_DIRECTORY, keepingDirectory, readConfig } from './config-source.ts';
import { findLastGood } from './last-good.ts';

export type FirstPlan = {
  /** Null when there is nothing to keep: no bailiff has run here before. */
  readonly plan: Plan | null;
  /** What the files say. */
  readonly loaded: LoadedConfig;
  /** What is in force in place of the files, for people; null when they are. */
  readonly instead: string | null;
};

/** Reads the configuration, and what takes its place when it has a fault. Throws nothing for what files may contain. */
export function choosePlan(source: ConfigSource): FirstPlan {
  const loaded = readConfig(source);
  if (loaded.plan !== null) return { plan: loaded.plan, loaded, instead: null };
  const kept = findLastGood(keepingDirectory(source));
  const former = kept === null ? null : readConfig({ ...source, configPath: kept.configPath });
  if (kept !== null && former !== null && former.plan !== null) {
    const since = new Date(kept.keptAt).toISOString();
    const instead = `the configuration of ${since}, kept in ${kept.configPath}`;
    return { plan: former.plan, loaded, instead };
  }
  // A file that cannot be read says nothing of its state; what was kept may say where it is, if no more.
  const stateDirectory = [loaded, former ?? loaded].map((read) => read.stateDirectory).find(hasState);
  if (stateDirectory === undefined) return { plan: null, loaded, instead: null };
  const { plan } = readConfig({ ...source, stateDirectory }, { withoutFiles: true });
  return { plan, loaded, instead: 'no jail: bans are restored, and nobody new is banned' };
}

function hasState(stateDirectory: string): boolean {
  return [stateDirectory, join(stateDirectory, DRY_RUN_DIRECTORY)].some((directory) =>
    existsSync(join(directory, STATE_FILE)),
  );
}
