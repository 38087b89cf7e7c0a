import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OperationalError } from '../../src/core/errors.ts';
import type { BailiffEvent } from '../../src/core/event.ts';
import { openStore, STATE_FILE } from '../../src/state/sqlite.ts';
import type { Store } from '../../src/state/store.ts';
import { NOTHING, nthCommit, pointAt, windowOf, windowsOf } from './samples.ts';

let directory = '';
let events: BailiffEvent[] = [];
const opened: Store[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bailiff-store-'));
  events = [];
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  rmSync(directory, { recursive: true, force: true });
});

function open(stateDirectory = directory, maxBytes?: number): Store {
  const emit = (event: BailiffEvent) => void events.push(event);
  const store = openStore({ stateDirectory, emit, ...(maxBytes === undefined ? {} : { maxBytes }) });
  opened.push(store);
  return store;
}

async function failureOf(promise: Promise<unknown>): Promise<OperationalError> {
  const error: unknown = await promise.then(
    () => assert.fail('it should have failed'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof OperationalError, String(error));
  return error;
}

describe('a store', () => {
  it('gives a later daemon what an earlier one has committed', async () => {
    const store = open();
    assert.deepEqual(await store.load(), {
      ledger: { windows: [], bans: [], totals: [] },
      journalPosition: null,
      banLogPosition: null,
      clock: null,
      sessions: [],
    });
    for (const number of [1, 2, 3])
      await store.commit(nthCommit(number).changes, pointAt(nthCommit(number).position));
    await store.close();
    const { ledger, journalPosition } = await open().load();
    assert.deepEqual(ledger.windows, windowsOf(1, 4));
    assert.equal(journalPosition, nthCommit(3).position);
    assert.deepEqual(events, []);
  });

  it('takes commits that are asked for at once, in their order, and finishes them before it closes', async () => {
    const store = open();
    await store.load();
    const numbers = Array.from({ length: 50 }, (_, index) => index + 1);
    const commits = numbers.map((number) =>
      store.commit(nthCommit(number).changes, pointAt(nthCommit(number).position)),
    );
    await store.close();
    await Promise.all(commits);
    assert.deepEqual((await open().load()).ledger.windows, windowsOf(1, 51));
  });

  it('does not go to the disk when nothing has changed', async () => {
    const store = open();
    await store.load();
    await store.commit(NOTHING, pointAt('cursor'));
    const size = () => statSync(join(directory, `${STATE_FILE}-wal`)).size;
    const before = size();
    for (let round = 0; round < 10; round++) await store.commit(NOTHING, pointAt('cursor'));
    await store.commit(NOTHING, pointAt(null));
    assert.equal(size(), before);
    await store.commit(NOTHING, pointAt('next'));
    assert.ok(size() > before);
  });

  it('refuses a commit before its file is open, and says so', async () => {
    const failure = await failureOf(open().commit(nthCommit(1).changes, pointAt(null)));
    assert.equal(failure.code, 'state-closed');
  });

  it('refuses what does not fit, and takes the same changes later', async () => {
    const store = open(directory, 128 * 1_024);
    await store.load();
    const changes = { ...NOTHING, windows: windowsOf(0, 5_000) };
    const failure = await failureOf(store.commit(changes, pointAt('cursor')));
    assert.deepEqual([failure.code, failure.retriable], ['state-full', true]);
    await store.close();
    const roomier = open();
    assert.deepEqual(await roomier.load(), {
      ledger: { windows: [], bans: [], totals: [] },
      journalPosition: null,
      banLogPosition: null,
      clock: null,
      sessions: [],
    });
    await roomier.commit(changes, pointAt('cursor'));
    assert.equal((await roomier.load()).ledger.windows.length, 5_000);
  });

  it('works again after the disk was full', async (t) => {
    const skip = cannotUnshare();
    if (skip !== null) return t.skip(skip);
    const { status, output } = runOnSmallDisk('size=6m', 'full-disk.ts');
    assert.deepEqual([status, output], [0, 'done\n']);
  });

  it('reports a damaged file, and begins a new one', async () => {
    writeFileSync(join(directory, STATE_FILE), 'rubbish');
    const store = open();
    assert.deepEqual((await store.load()).journalPosition, null);
    const [event, warning] = events;
    assert.ok(event?.kind === 'state-error');
    assert.match(
      event.message,
      /was damaged \(.+\): it is kept as .*\.damaged-1; a new one is begun with 0 bans, /,
    );
    assert.match(event.advice, /bans in the kernel are taken over/);
    assert.ok(warning?.kind === 'warning');
    assert.deepEqual([events.length, warning.raised.code], [2, 'state-was-damaged']);
  });

  it('says so when the file was empty', async () => {
    writeFileSync(join(directory, STATE_FILE), '');
    await open().load();
    assert.match(events[0]?.kind === 'state-error' ? events[0].message : '', /bailiff\.db was empty/);
    assert.equal(events[1]?.kind === 'warning' ? events[1].raised.code : '', 'state-was-empty');
  });

  it('sets a file aside that turns out to be damaged in use', async () => {
    const store = open();
    await store.load();
    const rows = 60_000;
    await store.commit({ ...NOTHING, windows: windowsOf(0, rows) }, pointAt('cursor'));
    await store.load();
    const path = join(directory, STATE_FILE);
    const handle = openSync(path, 'r+');
    writeSync(handle, new Uint8Array(statSync(path).size - 4_096).fill(0xa5), 0, null, 4_096);
    closeSync(handle);
    const failure = await failureOf(
      store.commit({ ...NOTHING, windows: windowsOf(0, rows) }, pointAt('next')),
    );
    assert.deepEqual([failure.code, failure.retriable], ['state-damaged', true]);
    assert.match(
      events.map((event) => (event.kind === 'state-error' ? event.message : '')).join(),
      /damaged-1/,
    );
    await store.commit({ ...nthCommit(1).changes, rewritten: ['sshd'] }, pointAt(nthCommit(1).position));
    assert.deepEqual((await store.load()).ledger.windows, [windowOf(1)]);
  });

  it('begins a new file when somebody has removed it in use', async () => {
    const store = open();
    await store.load();
    await store.commit(nthCommit(1).changes, pointAt(nthCommit(1).position));
    rmSync(join(directory, STATE_FILE));
    const failure = await failureOf(store.commit(nthCommit(2).changes, pointAt(nthCommit(2).position)));
    assert.deepEqual([failure.code, failure.retriable], ['state-damaged', true]);
    await store.commit(nthCommit(2).changes, pointAt(nthCommit(2).position));
    await store.close();
    assert.deepEqual((await open().load()).ledger.windows, [windowOf(2)]);
  });

  it('says what to do where it cannot write', async () => {
    writeFileSync(join(directory, 'file'), '');
    for (const place of [join(directory, 'file', 'state'), '/proc/bailiff']) {
      const store = open(place);
      const failure = await failureOf(store.load());
      assert.deepEqual([failure.code, failure.retriable], ['state-unwritable', false], place);
      assert.match(failure.message, new RegExp(`cannot use ${place}`));
      assert.match(failure.advice, /--state-dir/);
    }
  });

  it('says what to do on a file system that is mounted read-only', async (t) => {
    const skip = cannotUnshare();
    if (skip !== null) return t.skip(skip);
    const { status, output } = runOnSmallDisk('ro', 'full-disk.ts');
    assert.notEqual(status, 0);
    assert.match(output, /state-unwritable/);
    assert.match(output, /choose a directory that can be written with --state-dir/);
  });

  it('can be loaded again once the obstacle is gone', async () => {
    mkdirSync(join(directory, STATE_FILE));
    const store = open();
    await failureOf(store.load());
    rmSync(join(directory, STATE_FILE), { recursive: true });
    await store.load();
    await store.commit(nthCommit(1).changes, pointAt(nthCommit(1).position));
    assert.deepEqual((await store.load()).ledger.windows, [windowOf(1)]);
  });
});

describe('a store and other processes', () => {
  const children: ChildProcess[] = [];
  afterEach(async () => {
    for (const child of children.splice(0)) if (isRunning(child)) await kill(child);
  });

  /** Starts a process that commits without end; `lines` are the numbers of the commits that have returned. */
  function startCommitting(): { child: ChildProcess; lines: AsyncIterator<string> } {
    const child = spawn(process.execPath, [siblingPath('endless-commits.ts'), directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    assert.ok(child.stdout !== null);
    return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
  }

  it('names the process that has the state open, and leaves it alone', async () => {
    const { child, lines } = startCommitting();
    await lines.next();
    const store = open();
    const failure = await failureOf(store.load());
    assert.deepEqual([failure.code, failure.retriable], ['state-locked', false]);
    assert.match(failure.message, new RegExp(`process ${child.pid} has it open`));
    await lines.next();
    await kill(child);
    assert.ok((await store.load()).ledger.windows.length >= 2);
    assert.deepEqual(
      readdirSync(directory).filter((name) => name.includes('damaged')),
      [],
    );
  });

  it('have after kill -9 every commit that has returned, and no half one', async () => {
    let before = 0;
    for (const wanted of [1, 17, 60]) {
      const { child, lines } = startCommitting();
      let returned = 0;
      while (returned < before + wanted) returned = Number((await lines.next()).value);
      const ended = kill(child);
      for (let line = await lines.next(); !line.done; line = await lines.next())
        returned = Number(line.value);
      await ended;
      const store = open();
      const { ledger, journalPosition } = await store.load();
      await store.close();
      const stored = ledger.windows.length;
      assert.ok(stored >= returned, `${returned} commits have returned, ${stored} are stored`);
      assert.deepEqual(ledger.windows, windowsOf(1, stored + 1));
      assert.equal(ledger.totals[0]?.failures, stored);
      assert.equal(journalPosition, nthCommit(stored).position);
      before = stored;
    }
  });
});

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

function siblingPath(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** Root needs a mount namespace only; others get one in a user namespace, where that is allowed. */
const UNSHARE = process.getuid?.() === 0 ? '-m' : '-rm';

function cannotUnshare(): string | null {
  const script = 'mount -t tmpfs none "$1"';
  const { status, stderr } = spawnSync('unshare', [UNSHARE, 'sh', '-c', script, 'sh', directory], {
    encoding: 'utf8',
  });
  return status === 0 ? null : `no file system of its own: ${stderr?.trim() || 'unshare is missing'}`;
}

/** Runs a program of this directory on a tmpfs that only it sees. */
function runOnSmallDisk(mountOptions: string, program: string): { status: number | null; output: string } {
  const script = 'mount -t tmpfs -o "$1" none "$2" && exec "$3" "$4" "$2"';
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    [UNSHARE, 'sh', '-c', script, 'sh', mountOptions, directory, process.execPath, siblingPath(program)],
    { encoding: 'utf8' },
  );
  return { status, output: stdout + stderr };
}
