/** What CONTRIBUTING.md and the architecture name is there: paths, scripts, commands, settings of tests. */
import assert from 'node:assert/strict';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createWholeProgram } from '../../src/cli/program.ts';
import { fakeTerminal } from '../cli/fake-terminal.ts';
import { codeOf, type Guide, problemOf } from './guides.ts';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const MAP = 'docs/architecture.md';
const PAGES = ['CONTRIBUTING.md', MAP, ...globSync('docs/architecture/*.md', { cwd: PROJECT }).sort()];
const guides = PAGES.map((path): Guide => ({ path, text: readFileSync(join(PROJECT, path), 'utf8') }));

const { scripts } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
const BENCHMARKS = readFileSync(join(PROJECT, 'test/bench/bench.ts'), 'utf8');
const program = await createWholeProgram(fakeTerminal());

describe('what a page for contributors names exists', () => {
  for (const guide of guides) {
    it(guide.path, () => {
      const found = codeOf(guide).flatMap(({ text, line }) => {
        const missing = missingOf(text, folderOfRow(guide, line));
        return missing === null ? [] : [`${guide.path}:${line}: ${missing}`];
      });
      assert.deepEqual(found, []);
    });
  }

  it('and is missed when it does not', () => {
    for (const [code, missing] of [
      ['src/core/nothing.ts', 'no file src/core/nothing.ts'],
      ['src/cli/NAME.toml', 'no file src/cli/NAME.toml'],
      ['*.slower.ts', 'no file *.slower.ts'],
      ['wing/', 'no file wing/'],
      ['npm ci && npm run tests', 'no script tests'],
      ['npm run bench wishes', 'no benchmark wishes'],
      ['bailiff prevent', 'no command prevent'],
      ['UPDATE_SILVER=1', 'no test reads UPDATE_SILVER'],
      ["sh packaging/nodes.sh --test 'test/match/*.test.ts'", 'no file packaging/nodes.sh'],
    ] as const) {
      assert.equal(missingOf(code, null), missing);
    }
    assert.equal(missingOf('commands/', 'src/cli'), null);
  });
});

describe('the map of the house', () => {
  const map = guides.find(({ path }) => path === MAP);
  const rows = new Map(
    [...(map?.text ?? '').matchAll(/^\| `(src\/\w+)` \|.*\n(?:\| \|.*\n)*/gm)].map(([row, folder = '']) => [
      folder,
      row,
    ]),
  );

  it('has every folder of src/, with its wings', () => {
    for (const folder of foldersIn('src')) {
      const row = rows.get(folder);
      assert.ok(row !== undefined, folder);
      for (const wing of foldersIn(folder)) {
        assert.ok(row.includes(`\`${wing.slice(folder.length + 1)}/\``), wing);
      }
    }
  });

  it('has two pages, and leads to all that lies behind it', () => {
    const text = map?.text ?? '';
    assert.ok(text.split('\n').length <= 120);
    for (const path of PAGES.slice(2)) assert.ok(text.includes(`](${path.slice('docs/'.length)})`), path);
  });
});

/** What a piece of code names and the project has not, or null. `folder` is that of the row of the map it stands in. */
function missingOf(code: string, folder: string | null): string | null {
  for (const command of code.split(' && ')) {
    const words = command.split(' ').map((word) => word.replaceAll("'", ''));
    while (/^[A-Z_]+=/.test(words[0] ?? '')) {
      const name = (words.shift() ?? '').replace(/=.*/, '');
      if (!isReadByTests(name)) return `no test reads ${name}`;
    }
    const missing = missingWord(command, words, folder);
    if (missing !== null) return missing;
  }
  return null;
}

function missingWord(command: string, words: readonly string[], folder: string | null): string | null {
  const [first, second, third, fourth] = words;
  if (first === 'bailiff' && second !== undefined) return problemOf(program, command);
  if (first === 'npm') {
    const script = second === 'run' ? third : second;
    if (script !== 'ci' && !Object.hasOwn(scripts, script ?? '')) return `no script ${script}`;
    const isKnown = fourth === undefined || BENCHMARKS.includes(`./${fourth}.ts`);
    return isKnown ? null : `no benchmark ${fourth}`;
  }
  const paths = first === 'sh' || words.length === 1 ? words.filter(isPath) : [];
  const missing = paths.find((path) => !existsAnywhere(path, folder));
  return missing === undefined ? null : `no file ${missing}`;
}

/** Names with a slash, but for those of other machines, and files of ours by their endings. */
function isPath(word: string): boolean {
  return /^(?=.*\/|.*\.(?:ts|md|toml|json)$)[\w.*-]+(?:\/[\w.*-]+)*\/?$/.test(word);
}

/** From the root, from src/ or from the folder; NAME stands for any name, and a name without a slash is looked for. */
function existsAnywhere(path: string, folder: string | null): boolean {
  const pattern = path.replaceAll('NAME', '*').replace(/\/$/, '');
  const homes = ['', 'src/', ...(folder === null ? [] : [`${folder}/`, `${folder}/*/`])];
  if (!path.includes('/')) homes.push('{src,test,etc,docs}/**/');
  return homes.some((home) => globSync(`${home}${pattern}`, { cwd: PROJECT }).length > 0);
}

function isReadByTests(name: string): boolean {
  return globSync('test/**/*.ts', { cwd: PROJECT }).some((file) =>
    readFileSync(join(PROJECT, file), 'utf8').includes(`process.env.${name}`),
  );
}

/** The folder that the row of a table is about, or the rows above it when it names none; null for what is no row. */
function folderOfRow({ text }: Guide, line: number): string | null {
  const lines = text.split('\n').slice(0, line);
  while (lines.at(-1)?.startsWith('| |')) lines.pop();
  return /^\| `(src\/\w+)` \|/.exec(lines.at(-1) ?? '')?.[1] ?? null;
}

function foldersIn(folder: string): readonly string[] {
  return readdirSync(join(PROJECT, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${folder}/${name}`);
}
