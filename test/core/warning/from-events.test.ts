import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BailiffEvent } from '../../../src/core/event.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../../src/core/time.ts';
import {
  certificateWarnings,
  type WarningChange,
  warningsOf,
} from '../../../src/core/warning/from-events.ts';
import { warningOf } from '../../../src/core/warning/standing.ts';

const AT = 1_795_185_275_000_000;

/** What an event begins, as text, or ends. */
function saidOf(event: BailiffEvent): readonly string[] {
  return warningsOf(event, (_key, times) => times).map(describe);
}

function describe(change: WarningChange): string {
  if (change.kind === 'clear') return `over: ${change.code} ${change.subject}`;
  const { severity, code, text } = warningOf(change.raised, AT);
  return `${severity} ${code}: ${text}`;
}

for (const [event, ...said] of [
  [
    { kind: 'limit', limit: 'bans', detail: 'jail sshd lifted those that would end first', count: 3 },
    'warning limit-hit: bans, 3 times: jail sshd lifted those that would end first',
  ],
  [{ kind: 'limit', limit: 'handshakes', detail: 'too many', count: 3 }],
  [
    { kind: 'kernel-loss', source: 'udp', listener: 'udp 192.0.2.1:514', count: 1 },
    'warning datagrams-lost: the kernel dropped 1 datagram for udp 192.0.2.1:514',
  ],
  [
    { kind: 'suppressed', by: 'journald', source: 'journal', sender: '', origin: 'ssh.service', count: 487 },
    'warning messages-suppressed: journald has dropped 487 messages of ssh.service for coming too fast',
  ],
  [
    { kind: 'suppressed', by: 'rsyslog', source: 'udp', sender: '192.0.2.7', origin: 'imuxsock', count: 90 },
    'warning messages-suppressed: rsyslog has dropped 90 messages of 192.0.2.7 imuxsock for coming too fast',
  ],
  [{ kind: 'journal-gap', detail: 'an hour is missing' }, 'warning journal-gap: an hour is missing'],
  [
    { kind: 'journal-lag', lag: 3 * MINUTE },
    'warning journal-behind: entries are read 3m after they were written',
  ],
  [{ kind: 'journal-lag', lag: SECOND }, 'over: journal-behind '],
  [
    { kind: 'firewall-drift', missing: 9, surplus: 0, wrongTimeout: 0, tableLost: true },
    'warning table-removed: the table was removed 1 time and put back with all bans',
  ],
  [
    { kind: 'firewall-drift', missing: 1, surplus: 1, wrongTimeout: 0, tableLost: false },
    'hint elements-changed: 2 elements in the kernel differed from what was decided, and were put right',
  ],
  [
    { kind: 'firewall-error', message: 'no room', advice: '', elements: 2 },
    'error elements-refused: 2 elements not taken by the kernel: no room',
  ],
  [
    { kind: 'sender-change', sender: '192.0.2.7', name: 'nas1', change: 'silent', detail: 'nothing for 2 h' },
    'warning sender-silent: nas1: nothing for 2 h',
  ],
  [
    { kind: 'sender-change', sender: '192.0.2.7', name: '', change: 'returned', detail: '' },
    'over: sender-silent 192.0.2.7',
  ],
  [
    { kind: 'rejected', source: 'udp', sender: '192.0.2.9', reason: 'unknown-sender', count: 4 },
    'hint senders-refused: 4 messages dropped from hosts that are no senders, the last from 192.0.2.9',
  ],
  [
    {
      kind: 'refused',
      reason: 'untrusted',
      filter: 'vaultwarden',
      identifier: 'vaultwarden',
      from: 'shop.service',
      container: '',
      count: 12,
    },
    'hint records-untrusted: 12 entries named vaultwarden came from shop.service, which filter vaultwarden does not believe',
  ],
  [
    {
      kind: 'refused',
      reason: 'unnamed',
      filter: 'vaultwarden',
      identifier: '8f3c41045e7c',
      from: 'docker.service',
      container: 'stack-passwords-1',
      count: 1,
    },
    'hint container-unread: 1 line of the container stack-passwords-1 would be a failure for filter vaultwarden, which does not mean it',
  ],
  [{ kind: 'rejected', source: 'journal', sender: '', reason: 'untrusted', count: 2 }],
  [{ kind: 'clock-set', step: -2 * HOUR }, 'warning clock-jumped: the time of day was set back by 2h'],
  [{ kind: 'clock-set', step: SECOND }],
  [
    { kind: 'part-failed', part: 'metrics', message: 'cannot start: it hangs', advice: '' },
    'error part-failed: metrics cannot start: it hangs',
  ],
  [
    { kind: 'ignored', jail: 'sshd', address: '192.0.2.1', reason: 'protected' },
    'hint trusted-fails: 1 failure in sshd of trusted addresses or this host, the last of 192.0.2.1',
  ],
  [{ kind: 'ignored', jail: 'sshd', address: '192.0.2.1', reason: 'ignore' }],
  [{ kind: 'ready' }],
] satisfies [BailiffEvent, ...string[]][]) {
  test(`${event.kind} says ${said[0] ?? 'nothing'}`, () => {
    assert.deepEqual(saidOf(event as BailiffEvent), said);
  });
}

test('a certificate that is far from its end, or used no more, is over as both', () => {
  for (const until of [AT + 60 * DAY, null]) {
    assert.deepEqual(certificateWarnings('metrics', until, AT).map(describe), [
      'over: certificate-ends the certificate of [metrics]',
      'over: certificate-ended the certificate of [metrics]',
    ]);
  }
  assert.deepEqual(certificateWarnings('syslog-client-ca', AT + DAY, AT).map(describe), [
    'warning certificate-ends: an authority in client_ca expires in 1 day, on 2026-11-21',
    'over: certificate-ended an authority in client_ca',
  ]);
});
