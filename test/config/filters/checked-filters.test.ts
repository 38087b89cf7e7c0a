import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CHECKED_FILTERS_FILE, checkedLine } from '../../../src/config/filters/checked-filters.ts';
import { loadFilter, loadFilters } from '../../../src/config/filters/filter-file.ts';

/** The linter refuses it, for what its sample says is not so. */
const WRONG = `description = 'x'
identifiers = ['x']

[journal]
units = ['x.service']

[[rules]]
name = 'x'
template = 'failed from <address>'
samples = [{ line = 'failed from 192.0.2.1', address = '192.0.2.2' }, { line = 'no', match = false }]
`;
const WANTED = new Set(['wrong']);

test('a shipped filter that has passed the linter before is taken at its word by a start', (t) => {
  const path = filters(t);
  assert.equal(refused(path, true), 1, 'without the list it is refused');
  writeList(path);
  assert.equal(refused(path, true), 0);
});

test('a filter that was changed since is examined', (t) => {
  const path = filters(t);
  writeList(path);
  appendFileSync(join(path, 'wrong.toml'), '\n');
  assert.equal(refused(path, true), 1);
});

test("a user's filter is examined, whatever lies beside it", (t) => {
  const path = filters(t);
  writeList(path);
  assert.equal(refused(path, false), 1);
});

test('whoever asks for an examination gets one', (t) => {
  const path = filters(t);
  writeList(path);
  const directory = { path, strict: true };
  assert.equal(loadFilters([directory], true, WANTED).refused.length, 1, 'bailiff lint');
  assert.equal(loadFilters([directory], false).refused.length, 1, 'bailiff check');
  assert.equal(loadFilter('wrong', directory, false).filter, null, 'bailiff test');
});

test('the list is one that sha256sum --check reads', () => {
  const digest = createHash('sha256').update(WRONG).digest('hex');
  assert.equal(checkedLine('wrong', WRONG), `${digest}  wrong.toml`);
});

function filters(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'bailiff-checked-'));
  t.after(() => rmSync(path, { recursive: true }));
  writeFileSync(join(path, 'wrong.toml'), WRONG);
  return path;
}

function writeList(path: string): void {
  const text = readFileSync(join(path, 'wrong.toml'), 'utf8');
  writeFileSync(join(path, CHECKED_FILTERS_FILE), `${checkedLine('wrong', text)}\n`);
}

function refused(path: string, strict: boolean): number {
  return loadFilters([{ path, strict }], false, WANTED).refused.length;
}
