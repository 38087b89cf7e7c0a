/**
 * A bed: namespaces of its own for one test, with a network, a mount tree and processes that nobody else sees, and a
 * second network at the other end of a wire where the attackers and the devices are. Works as root, or for an ordinary
 * user in a user namespace. It goes with close(), or with this process.
 *
 *     attacker namespace  wire0 ------- wire0  bed's namespace (the machine that bailiff protects)
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { BedProcess, type ProcessResult } from './process.ts';
import { PATIENCE_MILLISECONDS } from './waiting.ts';

/** The bed's own addresses. The first two share a wire with the attackers, the last two with the devices. */
export const HOST = {
  ipv4: '198.18.0.1',
  ipv6: '2001:db8:77::1',
  deviceIpv4: '10.77.0.1',
  deviceIpv6: 'fd77::1',
} as const;

/** Benchmarking network of RFC 2544: no loopback, no private network, and nobody's. */
export const ATTACKERS_IPV4: readonly string[] = range(8, (n) => `198.18.0.${100 + n}`);

/** Documentation network of RFC 3849; each attacker has a /64 of its own. */
export const ATTACKERS_IPV6: readonly string[] = range(8, (n) => `2001:db8:77:${n + 1}::100`);

/** Shares its /64 with the first of ATTACKERS_IPV6. */
export const NEIGHBOUR_IPV6 = '2001:db8:77:1::200';

/** Routers, NAS boxes: private addresses, which a syslog target listens to as it is shipped. */
export const DEVICES_IPV4: readonly string[] = range(2, (n) => `10.77.0.${100 + n}`);
export const DEVICES_IPV6: readonly string[] = range(2, (n) => `fd77::${100 + n}`);

export type StartOptions = {
  /** Which end of the wire; the bed by default. */
  readonly at?: 'bed' | 'attacker';
  /** Added to a small fixed environment; nothing else is inherited but PATH. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Runs as this user and group id; the bed's root by default. Needs `bed.privileged`. */
  readonly uid?: number;
  /** Runs in the control group of this unit, so that journald stamps _SYSTEMD_UNIT with it. Needs `bed.units`. */
  readonly unit?: string;
};

export type RunOptions = StartOptions & {
  readonly input?: string;
  /** 20 s by default; then it is killed, and run() rejects. */
  readonly timeoutMilliseconds?: number;
  /** Resolve whatever the exit status is. */
  readonly anyStatus?: boolean;
};

export interface Bed {
  /** A directory of the machine, with the same path inside; removed with the bed. */
  readonly directory: string;
  /** Whether the bed's root is the machine's root: other users exist then, and sshd can run. */
  readonly privileged: boolean;
  /** Whether processes can be put into units. */
  readonly units: boolean;
  /** Runs a command to its end. Rejects, with its output, unless the exit status is 0. */
  run(argv: readonly string[], options?: RunOptions): Promise<ProcessResult>;
  /** Starts a command and resolves when the program is running. */
  start(argv: readonly string[], options?: StartOptions): Promise<BedProcess>;
  /** Gives the attacker's end more addresses, such as `198.18.7.1/15`. */
  addAttackers(addresses: readonly string[]): Promise<void>;
  /** Ends every process in the bed and removes its directory. Safe to repeat. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const HOLDER = fileURLToPath(new URL('holder.sh', import.meta.url));
const RUN_TIMEOUT_MILLISECONDS = PATIENCE_MILLISECONDS;

/** What attackers and devices have on their end: IPv4 /15 and IPv6 /48, so that any address of these is on the wire. */
const WIRE_PREFIXES = { ipv4: 15, ipv6: 48, deviceIpv4: 24, deviceIpv6: 64 };

/** Opens a bed in some 60 ms. Rejects with what the kernel or a tool said when it cannot; see requirements.ts. */
export async function openBed(): Promise<Bed> {
  const directory = mkdtempSync(join(tmpdir(), 'bailiff-bed-'));
  // In a session of its own: Ctrl-C at the terminal must not stop it from tidying up.
  const holder = spawn('sh', [HOLDER, 'outside', directory], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: environmentWith({}),
  });
  const { pid, privileged, units } = await holderReady(holder);
  const bed = new NamespaceBed({ directory, holder, holderPid: pid, privileged, units });
  try {
    await bed.run(['ip', '-batch', '-'], { input: addressBatch(bedAddresses()) });
    await bed.addAttackers(attackerAddresses());
  } catch (error) {
    await bed.close();
    throw error;
  }
  // A test that forgets to close its bed ends all the same, and the bed with it.
  holder.unref();
  for (const stream of [holder.stdin, holder.stdout, holder.stderr])
    (stream as unknown as { unref(): void }).unref();
  return bed;
}

type BedParts = {
  readonly directory: string;
  readonly holder: ChildProcess;
  readonly holderPid: number;
  readonly privileged: boolean;
  readonly units: boolean;
};

class NamespaceBed implements Bed {
  readonly directory: string;
  readonly privileged: boolean;
  readonly units: boolean;
  readonly #holder: ChildProcess;
  readonly #holderPid: number;
  #closed: Promise<void> | null = null;

  constructor(parts: BedParts) {
    this.directory = parts.directory;
    this.privileged = parts.privileged;
    this.units = parts.units;
    this.#holder = parts.holder;
    this.#holderPid = parts.holderPid;
  }

  async run(argv: readonly string[], options: RunOptions = {}): Promise<ProcessResult> {
    const running = await this.start(argv, options);
    running.end(options.input);
    const timeoutMilliseconds = options.timeoutMilliseconds ?? RUN_TIMEOUT_MILLISECONDS;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      running.kill('SIGKILL');
    }, timeoutMilliseconds);
    const result = await running.ended;
    clearTimeout(timer);
    if (late) throw new Error(`${argv.join(' ')}: not done in ${timeoutMilliseconds} ms\n${running.output}`);
    if (result.status !== 0 && options.anyStatus !== true) {
      throw new Error(`${argv.join(' ')}: exit status ${result.status}\n${running.output}`);
    }
    return result;
  }

  async start(argv: readonly string[], options: StartOptions = {}): Promise<BedProcess> {
    if (this.#closed !== null) throw new Error(`cannot run ${argv[0]}: the bed is closed`);
    if (options.uid !== undefined && !this.privileged)
      throw new Error('an unprivileged bed has one user only');
    if (options.unit !== undefined && !this.units) throw new Error('this bed has no units');
    const [command = '', ...rest] = this.#enter(argv, options);
    const child = spawn(command, rest, {
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      env: environmentWith(options.environment ?? {}),
    });
    return BedProcess.started(child, argv.join(' '));
  }

  async addAttackers(addresses: readonly string[]): Promise<void> {
    await this.run(['ip', '-batch', '-'], { at: 'attacker', input: addressBatch(addresses) });
  }

  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      if (this.#holder.exitCode !== null || this.#holder.signalCode !== null) return resolve();
      this.#holder.ref();
      this.#holder.once('exit', () => resolve());
      this.#holder.stdin?.end();
    });
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #enter(argv: readonly string[], options: StartOptions): string[] {
    const target = ['nsenter', '--target', `${this.#holderPid}`, '--net', '--mount', '--pid'];
    if (!this.privileged) target.push('--user', '--preserve-credentials');
    const wire = options.at === 'attacker' ? ['nsenter', '--net=/run/netns/attacker', '--'] : [];
    const user =
      options.uid === undefined
        ? []
        : ['setpriv', `--reuid=${options.uid}`, `--regid=${options.uid}`, '--clear-groups', '--'];
    return [...target, '--', 'sh', '-c', START, 'start', options.unit ?? '', ...wire, ...user, ...argv];
  }
}

/**
 * Joins a unit if one is named, tells on descriptor 3 which process it is as seen from outside, and becomes the
 * program. The commands that come before the program keep that process.
 */
const START = `
unit=$1; shift
if [ -n "$unit" ]; then
  group=/sys/fs/cgroup/system.slice/$unit
  mkdir -p "$group" && echo $$ >"$group/cgroup.procs" || exit 125
fi
read -r pid rest </run/outer-proc/self/stat && echo "$pid" >&3 && exec 3>&- && exec "$@"`;

async function holderReady(
  holder: ChildProcess,
): Promise<{ pid: number; privileged: boolean; units: boolean }> {
  const { stdout, stderr } = holder;
  if (stdout === null || stderr === null) throw new Error('the holder has no output');
  let problem = '';
  stderr.setEncoding('utf8').on('data', (text: string) => {
    problem += text;
  });
  const failed = new Promise<never>((_, reject) => {
    holder.once('error', reject);
    holder.once('close', (code) =>
      reject(new Error(`cannot open a bed (status ${code}): ${problem.trim()}`)),
    );
  });
  // Whoever loses the race below must not become an unhandled rejection when the bed is closed.
  failed.catch(() => {});
  const lines = createInterface({ input: stdout });
  const line = await Promise.race([new Promise<string>((resolve) => lines.once('line', resolve)), failed]);
  const [word, pid, privileged, units] = line.split(' ');
  if (word !== 'ready') throw new Error(`the holder said ${JSON.stringify(line)}`);
  return { pid: Number(pid), privileged: privileged === 'yes', units: units === 'yes' };
}

function bedAddresses(): string[] {
  return [
    `${HOST.ipv4}/${WIRE_PREFIXES.ipv4}`,
    `${HOST.ipv6}/${WIRE_PREFIXES.ipv6}`,
    `${HOST.deviceIpv4}/${WIRE_PREFIXES.deviceIpv4}`,
    `${HOST.deviceIpv6}/${WIRE_PREFIXES.deviceIpv6}`,
  ];
}

function attackerAddresses(): string[] {
  return [
    ...ATTACKERS_IPV4.map((address) => `${address}/${WIRE_PREFIXES.ipv4}`),
    ...[...ATTACKERS_IPV6, NEIGHBOUR_IPV6].map((address) => `${address}/${WIRE_PREFIXES.ipv6}`),
    ...DEVICES_IPV4.map((address) => `${address}/${WIRE_PREFIXES.deviceIpv4}`),
    ...DEVICES_IPV6.map((address) => `${address}/${WIRE_PREFIXES.deviceIpv6}`),
  ];
}

/** Commands for `ip -batch`; without duplicate address detection an IPv6 address can be used at once. */
function addressBatch(addresses: readonly string[]): string {
  return addresses
    .map((address) => `address add ${address} dev wire0${address.includes(':') ? ' nodad' : ''}\n`)
    .join('');
}

/** Everything that a program in a bed gets to see of our environment. */
function environmentWith(extra: Readonly<Record<string, string>>): Record<string, string> {
  const path = `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`;
  return { PATH: path, HOME: '/', LANG: 'C.UTF-8', TZ: 'UTC', ...extra };
}

function range(count: number, make: (n: number) => string): string[] {
  return Array.from({ length: count }, (_, n) => make(n));
}
