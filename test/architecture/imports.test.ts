import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findImportProblems } from './import-rules.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

test('imports point one way only, and every package has one home', async () => {
  const problems = await findImportProblems(ROOT);
  assert.deepEqual(
    problems.map((problem) => `${problem.from} -> ${problem.to}: ${problem.rule}`),
    [],
  );
});

test('a tree that breaks the rules is found out, import by import', async (t) => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'bailiff-imports-')));
  t.after(() => rmSync(root, { recursive: true }));
  plant(root, {
    'main.ts': ['./cli/run.ts'],
    'cli/run.ts': ['../daemon/daemon.ts', 'koffi', 'commander'],
    'daemon/daemon.ts': ['../http/app.ts', '../state/store.ts', '../sources/udp.ts', '../cli/run.ts'],
    'http/app.ts': ['../state/store.ts', 'fastify', '../core/time.ts', 'commander'],
    'state/store.ts': ['node:sqlite', '../daemon/daemon.ts'],
    'sources/udp.ts': [
      '../core/time.ts',
      '../syslog/parse.ts',
      '../match/expression/engine.ts',
      'node:sqlite',
    ],
    'sources/journal.worker.ts': ['../native/journal.ts'],
    'native/journal.ts': ['koffi', '../core/address/prefix-set.ts', '../../test/helper.ts'],
    'syslog/parse.ts': ['../match/expression/engine.ts', 'node:fs'],
    'match/expression/engine.ts': ['node:v8', 'node:net'],
    'core/address/prefix-set.ts': ['node:net', 'zod'],
    'core/time.ts': ['../config/plan.ts'],
    'config/plan.ts': ['../main.ts'],
    'config/forgotten.ts': [],
  });
  mkdirSync(join(root, 'test'));
  writeFileSync(join(root, 'test/helper.ts'), 'export const value = 1;\n');

  const found = (await findImportProblems(root)).map(({ rule, from, to }) => `${rule}: ${from} -> ${to}`);
  for (const expected of [
    'commander is for cli: src/http/app.ts -> commander',
    'config imports from its left only: src/config/plan.ts -> src/main.ts',
    'core imports from its left only: src/core/time.ts -> src/config/plan.ts',
    'daemon imports from its left only: src/daemon/daemon.ts -> src/cli/run.ts',
    'everything is reached from an entry: src/config/forgotten.ts -> src/config/forgotten.ts',
    'http imports from its left only: src/http/app.ts -> src/state/store.ts',
    'koffi is for native: src/cli/run.ts -> koffi',
    'match/expression/engine.ts uses node:v8 only: src/match/expression/engine.ts -> net',
    'no circles: src/cli/run.ts -> src/daemon/daemon.ts',
    'no circles: src/daemon/daemon.ts -> src/state/store.ts',
    'node:sqlite is for state: src/sources/udp.ts -> node:sqlite',
    'pure layers use no modules of Node: src/syslog/parse.ts -> fs',
    'pure layers use no packages: src/core/address/prefix-set.ts -> zod',
    'state imports from its left only: src/state/store.ts -> src/daemon/daemon.ts',
    'syslog imports from its left only: src/syslog/parse.ts -> src/match/expression/engine.ts',
    'what is shipped imports nothing of the tests: src/native/journal.ts -> test/helper.ts',
  ]) {
    assert.ok(found.includes(expected), `not found: ${expected}\nonly\n${found.join('\n')}`);
  }
  const innocent = found.filter((line) =>
    /main\.ts -> src\/cli|journal\.ts -> koffi|prefix-set\.ts -> net|-> v8/.test(line),
  );
  assert.deepEqual(
    innocent.filter((line) => !line.startsWith('no circles')),
    [],
  );
});

/** Writes files that do nothing but import; types only, so that types are seen to count. */
function plant(root: string, files: Readonly<Record<string, readonly string[]>>): void {
  for (const [file, imports] of Object.entries(files)) {
    const path = join(root, 'src', file);
    mkdirSync(dirname(path), { recursive: true });
    const lines = imports.map((module, n) => `import type { value as value${n} } from '${module}';\n`);
    writeFileSync(path, `${lines.join('')}export const value = 1;\n`);
  }
}
