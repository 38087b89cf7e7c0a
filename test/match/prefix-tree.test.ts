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
});
