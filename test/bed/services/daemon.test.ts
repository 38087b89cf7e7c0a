import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMetrics } from './daemon.ts';

test('samples of a metrics page are read with their labels, comments are not', () => {
  const page = [
    '# HELP up Whether it is up.',
    '# TYPE up gauge',
    'up 1',
    'bans_total{jail="sshd",cause="a } b"} 12',
    'seconds_bucket{le="+Inf"} 3 1700000000000',
    'ratio 1.5e-3',
    'limit +Inf',
    '',
  ].join('\n');
  assert.deepEqual(
    [...parseMetrics(page)],
    [
      ['up', 1],
      ['bans_total{jail="sshd",cause="a } b"}', 12],
      ['seconds_bucket{le="+Inf"}', 3],
      ['ratio', 0.0015],
      ['limit', Number.POSITIVE_INFINITY],
    ],
  );
});
