/**
 * The README's run line, and the unit tests, with the versions of npm that people have: each is put into a directory of
 * its own and comes first on the PATH. Of the unit tests each version runs a third; Debian's own npm runs all (debian).
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openBed } from '../bed/namespace.ts';
import { requirements } from '../bed/requirements.ts';
import {
  assertQuietInstall,
  cloneTo,
  npmEnvironment,
  readmeLine,
  runLogged,
  START_PING_STOP,
  summaryOf,
} from './fresh.ts';

const VERSIONS = [9, 10, 11];
const START_MILLISECONDS = 120_000;

for (const [index, version] of VERSIONS.entries()) {
  test(`npm ${version} installs, starts and tests a clone`, {
    skip: requirements('root') ?? false,
  }, async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'bailiff-fresh-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const npm = join(directory, 'npm');
    const environment = npmEnvironment({ HOME: directory });
    const scratch = ['npm', 'install', '--silent', '--prefix', npm, `npm@${version}`];
    assert.equal(
      (await runLogged(`npm-${version}-itself`, scratch, { cwd: directory, env: environment })).status,
      0,
    );
    const PATH = `${join(npm, 'node_modules/.bin')}:${process.env.PATH ?? ''}`;
    await tryClone(t, {
      name: `npm-${version}`,
      directory,
      env: { ...environment, PATH },
      shard: `${index + 1}/3`,
    });
  });
}

type Trial = {
  readonly name: string;
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  readonly shard: string;
};

async function tryClone(t: TestContext, { name, directory, env, shard }: Trial): Promise<void> {
  const clone = join(directory, 'clone');
  cloneTo(clone);
  const [install, start] = readmeLine('start').split(' && ');
  const versions = await runLogged(`${name}-version`, ['npm', '--version'], { cwd: clone, env });
  const installed = await runLogged(`${name}-ci`, ['sh', '-c', install ?? ''], { cwd: clone, env });
  t.diagnostic(`npm ${versions.output.trim()}: ${assertQuietInstall(installed)}`);

  await using bed = await openBed();
  const words = (start ?? '').split(' ');
  const { stdout } = await bed.run(
    ['sh', '-c', 'cd "$1" && shift && exec "$@"', 'sh', clone, 'sh', START_PING_STOP, ...words],
    {
      environment: { PATH: env.PATH ?? '', HOME: directory },
      timeoutMilliseconds: START_MILLISECONDS,
    },
  );
  assert.match(stdout, /^\S+ ready$/m);
  assert.match(stdout, /^answer: pong$/m);
  t.diagnostic('started, answered pong, stopped with status 0');

  const tests = await runLogged(`${name}-unit`, ['npm', 'run', 'test:unit'], {
    cwd: clone,
    env: { ...env, TEST_SHARD: shard },
  });
  t.diagnostic(`unit tests, part ${shard}: ${summaryOf(tests)}`);
  assert.equal(tests.status, 0, failuresOf(tests.output));
}

function failuresOf(output: string): string {
  return output.slice(output.indexOf('failing tests:'));
}
