import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  FIRST_MESSAGE_TIMEOUT_MILLISECONDS,
  IDLE_TIMEOUT_MILLISECONDS,
  isSilent,
  lookInterval,
} from '../../../src/sources/stream/silence.ts';

test('a connection has minutes for its first message, and a day for each other', () => {
  assert.equal(isSilent({}, FIRST_MESSAGE_TIMEOUT_MILLISECONDS, 0), false);
  assert.equal(isSilent({}, FIRST_MESSAGE_TIMEOUT_MILLISECONDS + 1, 0), true);
  assert.equal(isSilent({}, IDLE_TIMEOUT_MILLISECONDS, 1), false);
  assert.equal(isSilent({}, IDLE_TIMEOUT_MILLISECONDS + 1, 1), true);
});

test('connections are looked at several times in the shorter of both times', () => {
  assert.equal(lookInterval({}), FIRST_MESSAGE_TIMEOUT_MILLISECONDS / 8);
  assert.equal(lookInterval({ firstMessageTimeoutMilliseconds: 900, idleTimeoutMilliseconds: 80 }), 10);
});
