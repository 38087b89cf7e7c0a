import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FieldTest } from '../../src/match/filter.ts';
import type { Finding } from '../../src/match/pattern.ts';
import { compileReader, type Reader } from '../../src/match/rule.ts';
import { ruleOf } from './records.ts';

type Test = string | readonly (string | number | boolean)[];

/** A reader whose fields are tested by templates (text) or values (arrays); a `?` at the end makes one optional. */
function readerOf(form: 'json' | 'access', tests: Readonly<Record<string, Test>>): Reader {
  const fields = Object.entries(tests).map(([key, test]): FieldTest => {
    const optional = key.endsWith('?');
    const field = optional ? key.slice(0, -1) : key;
    if (typeof test === 'string') return { field, optional, pattern: { form: 'template', text: test } };
    return { field, optional, pattern: { form: 'values', values: test } };
  });
  return compileReader(ruleOf({ form, fields }));
}

describe('a rule over JSON messages', () => {
  const reader = readerOf('json', {
    msg: 'Login failed[ for <user>]',
    level: ['warn', 'error'],
    'request.remote_ip': '<address>',
    'user.name?': '<user>',
    'attempt?': [1, 2],
  });
  const message = { level: 'warn', msg: 'Login failed', request: { remote_ip: '203.0.113.9' } };

  function read(value: unknown): Finding | null {
    return reader.read(JSON.stringify(value));
  }

  it('finds fields by their paths', () => {
    assert.deepEqual(read(message), { address: '203.0.113.9', user: '' });
    assert.deepEqual(read({ ...message, msg: 'Login failed for joe' }), {
      address: '203.0.113.9',
      user: 'joe',
    });
    assert.deepEqual(read({ ...message, user: { name: 'ann' } }), { address: '203.0.113.9', user: 'ann' });
    assert.deepEqual(read({ msg: 'Login failed', level: 'error', 'request.remote_ip': '2001:DB8::1' }), {
      address: '2001:db8::1',
      user: '',
    });
    assert.deepEqual(reader.read(`@cee: ${JSON.stringify(message)}`), { address: '203.0.113.9', user: '' });
  });

  it('asks for every field that is not optional, and for the right value of every one that is there', () => {
    const { level: _level, ...rest } = message;
    assert.equal(read(rest), null);
    assert.equal(read({ ...message, level: 'info' }), null);
    assert.equal(read({ ...message, msg: 'Login failed!' }), null);
    assert.equal(read({ ...message, request: null }), null);
    assert.equal(read({ ...message, request: { remote_ip: ['203.0.113.9'] } }), null);
    assert.equal(read({ ...message, request: { remote_ip: 'localhost' } }), null);
    assert.ok(read({ ...message, attempt: 2 }));
    assert.equal(read({ ...message, attempt: 3 }), null);
  });

  it('reads nothing but own members of one object', () => {
    for (const text of [
      '',
      '{',
      '[]',
      'null',
      '"x"',
      '{"a":1} {"b":2}',
      '[{"msg":"Login failed"}]',
      `x ${JSON.stringify(message)}`,
    ]) {
      assert.equal(reader.read(text), null, text);
    }
    const inherited = readerOf('json', { 'constructor.name': 'Object', ip: '<address>' });
    assert.equal(inherited.read('{"ip":"203.0.113.9"}'), null);
  });

  it('survives what is meant to break parsers', () => {
    assert.equal(reader.read(`{"a":${'['.repeat(60_000)}`), null);
    assert.equal(reader.read(`{"msg":"${'x'.repeat(70_000)}"}`), null);
    assert.equal(reader.read('{"__proto__":{"msg":"Login failed"}}'), null);
  });

  it('reads items of arrays by their number', () => {
    const items = readerOf('json', { 'headers.Host.0': 'a', ip: '<address>' });
    assert.ok(items.read('{"ip":"203.0.113.9","headers":{"Host":["a","b"]}}'));
  });
});

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
    assert.deepEqual(reader.read(line()), { address: '203.0.113.9', user: '' });
    assert.deepEqual(reader.read(line({ user: 'joe', rest: '403 - "-" "curl"' })), {
      address: '203.0.113.9',
      user: 'joe',
    });
    assert.equal(reader.read(line({ rest: '200 512' })), null);
    assert.equal(reader.read(line({ request: 'GET /wp-login.php HTTP/1.1' })), null);
    assert.equal(reader.read(line({ request: 'POST /index.php HTTP/1.1' })), null);
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
