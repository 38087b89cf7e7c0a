import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import metadata from '../../package.json' with { type: 'json' };

const ROOT = resolve(import.meta.dirname, '../..');

test('the packages and npm start give Node.js the same flags, which it knows', () => {
  const script = readFileSync(join(ROOT, 'packaging/bailiff'), 'utf8');
  const flags = /^flags='(.*)'$/m.exec(script)?.[1] ?? '';
  assert.match(flags, /^--\S+( --\S+)*$/);
  assert.ok(metadata.scripts.start.includes(`node ${flags} src/main.ts`));
  const { status, stderr } = spawnSync(process.execPath, [...flags.split(' '), '--eval', '']);
  assert.deepEqual([status, String(stderr)], [0, '']);
});
