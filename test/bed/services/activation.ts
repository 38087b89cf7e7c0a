/** Starts programs as a service manager does that has bound their sockets for them: sd_listen_fds(3). */
import { type ChildProcess, spawn } from 'node:child_process';

export type Passed = { readonly name: string; readonly descriptor: number };

/**
 * Runs node with `words` and the descriptors from 3 on; the variables name the process that it becomes. Its outputs are
 * pipes.
 */
export function spawnActivated(words: readonly string[], passed: readonly Passed[]): ChildProcess {
  const script = 'export LISTEN_PID=$$; exec "$0" "$@"';
  return spawn('/bin/sh', ['-c', script, process.execPath, ...words], {
    stdio: ['ignore', 'pipe', 'pipe', ...passed.map(({ descriptor }) => descriptor)],
    env: {
      ...process.env,
      LISTEN_FDS: String(passed.length),
      LISTEN_FDNAMES: passed.map(({ name }) => name).join(':'),
    },
  });
}
