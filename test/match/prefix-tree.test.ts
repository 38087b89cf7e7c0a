import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PrefixTree } from '../../src/match/prefix-tree.ts';

describe('a prefix tree', () => {
  it('finds what a look at every prefix would find, in the same order', () => {
    const text = fc.stringMatching(/^[abé]{0,6}$/);
    fc.assert(
      fc.property(
        fc.array(fc.array(text, { maxLength: 3 }), { maxLength: 8 }),
        fc.array(text),
        (values, texts) => {
          const tree = new PrefixTree(values, (prefixes) => prefixes);
          for (const wanted of texts) {
            const expected = values.filter((prefixes) =>
              prefixes.some((prefix) => wanted.startsWith(prefix)),
            );
            assert.deepEqual(tree.find(wanted), expected);
          }
        },
      ),
      { seed: 7, numRuns: 500 },
    );
  });

  it('never says of bytes that nothing fits them when something fits what they are', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '\u00e9', '\u00e8', '\ufffd'), maxLength: 5 });
    const prefixes = fc.array(text, { maxLength: 6 });
    const bytes = fc.oneof(
      text.map((wanted) => Buffer.from(wanted)),
      fc.uint8Array({ maxLength: 5 }),
    );
    fc.assert(
      fc.property(prefixes, bytes, (values, taken) => {
        const tree = new PrefixTree(values, (prefix) => [prefix]);
        const isFound = tree.find(Buffer.from(taken).toString()).length > 0;
        if (isFound) assert.ok(tree.mayFindBytes(Buffer.from([1, ...taken, 97]), 1, taken.length + 1));
      }),
      { seed: 7, numRuns: 5_000 },
    );
  });

  it('says of bytes that nothing fits them where they differ from every beginning', () => {
    const tree = new PrefixTree(['abc', 'ab\u00e9'], (prefix) => [prefix]);
    const mayFind = (text: string): boolean =>
      tree.mayFindBytes(Buffer.from(text), 0, Buffer.byteLength(text));
    assert.deepEqual(['abc!', 'ab\u00e9', 'ab\u00e8', 'abd', 'ab', '\u00e9', ''].map(mayFind), [
      true,
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});
