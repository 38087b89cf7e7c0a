import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Match } from '../../src/core/failure.ts';
import { createMatcher } from '../../src/match/matcher.ts';
import { escapeParameter, MAX_PARAMETERS, StructuredData } from '../../src/match/structured-data.ts';
import { filterOf, recordOf, ruleOf } from './records.ts';

function parametersOf(text: string, ...paths: string[]): (string | undefined)[] | null {
  const data = new StructuredData();
  return data.scan(text) ? paths.map((path) => data.parameter(path)) : null;
}

describe('structured data', () => {
  it('is elements in brackets with parameters, and the message behind them', () => {
    const text = '[login@32473 ip="192.0.2.7" user="root"][more@1 k="v"] the [message] k="w"';
    assert.deepEqual(parametersOf(text, 'login@32473.ip', 'login@32473.user', 'more@1.k', 'message'), [
      '192.0.2.7',
      'root',
      'v',
      'the [message] k="w"',
    ]);
    assert.deepEqual(parametersOf('[a@1]', 'a@1.k', 'message'), [undefined, '']);
  });

  it('gives values without their escapes, and of several parameters of one name the first', () => {
    assert.deepEqual(parametersOf('[a k="x\\"\\]\\\\y\\n" k="z"] m', 'a.k'), ['x"]\\y\\n']);
  });

  it('is not what only begins like it', () => {
    for (const text of [
      '',
      'a',
      '[',
      '[]',
      '[a',
      '[a k="v]',
      '[a k=v] m',
      '[a k="v"]m',
      '[a k="v"x] m',
      ' [a] m',
      '[a [b]] m',
    ])
      assert.equal(parametersOf(text), null, text);
  });

  it('keeps no more than so many parameters', () => {
    const many = Array.from({ length: MAX_PARAMETERS + 1 }, (_, index) => ` k${index}="v"`).join('');
    const last = `a.k${MAX_PARAMETERS}`;
    assert.deepEqual(parametersOf(`[a${many}] m`, 'a.k0', last), ['v', undefined]);
  });

  it('is read back as it was written, whatever a client puts into a value', () => {
    const value = fc.string({ unit: fc.constantFrom('"', '\\', ']', '[', ' ', '=', 'ip', 'x', '\n', 'é') });
    fc.assert(
      fc.property(value, value, (user, text) => {
        const line = `[a@1 user="${escapeParameter(user)}" ip="192.0.2.7"] ${text}`;
        assert.deepEqual(parametersOf(line, 'a@1.user', 'a@1.ip', 'message'), [user, '192.0.2.7', text]);
      }),
    );
  });
});

describe('a rule over structured data', () => {
  const rule = ruleOf({
    form: 'structured_data',
    fields: [
      { field: 'login@32473.ip', optional: false, pattern: { form: 'template', text: '<address>' } },
      { field: 'login@32473.user', optional: true, pattern: { form: 'template', text: '<user>' } },
      { field: 'message', optional: false, pattern: { form: 'values', values: ['login failed'] } },
    ],
  });
  const structuredData = '[login@32473 ip="192.0.2.7" user="a b"]';
  const matcher = createMatcher([filterOf([rule])]);

  function found(record: Parameters<typeof recordOf>[0]): string[] {
    const out: Match[] = [];
    matcher.match(recordOf(record), out);
    return out.map(({ address, user }) => `${address} ${user}`);
  }

  it('finds address and user there', () => {
    assert.deepEqual(found({ message: 'login failed', structuredData }), ['192.0.2.7 a b']);
    assert.deepEqual(found({ message: 'login done', structuredData }), []);
  });

  it('takes no message for it that merely looks so', () => {
    assert.deepEqual(found({ message: `${structuredData} login failed` }), []);
    const forged = `${structuredData} login failed`;
    assert.deepEqual(found({ message: forged, structuredData: '[other@1 k="v"]' }), []);
  });

  it('and one over the message do not meet: the message is looked at first', () => {
    const both = createMatcher([filterOf([rule, ruleOf('login failed[ for <user> from <address>]')])]);
    const out: Match[] = [];
    both.match(recordOf({ message: 'login failed for bob from 192.0.2.9', structuredData }), out);
    assert.deepEqual(
      out.map(({ address }) => address),
      ['192.0.2.9'],
    );
  });

  it('that nearly matches counts once with one over the message that does so, too', () => {
    const both = createMatcher([filterOf([rule, ruleOf('login refused from <address>')])]);
    const filters = [structuredData, ''].map((data) => {
      both.match(recordOf({ message: 'login refused from nobody', structuredData: data }), []);
      return both.takeCounters().filters;
    });
    for (const counters of filters) assert.equal(counters[0]?.nearMisses, 1);
  });

  it('is looked for in bytes behind the header', () => {
    const bytes = Buffer.from(`${structuredData} login failed`);
    assert.ok(matcher.mayMatch('sshd', bytes, 0, bytes.length));
    assert.equal(matcher.mayMatch('sshd', Buffer.from('login failed'), 0, 12), false);
  });
});
