import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inputOf, literalPrograms, readJournalMatch } from '../../../src/import/fail2ban/identifiers.ts';
import type { PlacedValue } from '../../../src/import/fail2ban/ini.ts';
import { Remarks } from '../../../src/import/fail2ban/remark.ts';

function lines(...texts: readonly string[]): PlacedValue {
  return texts.map((text, index) => ({ text, place: { file: 'filter.d/a.conf', line: index + 1 } }));
}

test('a program that an expression begins with is one that the filter reads', () => {
  for (const text of [
    String.raw`^shop\[\d+\]: refused <HOST>$`,
    String.raw`^.*shop\[\d+\]: refused <HOST>`,
    String.raw`^\s*\S+ shop\[[^\]]+\]: refused <HOST>`,
    String.raw`\bshop\[[0-9]+\] refused <HOST>`,
    'shop: refused <HOST>',
    String.raw`^\S+\s+shop:\s+refused <HOST>`,
  ])
    assert.deepEqual(literalPrograms(lines(text)), ['shop'], text);
  assert.deepEqual(literalPrograms(lines(String.raw`my\-shop\.web\[\d+\]: x`, 'other: x')), [
    'my-shop.web',
    'other',
  ]);
  for (const text of [
    'error: refused <HOST>',
    String.raw`^<HOST> shop\[\d+\]: x`,
    String.raw`client\[name\] x`,
    'refused by shop: <HOST>',
    'a:b <HOST>',
  ])
    assert.deepEqual(literalPrograms(lines(text)), [], text);
});

test('the journal is asked for units, identifiers and containers', () => {
  const remarks = new Remarks('filter a');
  const read = (text: string) => readJournalMatch(lines(text), remarks);
  assert.deepEqual(read('_SYSTEMD_UNIT=shop.service + SYSLOG_IDENTIFIER=shop + _COMM=shopd'), {
    units: ['shop.service'],
    identifiers: ['shop', 'shopd'],
    containers: [],
  });
  const boxed = read('_SYSTEMD_UNIT=docker.service CONTAINER_NAME=vault + CONTAINER_TAG=vault-tag');
  assert.deepEqual(boxed, { units: [], identifiers: ['vault-tag'], containers: ['vault'] });
  assert.deepEqual(inputOf('a', undefined, boxed, []).journal.containers, ['vault']);
  assert.deepEqual(remarks.list, []);
  read('PRIORITY=4');
  assert.deepEqual(
    remarks.list.map(({ message }) => message),
    ['journalmatch: PRIORITY=4 is not looked at'],
  );
});
