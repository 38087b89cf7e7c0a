import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  MAX_DEPTH,
  mergeTables,
  parseDocument,
  placeOf,
  placeOfKey,
  type TableNode,
  toPlain,
  withoutPath,
} from '../../../src/config/document/document.ts';
import { formatProblemLine } from '../../../src/config/document/problem.ts';

const parse = (text: string, file = 'a.toml') => parseDocument({ file, text });

function rootOf(text: string, file?: string): TableNode {
  const { root, problems } = parse(text, file);
  assert.deepEqual(problems, []);
  assert.ok(root !== null);
  return root;
}

const plain = (root: TableNode): unknown => JSON.parse(JSON.stringify(toPlain(root)));

test('every way to write a table leads to the same data', () => {
  const expected = { jail: { sshd: { ports: ['tcp/22'], n: 1 } } };
  for (const text of [
    '[jail.sshd]\nports = ["tcp/22"]\nn = 1',
    '[jail]\nsshd.ports = ["tcp/22"]\nsshd.n = 1',
    'jail.sshd = { ports = ["tcp/22"], n = 1 }',
    '[jail]\n[jail."sshd"]\nports = [\n  "tcp/22", # SSH\n]\nn = 1',
  ]) {
    assert.deepEqual(plain(rootOf(text)), expected, text);
  }
});

test('tables in lists keep their order and what belongs to them', () => {
  const text =
    '[[rules]]\nname = "a"\n[rules.json]\nx = 1\n[[rules]]\nname = "b"\n[[rules.samples]]\nline = "c"\n';
  const expected = {
    rules: [
      { name: 'a', json: { x: 1 } },
      { name: 'b', samples: [{ line: 'c' }] },
    ],
  };
  assert.deepEqual(plain(rootOf(text)), expected);
});

test('keys and values know their places, and what is missing has that of what is around it', () => {
  const text = 'a = 1\n[jail.sshd]\nports = ["x", "y"]\n';
  const root = rootOf(text);
  assert.equal(placeOf(root, ['jail', 'sshd', 'ports', 1]).offset, text.indexOf('"y"'));
  assert.equal(placeOfKey(root, ['jail', 'sshd', 'ports']).offset, text.indexOf('ports'));
  assert.equal(placeOfKey(root, ['jail', 'sshd']).offset, text.indexOf('sshd'));
  assert.equal(placeOf(root, ['jail', 'sshd', 'mode']).offset, text.indexOf('sshd'));
});

test('a merge changes neither of its parts', () => {
  const [first, second] = [rootOf('a = 1\n[t]\nx = [1, 2]\ny = 1'), rootOf('b = 2\n[t]\nx = [3]', 'b.toml')];
  const merged = mergeTables(first, second);
  assert.deepEqual(plain(merged), { a: 1, b: 2, t: { x: [3], y: 1 } });
  assert.equal(placeOf(merged, ['t', 'x']).source.file, 'b.toml');
  assert.deepEqual(plain(first), { a: 1, t: { x: [1, 2], y: 1 } });
  assert.deepEqual(plain(withoutPath(merged, ['t', 'x', 0])), { a: 1, b: 2, t: { y: 1 } });
  assert.deepEqual(plain(merged), { a: 1, b: 2, t: { x: [3], y: 1 } });
});

test('a syntax error within something that goes on below it ends the reading', () => {
  const { root, problems } = parse('a = [\n  1 2,\n  3 4,\n]\nb = = 1\n');
  assert.equal(root, null);
  assert.deepEqual(problems.map(formatProblemLine), ['a.toml:2:5: a comma is missing']);
});

test('after a broken value the rest is still data, after a broken table name it is not', () => {
  const value = parse('a = yes\nb = 2\n');
  assert.ok(value.root !== null && value.problems.length === 1);
  assert.deepEqual(plain(value.root), { b: 2 });
  assert.equal(parse('[a\nb = 2\n[c]\nb = 3\nb = 4\n').root, null);
});

test('a key of JavaScript is a key like any other, or refused', () => {
  assert.deepEqual(plain(rootOf('constructor = 1\ntoString.valueOf = 2')), {
    constructor: 1,
    toString: { valueOf: 2 },
  });
  for (const text of [
    '__proto__ = 1',
    'a.__proto__.b = 1',
    '["__proto__"]',
    'a = { "__proto__" = 1 }',
    '[[a.__proto__]]',
  ]) {
    const { root, problems } = parse(text);
    assert.equal(root, null, text);
    assert.match(problems.map(formatProblemLine).join(), /`__proto__` cannot be a key$/);
  }
  assert.equal(({} as Record<string, unknown>).b, undefined);
});

test('whatever is nested too deep is refused, in any form', () => {
  const depth = 5_000;
  for (const text of [
    `a = ${'['.repeat(depth)}${']'.repeat(depth)}`,
    `a = ${'{ b = '.repeat(depth)}1${' }'.repeat(depth)}`,
    `${'a.'.repeat(depth)}b = 1`,
    `[${'a.'.repeat(depth)}b]`,
  ]) {
    const { root, problems } = parse(text);
    assert.equal(root, null);
    assert.match(
      problems.map(formatProblemLine).join(),
      new RegExp(`nested more than ${MAX_DEPTH} levels deep$`),
    );
  }
});

test('strings, numbers and truth values come back as they were written', () => {
  const value = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.array(fc.maxSafeInteger()),
  );
  fc.assert(
    fc.property(
      fc.dictionary(fc.stringMatching(/^[A-Za-z0-9-]{1,8}$/), value, { noNullPrototype: true }),
      (data) => {
        const text = Object.entries(data).map(([key, item]) => `${key} = ${writeToml(item)}\n`);
        assert.deepEqual(plain(rootOf(text.join(''))), data);
      },
    ),
  );
});

/** JSON is TOML where it comes to strings and lists, but for DEL. */
function writeToml(value: unknown): string {
  return JSON.stringify(value).replaceAll('\x7f', '\\u007f');
}
