/** What a fresh machine is given of this one: a clone, and the way to the registry of npm. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { run } from '../packages/built.ts';

export const ROOT = resolve(import.meta.dirname, '../..');
export const START_PING_STOP = join(import.meta.dirname, 'start-ping-stop.sh');
const LOGS = join(ROOT, 'build/fresh');

/** Both lines of the README, as they stand there. */
export function readmeLine(script: 'start' | 'test'): string {
  const line = `npm ci && npm ${script}`;
  const text = readFileSync(join(ROOT, 'README.md'), 'utf8');
  if (!text.split('\n').includes(`    ${line}`)) throw new Error(`README.md has no line ${line}`);
  return line;
}

/** Clones what is committed here. */
export function cloneTo(directory: string): void {
  run(['git', 'clone', '--quiet', ROOT, directory]);
}

/** A file with the authorities that this machine trusts beside the usual ones; null when there is none. */
export function ownAuthorities(): string | null {
  return process.env.NODE_EXTRA_CA_CERTS ?? process.env.npm_config_cafile ?? null;
}

/** An environment for npm in which nothing is left of the npm that runs this. */
export function npmEnvironment(more: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^npm_/i.test(name) && name !== 'NODE_TEST_CONTEXT' && name !== 'NODE_OPTIONS',
  );
  const registry = spawnSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).stdout.trim();
  return { ...Object.fromEntries(kept), npm_config_registry: registry, CI: 'true', NO_COLOR: '1', ...more };
}

export type Finished = { readonly status: number | null; readonly output: string; readonly seconds: number };

/** Runs a program to its end; what it says goes to build/fresh/NAME.log as well, since that takes minutes. */
export function runLogged(
  name: string,
  argv: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<Finished> {
  mkdirSync(LOGS, { recursive: true });
  const log = createWriteStream(join(LOGS, `${name}.log`));
  const [command = '', ...words] = argv;
  const startedAt = performance.now();
  const { promise, resolve, reject } = Promise.withResolvers<Finished>();
  const child = spawn(command, words, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      log.write(text);
    });
  child.once('error', reject);
  child.once('close', (status) => {
    log.end();
    resolve({ status, output, seconds: Math.round((performance.now() - startedAt) / 1_000) });
  });
  return promise;
}

/** That `npm ci` has said that it is done, and nothing else; what it said. */
export function assertQuietInstall({ status, output }: Finished): string {
  assert.equal(status, 0, output);
  assert.match(output, /^\s*added \d+ packages in .*\s*$/, 'npm says more than that it is done');
  return output.trim();
}

/** The summary of `node --test`, in one line. */
export function summaryOf({ output, seconds }: Finished): string {
  const counts = [...output.matchAll(/^ℹ (tests|pass|fail|cancelled|skipped) (\d+)$/gm)].slice(-5);
  return `${counts.map(([, what, count]) => `${what} ${count}`).join(', ')} in ${seconds} s`;
}
