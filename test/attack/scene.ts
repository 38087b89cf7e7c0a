/** A daemon in a bed of its own, honest senders, and whoever attacks it. */
import { request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { ElementWatch } from '../bed/kernel.ts';
import {
  ATTACKERS_IPV4,
  ATTACKERS_IPV6,
  type Bed,
  HOST,
  openBed,
  type StartOptions,
} from '../bed/namespace.ts';
import type { BedProcess } from '../bed/process.ts';
import { Daemon } from '../bed/services/daemon.ts';
import { Journald } from '../bed/services/journald.ts';
import { waitFor } from '../bed/waiting.ts';
import { TimedProcess } from '../bench/measure/timed-process.ts';

/** Where the honest failures come from. */
export type HonestSource = 'journal' | 'udp' | 'tcp';

export const SYSLOG_PORT = 5514;
export const METRICS_PORT = 9185;

/** Sixteen in the /64 of the first attacker over IPv6. */
export const NEIGHBOURS_IPV6: readonly string[] = Array.from(
  { length: 16 },
  (_, index) => `2001:db8:77:1::a${index.toString(16)}`,
);

/** Where clients of HTTP come from. */
export const METRICS_CLIENTS: readonly string[] = ATTACKERS_IPV4.slice(0, 4);

const MAX_MESSAGE_BYTES = 65_536;
const START_MILLISECONDS = 60_000;

const places = (port: number): string =>
  JSON.stringify(
    [HOST.ipv4, HOST.deviceIpv4, '127.0.0.1', `[${HOST.ipv6}]`].map((host) => `${host}:${port}`),
  );

const CONFIGURATION = `
[metrics]
listen = ${places(METRICS_PORT)}
[syslog]
udp = ${places(SYSLOG_PORT)}
tcp = ${places(SYSLOG_PORT)}
senders = ["127.0.0.0/8", "10.77.0.0/24", "2001:db8:77::/48"]
max_message_bytes = ${MAX_MESSAGE_BYTES}
[jail.sshd]
max_retry = 1
ban_time = "1h"
`;

/** As packaging/bailiff starts it. */
const NODE_ARGUMENTS = ['--max-semi-space-size=4', '--no-allocation-site-pretenuring'];

export class Scene {
  readonly bed: Bed;
  readonly daemon: Daemon;
  readonly journald: Journald;
  readonly #watch: ElementWatch;
  readonly #write: (address: string) => Promise<bigint>;
  #banned = 0;

  private constructor(
    parts: Pick<Scene, 'bed' | 'daemon' | 'journald'>,
    watch: ElementWatch,
    write: (address: string) => Promise<bigint>,
  ) {
    this.bed = parts.bed;
    this.daemon = parts.daemon;
    this.journald = parts.journald;
    this.#watch = watch;
    this.#write = write;
  }

  static async open(source: HonestSource): Promise<Scene> {
    const bed = await openBed();
    try {
      await bed.addAttackers(NEIGHBOURS_IPV6.map((address) => `${address}/48`));
      const journald = await Journald.start(bed, { settings: ['SystemMaxUse=4G', 'SystemMaxFileSize=1G'] });
      const daemon = await Daemon.start(bed, { configuration: CONFIGURATION, nodeArguments: NODE_ARGUMENTS });
      await daemon.waitForLine(/^\S+ ready$/, START_MILLISECONDS);
      const watch = await ElementWatch.start(bed);
      return new Scene({ bed, daemon, journald }, watch, await honestSender(bed, journald, source));
    } catch (error) {
      await bed.close();
      throw error;
    }
  }

  /** Starts a program of programs/ and resolves when it says that it has begun. */
  async attack(program: string, words: readonly string[], options: StartOptions = {}): Promise<BedProcess> {
    const running = await this.bed.start([process.execPath, pathOf(program), ...words], {
      at: 'attacker',
      ...options,
    });
    await running.waitForLine(/^begun$/, START_MILLISECONDS);
    return running;
  }

  /** Milliseconds from an honest failure to its ban in the kernel. */
  async ban(timeoutMilliseconds: number): Promise<number> {
    const index = this.#banned++;
    const address = `198.19.${1 + Math.floor(index / 250)}.${1 + (index % 250)}`;
    const added = this.#watch.added('ban4', address, timeoutMilliseconds);
    const [written, banned] = await Promise.all([this.#write(address), added]);
    return Number(banned - written) / 1_000_000;
  }

  /** Milliseconds until the control socket has answered, on a connection of its own. */
  ask(timeoutMilliseconds: number): Promise<number> {
    return timeRequest({ socketPath: this.daemon.socketPath, path: '/v1/version' }, timeoutMilliseconds);
  }

  /** Fills the kernel with so many bans of addresses that nobody has. */
  async fill(bans: number): Promise<void> {
    const filling = await this.attack(
      'offenders',
      [HOST.deviceIpv4, `${SYSLOG_PORT}`, '4000', `${bans}`],
      {},
    );
    await filling.ended;
    await waitFor(`${bans} bans`, START_MILLISECONDS, async () => {
      const { body } = await this.daemon.api('/v1/jails/sshd');
      return (body as { currentBans: number }).currentBans >= bans ? true : null;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watch.close();
    await this.bed.close();
  }
}

function timeRequest(
  where: { socketPath: string; path: string },
  timeoutMilliseconds: number,
): Promise<number> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request({ ...where, agent: false, timeout: timeoutMilliseconds }, (answer) => {
      answer.resume();
      answer.once('end', () => resolve(performance.now() - startedAt));
      answer.once('error', reject);
    });
    sent.once('timeout', () => sent.destroy(new Error('no answer')));
    sent.once('error', reject);
    sent.end();
  });
}

async function honestSender(
  bed: Bed,
  journald: Journald,
  source: HonestSource,
): Promise<(address: string) => Promise<bigint>> {
  const failure = (address: string): string => `Failed password for root from ${address} port 40022 ssh2`;
  if (source === 'journal') {
    const fields = { SYSLOG_IDENTIFIER: 'sshd', SYSLOG_FACILITY: '4', PRIORITY: '6' };
    return (address) => journald.write({ ...fields, MESSAGE: failure(address) });
  }
  const words =
    source === 'tcp'
      ? [pathOf('tcp-sender'), HOST.ipv6, `${SYSLOG_PORT}`, ATTACKERS_IPV6[1] ?? '']
      : [pathOf('../../bench/programs/datagram-sender'), HOST.deviceIpv4, `${SYSLOG_PORT}`];
  const sender = new TimedProcess(await bed.start([process.execPath, ...words], { at: 'attacker' }));
  return (address) => sender.ask(`<38>sshd[4711]: ${failure(address)}`);
}

function pathOf(program: string): string {
  return fileURLToPath(new URL(`programs/${program}.ts`, import.meta.url));
}
