import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requirements } from './requirements.ts';
import { waitFor } from './waiting.ts';

test('waiting resolves to the first result that is not null, and errors count as not yet', async () => {
  let calls = 0;
  const result = await waitFor('the third call', 2_000, () => {
    calls += 1;
    if (calls === 1) throw new Error('not yet');
    return calls === 3 ? 'third' : null;
  });
  assert.equal(result, 'third');
});

test('waiting in vain says for what, and what the last error was', async () => {
  const cause = new Error('still no');
  const waiting = waitFor('a miracle', 20, () => {
    throw cause;
  });
  await assert.rejects(waiting, { message: 'waited 20 ms in vain for a miracle', cause });
});

test('a requirement that is not met gives one line with the way to get it', () => {
  assert.equal(requirements(), null);
  const reason = requirements('root');
  assert.ok(reason === null || reason === 'needs root, and the right to make namespaces');
});
