import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BailiffEvent } from '../../../src/core/event.ts';
import type { Ban } from '../../../src/core/ledger/decision.ts';
import { FOREVER, MINUTE } from '../../../src/core/time.ts';
import { raise } from '../../../src/core/warning/catalogue.ts';
import { warningOf } from '../../../src/core/warning/standing.ts';
import { logLineOf } from '../../../src/daemon/log/log-line.ts';

const NO_JOURNAL = warningOf(
  raise('journal-unreadable', { reason: 'no journal', remedy: 'start systemd-journald' }),
  0,
);

const SINCE = 1_795_185_275_000_000;
const BAN: Ban = {
  jail: 'sshd',
  offender: '203.0.113.9',
  since: SINCE,
  until: SINCE + 10 * MINUTE,
  cause: 'offence',
  failures: 5,
};

const AT = { at: SINCE, position: { session: 'life', serial: 1 }, lacks: [] };

const FAILURE = {
  kind: 'failure',
  jail: 'sshd',
  filter: 'sshd',
  address: '203.0.113.9',
  offender: '203.0.113.9',
  user: 'admin',
  seenAt: SINCE,
  weight: 1,
  count: 3,
  maxRetry: 5,
  isOffence: false,
} as const;

test('each line reads as a sentence', () => {
  for (const [event, message] of [
    [{ kind: 'ban', ban: BAN, ...AT }, 'banned 203.0.113.9 in sshd for 10m (5 failures)'],
    [
      { kind: 'ban', ban: { ...BAN, until: FOREVER, cause: 'operator' }, ...AT },
      'banned 203.0.113.9 in sshd forever (by the operator)',
    ],
    [{ kind: 'extend', ban: BAN, ...AT }, 'extended the ban of 203.0.113.9 in sshd for 10m (5 failures)'],
    [{ kind: 'unban', ban: BAN, cause: 'expiry', ...AT }, 'unbanned 203.0.113.9 in sshd: its time is over'],
    [FAILURE, 'failure 3/5 of 203.0.113.9 in sshd (user "admin")'],
    [{ ...FAILURE, user: '', count: 7 }, 'failure 5/5 of 203.0.113.9 in sshd'],
    [
      { kind: 'firewall-drift', missing: 12, surplus: 0, wrongTimeout: 0, tableLost: true },
      'firewall: somebody removed the table; it is back with 12 elements',
    ],
    [
      { kind: 'component', component: 'journal', health: 'up', detail: 'reads it', warnings: [] },
      'journal: reads it',
    ],
    [
      { kind: 'warning-began', warning: NO_JOURNAL },
      'no journal [journal-unreadable]; start systemd-journald',
    ],
    [{ kind: 'warning-ended', warning: NO_JOURNAL }, 'over: The journal is not read [journal-unreadable]'],
  ] satisfies [BailiffEvent, string][]) {
    assert.equal(logLineOf(event)?.message, message);
  }
});

test('a ban can be found in the journal by its address and jail', () => {
  assert.deepEqual(logLineOf({ kind: 'ban', ban: BAN, ...AT })?.fields, {
    BAILIFF_ADDRESS: '203.0.113.9',
    BAILIFF_JAIL: 'sshd',
    BAILIFF_CAUSE: 'offence',
    BAILIFF_UNTIL: '2026-11-20T14:44:35.000Z',
  });
});

test('a user name of the attacker cannot drive the terminal, break the line, or fill it', () => {
  const line = logLineOf({
    ...FAILURE,
    user: `\x1b]0;owned\x07\nbanned 127.0.0.1\u202e${'x'.repeat(5_000)}`,
  });
  assert.match(line?.message ?? '', /^failure 3\/5 of 203\.0\.113\.9 in sshd \(user "[\x20-\x7e]{1,80}"\)$/);
});

test('what only counts has no line', () => {
  assert.equal(logLineOf({ kind: 'records', source: 'udp', count: 1, bytes: 10, matched: 0 }), null);
});

test('a handshake that fails is told in one line with what helps', () => {
  const line = logLineOf({
    kind: 'handshake-failed',
    source: 'tls',
    sender: '192.0.2.7',
    reason: 'expired',
    detail: 'its certificate has expired',
    advice: 'give it a new one',
    count: 3,
  });
  assert.equal(line?.severity, 'warning');
  assert.equal(
    line?.message,
    'TLS handshake of 192.0.2.7 failed 3 times: its certificate has expired; give it a new one',
  );
});
