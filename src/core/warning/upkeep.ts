/** What can be wrong with enforcement, the state, the configuration, and the daemon itself. */
import { DAY, HOUR, MINUTE } from '../time.ts';
import { counted, type Failing, kindOf, remedyOr } from './entry.ts';

export const UPKEEP_WARNINGS = {
  'firewall-unavailable': kindOf<Failing>({
    severity: 'error',
    title: 'Nobody is banned',
    text: ({ reason }) =>
      `bans are recorded and not enforced, because the kernel's firewall cannot be had: ${reason}`,
    action: remedyOr('bailiff doctor'),
    explanation:
      'The daemon started, could not work with nftables, and only practises. It needs root or CAP_NET_ADMIN, libnftables and a kernel with nf_tables; in a container, a network namespace of its own. Restart it when that is there.',
  }),
  'firewall-failing': kindOf<Failing>({
    severity: 'error',
    title: 'The firewall takes no bans',
    text: ({ reason }) => `bans do not reach the kernel: ${reason}`,
    action: remedyOr('bailiff doctor'),
    explanation:
      'It worked and now fails. Bans that the kernel holds stay; new ones wait, and are written as soon as it answers again. Nothing is lost meanwhile but time.',
  }),
  'elements-refused': kindOf<{ readonly reason: string; readonly count: number }>({
    severity: 'error',
    title: 'The kernel refuses some bans',
    text: ({ reason, count }) => `${counted(count, 'element')} not taken by the kernel: ${reason}`,
    action: () => 'bailiff bans shows which are not enforced',
    explanation:
      'A transaction failed and was divided until what the kernel refuses was alone; everything else went in. It is tried again.',
    dependsOn: ['firewall-unavailable', 'firewall-failing'],
    holdFor: 10 * MINUTE,
    isLoggedAsEvent: true,
  }),
  'trust-not-set': kindOf<Failing>({
    severity: 'error',
    title: 'Trusted networks are not in the kernel',
    text: ({ reason }) => `packets of trusted networks are not let pass first: ${reason}`,
    action: remedyOr('bailiff reload'),
    explanation:
      'The ledger bans no trusted network in any case; what is missing is the rule that lets their packets pass whatever the sets hold. It is tried again with the next repair of the table.',
    dependsOn: ['firewall-unavailable', 'firewall-failing'],
    holdFor: 10 * MINUTE,
    isLoggedAsEvent: true,
  }),
  'table-removed': kindOf<{ readonly count: number }>({
    severity: 'warning',
    title: 'Somebody removes our table',
    text: ({ count }) => `the table was removed ${counted(count, 'time')} and put back with all bans`,
    action: () =>
      "find who flushes the ruleset: grep -r 'flush ruleset' /etc/nftables.conf /etc/network /etc/systemd",
    explanation:
      'Another program, often `nft -f /etc/nftables.conf` with `flush ruleset` at its head, deleted the table inet bailiff. It is back within a second; until then nobody is kept out. Let the other program flush its own tables only.',
    holdFor: HOUR,
    isLoggedAsEvent: true,
  }),
  'elements-changed': kindOf<{ readonly count: number }>({
    severity: 'hint',
    title: 'Somebody changes our sets',
    text: ({ count }) =>
      `${counted(count, 'element')} in the kernel differed from what was decided, and were put right`,
    action: () => 'use bailiff ban and bailiff unban in place of nft',
    explanation:
      'Elements were added, deleted or given another timeout by hand or by another program. What is missing comes back; what is unknown is taken for a ban of yours.',
    holdFor: HOUR,
    isLoggedAsEvent: true,
  }),
  'state-not-kept': kindOf<Failing>({
    severity: 'error',
    title: 'Nothing is kept over a restart',
    text: ({ reason }) => `failures and bans are in memory only: ${reason}`,
    action: remedyOr('make the state directory writable, then restart'),
    explanation:
      'The state directory cannot be used. Bans stay in the kernel over a restart of the daemon, and are taken back from there; failures that were counted, and bans over a reboot, are lost.',
  }),
  'state-not-written': kindOf<Failing>({
    severity: 'error',
    title: 'The state cannot be written',
    text: ({ reason }) => `what has changed since is not on the disk: ${reason}`,
    action: remedyOr('see whether the disk is full: df -h /var/lib/bailiff'),
    explanation:
      'Commits fail. Bans are made and announced all the same, since the kernel holds them; what could not be stored is tried again every few seconds, at the latest after half a minute.',
  }),
  'state-was-damaged': kindOf<Failing>({
    severity: 'error',
    title: 'The stored state was damaged',
    text: ({ reason }) => reason,
    action: remedyOr('look for a failing disk: journalctl -k'),
    explanation:
      'The file in the state directory was not as the daemon writes it. It lies beside the new one, which has what could still be read: every ban that says who is banned and until when, the failures that are being counted, the place in the journal. Bans that only the kernel knew were taken back from there.',
    holdFor: DAY,
    isLoggedAsEvent: true,
  }),
  'state-was-empty': kindOf<Failing>({
    severity: 'warning',
    title: 'The state file was empty',
    text: ({ reason }) => reason,
    action: remedyOr('see what else writes to the state directory, and whether the disk was full'),
    explanation:
      'There was a file of no length where the state should be. Another program has emptied it, a copy of a backup was cut off, or the daemon was killed at its very first start. Bans that the kernel holds were taken back from there.',
    holdFor: DAY,
    isLoggedAsEvent: true,
  }),
  'configuration-not-in-force': kindOf<{ readonly reason: string; readonly instead: string }>({
    severity: 'error',
    title: 'The configuration has a fault and is not in force',
    text: ({ reason, instead }) =>
      `what the files say now is not in force: ${reason}; in force is ${instead}`,
    action: () => 'bailiff check shows every problem, then: bailiff reload',
    explanation:
      'A reload or the start found a mistake. The configuration of before stays in force until one without mistakes is loaded. A start goes by the one that was last in force, which the daemon keeps in `last-good` in its state directory; where it has none yet, it restores the bans and bans nobody new.',
  }),
  'configuration-not-kept': kindOf<Failing>({
    severity: 'warning',
    title: 'The configuration could not be kept for a start with a mistake',
    text: ({ reason }) => `a start with a mistake in the files would go by an older configuration: ${reason}`,
    action: remedyOr('make the state directory writable, then: bailiff reload'),
    explanation:
      'What is in force is copied to `last-good` in the state directory, for a start that finds a mistake in the files. That copy could not be written.',
  }),
  'jail-refused': kindOf<{ readonly reason: string }>({
    severity: 'error',
    title: 'A jail stays out',
    text: ({ reason }, jail) => (reason === '' ? `jail ${jail} stays out` : reason),
    action: () => 'bailiff check shows every problem',
    explanation: 'The jail is enabled and cannot work, as a rule because of its filter. The others run.',
  }),
  'filter-refused': kindOf<{ readonly reason: string }>({
    severity: 'error',
    title: 'A filter is refused',
    text: ({ reason }, filter) => `filter ${filter} is refused: ${reason}`,
    action: (_given, filter) => `bailiff lint ${filter}`,
    explanation:
      'Its file has a mistake, one of its samples fails, or a forged line could make it name somebody else. Jails that need it stay out.',
  }),
  'restart-needed': kindOf<Record<never, never>>({
    severity: 'warning',
    title: 'A setting waits for a restart',
    text: (_given, setting) => `${setting} is used after a restart`,
    action: () => 'systemctl restart bailiff',
    explanation:
      'The socket, the state directory and the firewall are opened once, at the start. Bans stay in the kernel over a restart.',
  }),
  'metrics-not-served': kindOf<Failing>({
    severity: 'error',
    title: 'Metrics are not served',
    text: ({ reason }) => reason,
    action: remedyOr('see [metrics] in the configuration, then: bailiff reload'),
    explanation:
      'Prometheus gets nothing from at least one address of [metrics] listen, or what it gets is protected by files of before.',
  }),
  'metrics-down': kindOf<Failing>({
    severity: 'error',
    title: 'Metrics are served nowhere',
    text: ({ reason }) => reason,
    action: remedyOr('see [metrics] in the configuration, then: bailiff reload'),
    explanation: 'No address of [metrics] listen can be served. Bans go on.',
  }),
  'control-down': kindOf<Failing>({
    severity: 'error',
    title: 'The control socket is not there',
    text: ({ reason }) => `no command reaches the daemon: ${reason}`,
    action: remedyOr('see [daemon] socket in the configuration, then restart'),
    explanation: 'status, ban and unban need the socket; the daemon counts and bans without it.',
  }),
  'service-manager-deaf': kindOf<Failing>({
    severity: 'warning',
    title: 'systemd is not told how the daemon is',
    text: ({ reason }) => `the service manager is not told how we are: ${reason}`,
    action: remedyOr('systemctl restart bailiff'),
    explanation: 'NOTIFY_SOCKET is set and cannot be written to. systemd may end the daemon for its silence.',
  }),
  'part-failed': kindOf<Failing>({
    severity: 'error',
    title: 'A part of the daemon has failed',
    text: ({ reason }, part) => `${part} ${reason}`,
    action: remedyOr('journalctl -u bailiff'),
    explanation:
      'One part could not start, take a configuration or stop within its time. The others go on without it.',
    holdFor: DAY,
    isLoggedAsEvent: true,
  }),
  upgraded: kindOf<Record<never, never>>({
    severity: 'warning',
    title: 'The daemon is older than its package',
    text: () => 'the program was replaced while it runs: this is still the one of before',
    action: () => 'systemctl restart bailiff',
    explanation:
      'The package was upgraded and the daemon not restarted. Commands of the new version may ask what the old daemon does not know.',
  }),
  'clock-jumped': kindOf<{ readonly step: string }>({
    severity: 'warning',
    title: 'The clock of this machine was set',
    text: ({ step }) => `the time of day was set ${step}`,
    action: () => 'timedatectl timesync-status',
    explanation:
      "The daemon's own time never goes back. When the machine's clock is set forward, windows and bans end earlier than they would have; when it is set back, the daemon goes on ahead of it by as much.",
    holdFor: HOUR,
    isLoggedAsEvent: true,
  }),
};
