import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Command } from 'commander';
import { describedProgram, renderManners } from '../../packaging/generate/manners.ts';
import { literal, type Page, paragraph, renderPage, terms } from '../../packaging/generate/page.ts';
import type { Schema } from '../../packaging/generate/settings.ts';
import { parseDocument, toPlain } from '../../src/config/document/document.ts';
import { filterJsonSchema } from '../../src/config/filters/keys.ts';
import { configJsonSchema } from '../../src/config/schema/settings.ts';
import { ACCESS_FIELDS } from '../../src/match/access.ts';
import { FIELD_TYPE_NAMES } from '../../src/match/expression/template.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const IMPRINT = { version: '0.1.0', date: '2026-11-21' };
const manners = await renderManners(IMPRINT);
const pages = [...manners].filter(([path]) => path.startsWith('man/'));

function textOf(path: string): string {
  const text = manners.get(path);
  assert.ok(text !== undefined, `${path} is not made`);
  return text;
}

/** The source without its escapes, so that words can be found as they are meant. */
function wordsOf(path: string): string {
  return textOf(path)
    .replace(/\\f[BIPR]/g, '')
    .replaceAll('\\-', '-')
    .replaceAll('\\(dq', '"')
    .replaceAll('\\(aq', "'")
    .replaceAll('\\(ha', '^')
    .replaceAll('\\e', '\\');
}

function makeDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'bailiff-manners-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function visible(command: Command): readonly Command[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((inner) => inner.name() !== 'help');
}

test('every command has a page, and every argument and option of it is there', async () => {
  const program = await describedProgram();
  for (const command of visible(program)) {
    const page = wordsOf(`man/bailiff-${command.name()}.8`);
    assert.match(wordsOf('man/bailiff.8'), new RegExp(`^bailiff ${command.name()}\\b`, 'm'));
    for (const described of [command, ...(command.commands.length > 0 ? visible(command) : [])]) {
      for (const option of described.options) {
        if (!option.hidden) assert.match(page, new RegExp(`^${option.long}\\b`, 'm'), `${option.flags}`);
      }
      for (const argument of described.registeredArguments) {
        assert.match(page, new RegExp(`^${argument.name()}$`, 'm'));
      }
    }
    assert.match(page, /^\.SH EXAMPLES$|^bailiff /m);
    assert.match(page, /^\.SH EXIT STATUS$/m);
  }
  assert.equal(manners.has('man/bailiff-complete.8'), false, 'what the shells ask is for nobody to read');
});

for (const [name, path, schema] of [
  ['configuration', 'man/bailiff.toml.5', configJsonSchema()],
  ['filters', 'man/bailiff-filters.5', filterJsonSchema()],
] as const) {
  test(`every key of the ${name} has its term and its text in the manual`, () => {
    const page = wordsOf(path);
    for (const { key, description } of keysOf(schema as Schema)) {
      assert.ok(
        page.includes(`\n${key}\n`) || page.includes(`${key}]`) || page.includes(`[${key}.`),
        `${key} is not there`,
      );
      assert.ok(description !== undefined && description.length > 10, `${key} is not described`);
      const begin = description.split(/\s+/).slice(0, 4).join(' ').replaceAll('`', '');
      assert.ok(page.replaceAll('\n', ' ').includes(begin), `"${begin}" is not there`);
    }
  });
}

/** Every key, and the tables within. */
function keysOf(schema: Schema): { key: string; description: string | undefined }[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([key, value]) => [
    { key, description: value.description },
    ...keysOf(value),
  ]);
  const rest = schema.additionalProperties;
  return [
    ...own,
    ...(typeof rest === 'object' ? keysOf(rest) : []),
    ...(schema.items === undefined ? [] : keysOf(schema.items)),
  ];
}

test('no two keys of a table share their text by accident', () => {
  for (const schema of [configJsonSchema(), filterJsonSchema()] as Schema[]) {
    const { certificate, key } = schema.properties?.metrics?.properties ?? {};
    if (certificate !== undefined) assert.notEqual(certificate.description, key?.description);
    for (const [table, value] of Object.entries(schema.properties ?? {})) {
      const texts = Object.values(value.properties ?? {}).map((inner) => inner.description);
      assert.equal(new Set(texts).size, texts.length, table);
    }
  }
});

test('the manual of filters has every type of a field, and every field of an access log', () => {
  const page = wordsOf('man/bailiff-filters.5');
  for (const type of FIELD_TYPE_NAMES) assert.ok(page.includes(`\n<${type}>\n`), type);
  for (const field of ACCESS_FIELDS) assert.match(page, new RegExp(`\\b${field}\\b`));
});

test('every page that one refers to is there', () => {
  for (const [path, text] of pages) {
    for (const [, name, section] of text.matchAll(/\\fB(bailiff[a-z0-9.\\-]*)\\fP\((\d)\)/g)) {
      const file = `man/${(name ?? '').replaceAll('\\-', '-')}.${section}`;
      assert.ok(manners.has(file), `${path} refers to ${file}`);
    }
  }
});

test('mandoc finds nothing to remark on any page', (t) => {
  if (!existsSync('/usr/bin/mandoc')) return t.skip('needs mandoc');
  for (const [path, text] of pages) {
    const lint = spawnSync('mandoc', ['-T', 'lint'], { input: text, encoding: 'utf8' });
    assert.deepEqual([lint.status, lint.stdout, lint.stderr], [0, '', ''], path);
  }
});

test('groff formats every page without a warning', (t) => {
  if (!existsSync('/usr/bin/groff')) return t.skip('needs groff');
  for (const [path, text] of pages) {
    const words = ['-man', '-ww', '-z', '-Tutf8', '-rCHECKSTYLE=3'];
    const { status, stderr } = spawnSync('groff', words, { input: text, encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, ''], path);
  }
});

test('whatever a text holds, the reader sees it as it is', (t) => {
  if (!existsSync('/usr/bin/mandoc')) return t.skip('needs mandoc');
  const hostile = [
    '.SH no',
    "'so /etc/passwd",
    'a\\nb \\fBc\\*[x]',
    '"quoted" \'x\' ^~`',
    '--all -1',
    'bär → ü',
    '\\',
  ];
  const page: Page = {
    name: 'page',
    section: 5,
    summary: 'hostile',
    sections: [
      {
        title: 'Texts',
        blocks: [literal(...hostile), ...hostile.map(paragraph), terms(hostile.map((text) => [text, text]))],
      },
    ],
  };
  const { stdout } = spawnSync('mandoc', ['-T', 'utf8'], {
    input: renderPage(page, IMPRINT),
    encoding: 'utf8',
  });
  const shown = stdout.replaceAll(/.\x08/g, '');
  for (const text of hostile) {
    // Once in the literal, once in the paragraph, and twice in the terms.
    assert.ok(shown.split(text).length > 4, `${text} in ${shown}`);
  }
});

test('the same sources give the same bytes', async () => {
  assert.deepEqual(await renderManners(IMPRINT), manners);
});

test('the program writes every file below the directory that it is given', async (t) => {
  const directory = makeDirectory(t);
  const env = { ...process.env, SOURCE_DATE_EPOCH: '1795219200' };
  const words = [join(ROOT, 'packaging/generate.ts'), directory];
  await promisify(execFile)(process.execPath, words, { env, cwd: directory });
  const files = globSync('*/*', { cwd: directory }).sort();
  assert.deepEqual(files, [...manners.keys()].sort());
  assert.match(readFileSync(join(directory, 'man/bailiff.8'), 'utf8'), /^\.TH "BAILIFF" "8" "2026-11-21"/);
});

test('a shell takes the completion that is made for it', (t) => {
  const directory = makeDirectory(t);
  for (const shell of ['bash', 'zsh', 'fish']) {
    if (!existsSync(`/usr/bin/${shell}`)) {
      t.diagnostic(`${shell} is not installed`);
      continue;
    }
    const file = join(directory, shell);
    writeFileSync(file, textOf(`completions/${shell}`));
    const { status, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, ''], shell);
  }
});

/** What the schema has to say of the TOML files. */
function problemsOf(schema: Record<string, unknown>, pattern: string): string[] {
  // `unit` is ours, for whoever reads the schema.
  const validate = new Ajv2020({ strict: false, allErrors: true }).compile(schema);
  const files = globSync(pattern, { cwd: ROOT });
  assert.ok(files.length > 0, pattern);
  return files.flatMap((file) => {
    const { root } = parseDocument({ file, text: new TextDecoder().decode(readFileSync(join(ROOT, file))) });
    assert.ok(root !== null, file);
    if (validate(toPlain(root))) return [];
    return (validate.errors ?? []).map((error) => `${file}: ${error.instancePath} ${error.message}`);
  });
}

test('the schemas take every file that comes along', () => {
  assert.deepEqual(problemsOf(configJsonSchema(), '{etc,packaging}/*.toml'), []);
  assert.deepEqual(problemsOf(filterJsonSchema(), 'etc/filters/*.toml'), []);
});

test('the schemas take every configuration and filter that the program takes in its tests', () => {
  assert.deepEqual(problemsOf(configJsonSchema(), 'test/config/good/*.toml'), []);
});

test('the schemas refuse unknown keys, wrong types and numbers out of range', () => {
  const validate = new Ajv2020({ strict: false }).compile(configJsonSchema());
  const wrong: readonly unknown[] = [
    { defaults: { max_retries: 3 } },
    { defaults: { max_retry: '3' } },
    { defaults: { max_retry: 0 } },
    { jail: { 'no name': {} } },
    { firewall: { backend: 'iptables' } },
    { sshd: {} },
  ];
  for (const value of wrong) assert.equal(validate(value), false, JSON.stringify(value));
});
