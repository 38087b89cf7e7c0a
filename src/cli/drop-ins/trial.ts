/**
 * Trying a changed configuration: that of the daemon that runs, unless another is named, read as the daemon would and
 * put in force by a reload.
 */
import { resolve } from 'node:path';
import { formatProblem, type Problem } from '../../config/document/problem.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { OperationalError } from '../../core/errors.ts';
import { printableLines } from '../../core/text/printable.ts';
import type { ReloadReport, StatusReport } from '../../http/control.ts';
import { askDaemon, pathOf } from '../client.ts';
import { type ConfigOptions, configPathOf, type SocketOptions } from '../command.ts';
import type { Terminal } from '../render/terminal.ts';

/** Whose configuration it is. */
export type Place = ConfigOptions & SocketOptions;

export type FoundConfiguration = {
  readonly configPath: string;
  /** Whether a daemon runs with it. */
  readonly isRunning: boolean;
};

export type Trial = {
  /** What the files come to. */
  readonly loaded: LoadedConfig;
  /** What stands in the way, for people; null when nothing does. */
  readonly obstacle: string | null;
  readonly warnings: readonly Problem[];
};

/** That of the daemon that runs, unless another is named. */
export async function findConfiguration(options: Place, terminal: Terminal): Promise<FoundConfiguration> {
  const named = configPathOf(options, terminal);
  try {
    const status = await askDaemon<StatusReport>(options, terminal, {
      method: 'GET',
      path: pathOf(['status']),
    });
    const isNamed = options.config !== undefined;
    const isRunning = !isNamed || resolve(named) === status.configuration;
    return { configPath: isNamed ? named : status.configuration, isRunning };
  } catch (error) {
    if (error instanceof OperationalError && error.code === 'daemon-not-running')
      return { configPath: named, isRunning: false };
    throw error;
  }
}

/** Has the daemon reload, or without one reads the configuration as it would. */
export async function tryOut(
  { configPath, isRunning }: FoundConfiguration,
  options: Place,
  terminal: Terminal,
): Promise<Trial> {
  const loaded = await loadAsDaemon(configPath, terminal);
  const { plan, problems, warnings } = loaded;
  if (plan === null) return { loaded, obstacle: problems.map(formatProblem).join('\n'), warnings };
  if (!isRunning) return { loaded, obstacle: null, warnings };
  const asked = { method: 'POST', path: pathOf(['reload']) } as const;
  const report = await askDaemon<ReloadReport>(options, terminal, asked);
  return { loaded, obstacle: report.applied ? null : printableLines(report.problems.join('\n')), warnings };
}

/** Reads a configuration as the daemon would. */
export async function loadAsDaemon(configPath: string, terminal: Terminal): Promise<LoadedConfig> {
  const { loadConfig } = await import('../../config/load.ts');
  const { userId: uid, environment: env } = terminal;
  return loadConfig({ configPath, uid, env, filtersInUseOnly: true });
}
