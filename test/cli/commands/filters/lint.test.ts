import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { FilterCheckReport } from '../../../../src/cli/filter-tools/filter-check.ts';
import { assertGolden, run } from '../../fake-terminal.ts';

const FILTERS = fileURLToPath(new URL('../../filters/', import.meta.url));

async function lint(...words: string[]): Promise<FilterCheckReport & { status: number }> {
  const { status, out } = await run(['lint', '--json', ...words]);
  return { status, ...(JSON.parse(out) as FilterCheckReport) };
}

test('a filter that cannot be deceived is good, and the forged lines that were tried are counted', async () => {
  const { status, good, filters } = await lint(`${FILTERS}door.toml`);
  assert.deepEqual([status, good], [0, true]);
  const [door] = filters;
  assert.deepEqual([door?.rules, door?.samples, door?.problems, door?.warnings], [5, 10, [], []]);
  assert.ok((door?.forged ?? 0) > 100);
});

test('what can have two readings is warned of, and an error where the rules for shipped filters hold', async () => {
  const { status, out, error } = await run(['lint', `${FILTERS}window.toml`]);
  assert.equal(status, 0);
  assert.match(
    error,
    /window\.toml:7:\d+: warning: rule `broken`: what a client writes can pass for what follows it/,
  );
  assert.match(out, /^window +1 +2 +[\d,]+ {2}good$/m);
  const strict = await run(['lint', '--strict', `${FILTERS}window.toml`]);
  assert.equal(strict.status, 1);
  assertGolden('lint-strict', `${strict.out}\n\n${strict.error}`.replaceAll(FILTERS, ''));
});

test('nothing is forged while the samples are wrong', async () => {
  const { status, filters } = await lint(`${FILTERS}gate.toml`, `${FILTERS}door.toml`);
  assert.equal(status, 1);
  assert.deepEqual(
    filters.map(({ name, good, forged }) => [name, good, forged > 0]),
    [
      ['gate', false, false],
      ['door', true, true],
    ],
  );
  assert.deepEqual(
    filters[0]?.problems.map(({ line, column }) => [line, column]),
    [
      [9, 3],
      [10, 3],
    ],
  );
});

test('on a terminal it shows which filter is at work', async () => {
  const shown: string[] = [];
  await run(['lint', `${FILTERS}door.toml`], { showProgress: (text) => shown.push(text) });
  assert.deepEqual(shown, ['0 of 1 filter: door', '']);
});
