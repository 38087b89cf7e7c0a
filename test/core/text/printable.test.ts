import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { printable, printableJson, printableLines } from '../../../src/core/text/printable.ts';

const SEED = 20_261_121;
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]/u;
const anyText = fc.string({ unit: 'binary', maxLength: 60 });

test('ordinary text of any script stays as it is', () => {
  for (const text of ['root', 'Jörg Müller', '山田 太郎', 'C:\\Users', 'a "quoted" <name>', '👮']) {
    assert.equal(printable(text), text);
  }
});

test('each class of invisible character is written out', () => {
  const expectations: ReadonlyArray<readonly [string, string]> = [
    ['a\nb\r\tc', 'a\\nb\\r\\tc'], // C0 with short names
    ['\x00\x07\x1b[2J', '\\x00\\x07\\x1b[2J'], // C0
    ['\x7f', '\\x7f'], // DEL
    ['\x9b31m', '\\x9b31m'], // C1: a one-character CSI
    ['\x85', '\\x85'], // C1: next line
    ['user\u202etxt.exe', 'user\\u202etxt.exe'], // right-to-left override
    ['\u2066x\u2069', '\\u2066x\\u2069'], // isolates
    ['\u2028\u2029', '\\u2028\\u2029'], // line and paragraph separators
    ['ro\u200bot\ufeff', 'ro\\u200bot\\ufeff'], // zero width
    ['\u{e0041}', '\\u{e0041}'], // tags
    ['\ud800', '\\ud800'], // lone surrogate
  ];
  for (const [text, shown] of expectations) assert.equal(printable(text), shown);
});

test('the result holds no invisible character and no escape sequence, whatever went in', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const shown = printable(text);
      assert.doesNotMatch(shown, INVISIBLE);
      assert.equal(stripVTControlCharacters(shown), shown);
      assert.equal(printable(shown), shown);
    }),
    { seed: SEED },
  );
});

test('a limit holds for the escaped length, and no character is cut in half', () => {
  assert.equal(printable('abcdefghij', 10), 'abcdefghij');
  assert.equal(printable('abcdefghijk', 10), 'abcdefg...');
  assert.equal(printable('\x1b\x1b\x1b', 10), '\\x1b\\x1...');
  fc.assert(
    fc.property(anyText, fc.integer({ min: 1, max: 40 }), (text, limit) => {
      const shown = printable(text, limit);
      assert.ok(shown.length <= limit);
      assert.doesNotMatch(shown, INVISIBLE);
    }),
    { seed: SEED },
  );
});

test('text of several lines keeps its line feeds and nothing else', () => {
  assert.equal(printableLines('one\n\x1b[1mtwo\r\n'), 'one\n\\x1b[1mtwo\\r\n');
});

test('JSON shows no invisible character and parses to the same value', () => {
  assert.equal(
    printableJson({ user: '\x9b1m\x7f\u202e\u{e0041}' }),
    '{"user":"\\u009b1m\\u007f\\u202e\\udb40\\udc41"}',
  );
  fc.assert(
    fc.property(anyText, fc.constantFrom(0, 2), (text, indent) => {
      const value = { [text]: [text, { text }] };
      const json = printableJson(value, indent);
      assert.doesNotMatch(json.replaceAll('\n', ''), INVISIBLE);
      assert.deepEqual(JSON.parse(json), JSON.parse(JSON.stringify(value)));
    }),
    { seed: SEED },
  );
});

test('what has no JSON form is null', () => {
  assert.equal(printableJson(undefined), 'null');
});
