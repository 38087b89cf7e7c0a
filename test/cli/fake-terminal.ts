/** A terminal that remembers what was written to it, and texts to compare that with. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { runCommandLine } from '../../src/cli/program.ts';
import { PLAIN_STYLE, type Terminal } from '../../src/cli/render/terminal.ts';

// Tables show the reader's local time.
process.env.TZ = 'UTC';

export type FakeTerminal = Terminal & { readonly printed: string[]; readonly complained: string[] };

/** What a run of the program left behind; the texts end without a line feed. */
export type Outcome = { readonly status: number; readonly out: string; readonly error: string };

export const NOW = Date.parse('2026-11-21T00:11:53.000Z');

export function fakeTerminal(changes: Partial<Terminal> = {}): FakeTerminal {
  const printed: string[] = [];
  const complained: string[] = [];
  return {
    environment: {},
    userId: 0,
    columns: 80,
    style: PLAIN_STYLE,
    isSeen: false,
    now: () => NOW,
    elapsed: () => performance.now(),
    print: (text) => printed.push(text),
    complain: (text) => complained.push(text),
    showProgress: () => undefined,
    interruption: () => new AbortController().signal,
    drain: async () => true,
    ...changes,
    printed,
    complained,
  };
}

/** Runs the command line in this process. */
export async function run(words: readonly string[], changes: Partial<Terminal> = {}): Promise<Outcome> {
  const terminal = fakeTerminal(changes);
  const status = await runCommandLine(words, terminal);
  return { status, out: terminal.printed.join('\n'), error: terminal.complained.join('\n') };
}

/** Compares with test/golden/cli-NAME.txt, or writes that file when UPDATE_GOLDEN is set. */
export function assertGolden(name: string, text: string): void {
  const file = new URL(`../golden/cli-${name}.txt`, import.meta.url);
  if (process.env.UPDATE_GOLDEN) writeFileSync(file, `${text}\n`);
  assert.equal(`${text}\n`, readFileSync(file, 'utf8'), `test/golden/cli-${name}.txt`);
}
