import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { defaultConfigPath, defaultPaths } from '../../../src/config/paths.ts';
import {
  type ConfigSource,
  describeProblems,
  keepingDirectory,
  problemLines,
  readConfig,
} from '../../../src/daemon/configuration/config-source.ts';

function sourceOf(t: TestContext, text: string, parts: Partial<ConfigSource> = {}): ConfigSource {
  const directory = mkdtempSync(join(tmpdir(), 'bailiff-config-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const configPath = join(directory, 'bailiff.toml');
  writeFileSync(configPath, text);
  return { configPath, stateDirectory: null, socketPath: null, dryRun: false, ...parts };
}

test('the file says where the state and the socket are, unless the command line does', (t) => {
  const text = '[daemon]\nstate_dir = "/srv/state"\nsocket = "/srv/bailiff.sock"\n';
  const { plan } = readConfig(sourceOf(t, text));
  assert.deepEqual([plan?.stateDirectory, plan?.socketPath], ['/srv/state', '/srv/bailiff.sock']);
  const overridden = readConfig(sourceOf(t, text, { stateDirectory: '/other', socketPath: '/other.sock' }));
  assert.deepEqual([overridden.plan?.stateDirectory, overridden.plan?.socketPath], ['/other', '/other.sock']);
});

test('a dry run keeps what it practised apart, whoever asked for it', (t) => {
  const asked = readConfig(sourceOf(t, '', { stateDirectory: '/srv/state', dryRun: true }));
  assert.equal(asked.plan?.firewall.backend, 'dry-run');
  assert.equal(asked.plan?.stateDirectory, '/srv/state/dry-run');
  const written = readConfig(
    sourceOf(t, '[firewall]\nbackend = "dry-run"\n', { stateDirectory: '/srv/state' }),
  );
  assert.equal(written.plan?.stateDirectory, '/srv/state/dry-run');
});

test('the configuration of the usual path is kept in the usual place, every other in one of its own', (t) => {
  const named = sourceOf(t, '');
  const usual = { ...named, configPath: defaultConfigPath() };
  const { stateDirectory } = defaultPaths(process.getuid?.() ?? 0, process.env);
  assert.equal(keepingDirectory(usual), stateDirectory);
  assert.equal(keepingDirectory({ ...usual, dryRun: true }), join(stateDirectory, 'dry-run'));
  assert.match(keepingDirectory(named), /\/configurations\/[0-9a-f]{16}$/);
  assert.equal(keepingDirectory({ ...named, stateDirectory: '/srv/state' }), '/srv/state');
});

test('a fault is told with its place: for people with a caret, for logs in one line', (t) => {
  const source = sourceOf(t, '[jail.sshd]\nmax_rety = 3\n');
  const loaded = readConfig(source);
  assert.equal(loaded.plan, null);
  assert.ok(problemLines(loaded).some((line) => /bailiff\.toml:2:1: [^\n]*max_retry/.test(line)));
  assert.match(describeProblems(loaded), /max_rety = 3\n +\| \^/);
});

test('what a file quotes cannot drive the terminal', (t) => {
  const loaded = readConfig(sourceOf(t, '"\\u001b]0;owned" = 1 # \u001b[2J\n'));
  assert.equal(loaded.plan, null);
  assert.doesNotMatch(describeProblems(loaded), /\u001b/);
});
