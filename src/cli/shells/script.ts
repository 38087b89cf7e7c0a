/** The completions of all shells: which there are, and where each is called what. */
import type { Command } from 'commander';
import { renderBashCompletion } from './bash.ts';
import { renderFishCompletion } from './fish.ts';
import { describeCommands } from './model.ts';
import { renderZshCompletion } from './zsh.ts';

const RENDERERS = { bash: renderBashCompletion, zsh: renderZshCompletion, fish: renderFishCompletion };

/** What the program itself takes, before any command. */
const GLOBAL_FLAGS = ['--help', '--version'];

export const SHELLS = Object.keys(RENDERERS) as readonly (keyof typeof RENDERERS)[];

/** The script for one of SHELLS; `program` has all of its commands. */
export function renderCompletion(shell: string, program: Command): string {
  const known = SHELLS.find((name) => name === shell);
  if (known === undefined) throw new Error(`there is no completion for ${shell}`);
  return RENDERERS[known](describeCommands(program), GLOBAL_FLAGS);
}
