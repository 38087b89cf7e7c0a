import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadConfig } from '../../../src/config/load.ts';
import { findLastGood, keepLastGood } from '../../../src/daemon/configuration/last-good.ts';

const OWN = '[jail.sshd]\nmax_retry = 3\n';

function setUp(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'bailiff-last-good-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const state = join(directory, 'state');
  const write = (name: string, text: string) => {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  };
  const read = (configPath = join(directory, 'etc/bailiff.toml')) =>
    loadConfig({ configPath, uid: 0, env: {}, filtersInUseOnly: true });
  const keep = () => keepLastGood(state, read().sources);
  return { state, write, read, keep };
}

test('where nothing was kept there is none', (t) => {
  assert.equal(findLastGood(setUp(t).state), null);
});

test('what is kept is read as what was in force: the file, its drop-ins, the filters of the user', (t) => {
  const { state, write, read, keep } = setUp(t);
  const door = readFileSync(new URL('../../cli/filters/door.toml', import.meta.url), 'utf8');
  write('etc/bailiff.toml', OWN);
  write('etc/conf.d/a.toml', '[jail.door]\nenabled = true\nfilters = ["door"]\nmax_retry = 2\n');
  write('etc/conf.d/b.toml', '[jail.door]\nmax_retry = 7\n');
  write('etc/filters/door.toml', door);
  keep();
  write('etc/conf.d/b.toml', 'no [ toml');
  const kept = findLastGood(state);
  assert.equal(read().plan, null);
  const { plan, problems } = read(kept?.configPath);
  assert.deepEqual(problems, []);
  assert.deepEqual(plan?.jails.map(({ policy }) => `${policy.name} ${policy.maxRetry}`).sort(), [
    'door 7',
    'manual 5',
    'sshd 3',
  ]);
});

test('the next one takes its place whole: a drop-in that is gone is not kept', (t) => {
  const { state, write, keep } = setUp(t);
  write('etc/bailiff.toml', OWN);
  write('etc/conf.d/a.toml', 'trust.addresses = ["192.0.2.1"]\n');
  keep();
  rmSync(join(state, '../etc/conf.d/a.toml'));
  keep();
  assert.deepEqual(readdirSync(join(state, 'last-good/conf.d')), []);
  assert.deepEqual(readdirSync(state), ['last-good']);
});

test('what is kept already is not written again', (t) => {
  const { state, write, keep } = setUp(t);
  write('etc/bailiff.toml', OWN);
  keep();
  const before = statSync(join(state, 'last-good'));
  keep();
  assert.equal(statSync(join(state, 'last-good')).ino, before.ino);
});

test('a crash on the way leaves the one or the other', (t) => {
  const { state, write, read, keep } = setUp(t);
  write('etc/bailiff.toml', OWN);
  keep();
  write('state/last-good.new/bailiff.toml', 'half a [');
  assert.ok(read(findLastGood(state)?.configPath).plan !== null, 'while the next was written');
  writeFileSync(join(state, 'last-good.new/bailiff.toml'), OWN);
  rmSync(join(state, 'last-good'), { recursive: true });
  write('state/last-good.old/bailiff.toml', OWN);
  assert.ok(read(findLastGood(state)?.configPath).plan !== null, 'between the two names');
  keep();
  assert.deepEqual(readdirSync(state), ['last-good']);
});

test('a link that leads nowhere holds none, and makes room for one', (t) => {
  const { state, write, read, keep } = setUp(t);
  write('etc/bailiff.toml', OWN);
  mkdirSync(state);
  for (const target of ['last-good', 'nowhere']) {
    symlinkSync(target, join(state, 'last-good'));
    assert.equal(findLastGood(state), null);
    keep();
    assert.deepEqual(readdirSync(state), ['last-good']);
    assert.ok(read(findLastGood(state)?.configPath).plan !== null);
    rmSync(join(state, 'last-good'), { recursive: true });
  }
});

test('where its directory cannot be made that is an error, and no wait without end', (t) => {
  const { write, read } = setUp(t);
  write('etc/bailiff.toml', OWN);
  assert.throws(() => keepLastGood('/proc/nowhere', read().sources), { code: 'ENOENT' });
});

test('nobody else reads it', (t) => {
  const { state, write, keep } = setUp(t);
  write('etc/bailiff.toml', OWN);
  keep();
  assert.equal(statSync(join(state, 'last-good')).mode & 0o077, 0);
  assert.equal(statSync(join(state, 'last-good/bailiff.toml')).mode & 0o077, 0);
  assert.ok(existsSync(join(state, 'last-good/filters')));
});
