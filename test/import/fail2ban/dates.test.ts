import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANYWHERE, insertDates, parseDatePattern } from '../../../src/import/fail2ban/dates.ts';
import { parsePython } from '../../../src/import/python-regex/parse.ts';
import { keepGroups, keyOf } from '../../../src/import/python-regex/tree.ts';
import { textsWith } from '../../../src/import/python-regex/whole-line.ts';

/** The lines of a file that an expression is for, given its datepatterns. */
function lines(expression: string, ...patterns: readonly string[]): RegExp {
  const places = patterns.flatMap((pattern) => parseDatePattern(pattern) ?? []);
  const texts = keepGroups(textsWith(parsePython(expression)), () => false);
  const dated = insertDates(texts, places.length === 0 ? [ANYWHERE] : places);
  return new RegExp(`^(?:${keyOf(dated)})$`, 's');
}

test('a date at the beginning of the line, also in brackets, may be there or not', () => {
  const plain = lines('^ denied$', '{^LN-BEG}');
  for (const date of [
    '',
    'Nov 20 10:00:00',
    '2026-11-20T10:00:00.123+01:00',
    '20/Nov/2026:10:00:00 +0000',
    '1795168800',
  ]) {
    assert.match(`${date} denied`, plain);
  }
  assert.doesNotMatch('yesterday denied', plain);
  assert.match('[Fri Nov 20 10:00:00.123 2026] denied', lines('^\\[\\] denied$', '{^LN-BEG}'));
});

test('a date is put where its pattern says that it stands', () => {
  const access = lines('^<HOST> - \\[\\] "GET"$', '^[^\\[]*\\[({DATE})');
  assert.match('203.0.113.9 - [20/Nov/2026:10:00:00 +0000] "GET"', access);
  assert.match('203.0.113.9 - [] "GET"', access);
  assert.doesNotMatch('20/Nov/2026:10:00:00 203.0.113.9 - [] "GET"', access);
  assert.match('a 2026-11-20 10:00:00  b', lines('^a\\s+b$', '^[^:]*? ({DATE})'));
  assert.match('audit(1795168800.123:7)', lines('^audit\\(:\\d+\\)$', 'EPOCH'));
});

test('a pattern of codes is exact, and what is cut with it is part of it', () => {
  const rule = lines('^ denied$', '^L %d/%m/%Y - %H:%M:%S');
  assert.match('L 20/11/2026 - 10:00:00 denied', rule);
  assert.doesNotMatch('L 20/Nov/2026 - 10:00:00 denied', rule);
  assert.equal(parseDatePattern('^I\\(()**'), null);
  assert.equal(parseDatePattern('{NONE}'), null);
  assert.throws(() => parseDatePattern('%Q'), /a part that is not known: %Q/);
});
