import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Finding } from '../../src/match/pattern.ts';
import { readerOf } from './records.ts';

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
    assert.deepEqual(read(message), { address: '203.0.113.9', user: '', session: '' });
    assert.deepEqual(read({ ...message, msg: 'Login failed for joe' }), {
      address: '203.0.113.9',
      user: 'joe',
      session: '',
    });
    assert.deepEqual(read({ ...message, user: { name: 'ann' } }), {
      address: '203.0.113.9',
      user: 'ann',
      session: '',
    });
    assert.deepEqual(read({ msg: 'Login failed', level: 'error', 'request.remote_ip': '2001:DB8::1' }), {
      address: '2001:db8::1',
      user: '',
      session: '',
    });
    assert.deepEqual(reader.read(`@cee: ${JSON.stringify(message)}`), {
      address: '203.0.113.9',
      user: '',
      session: '',
    });
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
