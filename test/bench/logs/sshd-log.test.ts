import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadFilters } from '../../../src/config/filters/filter-file.ts';
import type { Match } from '../../../src/core/failure.ts';
import { createMatcher } from '../../../src/match/matcher.ts';
import { SyslogParser } from '../../../src/syslog/parse.ts';
import { generateLog } from './sshd-log.ts';

const FILTERS = join(import.meta.dirname, '../../../etc/filters');

test('the same seed gives the same lines, another one others', () => {
  const lines = [...generateLog(1, 500)];
  assert.equal(lines.length, 500);
  assert.deepEqual([...generateLog(1, 500)], lines);
  assert.notDeepEqual([...generateLog(2, 500)], lines);
});

test('the filter as shipped finds failures of the attackers and of nobody else', () => {
  const filters = loadFilters([{ path: FILTERS, strict: true }], false).filters;
  const matcher = createMatcher(filters.filter(({ name }) => name === 'sshd'));
  const parser = new SyslogParser();
  const matches: Match[] = [];
  for (const line of generateLog(1, 5_000)) {
    const bytes = Buffer.from(line);
    const record = parser.parse(bytes, 0, bytes.length, { at: 0, source: 'file', sender: '' });
    if (record !== null) matcher.match(record, matches);
  }
  const failures = matches.filter(({ kind, mode }) => kind === 'failure' && mode === 'normal');
  assert.ok(failures.length > 500 && failures.length < 2_500, `${failures.length} failures`);
  for (const { address } of failures) assert.match(address, /^(?:198\.1[89]\.|2001:db8:)/);
  assert.ok(new Set(failures.map(({ address }) => address)).size > 300);
});
