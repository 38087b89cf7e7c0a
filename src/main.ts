/** From the shell's words to a command, and from its exit status to the shell: the only process.exit. */
import { runCommandLine } from './cli/program.ts';
import { flushOutput, openTerminal } from './cli/render/terminal.ts';

const status = await runCommandLine(process.argv.slice(2), openTerminal());
await flushOutput();
process.exit(status);
