import assert from 'node:assert/strict';
import { test } from 'node:test';
import { read, summary } from './reading.ts';

test('a message with all of its parts is read', () => {
  const reading = read(
    '<38>1 2026-11-20T14:13:19.416806+00:00 vm sshd 232 ID47 [timeQuality tzKnown="1"] Failed password',
  );
  assert.deepEqual(reading, {
    at: reading.at,
    source: 'tcp',
    sender: '192.0.2.1',
    hostname: 'vm',
    identifier: 'sshd',
    pid: '232',
    facility: 4,
    severity: 6,
    message: 'Failed password',
    timestamp: Date.UTC(2026, 10, 20, 14, 13, 19) * 1_000 + 416_806,
    trusted: null,
    structuredData: '[timeQuality tzKnown="1"]',
    connection: 0,
    dialect: 'rfc5424',
  });
});

test('each part may be nil', () => {
  assert.equal(summary('<38>1 - - - - - - text'), 'rfc5424||||-|text');
  assert.equal(summary('<38>1 - - - - - -'), 'rfc5424||||-|');
  assert.equal(summary('<38>1 - vm sshd - - - text'), 'rfc5424|vm|sshd||-|text');
});

test('structured data is skipped, whatever its values hold', () => {
  for (const data of [
    '[a@1]',
    '[a@1 k="v"]',
    '[a@1 k="v" l="w"][b@2]',
    '[origin@32473 a="b\\]c"]',
    '[a k="x\\"] sshd[1]: Failed"]',
    '[a k="\\\\"]',
    '[a k="] not the end"]',
    '[a k="é"]',
  ]) {
    assert.equal(summary(`<38>1 - vm sshd 7 - ${data} text`), 'rfc5424|vm|sshd|7|-|text', data);
  }
});

test('structured data stands in the record as it came, and is empty where there is none', () => {
  const data = '[a@1 k="v\\"]"][b@2]';
  assert.equal(read(`<38>1 - vm sshd 7 - ${data} text`).structuredData, data);
  for (const none of ['-', '[a k="v" text', ''])
    assert.equal(read(`<38>1 - vm sshd 7 - ${none} text`).structuredData, '', none);
  assert.equal(read('<38>Nov 20 14:13:19 vm sshd[7]: [a@1 k="v"] text').structuredData, '');
});

test('broken or missing structured data is left in the text, below a header that was whole', () => {
  for (const rest of ['[a k="v" text', '[a k="v"]text', 'text', '[] text', '[a k="v\\"] text', '-text']) {
    assert.equal(summary(`<38>1 - vm sshd 7 - ${rest}`), `rfc5424|vm|sshd|7|-|${rest}`);
  }
});

test("rsyslog's second blank and a BOM are not part of the text, further blanks are", () => {
  assert.equal(summary('<38>1 - vm sshd 7 - -  text'), 'rfc5424|vm|sshd|7|-|text');
  assert.equal(summary('<38>1 - vm sshd 7 - -    text'), 'rfc5424|vm|sshd|7|-|  text');
  assert.equal(summary('<38>1 - vm sshd 7 - - \ufefftext'), 'rfc5424|vm|sshd|7|-|text');
  assert.equal(summary('<38>1 - vm sshd 7 - [a]  \ufefftext'), 'rfc5424|vm|sshd|7|-|text');
});

test('a tag in place of the APP-NAME gives its name and, without a PROCID, its pid', () => {
  assert.equal(summary('<38>1 - vm sshd[12]: - - - text'), 'rfc5424|vm|sshd|12|-|text');
  assert.equal(summary('<38>1 - vm sshd[12] 34 - - text'), 'rfc5424|vm|sshd|34|-|text');
  assert.equal(summary('<38>1 - vm sshd: - - - text'), 'rfc5424|vm|sshd||-|text');
  assert.equal(summary('<38>1 - vm postfix/smtpd 1 - - text'), 'rfc5424|vm|postfix/smtpd|1|-|text');
  assert.equal(summary('<38>1 - vm a:b] 1 - - text'), 'rfc5424|vm|a:b]|1|-|text');
});

test('text that only begins like a header is text, and names no program', () => {
  for (const text of [
    '1 user logged in to sshd - - text',
    '1 - vm sshd 7',
    '1 - vm sshd 7 -',
    '1 2026-11-20 vm sshd 7 - - text',
    '1 yesterday vm sshd 7 - - text',
    '1  - vm sshd 7 - - text',
    '1 - vm  sshd 7 - - text',
    '1 - vm ssh\td 7 - - text',
    '1 - vm sshé 7 - - text',
    '2 - vm sshd 7 - - text',
    '1',
    '1 -',
    `1 - vm ${'a'.repeat(129)} 7 - - text`,
  ]) {
    assert.equal(summary(`<38>${text}`), `raw||||-|${text}`);
  }
});

test('an empty APP-NAME is one that is missing', () => {
  assert.equal(
    summary('<38>1 2026-11-20T14:13:19Z vm  232 - - text'),
    'rfc5424|vm||232|2026-11-20T14:13:19Z|text',
  );
  assert.equal(summary('<38>1 - vm  - - - text'), 'rfc5424|vm|||-|text');
  assert.equal(summary('<38>1 -   - - - text'), 'raw||||-|1 -   - - - text', 'a host name is not');
});

test('without an APP-NAME the tag is looked for where the text begins, and only there', () => {
  assert.equal(summary('<38>1 - vm - 232 - - sshd: text'), 'rfc5424|vm|sshd|232|-|text');
  assert.equal(summary('<38>1 - vm  - - - sshd[7]: text'), 'rfc5424|vm|sshd|7|-|text');
  assert.equal(summary('<38>1 - vm door 232 - - sshd[7]: text'), 'rfc5424|vm|door|232|-|sshd[7]: text');
  assert.equal(summary('<38>1 - vm - 232 - - by sshd[7]: text'), 'rfc5424|vm||232|-|by sshd[7]: text');
});
