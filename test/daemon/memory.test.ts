import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  collectGarbage,
  GROWTH_BYTES,
  MAX_LOAD,
  Memory,
  mainThreadLoad,
  TICKS_BETWEEN_LOOKS,
} from '../../src/daemon/memory.ts';

function memoryOf(bytes: number) {
  const state = { bytes, garbage: 0, load: 0, done: [] as string[] };
  const memory = new Memory({
    resident: () => state.bytes,
    load: () => state.load,
    collect: () => state.done.push('collect'),
    trim: () => {
      state.done.push('trim');
      state.bytes -= state.garbage;
      state.garbage = 0;
    },
  });
  const pass = (): void => {
    for (let tick = 0; tick < TICKS_BETWEEN_LOOKS; tick++) memory.tick();
  };
  pass();
  return { state, pass };
}

test('what a load has taken is given back when it is over', () => {
  const { state, pass } = memoryOf(100);
  state.load = MAX_LOAD + 0.1;
  state.bytes += GROWTH_BYTES + 1;
  state.garbage = GROWTH_BYTES;
  pass();
  assert.deepEqual(state.done, []);
  state.load = MAX_LOAD;
  pass();
  assert.deepEqual([state.done, state.bytes], [['collect', 'trim'], 101]);
  pass();
  assert.equal(state.done.length, 2);
});

test('what is in use is looked for once, and again when more has come', () => {
  const { state, pass } = memoryOf(100);
  state.bytes += GROWTH_BYTES + 1;
  for (let times = 0; times < 3; times++) pass();
  assert.deepEqual(state.done, ['collect', 'trim']);
  state.bytes += GROWTH_BYTES + 1;
  pass();
  assert.equal(state.done.length, 4);
});

test('a daemon that has not grown is left alone', () => {
  const { state, pass } = memoryOf(100);
  state.bytes += GROWTH_BYTES;
  pass();
  assert.deepEqual(state.done, []);
});

test('garbage of this process can be collected', async () => {
  const garbage = new WeakRef({ text: 'x' });
  // What a turn of the event loop has looked at is kept until its end.
  await new Promise(setImmediate);
  collectGarbage();
  assert.equal(garbage.deref(), undefined);
});

test('the load of this process is between nothing and all', () => {
  const load = mainThreadLoad();
  const now = load();
  assert.ok(now >= 0 && now <= 1);
});
