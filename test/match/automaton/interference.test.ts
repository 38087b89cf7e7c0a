import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findInterference, type Interference } from '../../../src/match/automaton/interference.ts';
import { parseExpression } from '../../../src/match/expression/expression.ts';
import { compileTemplate } from '../../../src/match/expression/template.ts';

function interference(failure: string, ignore: string): Interference | null {
  const [first, second] = [failure, ignore].map((text) => parseExpression(compileTemplate(text).source).body);
  assert.ok(first !== undefined && second !== undefined);
  const found = findInterference(first, second);
  assert.notEqual(found, 'unknown');
  return found === 'unknown' ? null : found;
}

describe('an ignore rule is out of a client’s reach', () => {
  it('when it asks for what the service writes', () => {
    assert.equal(
      interference('banned <address> in <name:jail> <any>', 'banned <address> in recidive <any>'),
      null,
    );
    assert.equal(interference('<name:code>: <user>', 'down: <any>'), null);
  });

  it('when no failure looks like what it asks for', () => {
    assert.equal(interference('login of <user> from <address>', 'logout of <any>'), null);
    assert.equal(interference('login of <user!,> from <address>', '<any>, twice, <any>'), null);
  });

  it('when it takes every line of the failure', () => {
    assert.equal(interference('login of <user> from <address>', 'login <any>'), null);
  });
});

describe('an ignore rule is within a client’s reach', () => {
  it('when he can write what it asks for, before the address or behind it', () => {
    const before = interference('login of <user> from <address>', '<any>, monitoring<any>');
    assert.match(before?.ignored ?? '', /^login of .*, monitoring.* from /);
    assert.doesNotMatch(before?.counted ?? '', /monitoring/);
    const behind = interference('from <address>: <any>', '<any>client<any>');
    assert.match(behind?.ignored ?? '', /^from .*: client$/);
  });

  it('when he can keep from writing what it forbids', () => {
    const found = interference('login of <user>', 'login of <any!x>');
    assert.match(found?.counted ?? '', /x/);
  });

  it('but not by a text that must have a character and has none', () => {
    assert.equal(interference('login of <word> failed', 'login of <word> failed'), null);
  });
});
