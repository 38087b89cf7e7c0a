import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  formatProblem,
  formatProblemLine,
  MAX_EXCERPT_WIDTH,
  problemAt,
  problemOfFile,
  quote,
} from '../../../src/config/document/problem.ts';

const at = (text: string, offset: number) =>
  problemAt({ source: { file: 'a.toml', text }, offset }, 'is wrong');

test('a problem shows its line with a caret under the character that it begins at', () => {
  assert.equal(
    formatProblem(at('first\nsecond line\nthird', 13)),
    'a.toml:2:8: is wrong\n    2 | second line\n      |        ^',
  );
});

test('columns count characters, not UTF-16 units, and the caret stands under what is shown', () => {
  const { column, excerpt } = at('a = "\u{1f512}" # x', 9);
  assert.deepEqual([column, excerpt], [9, '    1 | a = "\u{1f512}" # x\n      |         ^']);
});

test('control characters of the source are written out, and the caret moves along', () => {
  const text = 'a = "\x1b[2J\u202e" x\r\n';
  const [line = '', caret = ''] = at(text, text.indexOf('x\r')).excerpt?.split('\n') ?? [];
  assert.equal(line, '    1 | a = "\\x1b[2J\\u202e" x');
  assert.equal(line[caret.indexOf('^')], 'x');
});

test('a tab is drawn as one blank', () => {
  assert.equal(at('\ta\tb', 3).excerpt, '    1 |  a b\n      |    ^');
});

test('a long line is cut around the caret', () => {
  const [line = '', caret = ''] =
    at(`${'a'.repeat(5_000)}X${'b'.repeat(5_000)}`, 5_000).excerpt?.split('\n') ?? [];
  assert.equal([...line].length, '    1 | '.length + MAX_EXCERPT_WIDTH + 2);
  assert.equal(line[caret.indexOf('^')], 'X');
  assert.match(line, /^ {4}1 \| …a+Xb+…$/);
});

test('a problem at the end of a file is shown at its last line', () => {
  assert.equal(formatProblemLine(at('a = 1\n', 6)), 'a.toml:2:1: is wrong');
  assert.equal(formatProblemLine(at('', 0)), 'a.toml:1:1: is wrong');
  assert.equal(formatProblemLine(at('a', 99)), 'a.toml:1:2: is wrong');
});

test('a problem of a whole file has no line, and even its name drives no terminal', () => {
  assert.equal(
    formatProblem(problemOfFile('a\x1b[2J\n.toml', 'is not there')),
    'a\\x1b[2J\\n.toml: is not there',
  );
});

test('a quoted value is cut and shows its control characters', () => {
  assert.equal(quote('a\nb'), '"a\\nb"');
  assert.ok(quote('x'.repeat(10_000)).length < 70);
});

test('the caret always stands within its line or just behind it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.nat(400), (text, offset) => {
      const [line = '', caret = ''] = at(text, offset).excerpt?.split('\n') ?? [];
      const column = [...caret].indexOf('^');
      assert.ok(column >= '    1 | '.length && column <= [...line].length);
    }),
  );
});
