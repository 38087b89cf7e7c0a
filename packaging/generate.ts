/**
 * Writes the manual, the completions of the shells and the schemas for editors, all made from the commands and the
 * schemas of the program, so that none can say what is not so:
 *
 *     sh packaging/node.sh packaging/generate.ts OUTPUT_DIRECTORY
 *
 * The same sources give the same bytes; the date in the manual is that of the release.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { renderManners } from './generate/manners.ts';
import { readRelease } from './release.ts';

const [directory] = process.argv.slice(2);
if (directory === undefined) {
  process.stderr.write('usage: generate.ts OUTPUT_DIRECTORY\n');
  process.exit(2);
}

const { version, epoch } = await readRelease(resolve(import.meta.dirname, '..'));
const date = new Date(epoch * 1_000).toISOString().slice(0, 10);
for (const [path, text] of await renderManners({ version, date })) {
  const file = join(directory, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
