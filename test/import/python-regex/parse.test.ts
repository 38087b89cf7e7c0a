import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ExpressionError } from '../../../src/import/python-regex/expression-error.ts';
import { parsePython } from '../../../src/import/python-regex/parse.ts';
import { keyOf } from '../../../src/import/python-regex/tree.ts';

test("Python's syntax is read as Python does", () => {
  for (const [source, expected] of [
    ['a{,3}', 'a{0,3}'],
    ['{x}', '\\{x\\}'],
    ['a{1', 'a\\{1'],
    ['[]a]', '[\\]a]'],
    ['[^]]', '[^\\]]'],
    ['[a-]', '[\\-a]'],
    ['(?P<n>a)', '(?<n>a)'],
    ['(?i)aB', '[Aa][Bb]'],
    ['(?:(?i)a|b)c', '(?:[Aa]|[Bb])c'],
    ['(?i:a)b', '[Aa]b'],
    ['a(?#comment)b', 'ab'],
    ['\\x41\\u0042\\t', 'AB\\u0009'],
    ['\\\'\\"\\:\\ ', '\'": '],
    ['<F-USER>a|b</F-USER>c', '(?<user>a|b)c'],
    ['<W><[^>]+>', '<W><[^>]+>'],
    ['<F-ID/>', '(?<fid>\\S+)'],
  ] as const) {
    assert.equal(keyOf(parsePython(source)), expected, source);
  }
});

test('what cannot be carried over is refused with the character', () => {
  for (const [source, reason] of [
    ['(a', /a group is not closed \(character 3\)/],
    ['a)', /a parenthesis is closed that was not opened \(character 2\)/],
    ['*a', /a repetition of nothing/],
    ['a++', /possessive/],
    ['(?>a)', /atomic/],
    ['[b-a]', /descends/],
    ['a{3,2}', /too large or descends/],
    ['\\q', /the escape \\q/],
    ['[a', /class is not closed/],
    ['(?m)a', /the flag \(\?m\)/],
    ['(?P<n', /a group of a kind that is not known/],
    ['<F-USER>a', /<F-USER> is not closed/],
    [`${'('.repeat(200)}${')'.repeat(200)}`, /nested deeper/],
    ['a'.repeat(70_000), /longer than/],
  ] as const) {
    assert.throws(
      () => parsePython(source),
      (error) => error instanceof ExpressionError && reason.test(error.message),
      source.slice(0, 20),
    );
  }
});

test('no text does anything but become a tree or an error', () => {
  const pieces = [
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    '?',
    '*',
    '+',
    '|',
    '^',
    '$',
    '\\',
    '<',
    '>',
    'P',
    '=',
    '!',
    'a',
    '1',
    ',',
    '-',
    '/',
    'F-',
    'HOST',
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 30 }), (parts) => {
      try {
        keyOf(parsePython(parts.join('')));
      } catch (error) {
        assert.ok(error instanceof ExpressionError, String(error));
      }
    }),
    { seed: 7, numRuns: 20_000 },
  );
});
