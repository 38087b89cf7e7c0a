/** etc/jails.toml: a jail for each filter that comes along and has a [jail], all of them off. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument, toPlain } from '../../src/config/document/document.ts';
import type { JAIL_GROUPS } from '../../src/config/filters/keys.ts';
import { MANUAL_JAIL } from '../../src/core/ledger/policy.ts';
import { toToml } from './settings.ts';

const HEAD = `# Jails for the filters that come with bailiff, all of them off but the last, which is for bans by hand. To have one, name it in a file in conf.d/:
#
#     [jail.postfix]
#     enabled = true
#
# Whatever you write there takes the place of what is here: max_retry, find_time, ban_time, mode, or
# ports = ["tcp/25", "tcp/587"] to ban from these ports only, instead of from the whole host. This file comes with the
# program and is read first; edit copies, not this. It is made from the [jail] of each filter.
`;

const MANUAL = `# ---- By hand ----

# What \`bailiff ban ADDRESS\` bans, when it names no jail. No filter feeds it.
[jail.${MANUAL_JAIL}]
enabled = true
`;

type Group = (typeof JAIL_GROUPS)[number];

/** In the order of the file. */
const CHAPTERS: Readonly<Record<Group, string>> = {
  mail: 'Mail',
  ftp: 'FTP',
  web: 'Web servers',
  applications: 'Applications',
  logins: 'Remote logins and PAM',
  databases: 'Databases and directories',
  'name-servers': 'Name servers: queries come by UDP, whose source can be made up',
  vpn: 'VPN and proxies',
  chat: 'Telephony, chat and games',
  firewalls: 'Firewalls and port scans: the source of a single packet can be made up',
  devices: 'Devices',
  other: 'Further services',
};

/** The [jail] of a filter as it is written. */
type Preset = Readonly<Record<string, unknown>> & { readonly group?: Group; readonly caution?: string };

/** The whole file, of the filters in a directory; within a chapter by name. */
export function jailsFile(directory: string): string {
  const presets = new Map<string, Preset>();
  for (const file of readdirSync(directory).sort()) {
    if (!file.endsWith('.toml')) continue;
    const preset = readPreset(join(directory, file));
    if (preset !== null) presets.set(file.slice(0, -'.toml'.length), preset);
  }
  const chapters = Object.entries(CHAPTERS).flatMap(([group, title]) => {
    const jails = [...presets].filter(([, preset]) => (preset.group ?? 'other') === group);
    return jails.length === 0 ? [] : [`# ---- ${title} ----\n`, ...jails.map(writeJail)];
  });
  return [HEAD, ...chapters, MANUAL].join('\n');
}

function readPreset(file: string): Preset | null {
  const { root } = parseDocument({ file, text: readFileSync(file, 'utf8') });
  const { jail } = (root === null ? {} : toPlain(root)) as { readonly jail?: Preset };
  return jail ?? null;
}

function writeJail([name, { group: _, caution, ...settings }]: [string, Preset]): string {
  const keys = Object.entries(settings).map(([key, value]) => `${key} = ${toToml(value)}\n`);
  const above = caution === undefined ? '' : `# ${caution}\n`;
  return `${above}[jail.${name}]\nenabled = false\n${keys.join('')}`;
}
