import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Plan } from '../../src/config/plan.ts';
import { type Part, PartList, together } from '../../src/daemon/part.ts';
import { failureOf, planOf, Recorder } from './parts.ts';

const FIRST = planOf();
const SECOND = planOf({ trust: ['192.0.2.0/24'] });

/** A part that writes down what is done to it. */
function partOf(name: string, did: string[], parts: Partial<Part> = {}): Part {
  const nameOf = (plan: Plan) => (plan === FIRST ? 'first' : 'second');
  return {
    name,
    prepare: () => did.push(`prepare ${name}`),
    start: async () => {
      did.push(`start ${name}`);
    },
    apply: (plan) => {
      did.push(`${nameOf(plan)} plan for ${name}`);
    },
    stop: async () => {
      did.push(`stop ${name}`);
    },
    ...parts,
  };
}

function setUp(t: TestContext, parts: (did: string[]) => readonly Part[]) {
  const did: string[] = [];
  const recorder = new Recorder();
  const list = new PartList(parts(did), { emit: recorder.emit, timeoutMilliseconds: 20 });
  t.after(() => list.stop());
  const told = () => recorder.of('part-failed').map(({ part, message }) => `${part} ${message}`);
  return { did, list, told };
}

test('parts are prepared, started with the first plan one after another, and stopped in the other order', async (t) => {
  const { did, list, told } = setUp(t, (did) => [partOf('one', did), partOf('two', did)]);
  assert.equal(list.isRunning, false);
  await list.start(FIRST);
  await list.whenStarted;
  assert.equal(list.isRunning, true);
  await list.apply(SECOND);
  await list.stop();
  assert.equal(list.isRunning, false);
  assert.deepEqual(did, [
    'prepare one',
    'prepare two',
    'start one',
    'first plan for one',
    'start two',
    'first plan for two',
    'second plan for one',
    'second plan for two',
    'stop two',
    'stop one',
  ]);
  assert.deepEqual(told(), []);
});

test('one that cannot start, take a plan or stop is told, and the others go on', async (t) => {
  const fail = async () => {
    throw failureOf('broken', 'it is broken');
  };
  const { did, list, told } = setUp(t, (did) => [
    partOf('one', did, { start: fail, stop: fail }),
    partOf('two', did, {
      apply: (plan) => {
        if (plan === SECOND) throw failureOf('broken', 'it is odd');
      },
    }),
    partOf('three', did),
  ]);
  await list.start(FIRST);
  await list.apply(SECOND);
  await list.stop();
  assert.deepEqual(told(), [
    'one cannot start: it is broken',
    'two cannot take the configuration: it is odd',
    'one cannot stop: it is broken',
  ]);
  assert.deepEqual(did.slice(-3), ['second plan for three', 'stop three', 'stop two']);
});

test('a vital one that cannot start ends the start, and what was begun is stopped', async (t) => {
  const start = () => Promise.reject(failureOf('state-locked', 'another daemon has it'));
  const { did, list } = setUp(t, (did) => [
    partOf('one', did),
    partOf('two', did, { isVital: true, start }),
    partOf('three', did),
  ]);
  await assert.rejects(list.start(FIRST), { code: 'state-locked' });
  await list.stop();
  assert.ok(!did.includes('start three'));
  assert.deepEqual(did.slice(-3), ['stop three', 'stop two', 'stop one']);
});

test('one that hangs is left behind, at the start and at the end; a vital one ends the start', async (t) => {
  const hang = () => new Promise<void>(() => {});
  const { did, list, told } = setUp(t, (did) => [
    partOf('one', did, { start: hang, stop: hang }),
    partOf('two', did),
  ]);
  await list.start(FIRST);
  await list.stop();
  assert.deepEqual(did.slice(-2), ['first plan for two', 'stop two']);
  assert.deepEqual(told(), [
    'one cannot start: it has taken more than 0.02 s',
    'one cannot stop: it has taken more than 0.02 s',
  ]);
  const vital = setUp(t, (did) => [partOf('one', did, { isVital: true, start: hang })]);
  await assert.rejects(vital.list.start(FIRST), { message: /^one does not start: it has taken/ });
});

test("a bug in a part is nobody else's to handle", async (t) => {
  const { list } = setUp(t, (did) => [
    partOf('one', did, { start: () => Promise.reject(new TypeError('a bug')) }),
  ]);
  await assert.rejects(list.start(FIRST), TypeError);
});

test('several parts as one begin and end at the same time', async (t) => {
  const gate = Promise.withResolvers<void>();
  const { did, list } = setUp(t, (did) => {
    const one = partOf('one', did, {
      start: async () => {
        did.push('start one');
        await gate.promise;
      },
    });
    const two = partOf('two', did, {
      start: async () => {
        did.push('start two');
        gate.resolve();
      },
    });
    return [together([one, two])];
  });
  await list.start(FIRST);
  await list.stop();
  assert.deepEqual(did, [
    'prepare one',
    'prepare two',
    'start one',
    'start two',
    'first plan for one',
    'first plan for two',
    'stop one',
    'stop two',
  ]);
});

test('time is told every second, in order, while they run', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { did, list } = setUp(t, (did) => [
    { name: 'one', tick: () => did.push('tick one') },
    { name: 'two', tick: () => did.push('tick two') },
  ]);
  await list.start(FIRST);
  t.mock.timers.tick(2_000);
  await list.stop();
  t.mock.timers.tick(2_000);
  assert.deepEqual(did, ['tick one', 'tick two', 'tick one', 'tick two']);
});
