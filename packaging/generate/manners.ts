/** Everything that is made from the program itself, as texts by the path of their file. */
import type { Command } from 'commander';
import { createWholeProgram } from '../../src/cli/program.ts';
import { PLAIN_STYLE, type Terminal } from '../../src/cli/render/terminal.ts';
import { renderCompletion, SHELLS } from '../../src/cli/shells/script.ts';
import { filterJsonSchema } from '../../src/config/filters/keys.ts';
import { configJsonSchema } from '../../src/config/schema/settings.ts';
import { commandPages } from './commands.ts';
import { configurationPage, filtersPage } from './files.ts';
import { type Imprint, renderPage } from './page.ts';

/** `man/NAME.SECTION`, `completions/SHELL` and `schema/NAME.schema.json`. */
export async function renderManners(imprint: Imprint): Promise<ReadonlyMap<string, string>> {
  const program = await describedProgram();
  const pages = [...commandPages(program), configurationPage(), filtersPage()];
  return new Map([
    ...pages.map((page): [string, string] => [`man/${page.name}.${page.section}`, renderPage(page, imprint)]),
    ...SHELLS.map((shell): [string, string] => [`completions/${shell}`, renderCompletion(shell, program)]),
    ['schema/bailiff.schema.json', renderSchema(configJsonSchema())],
    ['schema/filter.schema.json', renderSchema(filterJsonSchema())],
  ]);
}

/** The program with all of its commands; it is never run. */
export function describedProgram(): Promise<Command> {
  return createWholeProgram(SILENT);
}

function renderSchema(schema: Record<string, unknown>): string {
  return `${JSON.stringify(schema, null, 2)}\n`;
}

const SILENT: Terminal = {
  environment: {},
  userId: 0,
  columns: 80,
  style: PLAIN_STYLE,
  isSeen: false,
  now: () => 0,
  elapsed: () => 0,
  print: () => undefined,
  complain: () => undefined,
  showProgress: () => undefined,
  interruption: () => new AbortController().signal,
  drain: async () => true,
};
