import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findGrowth } from '../../../src/match/automaton/growth.ts';
import { parseExpression } from '../../../src/match/expression/expression.ts';

function growthOf(source: string): string {
  const growth = findGrowth(parseExpression(source).body);
  if (growth === null) return '';
  assert.notEqual(growth, 'unknown');
  return growth === 'unknown' ? '' : growth.text;
}

describe('an expression that takes linear time', () => {
  it('has few ways to read the beginning of any text', () => {
    for (const source of [
      '^a*b*c*$',
      '^.* from \\d+$',
      '^"[^"]*", client: \\d+, .*$',
      '^.*, client: .*$',
      '^(?:a|b|cd)*x$',
      '^(?:a?){3}b$',
      '^\\S+\\s+\\S+$',
    ]) {
      assert.equal(growthOf(source), '', source);
    }
  });

  it('may end in anything: who has come there does not turn back', () => {
    assert.equal(growthOf('^.*a.*$'), '');
    assert.notEqual(growthOf('^.*a.*b$'), '');
    assert.notEqual(growthOf('^.*a[^b]*$'), '');
  });
});

describe('an expression whose time grows with the square, or faster', () => {
  it('is shown with a text that can be read in ever more ways', () => {
    assert.match(growthOf('^.*, client: .*, server: x$'), /^(?:, client: ){20,}/);
    assert.match(growthOf('^.*\\d+x$'), /^1+$/);
    assert.match(growthOf('^[a-z ]* in [a-z ]*!$'), / in a* ?in /);
  });

  it('is found where one text can be taken in several ways at one place', () => {
    for (const source of ['^(?:a*)*b$', '^(?:a|a)*b$', '^(?:a+)+b$', '^(?:a?b?)*c$']) {
      assert.notEqual(growthOf(source), '', source);
    }
  });

  it('is found where the ways are limited, and too many', () => {
    assert.notEqual(growthOf('^(?:a?){9}b$'), '');
  });

  it('is named with the place of the repetition that can begin anywhere', () => {
    const growth = findGrowth(parseExpression('^.*a.*b$').body);
    assert.ok(growth !== null && growth !== 'unknown');
    assert.deepEqual([growth.group, growth.offset], [0, 4]);
  });
});

it('what is too large to prove is said to be so', () => {
  assert.equal(findGrowth(parseExpression('^.*a.{18}$').body), 'unknown');
});
