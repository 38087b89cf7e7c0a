import assert from 'node:assert/strict';
import { test } from 'node:test';
import { markCut } from '../../src/core/record.ts';

test('a cut message ends in a mark, and never in the beginning of an address', () => {
  for (const [text, marked] of [
    ['Failed password for root from 203.0.113.7', 'Failed password for root from …'],
    ['from 2001:db8::', 'from …'],
    ['from 203.0.113.7 port 4', 'from 203.0.113.7 port …'],
    ['said nothing', 'said nothing…'],
    ['', '…'],
  ] as const) {
    assert.equal(markCut(text), marked);
  }
});
