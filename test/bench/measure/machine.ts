/** What the numbers were measured on. */
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, release } from 'node:os';

export type Machine = {
  readonly cores: number;
  readonly processor: string;
  readonly kernel: string;
  readonly node: string;
  /** Short name of the commit, with `+` when files differ from it; `unknown` outside a checkout. */
  readonly commit: string;
};

export function describeMachine(): Machine {
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model.trim() ?? 'unknown processor',
    kernel: `Linux ${release()}`,
    node: process.version,
    commit: findCommit(),
  };
}

/** One line for people. */
export function formatMachine({ cores, processor, kernel, node, commit }: Machine): string {
  return `${cores} cores (${processor}), ${kernel}, Node ${node}, bailiff at commit ${commit}`;
}

/** How many processes wanted a core, on average over the last minute: a noisy machine shows. */
export function loadAverage(): number {
  return loadavg()[0] ?? 0;
}

function findCommit(): string {
  const commit = git('rev-parse', '--short', 'HEAD');
  if (commit === null) return 'unknown';
  return git('status', '--porcelain') === '' ? commit : `${commit}+`;
}

function git(...words: readonly string[]): string | null {
  try {
    return execFileSync('git', words, {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return null;
  }
}
