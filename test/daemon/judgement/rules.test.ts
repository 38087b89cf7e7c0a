import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Match } from '../../../src/core/failure.ts';
import { FOREVER, HOUR } from '../../../src/core/time.ts';
import { describeJails, journalMatchesOf, lookbackOf, rulesOf } from '../../../src/daemon/judgement/rules.ts';
import { filterOf, recordOf, ruleOf } from '../../match/records.ts';
import { planOf, policyOf } from '../parts.ts';

function filter(name: string, identifier: string) {
  const journal = { uids: [0], units: [], executables: [] };
  return filterOf([ruleOf('bad <address>')], { identifiers: [identifier], journal }, name);
}

const PLAN = planOf({
  filters: [filter('sshd', 'sshd'), filter('imap', 'dovecot'), filter('unused', 'nobody')],
  jails: [
    { policy: policyOf(), filters: ['sshd'], mode: 'normal' },
    {
      policy: policyOf({ name: 'mail', maxRetry: 9, findTime: HOUR, banTime: FOREVER }),
      filters: ['imap', 'sshd'],
      mode: 'aggressive',
    },
  ],
});

test('every jail hears of the filters that it names, in the order of the jails', () => {
  const { routes } = rulesOf(PLAN, () => 0);
  const sshd = { jail: 'sshd', mode: 'normal', maxRetry: 3 };
  const mail = { jail: 'mail', mode: 'aggressive', maxRetry: 9 };
  assert.deepEqual(
    [...routes],
    [
      ['sshd', [sshd, mail]],
      ['imap', [mail]],
    ],
  );
});

test('a filter that no jail uses is not run', () => {
  const { matcher } = rulesOf(PLAN, () => 0);
  const out: Match[] = [];
  for (const identifier of ['sshd', 'dovecot', 'nobody']) {
    matcher.match(recordOf({ identifier, message: 'bad 203.0.113.9' }), out);
  }
  assert.deepEqual(
    out.map((match) => match.filter),
    ['sshd', 'imap'],
  );
});

test('only entries that some filter in use can want are asked of the journal', () => {
  const matches = journalMatchesOf(PLAN).join(' ');
  assert.match(matches, /sshd/);
  assert.match(matches, /dovecot/);
  assert.doesNotMatch(matches, /nobody/);
});

test('the first look goes back as far as the longest find_time', () => {
  assert.equal(lookbackOf(PLAN), HOUR);
  assert.equal(lookbackOf(planOf({ jails: [] })), 0);
});

test('the jails are told with what they do', () => {
  assert.equal(
    describeJails(PLAN),
    'jails sshd (3 failures in 10m: ban 5m), mail (9 failures in 1h: ban forever)',
  );
  assert.equal(describeJails(planOf({ jails: [] })), 'no jail is active');
});
