/** What can be wrong with what comes in: the journal, the listeners, and those who send. */
import type { Suppressor } from '../record.ts';
import { DAY, HOUR } from '../time.ts';
import { counted, type Failing, kindOf, remedyOr } from './entry.ts';

export const INTAKE_WARNINGS = {
  'journal-unreadable': kindOf<Failing>({
    severity: 'error',
    title: 'The journal is not read',
    text: ({ reason }) => reason,
    action: remedyOr('bailiff doctor'),
    explanation:
      'No entry of the journal reaches any filter. The daemon tries again by itself and goes on where it stopped, so that nothing is lost that journald still keeps.',
  }),
  'journal-namespaces': kindOf<{ readonly names: string }>({
    severity: 'hint',
    title: 'Services that log to a namespace are not read',
    text: ({ names }) => `the journal has namespaces that are not read: ${names}`,
    action: () => 'grep -rs LogNamespace= /etc/systemd/system; take it out of units that jails watch',
    explanation:
      'Units with LogNamespace= (systemd.exec(5)) have a journald and files of their own. Failures of services that log there are not seen. They are not read along: between the files of two journalds libsystemd goes on by time, and an entry that was written late would be passed over without a word.',
  }),
  'journal-in-part': kindOf<Failing>({
    severity: 'error',
    title: 'Services of the system are missing from the journal that is read',
    text: ({ reason }) => reason,
    action: remedyOr('add the user that bailiff runs as to the group systemd-journal'),
    explanation: 'Some files may be read and system.journal, to which sshd and other services log, may not.',
  }),
  'journal-absent': kindOf<Failing>({
    severity: 'warning',
    title: 'There is no journal yet',
    text: ({ reason }) => reason,
    action: remedyOr('systemctl status systemd-journald'),
    explanation:
      'journald has written no file that could be read. The daemon opens the first one as soon as it is there.',
  }),
  'journal-gap': kindOf<{ readonly reason: string }>({
    severity: 'warning',
    title: 'Entries of the journal were gone before they were read',
    text: ({ reason }) => reason,
    action: () => 'let journald keep more: SystemMaxUse= in /etc/systemd/journald.conf',
    explanation:
      'The place where the daemon had stopped is no longer in the journal: entries were vacuumed away. What failed meanwhile was not counted.',
    holdFor: DAY,
    isLoggedAsEvent: true,
  }),
  'journal-behind': kindOf<{ readonly lag: string }>({
    severity: 'warning',
    title: 'The journal is read late',
    text: ({ lag }) => `entries are read ${lag} after they were written`,
    action: () => 'journalctl --since -1min | wc -l shows how much is written',
    explanation:
      'More is written than can be matched, or a backlog is being read. Bans come later than they should.',
  }),
  'syslog-listener-down': kindOf<Failing>({
    severity: 'error',
    title: 'A syslog listener does not listen',
    text: ({ reason }, listener) => reason || `${listener} waits for its certificate`,
    action: remedyOr('see [syslog] in the configuration, then: bailiff reload'),
    explanation: 'Whoever sends there is not heard. It is tried again by itself, the others listen.',
  }),
  'syslog-tls-unusable': kindOf<Failing>({
    severity: 'error',
    title: 'The files for TLS cannot be used',
    text: ({ reason }) => reason,
    action: remedyOr('bailiff check names the file and what is wrong with it'),
    explanation:
      'A certificate, key, client_ca or revoked file is missing, unreadable or does not fit the others. With files that have gone bad the listeners go on with what they held before.',
  }),
  'syslog-user-unknown': kindOf<Record<never, never>>({
    severity: 'warning',
    title: 'A user in unix_users does not exist',
    text: (_given, user) => `unix_users: this host has no user ${user}`,
    action: () => 'correct unix_users in [syslog], then: bailiff reload',
    explanation: 'Programs of that user are not believed at the unix socket.',
  }),
  'passed-socket-refused': kindOf<Record<never, never>>({
    severity: 'warning',
    title: 'A socket that systemd passed cannot be used',
    text: (_given, socket) => `passed ${socket}`,
    action: () => 'see the .socket unit: systemctl cat bailiff-syslog-udp.socket',
    explanation: 'The service manager has bound a socket of a kind that the daemon does not serve.',
  }),
  'certificate-ends': kindOf<{ readonly when: string; readonly remedy: string }>({
    severity: 'warning',
    title: 'A certificate ends soon',
    text: ({ when }, certificate) => `${certificate} expires ${when}`,
    action: ({ remedy }) => remedy,
    explanation: 'Senders that check it stop sending when it has ended. A new one is taken without a reload.',
    dependsOn: ['certificate-ended'],
  }),
  'certificate-ended': kindOf<{ readonly when: string; readonly remedy: string }>({
    severity: 'error',
    title: 'A certificate has ended',
    text: ({ when }, certificate) => `${certificate} has expired ${when}`,
    action: ({ remedy }) => remedy,
    explanation: 'Whoever checks it refuses to connect. A new one is taken without a reload.',
  }),
  'datagrams-lost': kindOf<{ readonly count: number }>({
    severity: 'warning',
    title: 'The kernel drops datagrams',
    text: ({ count }, listener) => `the kernel dropped ${counted(count, 'datagram')} for ${listener}`,
    action: () => 'sysctl -w net.core.rmem_max=16777216, then restart; or send over TCP',
    explanation:
      'They came faster than they were read, and the buffer was full. What was in them is lost: UDP tells nobody. Senders that matter belong on TCP or TLS.',
    holdFor: HOUR,
    isLoggedAsEvent: true,
  }),
  'messages-suppressed': kindOf<{ readonly by: Suppressor; readonly origin: string; readonly count: number }>(
    {
      severity: 'warning',
      title: 'Messages are dropped before they come here',
      text: ({ by, count }, subject) =>
        `${by} has dropped ${counted(count, 'message')}${subject === '' ? '' : ` of ${subject}`} for coming too fast`,
      action: ({ by, origin }) =>
        by === 'journald'
          ? `LogRateLimitIntervalSec=0 in [Service]: systemctl edit ${origin || 'UNIT'}`
          : `raise RateLimit.Burst of ${origin || 'the input'} in the rsyslog.conf of that host`,
      explanation:
        'Whoever hands messages on limits how many it takes in a time: journald 10,000 of a unit in 30 seconds, rsyslog as its inputs are set. Failures among those that it drops are not counted, and an attack is just when there are many: let the services that your jails watch write without a limit.',
      holdFor: HOUR,
      isLoggedAsEvent: true,
    },
  ),
  'sender-silent': kindOf<{ readonly reason: string }>({
    severity: 'warning',
    title: 'A sender has fallen silent',
    text: ({ reason }, sender) => `${sender}: ${reason}`,
    action: () => 'bailiff senders',
    explanation: 'It used to send and does not any more. Whoever attacks it now is not seen.',
    isLoggedAsEvent: true,
  }),
  'sender-storms': kindOf<{ readonly reason: string }>({
    severity: 'hint',
    title: 'A sender says far more than usual',
    text: ({ reason }, sender) => `${sender}: ${reason}`,
    action: () => 'bailiff senders',
    explanation: 'It may be under attack, or in trouble of its own.',
    isLoggedAsEvent: true,
  }),
  'sender-dialect': kindOf<{ readonly reason: string }>({
    severity: 'hint',
    title: 'A sender writes in another form than before',
    text: ({ reason }, sender) => `${sender}: ${reason}`,
    action: () => 'bailiff senders',
    explanation: 'After an upgrade of the device its lines may look otherwise, and filters may miss them.',
    holdFor: DAY,
    isLoggedAsEvent: true,
  }),
  'sender-sends-old': kindOf<{ readonly reason: string }>({
    severity: 'warning',
    title: 'A sender sends what is days old',
    text: ({ reason }, sender) => `${sender}: ${reason}`,
    action: () => 'bailiff senders; give it the time, or write old_records = "ignore" in its [[sender]]',
    explanation:
      'By its own clock its records are older than a day. Either it sends again what it has sent before, as systemd-netlogd sends its whole journal at its first start, or its clock is wrong. They count all the same, as if they had happened now, unless `old_records = "ignore"` says otherwise: a device with a wrong clock is attacked like any other, and nobody can tell the two apart at once.',
    isLoggedAsEvent: true,
  }),
  'senders-refused': kindOf<{ readonly count: number; readonly last: string }>({
    severity: 'hint',
    title: 'Hosts send syslog that may not',
    text: ({ count, last }) =>
      `${counted(count, 'message')} dropped from hosts that are no senders, the last from ${last}`,
    action: ({ last }) => `bailiff senders; to let it send: bailiff senders adopt ${last} --name NAME`,
    explanation:
      'Only hosts of [syslog] senders and [[sender]] are believed. A new device is made known by one command.',
    holdFor: HOUR,
    isLoggedAsEvent: true,
  }),
  'trusted-fails': kindOf<{ readonly count: number; readonly last: string }>({
    severity: 'hint',
    title: 'Failures come from addresses that are never banned',
    text: ({ count, last }, jail) =>
      `${counted(count, 'failure')} in ${jail} of trusted addresses or this host, the last of ${last}`,
    action: () => 'see whether a proxy, a tunnel or NAT stands in front of the service: docs/filters.md',
    explanation:
      'Behind a reverse proxy, a CDN or address translation every attacker has the address of the one in front, which is trusted and never banned. The service must log the true address, or the packets must be stopped in front.',
    holdFor: HOUR,
    isLoggedAsEvent: true,
  }),
  'records-untrusted': kindOf<Refused>({
    severity: 'hint',
    title: 'Entries of the journal are not believed',
    text: ({ count, identifier, from }, filter) =>
      `${countedEntries(count)} named ${identifier || 'nothing'} came from ${from}, which filter ${filter} does not believe`,
    action: ({ from, container }, filter) =>
      container === ''
        ? `if ${from} is the service, name it under [journal] in a copy of ${filter}.toml in /etc/bailiff/filters`
        : `see who runs the container ${container}, and which filter it is for: docs/devices/docker.md`,
    explanation:
      'Any local user can write SYSLOG_IDENTIFIER=sshd. An entry counts only with the uid, unit or executable that its filter names, or from a container engine that root runs; filters of services of the host (sshd, sudo, PAM) believe no container. Named is what was refused last. When it is a container of rootless podman or Docker, name its user in uids.',
    holdFor: HOUR,
  }),
  'container-unread': kindOf<{ readonly count: number; readonly container: string }>({
    severity: 'hint',
    title: 'No filter reads a container whose lines look like failures',
    text: ({ count, container }, filter) =>
      `${counted(count, 'line')} of the container ${container || 'without a name'} would be ${count === 1 ? 'a failure' : 'failures'} for filter ${filter}, which does not mean it`,
    action: ({ container }, filter) =>
      `if it is that program, add containers = ["${container}"] under [journal] in a copy of ${filter}.toml in /etc/bailiff/filters`,
    explanation:
      'A filter reads the containers that are called like one of its identifiers, by tag or name, and those that containers in the filter says by name or image. Other containers feed no jail, whatever they write.',
    holdFor: HOUR,
  }),
};

type Refused = {
  readonly count: number;
  readonly identifier: string;
  readonly from: string;
  readonly container: string;
};

function countedEntries(count: number): string {
  return count === 1 ? '1 entry' : `${count} entries`;
}
