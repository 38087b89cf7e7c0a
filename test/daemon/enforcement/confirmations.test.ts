import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OperationalError } from '../../../src/core/errors.ts';
import type { Ban } from '../../../src/core/ledger/decision.ts';
import { Confirmations } from '../../../src/daemon/enforcement/confirmations.ts';

const banOf = (jail: string): Ban => ({
  jail,
  offender: '203.0.113.9',
  since: 1,
  until: 2,
  cause: 'offence',
  failures: 5,
});

function recording(): { readonly told: string[]; readonly confirmations: Confirmations } {
  const told: string[] = [];
  return { told, confirmations: new Confirmations((ban, at) => told.push(`${ban.jail} ${at}`)) };
}

test('a ban is told of when all of its elements have been confirmed', () => {
  const { told, confirmations } = recording();
  confirmations.announce(banOf('sshd'), 7, ['a', 'b']);
  confirmations.confirm('a');
  confirmations.confirm('a');
  assert.deepEqual(told, []);
  confirmations.confirm('b');
  assert.deepEqual(told, ['sshd 7']);
});

test('a ban with nothing to wait for is told of at once', () => {
  const { told, confirmations } = recording();
  confirmations.announce(banOf('sshd'), 7, []);
  assert.deepEqual(told, ['sshd 7']);
});

test('a ban that was lifted, or refused, is not told of; another of the same element is', () => {
  const { told, confirmations } = recording();
  confirmations.announce(banOf('sshd'), 1, ['a']);
  confirmations.announce(banOf('mail'), 2, ['a']);
  confirmations.retract('sshd', ['a']);
  confirmations.confirm('a');
  assert.deepEqual(told, ['mail 2']);
  confirmations.announce(banOf('sshd'), 3, ['a', 'b']);
  confirmations.refuse('a', 'no room');
  confirmations.confirm('b');
  assert.deepEqual(told, ['mail 2']);
});

test('whoever waits is woken by the last element, by a refusal, or by a failure', async () => {
  const { confirmations } = recording();
  await confirmations.wait([]);
  const both = confirmations.wait(['a', 'b']);
  const refused = assert.rejects(confirmations.wait(['c', 'd']), {
    code: 'element-refused',
    message: /d.*no room/,
  });
  confirmations.confirm('a');
  confirmations.confirm('b');
  confirmations.refuse('d', 'no room');
  await both;
  await refused;
  const failed = assert.rejects(confirmations.wait(['a']), { code: 'gone' });
  confirmations.failAll(new OperationalError('gone', { code: 'gone' }));
  await failed;
});
