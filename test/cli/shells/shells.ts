/** Real shells that are made to complete a line, on a terminal where they need one, with a program `bailiff` to ask. */
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PATIENCE_MILLISECONDS } from '../../bed/waiting.ts';
import { type RunningServer, startServer } from '../../http/running-server.ts';
import { run } from '../fake-terminal.ts';

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
const BASH_COMPLETION = '/usr/share/bash-completion/bash_completion';
/** Milliseconds for one line. */
const TIME = PATIENCE_MILLISECONDS;

export type Shell = {
  readonly running: RunningServer;
  /** What is offered for each line, in the order of the shell. */
  complete(line: string): Promise<readonly string[]>;
};

/** Null when the program and the others are there, else what to install. */
export function whyNot(...programs: readonly string[]): string | null {
  const missing = programs.filter((program) => !existsSync(`/usr/bin/${program}`));
  return missing.length === 0 ? null : `needs ${missing.join(' and ')}`;
}

export function whyNoBashCompletion(): string | null {
  return existsSync(BASH_COMPLETION) ? null : 'needs the package bash-completion';
}

type Place = { readonly directory: string; readonly env: NodeJS.ProcessEnv; readonly running: RunningServer };

/** A directory with `bailiff` in `bin`, a daemon that it asks, and nothing of the user's. */
async function makePlace(t: TestContext): Promise<Place> {
  const running = await startServer(t);
  const { directory, socketPath } = running;
  mkdirSync(join(directory, 'bin'));
  const program = join(directory, 'bin', 'bailiff');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
  chmodSync(program, 0o755);
  const env = {
    PATH: `${directory}/bin:/usr/bin:/bin`,
    HOME: directory,
    XDG_DATA_HOME: join(directory, 'data'),
    XDG_CONFIG_HOME: join(directory, 'config'),
    TERM: 'dumb',
    LC_ALL: 'C.UTF-8',
    BAILIFF_SOCKET: socketPath,
  };
  return { directory, env, running };
}

async function completionOf(shell: string): Promise<string> {
  return `${(await run(['completion', shell])).out}\n`;
}

/** fish tells by itself what it would offer. */
export async function openFish(t: TestContext): Promise<Shell> {
  const { directory, env, running } = await makePlace(t);
  const script = join(directory, 'bailiff.fish');
  writeFileSync(script, await completionOf('fish'));
  return {
    running,
    complete: async (line) => {
      const words = ['--no-config', '-c', `source ${script}; complete -C "$argv[1]"`, line];
      const output = await execute('fish', words, env, directory);
      return output.split('\n').flatMap((offered) => offered.split('\t')[0] || []);
    },
  };
}

/**
 * zsh on a pseudo-terminal of its own module, with compadd listened to. The line of a test has no quotes.
 */
export async function openZsh(t: TestContext): Promise<Shell> {
  const { directory, env, running } = await makePlace(t);
  writeFileSync(join(directory, '_bailiff'), await completionOf('zsh'));
  const driver = join(directory, 'driver.zsh');
  writeFileSync(driver, ZSH_DRIVER);
  return {
    running,
    complete: async (line) => {
      const output = await execute('zsh', ['-f', driver, directory, line], env, directory);
      const lines = output.replaceAll('\r', '').split('\n');
      return lines
        .slice(lines.indexOf('BEGIN') + 1, lines.indexOf('END'))
        .filter((offered) => offered !== '');
    },
  };
}

const ZSH_DRIVER = `
zmodload zsh/zpty
zpty inner zsh -f -i
zpty -w inner "PROMPT=; PS2=; stty -echo
fpath=($1 \\$fpath); autoload -Uz compinit; compinit -u -D
typeset -ga offered_ones
compadd() {
typeset -a matching_ones; builtin compadd -A matching_ones \\"\\$@\\"
offered_ones+=(\\$matching_ones); builtin compadd \\"\\$@\\" }
show() { print -rl -- '' BEGIN \\$offered_ones END; exit }
comppostfuncs=(show)
bindkey '^I' complete-word"
zpty -w -n inner "$2"$'\\t'
while zpty -r inner line; do print -r -- "\${line%$'\\n'}"; [[ $line == END* ]] && break; done
zpty -d inner
`;

/**
 * bash as somebody sits at it: keys on a terminal, a tab in each line where it is to complete, and what it then makes
 * of the line. With bash-completion, the script is where that loads it from.
 */
export async function typeIntoBash(
  t: TestContext,
  lines: readonly string[],
  withPackage: boolean,
): Promise<readonly string[]> {
  const { directory, env } = await makePlace(t);
  const completions = join(directory, 'data', 'bash-completion', 'completions');
  mkdirSync(completions, { recursive: true });
  const script = join(completions, 'bailiff');
  writeFileSync(script, await completionOf('bash'));
  const source = withPackage ? BASH_COMPLETION : script;
  const keys = [
    `PS1=; source ${source}; bailiff() { if [[ $1 == complete ]]; then command bailiff "$@"; else echo "<RAN:$*>"; fi; }`,
    ...lines,
    'exit\n',
  ];
  const words = ['-qec', 'bash --norc --noprofile -i', '/dev/null'];
  const output = await execute('script', words, env, directory, keys.join('\n'));
  return [...output.matchAll(/<RAN:([^$>]*)>/g)].map((match) => match[1] ?? '');
}

function execute(
  program: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv,
  cwd: string,
  input = '',
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, words, { env, cwd, timeout: TIME }, (error, out) => {
      if (error === null || typeof error.code === 'number') resolve(out);
      else reject(error);
    });
    child.stdin?.end(input);
  });
}
