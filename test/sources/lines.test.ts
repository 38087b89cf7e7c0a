import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineSplitter } from '../../src/sources/lines.ts';

/** The lines that come out of these chunks, a cut one with `…` behind it. */
function split(chunks: readonly (string | Buffer)[], maxBytes = 64): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((bytes, start, end, isCut) => {
    lines.push(bytes.toString('latin1', start, end) + (isCut ? '…' : ''));
  }, maxBytes);
  for (const chunk of chunks) splitter.push(Buffer.from(chunk));
  splitter.end();
  return lines;
}

test('lines end at line feeds, and the last one at the end of the input', () => {
  assert.deepEqual(split(['one\ntwo\r\n\nfour']), ['one', 'two\r', '', 'four']);
  assert.deepEqual(split(['one\n']), ['one']);
  assert.deepEqual(split([]), []);
});

test('where chunks end makes no difference', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '\n', '\r', '\0', '\xff'), maxLength: 200 });
  fc.assert(
    fc.property(text, fc.array(fc.nat(200)), fc.integer({ min: 1, max: 30 }), (whole, cuts, maxBytes) => {
      const bytes = Buffer.from(whole, 'latin1');
      const ends = [...cuts.filter((cut) => cut <= bytes.length), bytes.length].sort((one, two) => one - two);
      const chunks = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
      const expected = whole.split('\n').map((line) => {
        return line.length > maxBytes ? `${line.slice(0, maxBytes)}…` : line;
      });
      if (expected.at(-1) === '') expected.pop();
      assert.deepEqual(split(chunks, maxBytes), expected);
    }),
    { seed: 20_261_120, verbose: true },
  );
});

test('a line without an end takes no more memory than its limit', () => {
  const chunk = Buffer.alloc(1024 * 1024, 'a');
  const lengths: number[] = [];
  const splitter = new LineSplitter((_bytes, start, end) => lengths.push(end - start), 1_000);
  const before = process.memoryUsage().arrayBuffers;
  for (let count = 0; count < 200; count++) splitter.push(chunk);
  assert.ok(process.memoryUsage().arrayBuffers - before < 10 * 1024 * 1024);
  splitter.end();
  assert.deepEqual(lengths, [1_000]);
});
