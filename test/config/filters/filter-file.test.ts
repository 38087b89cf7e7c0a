import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { formatProblem } from '../../../src/config/document/problem.ts';
import { loadFilter, loadFilters } from '../../../src/config/filters/filter-file.ts';
import { assertGolden, fixture, tomlNames } from '../golden.ts';

const STRICT = true;

/** The list of them belongs to match/ and grows. */
const FIELD_TYPES = /; there are address, [a-z, ]+/g;

for (const name of tomlNames('bad-filters')) {
  test(`bad-filters/${name} is refused with its place and the reason`, () => {
    const directory = { path: fixture('bad-filters'), strict: STRICT };
    const loaded = loadFilter(name.slice(0, -'.toml'.length), directory, false);
    assert.equal(loaded.filter, null);
    assertGolden(
      'bad-filters',
      name,
      'txt',
      loaded.problems.map(formatProblem).join('\n').replace(FIELD_TYPES, ''),
    );
  });
}

test('a filter that is refused leaves the others alone', () => {
  const directories = [fixture('bad-filters'), fixture('filters')].map((path) => ({ path, strict: STRICT }));
  const { filters, refused } = loadFilters(directories, false);
  assert.deepEqual(
    filters.map((filter) => filter.name),
    ['nginx', 'sshd'],
  );
  const refusedFiles = refused.map(({ name }) => `${name}.toml`);
  assert.deepEqual(refusedFiles.sort(), tomlNames('bad-filters'));
  assert.ok(refused.every(({ problems }) => problems.length > 0));
});

test('what a filter says is read into the form of match/filter.ts', () => {
  const { filter, problems } = loadFilter('sshd', { path: fixture('filters'), strict: STRICT }, false);
  assert.deepEqual(problems, []);
  assert.deepEqual(filter, {
    name: 'sshd',
    description: 'A filter for the tests of the configuration',
    input: { identifiers: ['sshd'], journal: { uids: [0], units: [], executables: [] } },
    rules: [
      {
        name: 'failed-password',
        kind: 'failure',
        mode: 'normal',
        weight: 1,
        labels: [],
        pattern: { form: 'template', text: 'Failed password for <word:user> from <address> port <port>' },
        attempt: null,
        remember: false,
        after: [],
        samples: [
          {
            line: 'Failed password for root from 203.0.113.9 port 40022',
            before: [],
            expect: { address: '203.0.113.9', user: 'root' },
          },
          { line: 'Accepted password for root from 203.0.113.9 port 40022', before: [], expect: null },
        ],
      },
    ],
  });
});

test('fields of JSON messages may be nested, optional, expressions or plain values', (t) => {
  const path = temporaryDirectory(t);
  const samples = `samples = [
    { line = '{"request":{"remote_ip":"203.0.113.9"},"status":401,"user":{"id":"root"}}', address = "203.0.113.9", user = "root" },
    { line = '{"status":200}', match = false },
  ]`;
  const json =
    'json = { request.remote_ip = "<address>", "user.id?" = { regex = "^(?<user>.*)$" }, status = [401, 403] }';
  writeFileSync(
    join(path, 'caddy.toml'),
    `identifiers = ["caddy"]\n[[rules]]\nname = "denied"\n${json}\n${samples}\n`,
  );
  const { filter, problems } = loadFilter('caddy', { path, strict: STRICT }, false);
  assert.deepEqual(problems.map(formatProblem), []);
  assert.deepEqual(filter?.rules[0]?.pattern, {
    form: 'json',
    fields: [
      { field: 'request.remote_ip', optional: false, pattern: { form: 'template', text: '<address>' } },
      { field: 'user.id', optional: true, pattern: { form: 'regex', text: '^(?<user>.*)$' } },
      { field: 'status', optional: false, pattern: { form: 'values', values: [401, 403] } },
    ],
  });
});

test('a file in a later directory takes the place of its namesake, also when it is refused', (t) => {
  const root = temporaryDirectory(t);
  const [shipped, own] = ['shipped', 'own'].map((name) => join(root, name)) as [string, string];
  mkdirSync(shipped);
  mkdirSync(own);
  copyFileSync(fixture('filters', 'sshd.toml'), join(shipped, 'sshd.toml'));
  copyFileSync(fixture('bad-filters', 'samples.toml'), join(own, 'sshd.toml'));
  const directories = [shipped, own].map((path) => ({ path, strict: STRICT }));
  const { filters, refused } = loadFilters(directories, false);
  assert.deepEqual([filters, refused.map(({ name }) => name)], [[], ['sshd']]);
  assert.deepEqual(
    loadFilters(directories.toReversed(), false).filters.map(({ name }) => name),
    ['sshd'],
  );
});

test("what is a warning in a user's own filter refuses a shipped one", () => {
  const path = fixture('bad-filters');
  const own = loadFilter('ambiguous', { path, strict: false }, false);
  assert.equal(own.filter?.name, 'ambiguous');
  assert.equal(own.warnings.length, 1);
  const shipped = loadFilter('ambiguous', { path, strict: true }, false);
  assert.deepEqual([shipped.filter, shipped.problems], [null, own.warnings]);
});

test('a directory that is not there holds no filters', () => {
  const directory = { path: fixture('no-such-directory'), strict: STRICT };
  assert.deepEqual(loadFilters([directory], false), {
    names: [],
    filters: [],
    refused: [],
    problems: [],
    warnings: [],
  });
});

function temporaryDirectory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'bailiff-filters-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}
