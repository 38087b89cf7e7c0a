import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { explainRecord } from '../../src/match/explain.ts';
import { compileFilter } from '../../src/match/rule.ts';
import { filterOf, recordOf, ruleOf } from './records.ts';

const fields = [
  { field: 'status', optional: false, pattern: { form: 'values', values: [401] } as const },
  { field: 'path', optional: false, pattern: { form: 'template', text: '/admin<any>' } as const },
];
const filters = [
  filterOf([
    ruleOf('login of <user> from <address>', { name: 'login' }),
    ruleOf('logout of <user>', { name: 'logout', kind: 'note' }),
  ]),
  filterOf([ruleOf({ form: 'access', fields })], { identifiers: ['nginx'] }, 'web'),
].map(compileFilter);

describe('an explanation', () => {
  it('takes an instance of a program for the program, as the matcher does', () => {
    const routes = explainRecord(filters, recordOf({ identifier: 'sshd(pam_unix)', message: 'x' }), false);
    assert.deepEqual(
      routes.map(({ route }) => route),
      ['read', 'other-identifier'],
    );
  });

  it('shows which filters read a record, and where each of their rules stopped', () => {
    const [read, other] = explainRecord(filters, recordOf({ message: 'login of joe from gateway' }), false);
    assert.deepEqual(other, { filter: 'web', route: 'other-identifier', rules: [] });
    assert.equal(read?.route, 'read');
    assert.deepEqual(read?.rules, [
      {
        rule: 'login',
        outcome: { kind: 'differs', field: '', text: 'login of joe from gateway', offset: 18 },
      },
      {
        rule: 'logout',
        outcome: { kind: 'differs', field: '', text: 'login of joe from gateway', offset: 3 },
      },
    ]);
  });

  it('shows what a rule finds, behind what a relay has put around it as well', () => {
    for (const message of [
      'login of joe from 203.0.113.9',
      'message repeated 2 times: [ login of joe from 203.0.113.9]',
    ]) {
      const [read] = explainRecord(filters, recordOf({ message }), false);
      assert.deepEqual(read?.rules[0]?.outcome, {
        kind: 'matches',
        finding: { address: '203.0.113.9', user: 'joe', session: '' },
        fields: [
          { name: 'user', value: 'joe' },
          { name: 'address', value: '203.0.113.9' },
        ],
      });
    }
  });

  it('tells an address that is none from text that differs', () => {
    const [read] = explainRecord(filters, recordOf({ message: 'login of joe from 300.1.1.1' }), false);
    assert.deepEqual(read?.rules[0]?.outcome, { kind: 'no-address' });
  });

  it('names the field that differs or is missing', () => {
    const line = (request: string, status: number): string =>
      `203.0.113.9 - - [20/Nov/2026:10:00:00 +0100] "${request}" ${status} 5`;
    const outcome = (message: string): unknown =>
      explainRecord(filters, recordOf({ message, identifier: 'nginx' }), false)[1]?.rules[0]?.outcome;
    assert.deepEqual(outcome(line('GET /x HTTP/1.1', 200)), {
      kind: 'differs',
      field: 'status',
      text: '200',
      offset: 0,
    });
    assert.deepEqual(outcome(line('GET /advice HTTP/1.1', 401)), {
      kind: 'differs',
      field: 'path',
      text: '/advice',
      offset: 3,
    });
    assert.deepEqual(outcome(line('', 401)), { kind: 'missing', field: 'path' });
    assert.deepEqual(outcome('no access log'), { kind: 'missing', field: 'status' });
  });

  it('says that a journal entry is not believed, and goes on when asked to', () => {
    const trusted = { uid: 1000, unit: '', executable: '' };
    const record = recordOf({ message: 'login of joe from 203.0.113.9', trusted });
    assert.equal(explainRecord(filters, record, false)[0]?.route, 'untrusted');
    assert.equal(explainRecord(filters, record, false)[0]?.rules.length, 0);
    assert.equal(explainRecord(filters, record, true)[0]?.rules.length, 2);
  });
});
