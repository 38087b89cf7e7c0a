import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { copyText } from '../../../src/core/text/text-copy.ts';

test('a copy has the same characters, whatever its length', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
      assert.equal(copyText(text), text);
    }),
  );
  for (const length of [0, 12, 13, 24, 25, 64]) {
    const text = 'abcdefgh'.repeat(8).slice(0, length);
    assert.equal(copyText(text), text);
  }
});
