import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseExpression } from '../../src/match/expression.ts';
import { literalPrefixes, requiredLiteral } from '../../src/match/literals.ts';

function prefixes(source: string, limit = 16): readonly string[] {
  return [...literalPrefixes(parseExpression(source).body, limit)].sort();
}

describe('the beginnings of what an expression matches', () => {
  it('go on as far as the text is certain', () => {
    assert.deepEqual(prefixes('^refused \\d+$'), ['refused ']);
    assert.deepEqual(prefixes('^\\[error\\] (?:a|b)c.*$'), ['[error] ac', '[error] bc']);
    assert.deepEqual(prefixes('^(?:not )?refused$'), ['not refused', 'refused']);
    assert.deepEqual(prefixes('^(?:ab)+c$'), ['ab']);
  });

  it('are as long as each of them can be, whatever the others are', () => {
    assert.deepEqual(prefixes('^(?:pam_\\w+: )?failure$'), ['failure', 'pam_']);
    assert.deepEqual(prefixes('^(?:x\\d)*y$'), ['x', 'y']);
  });

  it('are not known when anything may stand first', () => {
    assert.deepEqual(prefixes('^.*refused$'), ['']);
    assert.deepEqual(prefixes('^(?:\\d|a)b$'), ['']);
  });

  it('are shorter when there would be too many', () => {
    assert.deepEqual(prefixes('^x(?:a|b)(?:c|d)$', 4), ['xac', 'xad', 'xbc', 'xbd']);
    assert.deepEqual(prefixes('^x(?:a|b)(?:c|d)$', 3), ['xa', 'xb']);
    assert.deepEqual(prefixes('^x(?:a|b)(?:c|d)$', 1), ['x']);
  });
});

it('the longest text that must be there is required', () => {
  const required = (source: string): string => requiredLiteral(parseExpression(source).body);
  assert.equal(required('^.* from \\S+ port \\d+$'), ' from ');
  assert.equal(required('^(?:a|b)$'), '');
});
