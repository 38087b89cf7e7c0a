/** What `bailiff doctor` finds by looking for it: too dear to be watched all the time, or seen from outside only. */
import { counted, type Failing, kindOf, remedyOr } from './entry.ts';

export const FINDINGS = {
  'daemon-not-running': kindOf<Failing>({
    severity: 'error',
    title: 'The daemon does not run',
    text: ({ reason }) => reason,
    action: remedyOr('systemctl start bailiff'),
    explanation:
      'Nothing is counted and nobody new is banned. Bans that the kernel holds go on until they time out.',
  }),
  'configuration-faulty': kindOf<Failing>({
    severity: 'error',
    title: 'The configuration has a fault',
    text: ({ reason }) => reason,
    action: () => 'bailiff check shows every problem',
    explanation: 'The next reload or start will not take it.',
    dependsOn: ['configuration-not-in-force'],
  }),
  'ban-without-effect': kindOf<{ readonly reason: string }>({
    severity: 'error',
    title: 'A ban has no effect on this kernel',
    text: ({ reason }) => reason,
    action: () => 'nft --version; uname -r; then see docs/install.md',
    explanation:
      'In a network of its own, which is gone afterwards, a table like that of the daemon was made and an address banned; its packets came through all the same, or not even without the ban. Bans cannot be relied upon.',
  }),
  'flowtable-passes-by': kindOf<Record<never, never>>({
    severity: 'warning',
    title: 'A flow table carries packets past the bans',
    text: (_given, flowtable) =>
      `${flowtable} carries established connections from ingress past the chain that bans`,
    action: (_given, flowtable) => `nft list flowtables; keep traffic for this host out of ${flowtable}`,
    explanation:
      'Packets of a connection that a flow table has taken over meet no chain at prerouting: a ban stops new connections and not those that are offloaded, until they end.',
  }),
  'xdp-passes-by': kindOf<Record<never, never>>({
    severity: 'hint',
    title: 'An XDP program sees packets before the bans',
    text: (_given, device) =>
      `${device} has an XDP program, which may hand packets on before any chain sees them`,
    action: (_given, device) => `ip link show dev ${device}`,
    explanation:
      'A program that only drops or passes is harmless. One that redirects packets to another device or to a process (AF_XDP) takes them past the bans.',
  }),
  'ingress-hook': kindOf<Record<never, never>>({
    severity: 'hint',
    title: 'A chain at ingress sees packets before the bans',
    text: (_given, chain) => `${chain} sees packets before the chain that bans`,
    action: () => 'nft list ruleset netdev',
    explanation:
      'What it forwards to another device with `fwd` meets no ban; accepting a packet there does no harm.',
  }),
  'journal-fields-missing': kindOf<{ readonly refused: number; readonly read: number }>({
    severity: 'warning',
    title: 'Entries of a service lack what says that they are its own',
    text: ({ refused, read }, filter) =>
      `of the last day's entries for filter ${filter}, ${refused} were not believed and ${read} were`,
    action: (_given, filter) => `bailiff explain --filter ${filter} LINE; see [journal] in docs/filters.md`,
    explanation:
      'They name an identifier of the filter and carry none of the uids, units or executables that it asks for: the service runs as another user, in a container, or from another path.',
  }),
  'filter-silent': kindOf<{ readonly read: number; readonly near: number }>({
    severity: 'hint',
    title: 'A filter reads much and finds nothing',
    text: ({ read, near }, filter) =>
      `filter ${filter} read ${counted(read, 'record')} of the last day, ${near} of them nearly matched, none did`,
    action: (_given, filter) => `bailiff match --journal --since 1d --filter ${filter}`,
    explanation:
      'After an upgrade the service may write its lines otherwise. The command shows the lines that come close.',
  }),
  'sshd-penalties': kindOf<{ readonly trusted: string }>({
    severity: 'hint',
    title: 'sshd may refuse those whom bailiff trusts',
    text: ({ trusted }) => `PerSourcePenalties of sshd does not exempt ${trusted}, which [trust] lets pass`,
    action: ({ trusted }) => `write PerSourcePenaltyExemptList ${trusted} in /etc/ssh/sshd_config`,
    explanation:
      'OpenSSH from 9.8 on refuses addresses by itself after a few failures. Whoever is trusted here is not exempt there until sshd is told.',
  }),
  'fail2ban-runs': kindOf<{ readonly pid: number }>({
    severity: 'warning',
    title: 'fail2ban bans the same attackers',
    text: ({ pid }) =>
      `fail2ban-server runs as process ${pid}: what one of the two lifts, the other still bans`,
    action: () => 'bailiff import fail2ban, then: systemctl disable --now fail2ban',
    explanation:
      'Both work beside each other, but a person who was unbanned here stays banned there, and each attacker is banned twice.',
  }),
  'port-held': kindOf<{ readonly program: string; readonly pid: number }>({
    severity: 'error',
    title: 'Another program has the port of a listener',
    text: ({ program, pid }, listener) => `${listener} is held by ${program} (process ${pid})`,
    action: ({ program }) =>
      program === 'rsyslogd'
        ? 'take imudp and imtcp out of /etc/rsyslog.conf, or forward from rsyslog: docs/syslog.md'
        : 'stop it, or listen on another port',
    explanation: 'Only one program can have a port. What is sent there reaches the other one.',
  }),
  'sender-clock': kindOf<{ readonly skew: string; readonly isZone: number }>({
    severity: 'hint',
    title: "A sender's clock is wrong",
    text: ({ skew, isZone }, sender) =>
      `the clock of ${sender} is ${skew}${isZone === 1 ? ', which looks like another time zone' : ''}`,
    action: ({ isZone }) =>
      isZone === 1 ? 'set its time zone, or let it send RFC 5424 with an offset' : 'give it an NTP server',
    explanation:
      'Nothing is decided by the clock of a sender. But its own log and ours cannot be laid side by side.',
  }),
};
