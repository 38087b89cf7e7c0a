import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entriesBetween, parseCursor } from '../../../src/sources/journal/cursor.ts';

const cursor = (number: number, sequence = 'aa') =>
  `s=${sequence};i=${number.toString(16)};b=b0;m=1f;t=65bfeda2dac18;x=1045338c2c51903b`;

test('a cursor tells its sequence, number, boot and time', () => {
  assert.deepEqual(parseCursor(cursor(255)), {
    sequence: 'aa',
    number: 255,
    boot: 'b0',
    at: 0x65bfeda2dac18,
  });
});

test('a text that is no cursor tells nothing', () => {
  const texts = [
    '',
    ';;;',
    's=aa',
    's=aa;i=xyz;t=1',
    's=aa;i=1',
    's=;i=1;t=1',
    's=aa;i=ffffffffffffffff;t=1',
  ];
  for (const text of texts) assert.equal(parseCursor(text), null, text);
});

test('the entries between two cursors are counted by their numbers, within one sequence only', () => {
  assert.equal(entriesBetween(cursor(5), cursor(6)), 0);
  assert.equal(entriesBetween(cursor(5), cursor(16)), 10);
  assert.equal(entriesBetween(cursor(5), cursor(5)), null);
  assert.equal(entriesBetween(cursor(5), cursor(4)), null);
  assert.equal(entriesBetween(cursor(5), cursor(6, 'bb')), null);
  assert.equal(entriesBetween('nonsense', cursor(6)), null);
});
