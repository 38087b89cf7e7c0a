/** The commands of docs/monitoring.md, as somebody would type them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const GUIDE = fileURLToPath(new URL('../../docs/monitoring.md', import.meta.url));

/** Of the section that leads from nothing to a board, in order; a loop is one command, of several lines. */
export function guideCommands(): string[] {
  const [, section = ''] = /^## From nothing to a board\n(.*?)^## /ms.exec(readFileSync(GUIDE, 'utf8')) ?? [];
  const lines = section.split('\n').filter((line) => /^ {4,}\S/.test(line));
  return lines
    .join('\n')
    .split(/\n(?! *(?:logger|done))/)
    .map((command) => command.trim());
}
