import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { FilterCheckReport } from '../../../../src/cli/filter-tools/filter-check.ts';
import { assertGolden, run } from '../../fake-terminal.ts';

const FILTERS = fileURLToPath(new URL('../../filters/', import.meta.url));

test('samples that are right are counted', async () => {
  const { status, out, error } = await run(['test', `${FILTERS}door.toml`]);
  assert.deepEqual([status, error], [0, '']);
  assertGolden('test-good', out);
});

test('samples that are wrong are named with their places, and the status is 1', async () => {
  const { status, out, error } = await run(['test', `${FILTERS}door.toml`, `${FILTERS}gate.toml`]);
  assert.equal(status, 1);
  assertGolden('test-wrong', `${out}\n\n${error}`.replaceAll(FILTERS, ''));
});

test('a filter of the program is known by its name', async () => {
  const { status, out } = await run(['test', '--json', 'sshd']);
  assert.equal(status, 0);
  const { good, filters } = JSON.parse(out) as FilterCheckReport;
  assert.deepEqual([good, filters.map(({ name }) => name)], [true, ['sshd']]);
  assert.ok((filters[0]?.samples ?? 0) > 100 && filters[0]?.forged === 0);
});

test('names that nobody has are refused', async () => {
  const { status, error } = await run(['test', 'ssh-d']);
  assert.deepEqual([status, error], [1, 'bailiff: there is no filter ssh-d\n  did you mean sshd?']);
  assert.match(
    (await run(['test', './none.toml'])).error,
    /none\.toml: cannot be read: there is no such file/,
  );
});
