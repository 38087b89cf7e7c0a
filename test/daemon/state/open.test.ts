import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openState } from '../../../src/daemon/state/open.ts';
import { MIGRATIONS } from '../../../src/state/schema.ts';
import { STATE_FILE } from '../../../src/state/sqlite.ts';
import { requirements } from '../../bed/requirements.ts';
import { actionsOf, wordsOf } from '../../core/warning/words.ts';
import { pointAt } from '../../state/samples.ts';
import { Recorder } from '../parts.ts';

const CHANGES = {
  rewritten: [],
  windows: [],
  windowsGone: [],
  bans: [],
  bansGone: [],
  totals: [{ jail: 'sshd', failures: 5, bans: 1 }],
};

function directoryOf(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'bailiff-state-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

function healthOf(recorder: Recorder): string[] {
  return recorder.of('component').map(({ component, health }) => `${component} ${health}`);
}

test('the state is read, and told to be up', async (t) => {
  const directory = directoryOf(t);
  const recorder = new Recorder();
  const first = await openState(directory, recorder.emit);
  assert.deepEqual(first.state.ledger.totals, []);
  await first.store.commit(CHANGES, pointAt('a cursor'));
  await first.store.close();
  const { store, state } = await openState(directory, recorder.emit);
  t.after(() => store.close());
  assert.deepEqual(state.ledger.totals, CHANGES.totals);
  assert.equal(state.journalPosition, 'a cursor');
  assert.deepEqual(healthOf(recorder), ['state up', 'state up']);
});

test('a state that another daemon has is not gone on without', async (t) => {
  const directory = directoryOf(t);
  const { store } = await openState(directory, () => {});
  t.after(() => store.close());
  const recorder = new Recorder();
  await assert.rejects(openState(directory, recorder.emit), { code: 'state-locked' });
  assert.deepEqual(recorder.events, []);
});

test('nor is one of a later version', async (t) => {
  const directory = directoryOf(t);
  const { store } = await openState(directory, () => {});
  await store.close();
  const database = new DatabaseSync(join(directory, STATE_FILE));
  database.exec(`INSERT INTO migrations SELECT max(version) + 1, 'of the future' FROM migrations`);
  database.close();
  await assert.rejects(
    openState(directory, () => {}),
    { code: 'state-version', message: new RegExp(`version ${MIGRATIONS.length + 1},`) },
  );
});

test('where nothing can be kept the daemon goes on, forgets, and says so', async (t) => {
  const file = join(directoryOf(t), 'a-file');
  writeFileSync(file, '');
  const recorder = new Recorder();
  const { store, state } = await openState(join(file, 'state'), recorder.emit);
  assert.deepEqual(healthOf(recorder), ['state degraded']);
  assert.match(wordsOf(recorder.of('component')[0]), /^failures and bans are in memory only: /);
  assert.notEqual(actionsOf(recorder.of('component')[0]), '');
  assert.deepEqual(state, {
    ledger: { windows: [], bans: [], totals: [] },
    journalPosition: null,
    banLogPosition: null,
    clock: null,
    sessions: [],
  });
  await store.commit(CHANGES, pointAt('a cursor'));
  assert.deepEqual((await store.load()).journalPosition, null);
  await store.close();
});

test('a damaged state is set aside and a new one begun, which is told', async (t) => {
  const directory = directoryOf(t);
  writeFileSync(join(directory, STATE_FILE), 'no database at all '.repeat(500));
  const recorder = new Recorder();
  const { store } = await openState(directory, recorder.emit);
  t.after(() => store.close());
  assert.match(recorder.of('state-error')[0]?.message ?? '', /was damaged .*: it is kept as/);
  assert.deepEqual(healthOf(recorder), ['state up']);
});

test('a state that cannot be written is read, and said not to be kept', async (t) => {
  const skip = requirements('root');
  if (skip !== null) return t.skip(skip);
  const directory = directoryOf(t);
  const { store } = await openState(directory, () => {});
  await store.commit(CHANGES, pointAt('a cursor'));
  await store.close();
  const script = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && exec "$2" "$3" "$1"';
  const program = fileURLToPath(new URL('print-state.ts', import.meta.url));
  const words = ['-m', 'sh', '-ec', script, 'sh', directory, process.execPath, program];
  const { status, stdout, stderr } = spawnSync('unshare', words, { encoding: 'utf8' });
  assert.deepEqual([status, stderr], [0, '']);
  const { state, told } = JSON.parse(stdout);
  assert.deepEqual(state.ledger.totals, CHANGES.totals);
  assert.equal(state.journalPosition, 'a cursor');
  assert.match(told, /^failures and bans are in memory only: .*; what it holds was read$/);
});
