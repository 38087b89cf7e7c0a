import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findLocalUsers } from '../../../src/sources/datagram/local-users.ts';

test('users are found by name, and a number stands for itself', () => {
  assert.deepEqual(findLocalUsers(['root', '101', 'nobody-of-this-name']), {
    uids: new Set([0, 101]),
    unknown: ['nobody-of-this-name'],
  });
});
