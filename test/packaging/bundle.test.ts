import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { before, test } from 'node:test';
import metadata from '../../package.json' with { type: 'json' };
import { type Bundle, makeBundle } from '../../packaging/bundle.ts';

const ROOT = resolve(import.meta.dirname, '../..');
let bundle: Bundle;

before(async () => {
  bundle = await makeBundle(ROOT);
});

test('every worker of the source is a file of the bundle, and is started from there', () => {
  const workers = globSync('src/**/*.worker.ts', { cwd: ROOT }).map((file) => basename(file, '.ts'));
  assert.ok(workers.length >= 3);
  for (const worker of workers) assert.ok(bundle.files.has(`${worker}.mjs`), worker);
  const started = [...bundle.files.values()].flatMap((text) =>
    [...text.matchAll(/new URL\("\.\/([\w-]+\.worker\.\w+)", import\.meta\.url\)/g)].map(
      ([, name = '']) => name,
    ),
  );
  assert.deepEqual([...new Set(started)].sort(), workers.map((worker) => `${worker}.mjs`).sort());
});

test('no file of the bundle tells where it was built', () => {
  for (const [name, text] of bundle.files) assert.ok(!text.includes(ROOT), name);
});

test('the bundle is the same whenever it is made', async () => {
  assert.deepEqual(await makeBundle(ROOT), bundle);
});

test('development packages stay out of the bundle', () => {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
  };
  assert.ok(bundle.packages.includes('fastify'));
  for (const name of bundle.packages) assert.notEqual(lock.packages[`node_modules/${name}`]?.dev, true, name);
});

test('the command runs from the bundle', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'bailiff-bundle-'));
  t.after(() => rmSync(directory, { recursive: true }));
  for (const [name, text] of bundle.files) writeFileSync(join(directory, name), text);
  const { stdout } = spawnSync(process.execPath, [join(directory, 'main.mjs'), 'version'], {
    encoding: 'utf8',
  });
  assert.equal(stdout, `bailiff ${metadata.version}\n`);
});
