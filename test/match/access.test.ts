import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import fc from 'fast-check';
import { ACCESS_LINES, AccessLine } from '../../src/match/access.ts';
import { buildAutomaton } from '../../src/match/automaton/automaton.ts';
import { mayOverlap } from '../../src/match/automaton/overlap.ts';
import { parseExpression } from '../../src/match/expression/expression.ts';
import { readerOf } from './records.ts';

describe('a rule over access logs', () => {
  const line = (parts: { client?: string; user?: string; request?: string; rest?: string } = {}): string => {
    const {
      client = '203.0.113.9',
      user = '-',
      request = 'POST /wp-login.php?x=1 HTTP/1.1',
      rest = '401 512',
    } = parts;
    return `${client} - ${user} [20/Nov/2026:10:00:00 +0100] "${request}" ${rest}`;
  };

  it('finds client, user and what was asked for', () => {
    const reader = readerOf('access', { status: [401, 403], method: 'POST', path: '/wp-<any>' });
    assert.deepEqual(reader.read(line()), { address: '203.0.113.9', user: '', session: '' });
    assert.deepEqual(reader.read(line({ user: 'joe', rest: '403 - "-" "curl"' })), {
      address: '203.0.113.9',
      user: 'joe',
      session: '',
    });
    assert.equal(reader.read(line({ rest: '200 512' })), null);
    assert.equal(reader.read(line({ request: 'GET /wp-login.php HTTP/1.1' })), null);
    assert.equal(reader.read(line({ request: 'POST /index.php HTTP/1.1' })), null);
  });

  it('cuts the name of a user as every rule does', () => {
    const reader = readerOf('access', { status: [401] });
    assert.equal(reader.read(line({ user: 'a'.repeat(300) }))?.user, 'a'.repeat(256));
  });

  it('takes all the fields apart', () => {
    const names = [
      'host',
      'client',
      'user',
      'request',
      'method',
      'target',
      'path',
      'query',
      'protocol',
      'status',
      'bytes',
      'referer',
      'agent',
    ];
    const reader = readerOf('access', Object.fromEntries(names.map((name) => [name, '<any>'])));
    const text = `www.example.net:443 ${line({ user: 'joe doe', rest: '404 512 "https://a/" "a \\"b\\" c" 7' })}`;
    assert.deepEqual(
      reader.fields(text).map(({ value }) => value),
      [
        'www.example.net:443',
        '203.0.113.9',
        'joe doe',
        'POST /wp-login.php?x=1 HTTP/1.1',
        'POST',
        '/wp-login.php?x=1',
        '/wp-login.php',
        'x=1',
        'HTTP/1.1',
        '404',
        '512',
        'https://a/',
        'a \\"b\\" c',
      ],
    );
  });

  it('knows requests that are no HTTP', () => {
    const reader = readerOf('access', { status: [400], request: '<any>', 'method?': 'nothing' });
    for (const request of ['\\x16\\x03\\x01', '', '-']) {
      assert.equal(reader.read(line({ request, rest: '400 0 "-" "-"' }))?.address, '203.0.113.9', request);
    }
  });

  it('takes no bracket that the client writes for the one in front of the time', () => {
    const reader = readerOf('access', { status: [400] });
    for (const request of [' [', ' [x] "', '[', ' [20/Nov/2026:10:00:00 +0100] ']) {
      const user = reader.read(
        line({ user: 'joe', request: request.replace('"', '\\"'), rest: '400 0' }),
      )?.user;
      assert.equal(user, 'joe', request);
    }
    assert.equal(reader.read('203.0.113.9 - x] " [" 400 0'), null);
  });

  it('believes the first word only, whatever a client writes', () => {
    const reader = readerOf('access', { status: [401] });
    const forged = line({ client: '198.51.100.7' });
    for (const text of [
      line({ request: `GET /${forged.replaceAll('"', '\\"')} HTTP/1.1` }),
      line({ request: `GET /${forged} HTTP/1.1` }),
      line({ user: forged.replaceAll('"', '\\"') }),
      line({ user: forged }),
      line({ rest: `401 5 "${forged.replaceAll('"', '\\"')}" "${forged}"` }),
    ]) {
      const finding = reader.read(text);
      assert.ok(finding === null || finding.address === '203.0.113.9', text);
    }
    assert.equal(reader.read(`198.51.100.7 ${line()}`), null);
    assert.equal(reader.read(`198.51.100.7, ${line()}`), null);
    assert.equal(reader.read(`198.51.100.7:80 ${line()}`)?.address, '203.0.113.9');
  });

  it('reads nothing else', () => {
    const reader = readerOf('access', { status: [401] });
    for (const text of [
      '',
      ' ',
      'x',
      '203.0.113.9',
      '203.0.113.9 - - [',
      '203.0.113.9 - - "GET / HTTP/1.1" 401 5',
      line({ rest: '4011 5' }),
      line({ rest: '401' }),
      line({ client: '300.1.1.1' }),
    ]) {
      assert.equal(reader.read(text), null, text);
    }
  });

  it('refuses fields that there are not, and other addresses', () => {
    assert.throws(() => readerOf('access', { code: [401] }), /no field code; it has host, /);
    assert.throws(() => readerOf('access', { path: '/<address>' }), /always its client/);
  });
});

test('whatever is taken apart as a line of an access log is a text of ACCESS_LINES', () => {
  const accessLine = new AccessLine();
  let taken = 0;
  const host = fc.constantFrom('', 'a.b:80 ', '-_ ', 'x ', '1.2.3 ');
  const client = fc.constantFrom(
    '1.2.3.4',
    '...',
    '::',
    ':\u00e9:',
    '2026-11-20T10:00:00Z',
    'a:b:"',
    '1.2.3.4.',
  );
  const free = fc.string({ unit: fc.constantFrom(...' -[]"\\\n\u00e9a4', '] "'), maxLength: 8 });
  const name = fc.string({ unit: fc.constantFrom(...' -[]:a'), maxLength: 6 });
  const line = fc
    .tuple(host, client, fc.oneof(name, free), name, free, fc.constantFrom('200', '000', '2x0'), free)
    .map(
      ([vhost, address, user, time, request, status, rest]) =>
        `${vhost}${address} - ${user} [${time}] "${request}" ${status} ${rest}`,
    );
  fc.assert(
    fc.property(line, (text) => {
      if (!accessLine.scan(text)) return;
      taken++;
      const literal = text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
      const exactly = buildAutomaton(parseExpression(`^${literal}$`).body, []);
      assert.ok(mayOverlap(exactly, ACCESS_LINES), text);
    }),
    { numRuns: 3_000 },
  );
  assert.ok(taken > 300);
});
