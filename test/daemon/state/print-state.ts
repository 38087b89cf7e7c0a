/** Opens the state in a directory as the daemon does, and prints what it came to as JSON. */
import { openState } from '../../../src/daemon/state/open.ts';
import { wordsOf } from '../../core/warning/words.ts';
import { Recorder } from '../parts.ts';

const recorder = new Recorder();
const { store, state } = await openState(process.argv[2] ?? '', recorder.emit);
process.stdout.write(JSON.stringify({ state, told: wordsOf(recorder.of('component')[0]) }));
await store.close();
