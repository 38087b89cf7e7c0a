import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { apiPage } from '../../packaging/generate/api.ts';

const FILE = new URL('../../docs/api.md', import.meta.url);

test('docs/api.md has every route, and the types of what crosses the socket (UPDATE_GOLDEN=1 writes it)', () => {
  const made = apiPage();
  if (process.env.UPDATE_GOLDEN !== undefined) writeFileSync(FILE, made);
  assert.equal(readFileSync(FILE, 'utf8'), made);
});
