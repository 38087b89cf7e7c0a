import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TURN_MILLISECONDS, Turn } from '../../../src/sources/stream/turn.ts';

test('whoever reads beyond the time of a turn waits for the next one, all others after one chunk', () => {
  let now = 1_000;
  let next: (() => void)[] = [];
  const told: string[] = [];
  const turn = new Turn(
    () => now,
    (run) => next.push(run),
  );
  const read = (name: string, milliseconds: number): void => {
    turn.begin();
    now += milliseconds;
    turn.end(
      () => told.push(`${name} waits`),
      () => told.push(`${name} goes on`),
    );
  };
  const endTurn = (): void => {
    const due = next;
    next = [];
    for (const run of due) run();
  };
  read('a', TURN_MILLISECONDS - 1);
  read('a', 1);
  read('b', 0);
  assert.deepEqual(told, ['a waits', 'b waits']);
  endTurn();
  assert.deepEqual(told.splice(0), ['a waits', 'b waits', 'a goes on', 'b goes on']);
  read('b', TURN_MILLISECONDS - 1);
  assert.deepEqual(told, []);
});
