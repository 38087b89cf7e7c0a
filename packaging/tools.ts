/** Running the tools that packages are made with. */
import { spawn } from 'node:child_process';

export type ToolOptions = {
  readonly directory?: string;
  /** Added to this process's environment. */
  readonly environment?: Readonly<Record<string, string>>;
};

/** Runs a program to its end and resolves to its standard output. Rejects, with its output, unless it exits with 0. */
export function runTool(argv: readonly string[], options: ToolOptions = {}): Promise<string> {
  const [command = '', ...words] = argv;
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(command, words, {
    cwd: options.directory,
    env: { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC', ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  child.once('error', reject);
  child.once('close', (status) => {
    if (status === 0) resolve(out);
    else reject(new Error(`${argv.join(' ')}: exit status ${status}\n${out}${errors}`));
  });
  return promise;
}
