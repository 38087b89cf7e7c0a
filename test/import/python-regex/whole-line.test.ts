import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { resolveGroups } from '../../../src/import/python-regex/backreferences.ts';
import { ExpressionError } from '../../../src/import/python-regex/expression-error.ts';
import { parsePython } from '../../../src/import/python-regex/parse.ts';
import { keepGroups, keyOf, type Tree } from '../../../src/import/python-regex/tree.ts';
import { textsWith, textsWithPrefix } from '../../../src/import/python-regex/whole-line.ts';

/** What a rule makes of a tree: the whole text must match. */
function whole(tree: Tree): RegExp {
  return new RegExp(`^(?:${keyOf(keepGroups(tree, () => false))})$`, 's');
}

/** The parts of random expressions; their texts mean the same to Python and to ECMAScript. */
const atom = fc.constantFrom('a', 'b', ' ', '[ab]', '[^a]', String.raw`\w`, String.raw`\s`, '.');
const ahead = fc.constantFrom(
  '(?=a)',
  '(?!a)',
  '(?!ab)',
  '(?= ?b)',
  String.raw`\b`,
  '(?!b b)',
  '(?<!a)',
  '(?<=b)',
);
const end = fc.constantFrom('', '', '$', String.raw`\b`);
const quantifier = fc.constantFrom('', '', '', '*', '+', '?', '{1,2}', '*?');
const piece = fc.tuple(atom, quantifier).map(([text, count]) => text + count);
const guarded = fc.constantFrom('(?:(?!ab).)*', '(?:(?!b ).)*?', String.raw`(?:a\b|b)+`);
const sequence = fc
  .array(
    fc.oneof(
      { weight: 5, arbitrary: piece },
      { weight: 1, arbitrary: ahead },
      { weight: 1, arbitrary: guarded },
    ),
    {
      minLength: 1,
      maxLength: 4,
    },
  )
  .map((parts) => parts.join(''));
const expression = fc
  .tuple(fc.constantFrom('^', ''), sequence, fc.option(sequence), end)
  .map(([start, first, second, last]) =>
    second === null ? `${start}${first}${last}` : `${start}(?:${first}|${second})${last}`,
  );
const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '-'), maxLength: 7 });

/** As Python does: a line feed follows the line, and `$` stands before it or after it. */
function searches(source: string, line: string): boolean {
  return new RegExp(source.replaceAll('$', String.raw`(?=\n?$)`)).test(`${line}\n`);
}

test('an expression for the whole line matches exactly the lines in which the search finds something', () => {
  let refused = 0;
  let tried = 0;
  fc.assert(
    fc.property(expression, fc.array(text, { minLength: 1, maxLength: 40 }), (source, lines) => {
      tried++;
      let rule: RegExp;
      try {
        rule = whole(textsWith(parsePython(source)));
      } catch (error) {
        if (!(error instanceof ExpressionError)) throw error;
        refused++;
        if (error.message.includes('nothing in a single line')) {
          for (const line of lines)
            assert.ok(!searches(source, line), `${source} in ${JSON.stringify(line)}`);
        }
        return;
      }
      for (const line of lines) {
        assert.equal(rule.test(line), searches(source, line), `${source} in ${JSON.stringify(line)}`);
      }
    }),
    { seed: 20_261_120, numRuns: 1_500 },
  );
  assert.ok(refused * 5 < tried, `${refused} of ${tried} refused`);
});

test('what a prefregex hands on is searched by itself', () => {
  const prefix = parsePython('^svc: (?:error )?<F-CONTENT>.+</F-CONTENT>( done)?$');
  const rule = whole(textsWithPrefix(prefix, parsePython('^no (?!way)\\w+$|late')));
  for (const line of ['svc: no entry', 'svc: error no entry done', 'svc: too late now'])
    assert.match(line, rule);
  for (const line of ['svc: no way', 'no entry', 'svc: is no entry', 'svc: no entry now'])
    assert.doesNotMatch(line, rule);
});

test('a prefregex that hands on less than a failregex looks for is refused', () => {
  const prefix = parsePython('^svc: <F-CONTENT>no .+</F-CONTENT>$');
  assert.match('svc: no entry', whole(textsWithPrefix(prefix, parsePython('^no entry$'))));
  assert.throws(() => textsWithPrefix(prefix, parsePython('^entry$')), ExpressionError);
});

test('an address in free text is a whole one, and one before a port ends there', () => {
  const addressIn = (source: string, line: string): string | undefined => {
    const source2 = keyOf(keepGroups(textsWith(parsePython(source)), (name) => name === 'address'));
    let count = 0;
    const named = source2.replaceAll('(?<address>', () => `(?<a${count++}>`);
    return Object.values(new RegExp(`^${named}$`, 's').exec(line)?.groups ?? {}).find(
      (value) => value !== undefined,
    );
  };
  assert.equal(addressIn('from <HOST>', 'x from 203.0.113.77 y'), '203.0.113.77');
  assert.equal(addressIn('from <HOST>', 'x from 203.0.113.77.example.net'), undefined);
  assert.equal(addressIn('^.*<HOST> x', '1203.0.113.77 x'), undefined);
  assert.equal(addressIn('^from <HOST>(:\\d+)?$', 'from 203.0.113.77:22'), '203.0.113.77');
  assert.equal(addressIn('^from <HOST>$', 'from [2001:db8::1]'), '2001:db8::1');
  assert.equal(addressIn('^from <IP4>$', 'from 2001:db8::1'), undefined);
});

test('conditions and references to few texts are written out', () => {
  const read = (source: string): RegExp => whole(textsWith(resolveGroups(parsePython(source)).tree));
  const conditional = read('^(?P<paid>paid )?for (?(paid)all|none)$');
  for (const line of ['paid for all', 'for none']) assert.match(line, conditional);
  for (const line of ['paid for none', 'for all']) assert.doesNotMatch(line, conditional);
  const quoted = read('^(?P<q>["\']?)\\w+(?P=q)$');
  for (const line of ['a', '"a"', "'a'"]) assert.match(line, quoted);
  for (const line of ['"a', "a'", '"a\'']) assert.doesNotMatch(line, quoted);
  assert.deepEqual(resolveGroups(parsePython('^(?P<n>\\d+) is (?P=n)$')).loosened, ['n']);
});

test('what looks back at an address is refused: an address is not taken apart', () => {
  for (const source of [String.raw`from <HOST>(?<!\d)`, 'from <HOST>(?<!5) x'])
    assert.throws(() => textsWith(parsePython(source)), ExpressionError);
});
