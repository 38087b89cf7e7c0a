import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseExpression } from '../../../src/match/expression/expression.ts';
import {
  type Clause,
  containsAny,
  literalPrefixes,
  requiredClauses,
} from '../../../src/match/expression/literals.ts';

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
    assert.deepEqual(prefixes('^(?:a(?:b|c|d)|e)$', 2), ['a', 'e']);
    assert.deepEqual(prefixes('^(?:refused (?:[0-9]|[a-f]|:)+|left)$', 2), ['left', 'refused ']);
    assert.deepEqual(prefixes('^x(?:a|b)(?:c|d)$', 1), ['x']);
  });
});

describe('what every match contains', () => {
  const required = (source: string, limit = 4): readonly Clause[] =>
    requiredClauses(parseExpression(source).body, limit);

  it('is every text that is certain, the longest first', () => {
    assert.deepEqual(required('^.* by \\S+ at gate \\d+$'), [['gate '], [' by ']]);
    assert.deepEqual(required('^\\d(?:x\\d)+y?$'), [['x']]);
  });

  it('is one of several texts, when every alternative has one', () => {
    assert.deepEqual(required('^.*(?:Refused|Denied) .*$')[0], ['Refused', 'Denied']);
    assert.deepEqual(required('^.*(?:a1|b1|c1)$', 2), []);
    assert.deepEqual(required('^.*(?:refused|\\d)$'), []);
    assert.deepEqual(required('^.*(?:not refused|refused|)$'), []);
  });

  it('leaves out what another text says already', () => {
    assert.deepEqual(required('^.*(?:was Refused|Refused)$'), [['Refused']]);
  });

  it('begins with the character that other lines have least, since a search stops at each of them', () => {
    assert.deepEqual(required('^.* is not Known$'), [['Known']]);
    assert.deepEqual(required('^.* at$'), [[' at']]);
  });

  it('is in every text that matches', () => {
    const piece = fc.constantFrom(
      'a',
      'b ',
      'cde',
      '(?:f|gh)',
      '(?:i|j)?',
      '\\d',
      '.*',
      '(?:kl)+',
      '(?:mm|mnn|)',
    );
    const examples: Readonly<Record<string, readonly string[]>> = {
      '(?:f|gh)': ['f', 'gh'],
      '(?:i|j)?': ['', 'i', 'j'],
      '\\d': ['0', '7'],
      '.*': ['', 'cde', 'x y'],
      '(?:kl)+': ['kl', 'klkl'],
      '(?:mm|mnn|)': ['mm', 'mnn', ''],
    };
    const property = fc.property(
      fc.array(piece, { maxLength: 6 }),
      fc.array(fc.nat(2)),
      (pieces, choices) => {
        const text = pieces
          .map((source, index) => {
            const options = examples[source] ?? [source];
            return options[(choices[index] ?? 0) % options.length] ?? '';
          })
          .join('');
        const source = `^${pieces.join('')}$`;
        assert.match(text, new RegExp(source));
        for (const clause of required(source))
          assert.ok(containsAny(text, clause), `${text} meets ${clause.join()}`);
        assert.ok(prefixes(source).some((prefix) => text.startsWith(prefix)));
      },
    );
    fc.assert(property, { seed: 185, numRuns: 500 });
  });
});
