/**
 * A whole machine in a bed: a Debian system with real systemd as PID 1, in a container on the bed's network, so that
 * the attackers of the bed are its attackers. It changes a copy of the system only, and goes with the bed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bed } from './namespace.ts';
import type { BedProcess, ProcessResult } from './process.ts';
import { waitFor } from './waiting.ts';

export type MachineRunOptions = {
  readonly input?: string;
  /** Resolve whatever the exit status is. */
  readonly anyStatus?: boolean;
};

/** SIGRTMIN+4, which Node has no name for: systemd(1), signal(7). */
const POWER_OFF_SIGNAL = 34 + 4;

const BOOT_TIMEOUT_MILLISECONDS = 60_000;
const RUN_TIMEOUT_MILLISECONDS = 60_000;

/**
 * In the bed's own tree of control groups. No registration, as there is no machined; CAP_NET_ADMIN for nftables, which
 * a container does not have by itself.
 */
const NSPAWN: readonly string[] = [
  'nsenter',
  '--cgroup=/proc/1/ns/cgroup',
  '--',
  'systemd-nspawn',
  '--quiet',
  '--register=no',
  '--keep-unit',
  '--capability=CAP_NET_ADMIN',
  '--console=pipe',
  '--link-journal=no',
  '--resolv-conf=off',
  '--timezone=off',
  '--hostname=machine',
  '--machine=machine',
  '--boot',
];

export class Machine {
  readonly #bed: Bed;
  readonly #root: string;
  #nspawn: BedProcess;
  #leader: number;

  private constructor(bed: Bed, root: string, nspawn: BedProcess, leader: number) {
    this.#bed = bed;
    this.#root = root;
    this.#nspawn = nspawn;
    this.#leader = leader;
  }

  /** Boots the system in the directory `base`, which stays as it is, in some two seconds. Needs `bed.units`. */
  static async boot(bed: Bed, base: string): Promise<Machine> {
    const directory = join(bed.directory, 'machine');
    for (const name of ['upper', 'work', 'root']) mkdirSync(join(directory, name), { recursive: true });
    const root = join(directory, 'root');
    const layers = `lowerdir=${base},upperdir=${join(directory, 'upper')},workdir=${join(directory, 'work')}`;
    await bed.run(['mount', '-t', 'overlay', 'overlay', '-o', layers, root]);
    const { nspawn, leader } = await start(bed, root);
    return new Machine(bed, root, nspawn, leader);
  }

  /** Runs a command in the machine as its root, to its end. Rejects, with its output, unless the exit status is 0. */
  run(argv: readonly string[], options: MachineRunOptions = {}): Promise<ProcessResult> {
    return enter(this.#leader, argv, options);
  }

  /** The same with a shell's command. */
  shell(command: string, options: MachineRunOptions = {}): Promise<ProcessResult> {
    return this.run(['sh', '-c', command], options);
  }

  /** Copies a file of ours to the path `to` in the machine. */
  async put(file: string, to: string): Promise<void> {
    await copyFile(file, join(`/proc/${this.#leader}/root`, to));
  }

  /** Switches it off as its power button would; what it wrote stays. */
  async powerOff(): Promise<void> {
    process.kill(this.#leader, POWER_OFF_SIGNAL);
    await this.#nspawn.ended;
  }

  /** Boots it again after it was switched off. */
  async bootAgain(): Promise<void> {
    const { nspawn, leader } = await start(this.#bed, this.#root);
    this.#nspawn = nspawn;
    this.#leader = leader;
  }
}

async function start(bed: Bed, root: string): Promise<{ nspawn: BedProcess; leader: number }> {
  const nspawn = await bed.start([...NSPAWN, '--directory', root], { unit: 'machine.service' });
  const leader = await waitFor('the machine to have a first process', BOOT_TIMEOUT_MILLISECONDS, () => {
    if (nspawn.result !== null) throw new Error(`systemd-nspawn ended: ${nspawn.output}`);
    return childrenOf(nspawn.pid).find(isFirstOfNamespace) ?? null;
  });
  await waitFor('systemd to answer', BOOT_TIMEOUT_MILLISECONDS, () =>
    existsSync(`/proc/${leader}/root/run/systemd/private`) ? true : null,
  );
  // `degraded` is a machine whose odd unit failed; the test finds out what matters.
  await enter(leader, ['systemctl', 'is-system-running', '--wait'], { anyStatus: true });
  return { nspawn, leader };
}

function childrenOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
  return children.split(' ').filter(Boolean).map(Number);
}

function isFirstOfNamespace(pid: number): boolean {
  return /^NSpid:.*\s1$/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
}

function enter(leader: number, argv: readonly string[], options: MachineRunOptions): Promise<ProcessResult> {
  const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup'];
  const words = ['--target', `${leader}`, ...namespaces, '--', ...argv];
  const child = spawn('nsenter', words, {
    env: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      LANG: 'C.UTF-8',
      HOME: '/root',
    },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: RUN_TIMEOUT_MILLISECONDS,
  });
  return finished(child, argv, options);
}

function finished(
  child: ChildProcess,
  argv: readonly string[],
  options: MachineRunOptions,
): Promise<ProcessResult> {
  const { promise, resolve, reject } = Promise.withResolvers<ProcessResult>();
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin?.on('error', () => {});
  child.stdin?.end(options.input ?? '');
  child.once('error', reject);
  child.once('close', (code, signal) => {
    const result = { status: code ?? 128, stdout, stderr };
    if (result.status === 0 || (options.anyStatus === true && signal === null)) resolve(result);
    else reject(new Error(`${argv.join(' ')}: exit status ${code ?? signal}\n${stdout}${stderr}`));
  });
  return promise;
}
