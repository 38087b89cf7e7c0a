/** Runs on a small file system of its own: a commit that does not fit, room made, the same commit again. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OperationalError } from '../../src/core/errors.ts';
import { openStore } from '../../src/state/sqlite.ts';
import { NOTHING, nthCommit, pointAt, windowsOf } from './samples.ts';

const directory = process.argv[2] ?? '';
const filler = join(directory, 'filler');
const store = openStore({ stateDirectory: join(directory, 'state'), emit: () => {} });
await store.load();
const first = nthCommit(1);
await store.commit(first.changes, pointAt(first.position));

assert.throws(() => writeFileSync(filler, new Uint8Array(64 * 1_024 * 1_024)), { code: 'ENOSPC' });
const changes = {
  ...NOTHING,
  windows: windowsOf(0, 5_000),
  totals: [{ jail: 'sshd', failures: 9, bans: 0 }],
};
for (let attempt = 0; attempt < 3; attempt++) {
  await assert.rejects(store.commit(changes, pointAt('s=0;i=9')), (error) => {
    assert.ok(error instanceof OperationalError);
    assert.deepEqual([error.code, error.retriable], ['state-full', true]);
    assert.match(error.advice, /df -h/);
    return true;
  });
}
rmSync(filler);
await store.commit(changes, pointAt('s=0;i=9'));
await store.close();

const again = openStore({
  stateDirectory: join(directory, 'state'),
  emit: () => assert.fail('nothing to repair'),
});
const state = await again.load();
await again.close();
assert.equal(state.ledger.windows.length, 5_000);
assert.deepEqual([state.ledger.totals[0]?.failures, state.journalPosition], [9, 's=0;i=9']);
process.stdout.write('done\n');
