import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Column, formatCount, renderTable, wrapText } from '../../../src/cli/render/table.ts';
import { PLAIN_STYLE } from '../../../src/cli/render/terminal.ts';
import { fakeTerminal } from '../fake-terminal.ts';

const COLUMNS: readonly Column[] = [
  { title: 'NAME', align: 'left' },
  { title: 'COUNT', align: 'right' },
  { title: 'REMARK', align: 'left' },
];

test('columns are as wide as their widest cell, and lines end without blanks', () => {
  const rows = [
    ['a', '1', ''],
    ['longer', '1,000,000', 'x'],
  ];
  assert.equal(
    renderTable(COLUMNS, rows, fakeTerminal()),
    'NAME        COUNT  REMARK\na               1\nlonger  1,000,000  x',
  );
});

test('colours do not shift columns', () => {
  const paint = (text: string): string => `<${text}>`;
  const rows = [
    [
      { text: 'a', paint },
      { text: '1', paint },
      { text: 'x', paint },
    ],
  ];
  const terminal = fakeTerminal({ style: { ...PLAIN_STYLE, dim: paint } });
  assert.equal(renderTable(COLUMNS, rows, terminal), '<NAME>  <COUNT>  <REMARK>\n<a>         <1>  <x>');
});

test('the last column is wrapped to the terminal, under its own title', () => {
  const rows = [['a', '1', 'one two three four five six seven']];
  assert.equal(
    renderTable(COLUMNS, rows, fakeTerminal({ columns: 36 })),
    ['NAME  COUNT  REMARK', 'a         1  one two three four five', '             six seven'].join('\n'),
  );
});

test('no cell can hold anything but what is seen', () => {
  const table = renderTable(COLUMNS, [['\x1b[1m', '\n', { text: '\u202e\x9b' }]], fakeTerminal());
  assert.equal(table.split('\n').length, 2);
  assert.doesNotMatch(table.replaceAll('\n', ''), /\p{C}/u);
});

test('text is broken at blanks, and a long word stays whole', () => {
  assert.deepEqual(wrapText('one two three', 8), ['one two', 'three']);
  assert.deepEqual(wrapText('a /very/long/path b', 5), ['a', '/very/long/path', 'b']);
  assert.deepEqual(wrapText('', 5), ['']);
});

test('counts have separators', () => {
  const texts = [0, 999, 1_000, 1_234_567].map(formatCount);
  assert.deepEqual(texts, ['0', '999', '1,000', '1,234,567']);
});
