/**
 * Minimal Debian systems to boot (machine.ts), made by mmdebstrap(1) from the mirror that apt(8) of this machine uses.
 * One takes half a minute to make and is kept in build/, for the next run.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { HONEST_PASSWORD, HONEST_USER } from './services/sshd.ts';

export type Suite = 'bookworm' | 'trixie';

const DIRECTORY = resolve(import.meta.dirname, '../../build/roots');
const MAKE_TIMEOUT_MILLISECONDS = 600_000;

/** systemd as PID 1, an OpenSSH server, what a package of ours depends on, and RPM for the other kind of package. */
const PACKAGES: readonly string[] = [
  ...['systemd', 'systemd-sysv', 'dbus', 'libpam-systemd', 'iproute2', 'procps', 'bsdutils'],
  ...['openssh-server', 'nftables', 'libnftables1', 'libatomic1', 'rpm'],
];

/** Units that only cost time. */
const MASKED: readonly string[] = [
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'console-getty.service',
  'dpkg-db-backup.timer',
  'e2scrub_all.timer',
  'fstrim.timer',
  'getty.target',
];

/** PAM without the two seconds that it takes to say no. */
const PAM = `auth required pam_unix.so nodelay
account required pam_unix.so
session required pam_permit.so
`;

const SSHD = `PasswordAuthentication yes
KbdInteractiveAuthentication no
UseDNS no
MaxStartups 100
`;

/** The directory of the system, made when it is not there. Throws, with what mmdebstrap said, when that fails. */
export function debianRoot(suite: Suite): string {
  const root = join(DIRECTORY, suite);
  if (existsSync(root)) return root;
  const unfinished = `${root}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(dirname(root), { recursive: true });
  const leaveOut = ['doc', 'man', 'locale'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`);
  const options = ['--quiet', '--variant=apt', `--include=${PACKAGES.join(',')}`, ...leaveOut];
  run(['mmdebstrap', ...options, suite, unfinished, mirror()]);
  run(['chroot', unfinished, 'useradd', '--create-home', '--shell', '/bin/bash', HONEST_USER]);
  run(['chroot', unfinished, 'chpasswd'], `${HONEST_USER}:${HONEST_PASSWORD}\n`);
  run(['systemctl', '--root', unfinished, '--quiet', 'mask', ...MASKED]);
  writeFileSync(join(unfinished, 'etc/pam.d/sshd'), PAM);
  writeFileSync(join(unfinished, 'etc/ssh/sshd_config.d/bed.conf'), SSHD);
  // Each machine gets its own at its first boot.
  writeFileSync(join(unfinished, 'etc/machine-id'), '');
  renameSync(unfinished, root);
  return root;
}

/** Makes a system of what no Debian goes without, and of the packages named, in a directory that is not there yet. */
export function makeMinimalRoot(suite: Suite, packages: readonly string[], directory: string): void {
  run([
    'mmdebstrap',
    '--quiet',
    '--variant=minbase',
    `--include=${packages.join(',')}`,
    suite,
    directory,
    mirror(),
  ]);
}

/** Where apt gets its packages from, without the archive of security updates. */
function mirror(): string {
  const sites = run(['apt-get', 'indextargets', '--format', '$(SITE)', 'Created-By: Packages']).split('\n');
  const site = sites.find((candidate) => candidate !== '' && !candidate.includes('security'));
  if (site === undefined) throw new Error('apt has no archive to make a Debian system from');
  return site;
}

function run(argv: readonly string[], input = ''): string {
  const [command = '', ...words] = argv;
  const environment = {
    ...process.env,
    PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`,
    LC_ALL: 'C.UTF-8',
  };
  const { status, stdout, stderr, error } = spawnSync(command, words, {
    input,
    encoding: 'utf8',
    env: environment,
    timeout: MAKE_TIMEOUT_MILLISECONDS,
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${argv.join(' ')}: exit status ${status}\n${stdout}${stderr}`);
  return stdout;
}
