import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Memory, TICKS_BETWEEN_TRIMS, TRIMMED_GROWTH_BYTES } from '../../src/daemon/memory.ts';

function memoryOf(bytes: number) {
  const state = { bytes, trims: 0, freeable: 0 };
  const memory = new Memory({
    resident: () => state.bytes,
    trim: () => {
      state.trims++;
      state.bytes -= state.freeable;
      state.freeable = 0;
    },
  });
  const pass = (): void => {
    for (let tick = 0; tick < TICKS_BETWEEN_TRIMS; tick++) memory.tick();
  };
  return { state, pass };
}

test('what a load has taken is given back, as long as there is some', () => {
  const { state, pass } = memoryOf(100);
  pass();
  state.bytes += TRIMMED_GROWTH_BYTES + 1;
  pass();
  assert.equal(state.trims, 1);
  state.freeable = TRIMMED_GROWTH_BYTES;
  pass();
  assert.deepEqual([state.trims, state.bytes], [2, 101]);
  pass();
  assert.equal(state.trims, 2);
});

test('a daemon that has not grown is left alone', () => {
  const { state, pass } = memoryOf(100);
  pass();
  state.bytes += TRIMMED_GROWTH_BYTES;
  pass();
  assert.equal(state.trims, 0);
});
