/** What the integration tests have in common: a bed with a journald and the daemon in it, and failures to feed it. */

import type { WarningCode } from '../../src/core/warning/catalogue.ts';
import type {
  BanListReport,
  BanReport,
  JailStatusReport,
  StatusReport,
  WarningReport,
} from '../../src/http/control.ts';
import { readElements } from '../bed/kernel.ts';
import { type Bed, openBed } from '../bed/namespace.ts';
import { requirements } from '../bed/requirements.ts';
import { Daemon, type DaemonOptions } from '../bed/services/daemon.ts';
import type { JournalFields } from '../bed/services/journald.ts';
import { Journald } from '../bed/services/journald.ts';
import { PATIENCE_MILLISECONDS, waitFor } from '../bed/waiting.ts';

export type Scene = {
  readonly bed: Bed;
  readonly journald: Journald;
  readonly daemon: Daemon;
};

/** How long the daemon may take for what it does in milliseconds, on a machine that is busy with other things. */
export const SOON_MILLISECONDS = PATIENCE_MILLISECONDS;

/** What every scene needs. */
export const sceneMissing: string | false = requirements('namespaces', 'journald', 'nft') ?? false;

/** Three failures lead to a ban of ten minutes. */
export const CONFIGURATION = `
[jail.sshd]
max_retry = 3
find_time = "10m"
ban_time = "10m"
`;

export async function openScene(options: Partial<DaemonOptions> = {}): Promise<Scene> {
  const bed = await openBed();
  try {
    const journald = await Journald.start(bed);
    return { bed, journald, daemon: await startDaemon(bed, options) };
  } catch (error) {
    await bed.close();
    throw error;
  }
}

/** Starts the daemon and resolves when every part of it has said how it is. It must log to its output. */
export async function startDaemon(bed: Bed, options: Partial<DaemonOptions> = {}): Promise<Daemon> {
  const daemon = await Daemon.start(bed, { configuration: CONFIGURATION, ...options });
  await daemon.waitForLine(/^\S+ ready$/, SOON_MILLISECONDS);
  return daemon;
}

/** The line of OpenSSH for a wrong password. */
export function failedLogin(address: string, user = 'root'): string {
  return `Failed password for ${user} from ${address} port 40022 ssh2`;
}

/** A journal entry as sshd writes it. */
export function sshdEntry(message: string): JournalFields {
  return { SYSLOG_IDENTIFIER: 'sshd', SYSLOG_FACILITY: '4', PRIORITY: '6', MESSAGE: message };
}

/** Writes so many wrong passwords from the address to the journal, one after the other. */
export async function failLogins(journald: Journald, address: string, times: number): Promise<void> {
  for (let time = 0; time < times; time++) await journald.write(sshdEntry(failedLogin(address)));
}

export async function statusOf(daemon: Daemon): Promise<StatusReport> {
  return (await daemon.api('/v1/status')).body as StatusReport;
}

export async function jailOf(daemon: Daemon, name = 'sshd'): Promise<JailStatusReport> {
  return (await daemon.api(`/v1/jails/${name}`)).body as JailStatusReport;
}

export async function bansOf(daemon: Daemon): Promise<readonly BanReport[]> {
  return ((await daemon.api('/v1/bans')).body as BanListReport).bans;
}

/** Resolves to the ban when the daemon has it and the kernel has confirmed it. */
export function waitForBan(daemon: Daemon, offender: string): Promise<BanReport> {
  return waitFor(`the ban of ${offender}`, SOON_MILLISECONDS, async () => {
    const bans = await bansOf(daemon);
    return bans.find((ban) => ban.offender === offender && ban.enforced) ?? null;
  });
}

/** Resolves when the jail has counted this many failures in all. */
export async function waitForFailures(daemon: Daemon, total: number): Promise<void> {
  await waitFor(`${total} failures`, SOON_MILLISECONDS, async () => {
    const { totalFailures } = await jailOf(daemon);
    return totalFailures >= total ? true : null;
  });
}

/** The one warning of a kind that stands; throws when none does. */
export async function warningOf(daemon: Daemon, code: WarningCode): Promise<WarningReport> {
  const { warnings } = await statusOf(daemon);
  const found = warnings.find((warning) => warning.code === code);
  if (found === undefined) throw new Error(`no warning ${code} stands`);
  return found;
}

/** What one part of the daemon says of itself. */
export async function componentOf(daemon: Daemon, name: string): Promise<StatusReport['components'][number]> {
  const { components } = await statusOf(daemon);
  const found = components.find(({ component }) => component === name);
  if (found === undefined) throw new Error(`the status has no component ${name}`);
  return found;
}

/** The keys of a set of the table, sorted; empty when there is no such set. */
export async function keysOf(bed: Bed, set: string): Promise<string[]> {
  return ((await readElements(bed, set)) ?? []).map(({ key }) => key).sort();
}

/** The sum of all samples of this name that have these labels, whatever other labels they have. */
export function sumOf(
  samples: ReadonlyMap<string, number>,
  name: string,
  labels: Readonly<Record<string, string>>,
): number {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return [...samples]
    .filter(([sample]) => sample.startsWith(`${name}{`) && wanted.every((pair) => sample.includes(pair)))
    .reduce((sum, [, value]) => sum + value, 0);
}
