/** A daemon that does nothing but commit, until it is killed: prints the number of each commit that has returned. */
import { openStore } from '../../src/state/sqlite.ts';
import { nthCommit, pointAt } from './samples.ts';

const store = openStore({ stateDirectory: process.argv[2] ?? '', emit: () => {} });
const { ledger } = await store.load();
for (let number = ledger.windows.length + 1; ; number++) {
  const { changes, position } = nthCommit(number);
  await store.commit(changes, pointAt(position));
  process.stdout.write(`${number}\n`);
}
