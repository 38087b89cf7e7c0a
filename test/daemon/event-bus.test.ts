import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BailiffEvent } from '../../src/core/event.ts';
import { EventBus } from '../../src/daemon/event-bus.ts';

const READY: BailiffEvent = { kind: 'ready' };

test('everybody hears every event, in the order in which they joined', () => {
  const bus = new EventBus();
  const heard: string[] = [];
  bus.subscribe((event) => heard.push(`first ${event.kind}`));
  bus.subscribe((event) => heard.push(`second ${event.kind}`));
  bus.emit(READY);
  assert.deepEqual(heard, ['first ready', 'second ready']);
});

test('who has left hears nothing, and may leave twice', () => {
  const bus = new EventBus();
  const heard: string[] = [];
  const leave = bus.subscribe(() => heard.push('gone'));
  bus.subscribe(() => heard.push('here'));
  leave();
  leave();
  bus.emit(READY);
  assert.deepEqual(heard, ['here']);
});

test('a listener that leaves, or has another one leave, in the middle of an event leaves the rest alone', () => {
  const bus = new EventBus();
  const heard: string[] = [];
  const leaveFirst = bus.subscribe(() => {
    heard.push('first');
    leaveFirst();
    leaveSecond();
  });
  const leaveSecond = bus.subscribe(() => heard.push('second'));
  bus.subscribe(() => heard.push('third'));
  bus.emit(READY);
  bus.emit(READY);
  assert.deepEqual(heard, ['first', 'third', 'third']);
});

test('a listener may tell of something else while it listens', () => {
  const bus = new EventBus();
  const heard: string[] = [];
  bus.subscribe((event) => {
    if (event.kind === 'ready') bus.emit({ kind: 'stopping', reason: 'because' });
  });
  bus.subscribe((event) => heard.push(event.kind));
  bus.emit(READY);
  assert.deepEqual(heard.toSorted(), ['ready', 'stopping']);
});
