import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Filter, Rule } from '../../src/match/filter.ts';
import { SampleBench } from '../../src/match/lint/samples.ts';
import { compileFilter } from '../../src/match/rule.ts';

function ruleOf(name: string, text: string, remember: boolean): Rule {
  return {
    name,
    kind: remember ? 'note' : 'failure',
    mode: 'normal',
    weight: 1,
    labels: [],
    pattern: { form: 'template', text },
    attempt: null,
    remember,
    after: [],
    samples: [],
  };
}

const filter: Filter = {
  name: 'directory',
  description: 'one process, many clients',
  input: { identifiers: ['directory'], journal: { uids: [], units: [], executables: [] } },
  rules: [
    ruleOf('accept', 'conn=<int:session> from <address>', true),
    ruleOf('bad', 'conn=<int:session> denied', false),
  ],
};

describe('a session that the message names', () => {
  const bench = new SampleBench(compileFilter(filter));

  it('keeps the clients of one process apart', () => {
    const accepts = ['conn=1 from 203.0.113.9', 'conn=2 from 198.51.100.7'];
    assert.equal(bench.match(accepts, 'conn=1 denied')?.address, '203.0.113.9');
    assert.equal(bench.match(accepts, 'conn=2 denied')?.address, '198.51.100.7');
  });

  it('finds no address for a client that was never named', () => {
    assert.equal(bench.match(['conn=1 from 203.0.113.9'], 'conn=11 denied'), null);
  });
});
