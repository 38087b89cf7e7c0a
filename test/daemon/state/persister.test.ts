import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BailiffEvent } from '../../../src/core/event.ts';
import type { BanChange } from '../../../src/core/ledger/ban-log.ts';
import { Ledger } from '../../../src/core/ledger/ledger.ts';
import { Persister } from '../../../src/daemon/state/persister.ts';
import { settle } from '../enforcement/fake-firewall.ts';
import { banLogOf, FakeStore, failureOf, LIMITS, policyOf, Recorder } from '../parts.ts';

const READY: BailiffEvent = { kind: 'ready' };
const FULL = failureOf('state-full', 'the disk is full');

function setUp() {
  const disk = new FakeStore();
  const recorder = new Recorder();
  const ledger = new Ledger(LIMITS);
  const settings = { policies: [policyOf({ maxRetry: 5 })], limits: LIMITS, protectedNetworks: [] };
  ledger.reconfigure(settings, 1, []);
  const kernel = {
    written: (): boolean | Promise<boolean> => true,
    hasTaken: (_change: BanChange): boolean => true,
  };
  const persister = new Persister({
    store: disk,
    ledger,
    banLog: banLogOf(ledger),
    kernel,
    sessions: { takeSessions: () => [], returnSessions: () => {}, restoreSessions: () => {} },
    journalPosition: 'c0',
    clock: { now: () => 1, reading: () => ({ at: 1, boot: 'boot', steady: 1 }) },
    emit: recorder.emit,
  });
  const fail = (address: string) => ledger.observe({ jail: 'sshd', address, seenAt: 1, weight: 1 }, 1, []);
  const kinds = () => recorder.kinds();
  /** The offenders whose windows the nth commit has. */
  const stored = (n: number) => disk.commits[n]?.changes.windows.map((window) => window.offender);
  return { disk, kernel, recorder, ledger, persister, fail, kinds, stored };
}

/** Stops the next commits on their way to the disk. */
function holdUp(disk: FakeStore): () => void {
  const gate = Promise.withResolvers<void>();
  disk.gate = gate.promise;
  return () => {
    disk.gate = null;
    gate.resolve();
  };
}

function banOf(offender: string): BailiffEvent {
  const ban = { jail: 'sshd', offender, since: 1, until: 2, cause: 'offence', failures: 5 } as const;
  return { kind: 'ban', ban, at: 1, position: { session: 'life', serial: 1 }, lacks: [] };
}

/** The offenders of the bans that were announced, in order. */
function announced(recorder: Recorder): string[] {
  return recorder.of('ban').map(({ ban }) => ban.offender);
}

/** Who lacks them, in order. */
function lacking(recorder: Recorder): (readonly string[])[] {
  return recorder.of('ban').map(({ lacks }) => lacks);
}

test('changes and the position they belong to are stored in one commit, and announced after it', async () => {
  const { disk, persister, fail, kinds } = setUp();
  fail('203.0.113.9');
  persister.advance('c1');
  persister.changed([READY]);
  fail('203.0.113.10');
  persister.advance('c2');
  persister.changed([]);
  assert.deepEqual(kinds(), []);
  await persister.flush();
  assert.equal(disk.commits.length, 1);
  assert.equal(disk.commits[0]?.position, 'c2');
  assert.equal(disk.commits[0]?.changes.windows.length, 2);
  assert.deepEqual(kinds(), ['state-commit', 'ready']);
});

test('what comes while a commit is under way goes into the next, with its own position', async () => {
  const { disk, persister, fail, stored, recorder } = setUp();
  const goOn = holdUp(disk);
  fail('203.0.113.1');
  persister.advance('c1');
  persister.changed([banOf('203.0.113.1')]);
  await settle();
  fail('203.0.113.2');
  persister.advance('c2');
  persister.changed([banOf('203.0.113.2')]);
  await settle();
  assert.deepEqual(announced(recorder), []);
  goOn();
  await persister.flush();
  assert.deepEqual(
    disk.commits.map(({ position }) => position),
    ['c1', 'c2'],
  );
  assert.deepEqual([stored(0), stored(1)], [['203.0.113.1'], ['203.0.113.2']]);
  assert.deepEqual(announced(recorder), ['203.0.113.1', '203.0.113.2']);
});

test('a flush waits for what was there when it was asked for, not for an attack that goes on', async () => {
  const { disk, persister, fail } = setUp();
  let failures = 0;
  const store = disk.commit.bind(disk);
  disk.commit = async (changes, point) => {
    fail(`203.0.113.${failures++}`);
    persister.changed([]);
    if (failures > 50) throw new Error('the flush never ends');
    await store(changes, point);
  };
  fail('198.51.100.1');
  persister.changed([]);
  await settle();
  await persister.flush();
  assert.ok(failures <= 3, `${failures} commits`);
  disk.commit = store;
  await persister.close();
});

test('with nothing new there is no commit', async () => {
  const { disk, persister } = setUp();
  await persister.flush();
  await persister.close();
  assert.equal(disk.commits.length, 0);
});

test('a step forward in the journal alone is stored a second later', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { disk, persister } = setUp();
  persister.advance('c7');
  t.mock.timers.tick(999);
  await settle();
  assert.equal(disk.commits.length, 0);
  persister.advance('c8');
  t.mock.timers.tick(1);
  await settle();
  assert.deepEqual(
    disk.commits.map((commit) => commit.position),
    ['c8'],
  );
});

test('or when the daemon stops, also in the middle of a commit', async () => {
  const { disk, persister, fail } = setUp();
  const goOn = holdUp(disk);
  fail('203.0.113.1');
  persister.changed([]);
  await settle();
  persister.advance('c7');
  const closed = persister.close();
  goOn();
  await closed;
  assert.deepEqual(
    disk.commits.map((commit) => commit.position),
    ['c0', 'c7'],
  );
});

test('after it is closed nothing is stored any more', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { disk, persister, fail } = setUp();
  await persister.close();
  fail('203.0.113.1');
  persister.advance('c1');
  persister.changed([]);
  t.mock.timers.tick(60_000);
  await settle();
  await persister.flush();
  assert.equal(disk.commits.length, 0);
});

test('a full disk delays the changes and loses none; what happens is announced meanwhile', async () => {
  const { disk, persister, fail, kinds, recorder, stored } = setUp();
  disk.failure = FULL;
  fail('203.0.113.9');
  persister.changed([READY]);
  await persister.flush();
  assert.deepEqual(kinds(), ['state-error', 'component', 'ready']);
  persister.changed([READY]);
  assert.equal(kinds().at(-1), 'ready', 'further announcements do not wait for the disk');
  disk.failure = null;
  fail('203.0.113.10');
  persister.advance('c9');
  await persister.flush();
  assert.deepEqual(stored(0), ['203.0.113.9', '203.0.113.10']);
  assert.equal(disk.commits[0]?.position, 'c9');
  assert.deepEqual(
    recorder.of('component').map(({ health }) => health),
    ['degraded', 'up'],
  );
  await persister.close();
});

test('a disk that stays full is tried again later each time, and its component is told once', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { disk, persister, fail, recorder } = setUp();
  disk.failure = FULL;
  fail('203.0.113.9');
  persister.changed([]);
  await settle();
  const attempts = async (milliseconds: number) => {
    const before = recorder.of('state-error').length;
    t.mock.timers.tick(milliseconds);
    await settle();
    return recorder.of('state-error').length - before;
  };
  for (const seconds of [2, 4, 8, 16, 30, 30]) {
    assert.equal(await attempts(seconds * 1_000 - 1), 0, `not before ${seconds} s`);
    assert.equal(await attempts(1), 1, `after ${seconds} s`);
  }
  assert.equal(recorder.of('component').length, 1);
  disk.failure = null;
  t.mock.timers.tick(30_000);
  await settle();
  assert.equal(disk.commits.length, 1);
});

test('announcements keep their order when the disk refuses', async () => {
  const { disk, persister, fail, recorder } = setUp();
  const goOn = holdUp(disk);
  disk.failure = FULL;
  fail('203.0.113.1');
  persister.changed([banOf('203.0.113.1')]);
  await settle();
  persister.changed([banOf('203.0.113.2')]);
  goOn();
  await persister.flush();
  persister.changed([banOf('203.0.113.3')]);
  assert.deepEqual(announced(recorder), ['203.0.113.1', '203.0.113.2', '203.0.113.3']);
  await persister.close();
});

test('when too many wait for a slow disk they are announced at once, in order and once', async () => {
  const { disk, persister, fail, recorder } = setUp();
  const goOn = holdUp(disk);
  fail('203.0.113.1');
  persister.changed([banOf('203.0.113.1')]);
  await settle();
  const many = Array.from({ length: 10_000 }, (_, index) => banOf(String(index)));
  persister.changed(many);
  assert.deepEqual(announced(recorder).slice(0, 3), ['203.0.113.1', '0', '1']);
  assert.equal(announced(recorder).length, 10_001);
  assert.deepEqual(new Set(lacking(recorder).map((lacks) => lacks.join())), new Set(['disk']));
  goOn();
  await persister.close();
  assert.equal(announced(recorder).length, 10_001);
});

test('a ban is announced when the kernel has it too, and those behind it after it', async () => {
  const { kernel, persister, fail, recorder, disk } = setUp();
  const inKernel = Promise.withResolvers<boolean>();
  kernel.written = () => inKernel.promise;
  fail('203.0.113.1');
  persister.changed([banOf('203.0.113.1')]);
  await settle();
  kernel.written = () => true;
  fail('203.0.113.2');
  persister.changed([banOf('203.0.113.2')]);
  await settle();
  assert.deepEqual([disk.commits.length, announced(recorder)], [2, []], 'the disk waits for nobody');
  inKernel.resolve(true);
  await persister.flush();
  assert.deepEqual(announced(recorder), ['203.0.113.1', '203.0.113.2']);
  assert.deepEqual(lacking(recorder), [[], []]);
});

for (const [isInKernel, failure, lacks] of [
  [true, FULL, ['disk']],
  [false, null, ['kernel']],
  [false, FULL, ['kernel', 'disk']],
] as const) {
  test(`an announcement says that it lacks ${lacks.join(' and ')}`, async () => {
    const { kernel, disk, persister, fail, recorder } = setUp();
    kernel.written = async () => isInKernel;
    kernel.hasTaken = () => isInKernel;
    disk.failure = failure;
    fail('203.0.113.1');
    persister.changed([banOf('203.0.113.1')]);
    await persister.flush();
    assert.deepEqual(lacking(recorder), [lacks]);
    disk.failure = null;
    await persister.close();
  });
}

test('of what the kernel has refused in part, each announcement says for itself', async () => {
  const { kernel, persister, fail, recorder } = setUp();
  kernel.written = async () => false;
  kernel.hasTaken = (change) => change.ban.offender === '203.0.113.2';
  fail('203.0.113.1');
  persister.changed([banOf('203.0.113.1'), banOf('203.0.113.2')]);
  await persister.flush();
  assert.deepEqual(lacking(recorder), [['kernel'], []]);
});

test('a store that keeps nothing is no disk', async () => {
  const { disk, persister, fail, recorder } = setUp();
  Object.assign(disk, { isVolatile: true });
  fail('203.0.113.1');
  persister.changed([banOf('203.0.113.1')]);
  await persister.flush();
  assert.deepEqual(lacking(recorder), [['disk']]);
});

test('after damage the whole ledger is stored anew, with the position', async () => {
  const { disk, persister, fail, stored } = setUp();
  fail('203.0.113.1');
  persister.changed([]);
  await persister.flush();
  disk.failure = failureOf('state-damaged');
  fail('203.0.113.2');
  persister.advance('c2');
  persister.changed([]);
  await persister.flush();
  disk.failure = null;
  await persister.flush();
  assert.deepEqual(disk.commits[1]?.changes.rewritten, ['sshd']);
  assert.deepEqual(stored(1), ['203.0.113.1', '203.0.113.2']);
  assert.equal(disk.commits[1]?.position, 'c2');
});

test('a store that has lost its file is opened again, as soon as that can be done', async () => {
  const { disk, persister, fail, recorder } = setUp();
  disk.failure = failureOf('state-closed');
  disk.loadFailure = FULL;
  fail('203.0.113.1');
  persister.changed([]);
  await persister.flush();
  assert.equal(disk.loads, 0);
  await persister.flush();
  assert.equal(disk.loads, 1);
  assert.deepEqual(
    recorder.of('state-error').map(({ message }) => message),
    ['it went wrong', 'the disk is full'],
  );
  disk.loadFailure = null;
  disk.failure = null;
  await persister.flush();
  assert.equal(disk.loads, 2);
  assert.deepEqual(disk.commits[0]?.changes.rewritten, ['sshd']);
});
