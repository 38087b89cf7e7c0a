import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DRY_RUN_DIRECTORY, keepingDirectory } from '../../../src/daemon/configuration/config-source.ts';
import { choosePlan } from '../../../src/daemon/configuration/first-plan.ts';
import { keepLastGood } from '../../../src/daemon/configuration/last-good.ts';
import { STATE_FILE } from '../../../src/state/sqlite.ts';

const GOOD = '[jail.sshd]\nmax_retry = 3\n';
const BAD = '[jail.sshd]\nmax_rety = 3\n';

function setUp(t: TestContext, text: string) {
  const directory = mkdtempSync(join(tmpdir(), 'bailiff-first-plan-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const configPath = join(directory, 'bailiff.toml');
  const state = join(directory, 'state');
  mkdirSync(state);
  writeFileSync(configPath, text);
  const source = { configPath, stateDirectory: state, socketPath: join(directory, 'a.sock'), dryRun: false };
  return {
    directory,
    configPath,
    state,
    source,
    choose: (changes = {}) => choosePlan({ ...source, ...changes }),
  };
}

/** Those that a filter feeds: the jail for bans by hand is always there. */
function jailsOf({ plan }: ReturnType<typeof choosePlan>): string | undefined {
  const fed = plan?.jails.filter(({ filters }) => filters.length > 0);
  return fed?.map(({ policy }) => `${policy.name} ${policy.maxRetry}`).join(' ');
}

test('files without a mistake are in force', (t) => {
  const chosen = setUp(t, GOOD).choose();
  assert.deepEqual([jailsOf(chosen), chosen.instead], ['sshd 3', null]);
});

test('with a mistake in the files the configuration that was last in force is', (t) => {
  const { choose, state, configPath } = setUp(t, BAD);
  keepLastGood(state, [{ file: configPath, text: '[jail.sshd]\nmax_retry = 4\n' }]);
  const chosen = choose();
  assert.equal(jailsOf(chosen), 'sshd 4');
  assert.match(
    chosen.instead ?? '',
    /^the configuration of \d{4}-.*Z, kept in .*\/state\/last-good\/bailiff\.toml$/,
  );
  assert.match(chosen.loaded.problems[0]?.message ?? '', /max_rety/);
  assert.equal(chosen.plan?.stateDirectory, state);
});

/** In place of what systemd says of the unit. */
function setStateDirectory(t: TestContext, state: string): void {
  const before = process.env.STATE_DIRECTORY;
  process.env.STATE_DIRECTORY = state;
  t.after(() => {
    if (before === undefined) delete process.env.STATE_DIRECTORY;
    else process.env.STATE_DIRECTORY = before;
  });
}

test('what was kept says itself where the state is; the files may say nothing any more', (t) => {
  const { directory, configPath, state, source, choose } = setUp(t, '[daemon]\nstate_dir = "');
  setStateDirectory(t, state);
  const elsewhere = join(directory, 'elsewhere');
  const home = keepingDirectory({ ...source, stateDirectory: null });
  keepLastGood(home, [{ file: configPath, text: `${GOOD}[daemon]\nstate_dir = "${elsewhere}"\n` }]);
  const chosen = choose({ stateDirectory: null });
  assert.deepEqual([jailsOf(chosen), chosen.plan?.stateDirectory], ['sshd 3', elsewhere]);
});

test('it says so too when it cannot be used any more: the bans there are restored', (t) => {
  const { directory, configPath, state, source, choose } = setUp(t, '[daemon]\nstate_dir = "');
  setStateDirectory(t, state);
  const elsewhere = join(directory, 'elsewhere');
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, STATE_FILE), '');
  const home = keepingDirectory({ ...source, stateDirectory: null });
  keepLastGood(home, [{ file: configPath, text: `${BAD}[daemon]\nstate_dir = "${elsewhere}"\n` }]);
  const chosen = choose({ stateDirectory: null });
  assert.deepEqual([jailsOf(chosen), chosen.plan?.stateDirectory], ['', elsewhere]);
});

test('where none was kept, or it cannot be used any more, there are no jails, and the bans of the state', (t) => {
  const { choose, state, configPath } = setUp(t, BAD);
  writeFileSync(join(state, STATE_FILE), '');
  for (const kept of [null, BAD]) {
    if (kept !== null) keepLastGood(state, [{ file: configPath, text: kept }]);
    const chosen = choose();
    assert.deepEqual([jailsOf(chosen), chosen.plan?.stateDirectory], ['', state]);
    assert.match(chosen.instead ?? '', /^no jail: bans are restored/);
  }
});

test('where no bailiff has run before, nothing is in force', (t) => {
  assert.equal(setUp(t, BAD).choose().plan, null);
});

test('a practice with a mistake stays one', (t) => {
  const { choose, state, configPath } = setUp(t, BAD);
  keepLastGood(join(state, DRY_RUN_DIRECTORY), [{ file: configPath, text: GOOD }]);
  const chosen = choose({ dryRun: true });
  assert.deepEqual([jailsOf(chosen), chosen.plan?.firewall.backend], ['sshd 3', 'dry-run']);
});

test('what was practised, and what another configuration says, is never in force instead', (t) => {
  const { choose, directory, state, source } = setUp(t, BAD);
  setStateDirectory(t, state);
  writeFileSync(join(state, STATE_FILE), '');
  const usual = { ...source, stateDirectory: null };
  const other = { ...usual, configPath: join(directory, 'other.toml') };
  for (const practice of [{ ...usual, dryRun: true }, other])
    keepLastGood(keepingDirectory(practice), [{ file: practice.configPath, text: GOOD }]);
  assert.equal(jailsOf(choose({ stateDirectory: null })), '');
});
