import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildAutomaton } from '../../../src/match/automaton/automaton.ts';
import { mayOverlap } from '../../../src/match/automaton/overlap.ts';
import { parseExpression } from '../../../src/match/expression/expression.ts';

function overlap(left: string, right: string): boolean {
  const [first, second] = [left, right].map((source) => buildAutomaton(parseExpression(source).body, []));
  assert.ok(first !== undefined && second !== undefined);
  assert.equal(mayOverlap(first, second), mayOverlap(second, first));
  return mayOverlap(first, second);
}

describe('two expressions', () => {
  it('overlap when one text matches both', () => {
    assert.equal(overlap(String.raw`^\d+ denied$`, '^.*denied$'), true);
    assert.equal(overlap('^a*$', '^b*$'), true, 'both match nothing at all');
    assert.equal(overlap('^x(?:a|b)+$', '^.[bc]+$'), true);
  });

  it('do not when their beginnings, their ends or their lengths differ', () => {
    assert.equal(overlap('^a.*$', '^b.*$'), false);
    assert.equal(overlap('^.*a$', '^.*b$'), false);
    assert.equal(overlap('^(?:ab)+$', '^.$'), false);
    assert.equal(overlap('^a+$', '^b+$'), false);
  });

  it('are taken to overlap when they are too large to tell', () => {
    assert.equal(overlap('^.*a{9}x$', '^.*a{9}y$'), false);
    assert.equal(overlap('^.*a{64}x$', '^.*a{64}y$'), true);
  });
});
