import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Filter, Rule, Sample } from '../../../src/match/filter.ts';
import { cutFilter } from '../../../src/match/lint/cut.ts';
import { forgeFilter } from '../../../src/match/lint/forge.ts';
import { reachableIgnores } from '../../../src/match/lint/ignored.ts';
import { type LintReport, lintFilter, showText } from '../../../src/match/lint/lint.ts';
import { compileFilter } from '../../../src/match/rule.ts';
import { filterOf, ruleOf } from '../records.ts';

function hit(line: string, address = '203.0.113.9', user = '', before: readonly string[] = []): Sample {
  return { line, expect: { address, user }, before };
}

const MISS: Sample = { line: 'nothing of the kind', expect: null, before: [] };

function lint(rules: readonly Rule[], strict = true): LintReport {
  return lintFilter(filterOf(rules), { strict, forge: true });
}

function messages(report: LintReport): string[] {
  return report.problems.map(({ severity, rule, message }) => `${severity} ${rule}: ${message}`);
}

describe('the linter', () => {
  it('has nothing to say about a sound filter, and says how much it has tried', () => {
    const samples = [hit('login of joe from 203.0.113.9', '203.0.113.9', 'joe'), MISS];
    const report = lint([ruleOf('login of <user> from <address>', { samples })]);
    assert.deepEqual(report.problems, []);
    assert.equal(report.samples, 2);
    assert.ok(report.forged > 100);
  });

  it('names the pattern that is not linear, and the place in it', () => {
    const report = lint([
      ruleOf({ form: 'regex', text: '^x{0,64}(?<address>.*)$' }, { samples: [hit('x'), MISS] }),
    ]);
    const [problem] = report.problems;
    assert.match(problem?.message ?? '', /linear time/);
    assert.deepEqual(problem?.place, { part: 'pattern', field: '', offset: 1 });
  });

  it('names the field of a structured pattern', () => {
    const fields = [
      { field: 'ip', optional: false, pattern: { form: 'template', text: 'x <adress>' } as const },
    ];
    const report = lint([ruleOf({ form: 'json', fields }, { samples: [hit('{}'), MISS] })]);
    assert.deepEqual(report.problems[0]?.place, { part: 'pattern', field: 'ip', offset: 2 });
  });

  it('finds text of a client that can imitate what follows it, and points at the address', () => {
    const rule = ruleOf('User <user> from <address> refused: <any>', {
      samples: [hit('User joe from 203.0.113.9 refused: x', '203.0.113.9', 'joe'), MISS],
    });
    const [problem] = lint([rule]).problems;
    assert.equal(problem?.severity, 'error');
    const text = 'User  from 198.51.100.2 refused: from 192.0.2.1 refused: ';
    assert.ok(problem?.message.includes(`in "${text}" the address may be "192.0.2.1" or "198.51.100.2"`));
    assert.deepEqual(problem?.place, { part: 'pattern', field: '', offset: 17 });
    assert.deepEqual(
      lint([rule], false).problems.map(({ severity }) => severity),
      ['warning'],
    );
  });

  it('finds a word of a client that need not be one', () => {
    const samples = [hit('joe at 203.0.113.9 failed: x', '203.0.113.9', 'joe'), MISS];
    const [problem] = lint([ruleOf('<word:user> at <address> failed: <any>', { samples })]).problems;
    assert.match(problem?.message ?? '', /^a forged line gives the address 198\.51\.100\.66: /);
    assert.deepEqual(problem?.place, { part: 'sample', index: 0 });
    assert.deepEqual(lint([ruleOf('<name:user> at <address> failed: <any>', { samples })]).problems, []);
  });

  it('finds that another rule of the filter takes a forged line', () => {
    const rules = [
      ruleOf('login of <user> from <address>', {
        name: 'sound',
        samples: [hit('login of joe from 203.0.113.9', '203.0.113.9', 'joe'), MISS],
      }),
      ruleOf('login of <name> to <address>: <any>', {
        name: 'careless',
        samples: [hit('login of joe to 203.0.113.9: x'), MISS],
      }),
    ];
    assert.deepEqual(lint(rules.slice(0, 1)).problems, []);
    assert.deepEqual(lint(rules.toReversed()).problems, []);
    const loose = ruleOf('<any> of <name> from <peer> <any>', { name: 'loose', kind: 'ignore', samples: [] });
    assert.ok(forgeFilter(compileFilter(filterOf([...rules, loose]))).tried > 0);
  });

  it('wants samples, of both kinds', () => {
    assert.deepEqual(messages(lint([ruleOf('<address>')])), [
      'error rule: has no sample that it matches',
      'error rule: has no sample that it must not match',
    ]);
    assert.deepEqual(
      lint([ruleOf('<address>')], false).problems.map(({ severity }) => severity),
      ['warning', 'warning'],
    );
  });

  it('runs the samples', () => {
    const other = ruleOf('a <any>', { name: 'other', kind: 'note', samples: [hit('a b', ''), MISS] });
    const samples = [
      hit('login of joe from 203.0.113.9', '203.0.113.9', 'ann'),
      hit('login of joe from 203.0.113.9', '203.0.113.7', 'joe'),
      hit('login of joe'),
      hit('a login of joe from 203.0.113.9'),
      { ...MISS, line: 'login of joe from 203.0.113.9' },
    ];
    assert.deepEqual(messages(lint([ruleOf('login of <user> from <address>', { samples }), other])), [
      'error rule: the sample gives the user "joe", not "ann"',
      'error rule: the sample gives the address "203.0.113.9", not "203.0.113.7"',
      'error rule: the sample does not match',
      'error rule: the sample is matched by the rule other',
      'error rule: the sample matches, but must not',
    ]);
  });

  it('runs samples of several lines', () => {
    const rules = [
      ruleOf('client <address>', {
        name: 'client',
        kind: 'note',
        remember: true,
        samples: [hit('client 203.0.113.9'), MISS],
      }),
      ruleOf('failed', {
        samples: [hit('failed', '203.0.113.9', '', ['client 203.0.113.9']), { ...MISS, line: 'failed' }],
      }),
    ];
    assert.deepEqual(lint(rules).problems, []);
  });

  it('finds what makes no sense', () => {
    const samples = [hit('203.0.113.9'), MISS];
    const cases: readonly (readonly [Filter['rules'], RegExp])[] = [
      [[], /has no rules/],
      [[ruleOf('<address>', { name: 'No Name', samples })], /lower case/],
      [[ruleOf('<address>', { samples }), ruleOf('<peer>', { samples })], /another rule is named rule/],
      [[ruleOf('<address>', { weight: 0, samples })], /whole number from 1 to 100/],
      [[ruleOf('<address>', { kind: 'note', attempt: 'start', samples })], /only failures/],
      [[ruleOf('<address>', { after: ['x'], samples })], /no rule named x has remember = true/],
      [[ruleOf('failed', { samples: [hit('failed'), MISS] })], /names no address/],
    ];
    for (const [rules, message] of cases) assert.match(messages(lint(rules)).join('\n'), message);
  });

  it('forges JSON messages and access logs as their writers would', () => {
    const json = ruleOf(
      {
        form: 'json',
        fields: [
          { field: 'msg', optional: false, pattern: { form: 'template', text: 'failed for <user>' } },
          { field: 'ip', optional: false, pattern: { form: 'template', text: '<address>' } },
        ],
      },
      {
        name: 'json',
        samples: [hit('{"msg":"failed for joe","ip":"203.0.113.9"}', '203.0.113.9', 'joe'), MISS],
      },
    );
    const access = ruleOf(
      {
        form: 'access',
        fields: [{ field: 'status', optional: false, pattern: { form: 'values', values: [401] } }],
      },
      {
        name: 'access',
        samples: [
          hit(
            '203.0.113.9 - joe [20/Nov/2026:10:00:00 +0100] "GET / HTTP/1.1" 401 5 "-" "x"',
            '203.0.113.9',
            'joe',
          ),
          MISS,
        ],
      },
    );
    const report = lint([json, access]);
    assert.deepEqual(report.problems, []);
    assert.ok(report.forged > 1_000);
  });

  it('shows text of a client without harm', () => {
    assert.equal(showText('a\x1b[2J\n\x7f\u202e"'), '"a\\u001b[2J\\n\\u007f\\u202e\\""');
    assert.equal(showText('x'.repeat(300)).length, 205);
  });
});

describe('a rule whose time grows with the square of the message', () => {
  const samples = [hit('from 203.0.113.9: a b c', '203.0.113.9'), MISS];

  it('is refused, with the place of the part that can begin anywhere and what to do', () => {
    const [problem] = lint([ruleOf('from <address>: <any> b <any:rest>c', { samples })]).problems;
    assert.equal(problem?.severity, 'error');
    assert.match(problem?.message ?? '', /grows with the square of the message.* b b b .*<any!,>/);
    assert.deepEqual(problem?.place, { part: 'pattern', field: '', offset: 24 });
  });

  it('is a warning in a filter of one’s own, and is not one when no long line is believed', () => {
    const rule = ruleOf('from <address>: <any> b <any:rest>c', { samples });
    assert.deepEqual(
      lint([rule], false).problems.map(({ severity }) => severity),
      ['warning'],
    );
    const bounded = ruleOf('<any> of <any!,> from <address>', {
      samples: [hit('a of b from 203.0.113.9', '203.0.113.9'), MISS],
    });
    assert.deepEqual(lint([bounded]).problems, []);
  });

  it('is none when the text before is without what stands behind it', () => {
    const rule = ruleOf('from <address>: <any!!b >b <any:rest>c', { samples });
    assert.deepEqual(lint([rule]).problems, []);
  });
});

describe('an ignore rule', () => {
  const failure = ruleOf('refused <address>: <any>', {
    name: 'refused',
    samples: [hit('refused 203.0.113.9: x'), MISS],
  });

  function ignoring(template: string, line: string): Rule {
    const samples = [{ line, expect: { address: '', user: '' }, before: [] }, MISS];
    return ruleOf(template, { name: 'ignored', kind: 'ignore', samples });
  }

  it('is refused when a client can have his failure ignored by it', () => {
    const rules = [ignoring('<any>: monitoring', 'check: monitoring'), failure];
    const [problem] = lint(rules).problems;
    assert.equal(problem?.rule, 'ignored');
    assert.match(problem?.message ?? '', /^can be made to ignore a failure that refused finds/);
    assert.deepEqual(problem?.place, { part: 'rule', key: 'kind' });
    assert.deepEqual(forgeFilter(compileFilter(filterOf(rules))).forgeries[0]?.address, '');
  });

  it('is sound when it asks for what the service writes, or is tried behind the failure', () => {
    const own = ruleOf('refused <address> in <name:jail>: <any>', {
      name: 'refused',
      samples: [hit('refused 203.0.113.9 in a: x'), MISS],
    });
    const sound = ruleOf('refused <address> in mine: <any>', {
      name: 'ignored',
      kind: 'ignore',
      samples: [hit('refused 203.0.113.9 in mine: x'), MISS],
    });
    assert.deepEqual(lint([sound, own]).problems, []);
    const wider = { ...ignoring('<any>: monitoring', 'check: monitoring'), mode: 'extra' as const };
    assert.deepEqual(lint([wider, failure]).problems, []);
  });

  it('of an access log is sound when it asks for what the server writes', () => {
    const line = '203.0.113.9 - - [20/Nov/2026:10:00:00 +0100] "GET / HTTP/1.1" 401 5 "-" "x"';
    const access = (field: string, text: string): Rule['pattern'] => ({
      form: 'access',
      fields: [{ field, optional: false, pattern: { form: 'template', text } }],
    });
    const failed = ruleOf(access('status', '401'), { name: 'refused', samples: [hit(line), MISS] });
    const agent = ruleOf(access('agent', 'x'), { name: 'ignored', kind: 'ignore' });
    const status = ruleOf(access('status', '403'), { name: 'ignored', kind: 'ignore' });
    const reached = (rule: Rule): number => reachableIgnores(compileFilter(filterOf([rule, failed]))).length;
    assert.equal(reached(agent), 1);
    assert.equal(reached(status), 0);
    assert.equal(reached(ignoring('(monitoring) <any>', '(monitoring) x')), 0);
  });
});

describe('a line that was cut on its way', () => {
  const samples = [hit('login of joe from 203.0.113.9', '203.0.113.9', 'joe'), MISS];

  it('gives no address that its client has written, at any length', () => {
    const compiled = compileFilter(filterOf([ruleOf('login of <user> from <address>', { samples })]));
    const { tried, forgeries } = cutFilter(compiled);
    assert.ok(tried > 50);
    assert.deepEqual(forgeries, []);
  });

  it('is found where a rule that keeps it from being believed is cut off with it', () => {
    const line = 'said "x", client: 203.0.113.9, server: y';
    const rules = [
      ruleOf('said <any>, client: <any>, client: <any>', { name: 'quoting', kind: 'ignore' }),
      ruleOf('said <quoted>, client: <address>, server: <any>', { samples: [hit(line), MISS] }),
    ];
    const compiled = compileFilter(filterOf(rules));
    const [rule] = compiled.rules.filter(({ reader }) => reader.hasAddress);
    const cut = `said "${'a'.repeat(2_000)}", client: 198.51.100.66, server: y`;
    assert.equal(rule?.reader.read(cut), null);
    assert.deepEqual(cutFilter(compiled).forgeries, []);
  });
});

describe('a rule over structured data', () => {
  const line = '[a@1 user="root" ip="203.0.113.9"] failed';
  const samples = [hit(line, '203.0.113.9', 'root'), { ...MISS, line: '[a@1 user="root"] done' }];
  const fields = (address: string) => [
    { field: 'a@1.ip', optional: false, pattern: { form: 'template', text: address } as const },
    { field: 'a@1.user', optional: false, pattern: { form: 'template', text: '<user>' } as const },
  ];

  it('passes when values are what their sender escapes', () => {
    const rule = ruleOf({ form: 'structured_data', fields: fields('<address>') }, { samples });
    const { problems } = lint([rule]);
    assert.deepEqual(problems, []);
    assert.ok(forgeFilter(compileFilter(filterOf([rule]))).tried > 100);
  });

  it('is refused when a client can put the address into his name', () => {
    const fooled = ruleOf(
      {
        form: 'structured_data',
        fields: [
          { field: 'a@1.user', optional: false, pattern: { form: 'template', text: '[<any>: ]<address>' } },
        ],
      },
      { samples: [hit('[a@1 user="x: 203.0.113.9"] failed'), { ...MISS, line: '[a@1 user="x"] failed' }] },
    );
    assert.ok(lint([fooled]).problems.length > 0);
  });
});
