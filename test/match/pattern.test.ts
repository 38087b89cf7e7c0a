import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseAddress } from '../../src/core/address/address.ts';
import { PatternError } from '../../src/match/expression/expression.ts';
import { containsAny } from '../../src/match/expression/literals.ts';
import { CompiledPattern } from '../../src/match/pattern.ts';

function templateOf(text: string): CompiledPattern {
  return new CompiledPattern({ form: 'template', text });
}

function regexOf(text: string): CompiledPattern {
  return new CompiledPattern({ form: 'regex', text });
}

describe('a regular expression', () => {
  it('finds what its groups name', () => {
    const pattern = regexOf(
      '^Login of (?<user>\\S+) \\((?<address>[\\d.:a-f]+)\\) (?:failed|denied) (?<why>.*)$',
    );
    assert.deepEqual(pattern.read('Login of joe (203.0.113.9) denied x'), {
      address: '203.0.113.9',
      user: 'joe',
      session: '',
    });
    assert.equal(pattern.read('Login of joe (999.0.113.9) denied x'), null);
    assert.equal(pattern.fields('Login of joe (203.0.113.9) denied x').at(-1)?.value, 'x');
  });

  it('means the same as it means to JavaScript', () => {
    const texts = ['', 'a', 'ab', 'aab', 'a-b', 'a\nb', 'é', '[x]', 'A1_', ' \t', 'abcabc', '{a}', 'a.b$'];
    for (const source of [
      '^a*b?$',
      '^(?:a|b)+$',
      '^[^a]*$',
      '^.*$',
      '^[\\]\\[x]+$',
      '^\\w+$',
      '^\\W+$',
      '^[a\\-z]+$',
      '^[a-]+b?$',
      '^[\\w-]+$',
      '^\\x61\\u0062$',
      '^(?:abc){2}$',
      '^a??a*?b$',
      '^\\{a\\}$',
      '^\\S\\s?$',
      '^a\\.b\\$$',
      '^(?:a*)?b$',
      '^(?:a?)+$',
      '^(?:a{2})?b*$',
      '^(?:a+?)?b??$',
    ]) {
      const ours = regexOf(source);
      const theirs = new RegExp(source, 's');
      for (const text of texts)
        assert.equal(ours.read(text) !== null, theirs.test(text), `${source} on ${JSON.stringify(text)}`);
    }
  });

  it('means the same as it means to JavaScript, however it is put together', () => {
    const { source } = fc.letrec<{ source: string; atom: string }>((tie) => ({
      atom: fc.constantFrom('a', 'b', '[ab]', '.'),
      source: fc.oneof(
        { maxDepth: 4 },
        tie('atom'),
        fc.tuple(tie('source'), tie('source')).map(([left, right]) => `(?:${left}|${right})`),
        fc.tuple(tie('source'), tie('source')).map(([left, right]) => `${left}${right}`),
        fc
          .tuple(tie('source'), fc.constantFrom('*', '+', '?', '*?', '+?', '??', '{2}', '{1,2}'))
          .map(([body, count]) => `(?:${body})${count}`),
      ),
    }));
    const texts = fc.array(fc.stringMatching(/^[abc]{0,6}$/), { minLength: 5, maxLength: 5 });
    const property = fc.property(source, texts, (body, tried) => {
      const ours = regexOf(`^${body}$`);
      const theirs = new RegExp(`^${body}$`, 's');
      for (const text of tried)
        assert.equal(ours.read(text) !== null, theirs.test(text), `${body} on "${text}"`);
    });
    fc.assert(property, { seed: 22, numRuns: 1_000 });
  });

  it('is refused when it is not anchored, or needs more than a regular language', () => {
    const mistakes: readonly (readonly [string, number, RegExp])[] = [
      ['a$', 0, /begin with \^/],
      ['^a', 2, /end with \$/],
      ['^a|b$', 2, /in a group/],
      ['^(?=a)b$', 1, /linear time/],
      ['^(?<!a)b$', 1, /linear time/],
      ['^(a)\\1$', 4, /back-references/],
      ['^a\\bb$', 2, /boundaries/],
      ['^a^b$', 2, /at the ends only/],
      ['^(a$', 3, /at the ends only/],
      ['^[a$', 1, /not closed/],
      ['^a**$', 3, /repeated/],
      ['^a{x}$', 2, /escaped/],
      ['^a{0,64}$', 1, /linear time: write this counted repetition/],
      ['^(?:a{1,4}b){1,7}$', 4, /linear time/],
      [`^${'('.repeat(60)}a${')'.repeat(60)}$`, 52, /nested/],
    ];
    for (const [text, offset, message] of mistakes) {
      assert.throws(
        () => regexOf(text),
        (error) => error instanceof PatternError && error.offset === offset && message.test(error.message),
        text,
      );
    }
  });
});

describe('matching', () => {
  it('of a long text by a pattern that is not proved to be linear finds the address that all readings agree on', () => {
    const pattern = regexOf('^(?:\\[(?:\\w+ "[^"]*"|[^\\]]*)\\]\\s*)*client (?<address>[0-9.]+)(?: .*)?$');
    assert.notEqual(pattern.square, null, 'else this tests nothing');
    assert.notEqual(pattern.ambiguity, null, 'else this tests nothing');
    for (const count of [1, 100]) {
      const line = `${'[id "1"] '.repeat(count)}client 192.0.2.1 denied`;
      assert.equal(pattern.read(line)?.address, '192.0.2.1');
    }
  });

  it('knows how a match begins and what it contains', () => {
    assert.deepEqual(templateOf('{Bad|Good} login[s] by <user>').prefixes, [
      'Bad logins by ',
      'Bad login by ',
      'Good logins by ',
      'Good login by ',
    ]);
    const pattern = templateOf('<user> failed to log in from <address>');
    assert.deepEqual(pattern.prefixes, ['']);
    assert.ok(pattern.mayMatch('joe failed to log in from his desk'));
    assert.ok(!pattern.mayMatch('joe failed to sign in from 203.0.113.9'));
  });

  it('never begins otherwise, and always contains it', () => {
    const templates = [
      '[a]b{c|d[e]}<int>f g<user>hi',
      '{|x}<word> y[ z]',
      '<address>: {a|b|c}{d|e|f}{g|h|i} <any>',
    ];
    for (const template of templates) {
      const pattern = templateOf(template);
      fc.assert(
        fc.property(fc.stringMatching(/^[abcdefghixyz1:. ]{0,24}$/), (text) => {
          if (!pattern.hasShape(text)) return;
          assert.ok(pattern.prefixes.some((prefix) => text.startsWith(prefix)));
          assert.ok(pattern.required.every((clause) => containsAny(text, clause)));
        }),
        { seed: 4, numRuns: 2_000 },
      );
    }
  });

  it('says where a line goes wrong', () => {
    const pattern = templateOf('Failed <name> for <user> from <address> port <port>');
    const cases: readonly (readonly [string, number])[] = [
      ['Failed password for root from 203.0.113.9 port x', 47],
      ['Failed password for root from 203.0.113 port 22', 39],
      ['Failed password for root at 203.0.113.9 port 22', 47],
      ['Faild password', 4],
      ['Failed password for', 19],
      ['', 0],
    ];
    for (const [text, offset] of cases) assert.equal(pattern.differingOffset(text), offset, text);
  });
});

describe('the proof that a client cannot choose the address', () => {
  it('passes patterns in which nothing can imitate what follows it', () => {
    for (const template of [
      'Invalid user <user> from <address>[ port <port>]',
      'Failed <word> for [invalid user ]<user> from <address> port <port>[ ssh2]',
      'Unable to negotiate with <address> port <port>: <any>',
      'client <any> (<address>)',
      '<address>: <any> from <host>',
      'login by "<name:user>" from <address>: <any>',
    ]) {
      assert.equal(templateOf(template).ambiguity, null, template);
    }
  });

  it('shows a text with two readings for the others', () => {
    for (const template of [
      'User <user> from <address> not allowed because <any>',
      'Failed login for <user> from <address> port <port>[: <any>]',
      'login from <any><address>',
      'login from <address><any>',
      '<user> <address> <any>',
      '{from <address>|<any>} at <host> by <user>',
    ]) {
      const pattern = templateOf(template);
      const { ambiguity } = pattern;
      assert.ok(ambiguity !== null && ambiguity !== 'unknown', template);
      assert.ok(pattern.hasShape(ambiguity.text), `${template}: ${ambiguity.text}`);
    }
  });

  it('is made once for patterns of the same text', () => {
    const text = 'User <user> from <address> refused: <any>';
    const first = templateOf(text).ambiguity;
    assert.notEqual(first, null);
    assert.equal(templateOf(text).ambiguity, first);
    assert.notEqual(templateOf(`${text} again`).ambiguity, first);
  });

  it('does not match a line with two readings', () => {
    const pattern = templateOf('User <user> from <address> not allowed because <any>');
    assert.equal(
      pattern.read('User joe from 203.0.113.9 not allowed because of rain')?.address,
      '203.0.113.9',
    );
    const tail = 'from 198.51.100.7 not allowed because';
    assert.equal(pattern.read(`User joe ${tail} x from 203.0.113.9 not allowed because of rain`), null);
    assert.equal(pattern.read(`User joe from 203.0.113.9 not allowed because of y ${tail} z`), null);
  });

  it('holds against whoever fills the free fields', () => {
    const templates = [
      'Invalid user <user> from <address>[ port <port>]',
      'User <user> from <address> not allowed because <any>',
      '<user>@<address>: <any>',
      'login {by <user> from <address>|from <address> by <user>} refused',
    ];
    const word = fc.constantFrom(
      'from',
      'by',
      'port',
      '22',
      '198.51.100.7',
      '203.0.113.9',
      'refused',
      'x',
      'not allowed',
      'because',
      '@',
      ':',
      '',
    );
    const text = fc.array(word, { maxLength: 9 }).map((words) => words.join(' '));
    const fills: readonly ((user: string, rest: string) => string)[] = [
      (user) => `Invalid user ${user} from 192.0.2.1 port 4`,
      (user, rest) => `User ${user} from 192.0.2.1 not allowed because ${rest}`,
      (user, rest) => `${user}@192.0.2.1: ${rest}`,
      (user) => `login by ${user} from 192.0.2.1 refused`,
    ];
    for (const [index, template] of templates.entries()) {
      const pattern = templateOf(template);
      fc.assert(
        fc.property(text, text, (user, rest) => {
          const finding = pattern.read(fills[index]?.(user, rest) ?? '');
          assert.ok(finding === null || finding.address === '192.0.2.1', template);
        }),
        { seed: 5, numRuns: 3_000 },
      );
    }
  });

  it('lets only addresses through', () => {
    const pattern = templateOf('<any> from <peer> <any>');
    fc.assert(
      fc.property(fc.stringMatching(/^ from [0-9a-f:.[\] ]{0,30} $/), (text) => {
        const address = pattern.read(text)?.address ?? '';
        assert.ok(address === '' || parseAddress(address) === address);
      }),
      { seed: 6, numRuns: 3_000 },
    );
  });
});

it('the two extreme readings compare the address, whatever other groups stand beside it', () => {
  const pattern = new CompiledPattern({
    form: 'regex',
    text: '^(?:(?<user>\\w+) at (?<address>[\\d.]+)(?: .*)?|(?<user>[^:]+) at (?<address>[\\d.]+))$',
  });
  assert.notEqual(pattern.ambiguity, null);
  assert.equal(pattern.read('root at 203.0.113.9')?.address, '203.0.113.9');
  assert.equal(pattern.read('a at 203.0.113.9 at 198.51.100.2'), null);
});

describe('a long text', () => {
  const long = 'a'.repeat(5_000);

  it('is read as a short one, whether the pattern is proved to be linear or not', () => {
    const proved = templateOf('login of <user> from <address>');
    assert.equal(proved.square, null);
    assert.equal(proved.read(`login of ${long} from 203.0.113.9`)?.address, '203.0.113.9');
    assert.equal(proved.read(`login of ${long} from nowhere`), null);

    const square = templateOf('from <address>: <any> in <any:user> out');
    assert.notEqual(square.square, null);
    assert.equal(square.read(`from 203.0.113.9: ${long} in ${long} in joe out`)?.user, 'joe');
    assert.equal(square.read(`from 203.0.113.9: ${long} in ${long}`), null);
  });

  it('takes the pattern at its word that was proved before', () => {
    const text = 'from <address>: <any> in <any:user> out';
    assert.equal(new CompiledPattern({ form: 'template', text }, true).square, null);
  });
});
