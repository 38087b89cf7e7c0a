import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BrokenLines, MAX_BROKEN_STREAMS } from '../../../src/sources/journal/broken-lines.ts';

test('what ends with a line feed is whole, and so is what came over no stream', () => {
  const lines = new BrokenLines();
  assert.equal(lines.judge('a', '1', ''), 'whole');
  assert.equal(lines.judge('a', '1', ''), 'whole');
});

test('behind a NUL and behind LineMax comes the rest of the line, whoever writes it', () => {
  const lines = new BrokenLines();
  assert.equal(lines.judge('a', '1', 'nul'), 'beginning');
  assert.equal(lines.judge('b', '1', ''), 'whole', 'another stream');
  assert.equal(lines.judge('a', '1', 'line-max'), 'rest');
  assert.equal(lines.judge('a', '2', ''), 'rest');
  assert.equal(lines.judge('a', '1', ''), 'rest');
  assert.equal(lines.judge('a', '1', ''), 'whole');
});

test('where another process writes in between, the first one goes on later', () => {
  const lines = new BrokenLines();
  assert.equal(lines.judge('a', '1', 'pid-change'), 'beginning');
  assert.equal(lines.judge('a', '2', ''), 'whole');
  assert.equal(lines.judge('a', '1', ''), 'rest');
  assert.equal(lines.judge('a', '1', ''), 'whole');
});

test('the end of a stream is no end of a line, and behind it comes nothing', () => {
  const lines = new BrokenLines();
  assert.equal(lines.judge('a', '1', 'eof'), 'beginning');
  assert.equal(lines.judge('a', '1', ''), 'whole');
});

test('only so many streams are remembered', () => {
  const lines = new BrokenLines();
  for (let stream = 0; stream <= MAX_BROKEN_STREAMS; stream++) lines.judge(`s${stream}`, '1', 'nul');
  assert.equal(lines.judge('s0', '1', ''), 'whole');
  assert.equal(lines.judge('s1', '1', ''), 'rest');
});
