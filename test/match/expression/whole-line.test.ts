import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_OPEN_LINE, MAX_TAILED_LINE } from '../../../src/match/expression/whole-line.ts';
import { CompiledPattern } from '../../../src/match/pattern.ts';

function compile(text: string): CompiledPattern {
  return new CompiledPattern({ form: 'template', text });
}

function maxOf(text: string): number {
  return compile(text).maxWholeLine;
}

describe('the longest line that is believed to be whole', () => {
  it('has no limit where no client writes before the address', () => {
    assert.equal(maxOf('login from <address>: <any>'), Number.POSITIVE_INFINITY);
    assert.equal(maxOf('<time> <host> login from <address>'), Number.POSITIVE_INFINITY);
    assert.equal(maxOf('login of <user>'), Number.POSITIVE_INFINITY);
  });

  it('is that of the longest names in it', () => {
    const one = maxOf('login of <user> from <address>');
    assert.ok(one > 256 && one < 480, String(one));
    assert.ok(maxOf('login of <user> as <any> from <address>') > one + 256);
  });

  it('ends before anything that cuts lines without a sign of it', () => {
    const fields = Array.from({ length: 9 }, (_, index) => `<any:a${index}> `).join('');
    assert.equal(maxOf(`${fields}from <address>`), MAX_OPEN_LINE);
    assert.equal(maxOf('said <quoted>, client: <address>, server: <any>'), MAX_TAILED_LINE);
  });
});

describe('a rule with text of a client before its address', () => {
  const pattern = compile('login of <user> from <address>');

  it('does not believe a line with a name that nobody has', () => {
    assert.equal(pattern.readWhole(`login of ${'a'.repeat(256)} from 203.0.113.9`)?.address, '203.0.113.9');
    assert.equal(pattern.readWhole(`login of ${'a'.repeat(257)} from 203.0.113.9`), null);
  });

  it('counts bytes, as those do who cut', () => {
    const line = `login of ${'\u20ac'.repeat(200)} from 203.0.113.9`;
    assert.notEqual(pattern.read(line), null);
    assert.equal(pattern.readWhole(line), null);
  });
});
