/** Expected texts beside the files that they are about. UPDATE_GOLDEN=1 writes them anew, for somebody to read. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A directory of test/config. */
export function fixture(...names: readonly string[]): string {
  return join(import.meta.dirname, ...names);
}

/** The names of the TOML files in a directory of test/config. */
export function tomlNames(directory: string): string[] {
  return readdirSync(fixture(directory))
    .filter((name) => name.endsWith('.toml'))
    .sort();
}

/** Compares `text`, with paths shortened to what is below `directory`, with `directory/NAME.EXTENSION`. */
export function assertGolden(directory: string, toml: string, extension: string, text: string): void {
  const file = fixture(directory, toml.replace(/\.toml$/, `.${extension}`));
  const shown = `${text.replaceAll(`${fixture(directory)}/`, '')}\n`;
  if (process.env.UPDATE_GOLDEN) writeFileSync(file, shown);
  assert.equal(shown, readFileSync(file, 'utf8'), file);
}
