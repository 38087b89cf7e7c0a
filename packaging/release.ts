/** What the packages say of themselves, the same in all formats. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool } from './tools.ts';

export type Release = {
  /** As in package.json. */
  readonly version: string;
  /** Seconds since 1970: the time of every file, and of the changelog's last entry. */
  readonly epoch: number;
  readonly changelog: string;
};

/** Counts packages of the same version; a change in packaging alone raises it. */
export const REVISION = 1;

export const SUMMARY = 'bans attackers that journald and syslog report';

/** One paragraph a line. */
export const DESCRIPTION: readonly string[] = [
  'bailiff reads the systemd journal and receives syslog from routers, NAS boxes and other hosts, finds failed ' +
    'logins and other attacks in what they report, and bans the offenders in nftables sets whose elements time out ' +
    'in the kernel. It exports metrics for Prometheus.',
  'SSH is protected as soon as the package is installed. Filters for some 150 other services and devices come along; ' +
    'a line of configuration enables each. The configuration of fail2ban can be imported.',
];

export const MAINTAINER = 'The bailiff project <bailiff@users.noreply.invalid>';

/** SOURCE_DATE_EPOCH when it is set (reproducible-builds.org), else the time of the last commit. */
export async function readRelease(root: string): Promise<Release> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    readonly version: string;
  };
  const changelog = await readFile(join(root, 'CHANGELOG.md'), 'utf8');
  const given = process.env.SOURCE_DATE_EPOCH ?? '';
  const epoch = Number(given || (await runTool(['git', 'log', '-1', '--format=%ct'], { directory: root })));
  if (!Number.isSafeInteger(epoch) || epoch <= 0) throw new Error(`SOURCE_DATE_EPOCH=${given} is no time`);
  return { version, epoch, changelog };
}

/** Fills `words` into lines of at most `columns`. */
export function filled(words: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of words.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line];
}
