/** A real OpenSSH server inside a bed, logging through /dev/log to the bed's journald, and those who try to log in. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bed } from '../namespace.ts';
import type { BedProcess } from '../process.ts';
import { PATIENCE_MILLISECONDS, waitFor } from '../waiting.ts';

/** The one account that can log in. */
export const HONEST_USER = 'alice';
export const HONEST_PASSWORD = 'correct-horse';

export type SshdOptions = {
  readonly port?: number;
  /** Further lines of sshd_config(5), such as `MaxAuthTries 3`; they come first, so they win. */
  readonly settings?: readonly string[];
};

/** `accepted`: logged in; `denied`: the password was wrong; `unreachable`: no connection, or cut off on the way. */
export type LoginOutcome = 'accepted' | 'denied' | 'unreachable';

export type Login = {
  /** One of the addresses of the attacker's end. */
  readonly from: string;
  /** The server's address; must be of the same family. */
  readonly to: string;
  readonly user: string;
  readonly password: string;
  /** How long an unanswered connection is waited for; whole seconds, 2 by default. */
  readonly connectTimeoutSeconds?: number;
};

const SSHD = '/usr/sbin/sshd';
const START_TIMEOUT_MILLISECONDS = PATIENCE_MILLISECONDS;

/** Exit statuses of sshpass(1); other ones are of the program it ran, and ssh(1) has 255 for its own failures. */
const SSHPASS_WRONG_PASSWORD = 5;

/** How long a client waits for what sshd has to say; ssh(1) would wait for ever when it is cut off on the way. */
const ANSWER_SECONDS = 2;

/** Exit status of timeout(1). */
const TIMEOUT_EXPIRED = 124;

export class Sshd {
  readonly port: number;
  readonly #bed: Bed;
  readonly #server: BedProcess;

  private constructor(bed: Bed, server: BedProcess, port: number) {
    this.#bed = bed;
    this.#server = server;
    this.port = port;
  }

  /** Starts it on all addresses and resolves when it listens, in some 150 ms. Needs `bed.privileged` and a journald. */
  static async start(bed: Bed, options: SshdOptions = {}): Promise<Sshd> {
    const port = options.port ?? 22;
    const directory = join(bed.directory, 'sshd');
    mkdirSync(directory);
    await bed.run(['sh', '-c', PREPARE, 'prepare', directory, HONEST_USER], {
      input: `${HONEST_USER}:${HONEST_PASSWORD}\n`,
    });
    const configuration = join(directory, 'sshd_config');
    writeFileSync(configuration, sshdConfiguration(directory, port, options.settings ?? []));
    const server = await bed.start(
      [SSHD, '-D', '-f', configuration],
      bed.units ? { unit: 'ssh.service' } : {},
    );
    await waitFor('sshd to listen', START_TIMEOUT_MILLISECONDS, async () => {
      if (server.result !== null) throw new Error(`sshd ended: ${server.output}`);
      const { stdout } = await bed.run([
        'ss',
        '--no-header',
        '--listening',
        '--tcp',
        '--numeric',
        `sport = :${port}`,
      ]);
      return stdout.includes(`:${port}`) ? true : null;
    });
    return new Sshd(bed, server, port);
  }

  /** Tries to log in once, with one password. A wrong one takes some 100 ms. */
  login(login: Login): Promise<LoginOutcome> {
    return logIn(this.#bed, this.port, login);
  }

  /** Tries one wrong password after the other, each on a connection of its own; the outcomes in order. */
  async attack(
    from: string,
    to: string,
    users: readonly string[],
    connectTimeoutSeconds = 1,
  ): Promise<LoginOutcome[]> {
    const outcomes: LoginOutcome[] = [];
    for (const user of users) {
      outcomes.push(await this.login({ from, to, user, password: 'wrong', connectTimeoutSeconds }));
    }
    return outcomes;
  }

  async stop(): Promise<void> {
    this.#server.kill('SIGTERM');
    await this.#server.ended;
  }
}

/** Tries to log in once, from the attacker's end of a bed to whatever SSH server answers at the port. */
export async function logIn(bed: Bed, port: number, login: Login): Promise<LoginOutcome> {
  const { connectTimeoutSeconds = 2 } = login;
  const result = await bed.run(
    [
      'timeout',
      `${connectTimeoutSeconds + ANSWER_SECONDS}`,
      'sshpass',
      '-e',
      'ssh',
      ...CLIENT_OPTIONS,
      '-o',
      `ConnectTimeout=${connectTimeoutSeconds}`,
      '-p',
      `${port}`,
      '-b',
      login.from,
      '-l',
      login.user,
      login.to,
      'true',
    ],
    { at: 'attacker', environment: { SSHPASS: login.password }, anyStatus: true },
  );
  if (result.status === 0) return 'accepted';
  const denied = result.status === SSHPASS_WRONG_PASSWORD || /Permission denied/.test(result.stderr);
  if (denied) return 'denied';
  if (result.status === 255 || result.status === TIMEOUT_EXPIRED) return 'unreachable';
  throw new Error(`sshpass ssh: exit status ${result.status}: ${result.stderr}`);
}

/** Nothing is read from or written to the home directory of whoever runs the test. */
const CLIENT_OPTIONS: readonly string[] = [
  '-F',
  'none',
  ...[
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
    'GlobalKnownHostsFile=/dev/null',
    'LogLevel=ERROR',
    'PreferredAuthentications=password',
    'PubkeyAuthentication=no',
    'NumberOfPasswordPrompts=1',
    'IdentityAgent=none',
  ].flatMap((option) => ['-o', option]),
];

/**
 * The bed's /etc is its own: an account, and PAM without the two seconds that it takes to say no. /run/sshd is the
 * empty directory of privilege separation.
 */
const PREPARE = `
set -e
mkdir -p /run/sshd
ssh-keygen -q -t ed25519 -N '' -f "$1/host_key"
id sshd >/dev/null 2>&1 || useradd --system --no-create-home --home-dir /run/sshd --shell /usr/sbin/nologin sshd
id "$2" >/dev/null 2>&1 || useradd --no-create-home --home-dir / --shell /bin/sh "$2"
chpasswd
cat >/etc/pam.d/sshd <<'END'
auth required pam_unix.so nodelay
account required pam_unix.so
session required pam_permit.so
END`;

/** sshd takes the first value that it meets. */
function sshdConfiguration(directory: string, port: number, settings: readonly string[]): string {
  return [
    ...settings,
    `Port ${port}`,
    `HostKey ${join(directory, 'host_key')}`,
    'PidFile none',
    'UsePAM yes',
    'PasswordAuthentication yes',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin no',
    'UseDNS no',
    'LoginGraceTime 10',
    'MaxStartups 100',
    'PrintMotd no',
    '',
  ].join('\n');
}
