import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { excerptAround } from '../../../src/cli/render/excerpt.ts';

test('a text that fits is shown whole', () => {
  assert.deepEqual(excerptAround('refused root from x', 18, 76), { text: 'refused root from x', column: 18 });
  assert.deepEqual(excerptAround('refused', 7, 76), { text: 'refused', column: 7 });
});

test('a longer one is cut on both sides of the place', () => {
  const { text, column } = excerptAround(`${'a'.repeat(500)}X${'b'.repeat(500)}`, 500, 40);
  assert.equal(text, `…${'a'.repeat(19)}X${'b'.repeat(18)}…`);
  assert.equal(text[column], 'X');
});

test('near an end, more of the other side is shown', () => {
  assert.deepEqual(excerptAround('X'.padEnd(100, 'b'), 0, 20), { text: `X${'b'.repeat(17)}…`, column: 0 });
  assert.deepEqual(excerptAround('a'.repeat(100), 100, 20), { text: `…${'a'.repeat(18)}`, column: 19 });
});

test('whatever the text, nothing in it acts on a terminal, it fits, and the caret is at its place', () => {
  const character = fc.constantFrom('a', ' ', '\x1b', '\u202e', '\u{e0041}', '\n', 'ü');
  const text = fc.string({ unit: character, maxLength: 120 });
  fc.assert(
    fc.property(text, fc.nat(), fc.integer({ min: 20, max: 80 }), (before, after, width) => {
      const whole = `${before}X${'b'.repeat(after % 100)}`;
      const excerpt = excerptAround(whole, before.length, width);
      assert.doesNotMatch(excerpt.text, /\p{C}/u);
      assert.ok(excerpt.text.length <= width, `${excerpt.text.length}`);
      assert.equal(excerpt.text[excerpt.column], 'X');
    }),
    { seed: 20_261_120, numRuns: 2_000 },
  );
});
