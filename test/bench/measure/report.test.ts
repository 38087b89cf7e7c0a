import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatNumber, formatOutcome, outcomeAsJson } from './report.ts';

const OUTCOME = {
  tables: [
    {
      columns: ['p50 ms', 'target'],
      rows: [
        { label: 'journal', cells: [1.23456, 'below 5'] },
        { label: 'udp', cells: [12, ''] },
      ],
    },
  ],
  notes: ['The machine was quiet.'],
};

test('numbers stand to the right, texts to the left, and the notes below', () => {
  assert.equal(
    formatOutcome(OUTCOME),
    [
      '           p50 ms  target',
      '  journal    1.23  below 5',
      '  udp          12',
      '',
      '  The machine was quiet.',
      '',
    ].join('\n'),
  );
});

test('for a program every row is an object with its columns', () => {
  assert.deepEqual(outcomeAsJson(OUTCOME), {
    tables: [
      [
        { label: 'journal', 'p50 ms': 1.23456, target: 'below 5' },
        { label: 'udp', 'p50 ms': 12, target: '' },
      ],
    ],
    notes: ['The machine was quiet.'],
  });
});

test('a number has three significant digits', () => {
  assert.deepEqual([0, 0.01234, 0.5, 1.504, 99.96, 1234.5, 1234567].map(formatNumber), [
    '0',
    '0.0123',
    '0.500',
    '1.50',
    '100.0',
    '1,235',
    '1,234,567',
  ]);
});
