import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nodeAt, parseDocument } from '../../../src/config/document/document.ts';
import { placeInString } from '../../../src/config/document/string-offset.ts';

/** The text of the file from where the character at `index` of the value of `key` is written. */
function writtenAt(text: string, index: number): string {
  const { root } = parseDocument({ file: 'a.toml', text });
  const node = root === null ? null : nodeAt(root, ['key']);
  assert.ok(node?.kind === 'scalar');
  return text.slice(placeInString(node, index).offset);
}

for (const [name, text, index, expected] of [
  ['a plain character', 'key = "abc"', 1, 'bc"'],
  ['a literal string', "key = 'a\\bc'", 2, "bc'"],
  ['after an escape', 'key = "a\\tbc"', 2, 'bc"'],
  ['the escape itself', 'key = "a\\u0041b"', 1, '\\u0041b"'],
  ['after a short code point', 'key = "\\u00e9b"', 1, 'b"'],
  ['after a character of two units', 'key = "\\U0001F512b"', 2, 'b"'],
  ['the end of the value', 'key = "abc"', 3, '"'],
  ['a string of several lines', 'key = """\nab\ncd"""', 3, 'cd"""'],
  ['after a folded line end', 'key = """a\\\n   b"""', 1, 'b"""'],
  ['a literal of several lines', "key = '''\na\\b'''", 2, "b'''"],
] as const) {
  test(`finds ${name}`, () => assert.equal(writtenAt(text, index), expected));
}

test('every character of a value is found where it is written', () => {
  const written = fc.oneof(
    fc.constantFrom(
      ['a', 'a'],
      ['\\n', '\n'],
      ['\\u0042', 'B'],
      ['\\U0001f600', '\u{1f600}'],
      ['\u00e9', '\u00e9'],
    ),
    fc.constantFrom(['\\\\', '\\'], ['\\"', '"'], ['\u{1f512}', '\u{1f512}']),
  );
  fc.assert(
    fc.property(fc.array(written, { maxLength: 12 }), (parts) => {
      const text = `key = "${parts.map(([source]) => source).join('')}"`;
      let index = 0;
      for (const [position, [, value = '']] of parts.entries()) {
        const rest = parts.slice(position).map(([source]) => source);
        assert.equal(writtenAt(text, index), `${rest.join('')}"`);
        index += value.length;
      }
    }),
  );
});
