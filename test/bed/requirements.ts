/**
 * What a test needs of the machine. A test that cannot run says why:
 *
 *     test('...', { skip: requirements('namespaces', 'journald') ?? false }, ...)
 */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { findSyslogNg } from './services/forwarders.ts';
import { findJournald, findJournalTool } from './services/journald.ts';

export type Requirement =
  | 'namespaces' // openBed() works, as root or for an ordinary user
  | 'root' // the bed is privileged: other users, sshd
  | 'units' // processes of the bed can be in units
  | 'nft' // the nft command, and libnftables
  | 'journald' // a private systemd-journald
  | 'sshd' // an OpenSSH server and clients with passwords
  | 'logger' // util-linux's logger
  | 'rsyslog'
  | 'rsyslog-tls' // with OpenSSL
  | 'syslog-ng'
  | 'busybox' // with its syslogd
  | 'nginx'
  | 'apache' // httpd, as another user than root
  | 'haproxy'
  | 'curl'
  | 'lintian'
  | 'rpmlint'
  | 'mmdebstrap'
  | 'nspawn' // a machine with systemd as PID 1
  | 'journal-upload'; // systemd-journal-upload and systemd-journal-remote

const cache = new Map<Requirement, string | null>();

/** Null when all of them are there, else what is missing and how to get it, in one line. */
export function requirements(...names: readonly Requirement[]): string | null {
  const reasons = names.map((name) => reasonAgainst(name)).filter((reason) => reason !== null);
  return reasons.length === 0 ? null : [...new Set(reasons)].join('; ');
}

function reasonAgainst(name: Requirement): string | null {
  const known = cache.get(name);
  if (known !== undefined) return known;
  const reason = CHECKS[name]();
  cache.set(name, reason);
  return reason;
}

const CHECKS: Readonly<Record<Requirement, () => string | null>> = {
  namespaces: () =>
    missing('ip', 'iproute2') ??
    missing('nsenter', 'util-linux') ??
    (isPrivileged() || unshares(['--user', '--map-root-user'])
      ? null
      : 'needs namespaces: run it as root, or allow unprivileged user namespaces'),
  root: () => (isPrivileged() ? null : 'needs root, and the right to make namespaces'),
  units: () =>
    isPrivileged() && mountsControlGroups() ? null : 'needs root and a cgroup2 file system, for units',
  nft: () => missing('nft', 'nftables'),
  journald: () =>
    missing('journalctl', 'systemd') ??
    (findJournald() === null ? 'needs systemd-journald: apt-get install systemd' : null),
  sshd: () =>
    reasonAgainst('root') ??
    missing('/usr/sbin/sshd', 'openssh-server') ??
    missing('ssh', 'openssh-client') ??
    missing('sshpass', 'sshpass'),
  logger: () => missing('logger', 'bsdutils'),
  rsyslog: () => missing('rsyslogd', 'rsyslog'),
  'rsyslog-tls': () =>
    globSync('/usr/lib{,64}/{,*/}rsyslog/lmnsd_ossl.so').length === 0
      ? 'needs OpenSSL for rsyslog: apt-get install rsyslog-openssl'
      : null,
  'syslog-ng': () =>
    findSyslogNg() === null ? 'needs syslog-ng: sh packaging/prepare.sh test, as root' : null,
  busybox: () => missing('busybox', 'busybox'),
  nginx: () => missing('nginx', 'nginx'),
  apache: () => reasonAgainst('root') ?? missing('apache2', 'apache2-bin'),
  haproxy: () => missing('haproxy', 'haproxy'),
  curl: () => missing('curl', 'curl'),
  lintian: () => missing('lintian', 'lintian'),
  rpmlint: () => missing('rpmlint', 'rpmlint'),
  mmdebstrap: () => missing('mmdebstrap', 'mmdebstrap'),
  nspawn: () => missing('systemd-nspawn', 'systemd-container'),
  'journal-upload': () =>
    findJournalTool('upload') === null || findJournalTool('remote') === null
      ? 'needs systemd-journal-upload: apt-get install systemd-journal-remote'
      : null,
};

function missing(command: string, debianPackage: string): string | null {
  const directories = `${process.env.PATH ?? ''}:/usr/sbin:/sbin:/usr/bin:/bin`.split(':');
  const found = command.startsWith('/')
    ? existsSync(command)
    : directories.some((directory) => existsSync(`${directory}/${command}`));
  return found ? null : `needs ${command}: apt-get install ${debianPackage}`;
}

/** Root of a machine, or of a container that may do what beds do. */
function isPrivileged(): boolean {
  return process.getuid?.() === 0 && unshares([]);
}

function unshares(flags: readonly string[]): boolean {
  return succeeds('unshare', [...flags, '--net', '--mount', '--pid', '--fork', 'true']);
}

function mountsControlGroups(): boolean {
  return succeeds('unshare', ['--mount', '--cgroup', 'mount', '-t', 'cgroup2', 'none', '/sys/fs/cgroup']);
}

function succeeds(command: string, words: readonly string[]): boolean {
  return spawnSync(command, words, { stdio: 'ignore' }).status === 0;
}
