/** Prints what was passed to it, and what is left of the variables that said so. */
import { takeActivation } from '../../src/native/activation.ts';

const activation = takeActivation();
const left = Object.keys(process.env).filter((name) => name.startsWith('LISTEN_'));
process.stdout.write(JSON.stringify({ ...activation, left, again: takeActivation().sockets }));
