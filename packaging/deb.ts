/** A .deb of a tree: deb(5), deb-control(5). dpkg-deb packs it, sorted and with the times that the tree has. */
import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CONFIGURATION_FILES } from './layout.ts';
import { DESCRIPTION, filled, MAINTAINER, REVISION, type Release, SUMMARY } from './release.ts';
import type { Architecture } from './runtime.ts';
import { runTool } from './tools.ts';
import type { Tree } from './tree.ts';

/** Node's binary needs the first three; the daemon opens the libraries of nftables and systemd itself. */
const DEPENDS = [
  'libc6 (>= 2.28)',
  'libstdc++6 (>= 9)',
  'libatomic1',
  'libnftables1',
  'libsystemd0',
  'nftables',
  'systemd (>= 247)',
];

const APPARMOR_PROFILE = 'etc/apparmor.d/bailiff';
const CONFFILES: readonly string[] = [...CONFIGURATION_FILES, APPARMOR_PROFILE];
const DOCUMENTATION = 'usr/share/doc/bailiff';
const CONTROL_MODE = 0o644;
const SCRIPT_MODE = 0o755;
const SCRIPTS: readonly string[] = ['postinst', 'prerm', 'postrm'];
const DESCRIPTION_COLUMNS = 78;

export type PackageOptions = {
  readonly root: string;
  readonly release: Release;
  readonly architecture: Architecture;
  /** What all formats have in common; it is not changed. */
  readonly tree: Tree;
  /** A directory for what is packed, emptied first. */
  readonly work: string;
  readonly output: string;
};

export type DebContents = {
  readonly release: Release;
  readonly tree: Tree;
  /** The control file, deb-control(5). */
  readonly control: string;
  /** Without the leading slash. */
  readonly conffiles: readonly string[];
  /** Those of the maintainer, by name. */
  readonly scripts: ReadonlyMap<string, string>;
  /** A directory for what is packed, emptied first. */
  readonly work: string;
  /** Where the package is put. */
  readonly file: string;
};

/** Makes the package and resolves to its path. */
export async function makeDeb(options: PackageOptions): Promise<string> {
  const { root, release, architecture, work, output } = options;
  const tree = await debianTree(options);
  const scripts = new Map<string, string>();
  for (const script of SCRIPTS)
    scripts.set(script, await readFile(join(root, 'packaging/debian', script), 'utf8'));
  const file = join(output, `bailiff_${debianVersion(release)}_${architecture}.deb`);
  const control = controlText(release, architecture, tree);
  await packDeb({ release, tree, control, conffiles: CONFFILES, scripts, work, file });
  return file;
}

/** Packs what is of Debian's form already. */
export async function packDeb(contents: DebContents): Promise<void> {
  const { release, tree, work } = contents;
  await tree.write(work, release.epoch);
  const control = join(work, 'DEBIAN');
  await mkdir(control);
  const write = async (name: string, text: string, mode = CONTROL_MODE): Promise<void> => {
    await writeFile(join(control, name), text);
    await chmod(join(control, name), mode);
    await utimes(join(control, name), release.epoch, release.epoch);
  };
  await write('control', contents.control);
  await write('md5sums', checksums(tree, contents.conffiles));
  if (contents.conffiles.length > 0)
    await write('conffiles', contents.conffiles.map((path) => `/${path}\n`).join(''));
  for (const [name, text] of contents.scripts) await write(name, text, SCRIPT_MODE);
  await utimes(control, release.epoch, release.epoch);
  await utimes(work, release.epoch, release.epoch);
  await runTool(['dpkg-deb', '--root-owner-group', '-Zxz', '--build', work, contents.file], {
    environment: { SOURCE_DATE_EPOCH: `${release.epoch}` },
  });
}

export function debianVersion({ version }: Release): string {
  return `${version}-${REVISION}`;
}

async function debianTree({ root, release, tree }: PackageOptions): Promise<Tree> {
  const debian = tree.clone();
  debian.file(APPARMOR_PROFILE, await readFile(join(root, 'packaging/apparmor/bailiff')));
  debian.file(
    'usr/share/lintian/overrides/bailiff',
    await readFile(join(root, 'packaging/debian/lintian-overrides')),
  );
  debian.file(`${DOCUMENTATION}/copyright`, await readFile(join(root, 'packaging/debian/copyright')));
  debian.compressed(`${DOCUMENTATION}/changelog`, release.changelog);
  debian.compressed(`${DOCUMENTATION}/changelog.Debian`, debianChangelog(release));
  return debian;
}

function controlText(release: Release, architecture: Architecture, tree: Tree): string {
  const description = DESCRIPTION.map((paragraph) =>
    filled(paragraph, DESCRIPTION_COLUMNS)
      .map((line) => ` ${line}\n`)
      .join(''),
  );
  return [
    'Package: bailiff\n',
    `Version: ${debianVersion(release)}\n`,
    `Architecture: ${architecture}\n`,
    `Maintainer: ${MAINTAINER}\n`,
    `Installed-Size: ${installedKibibytes(tree)}\n`,
    `Depends: ${DEPENDS.join(', ')}\n`,
    'Suggests: bailiff-fail2ban-client, fail2ban, prometheus\n',
    'Section: net\n',
    'Priority: optional\n',
    `Description: ${SUMMARY}\n`,
    description.join(' .\n'),
  ].join('');
}

/** As dpkg-gencontrol(1) counts: whole kibibytes of each file, one for anything else. */
export function installedKibibytes(tree: Tree): number {
  return tree
    .entries()
    .reduce((sum, [, entry]) => sum + (entry.kind === 'file' ? Math.ceil(entry.bytes.length / 1024) : 1), 0);
}

/** dpkg has sums of its own for conffiles. */
function checksums(tree: Tree, conffiles: readonly string[]): string {
  return tree
    .entries()
    .filter(([path]) => !conffiles.includes(path))
    .flatMap(([path, entry]) =>
      entry.kind === 'file' ? [`${createHash('md5').update(entry.bytes).digest('hex')}  ${path}\n`] : [],
    )
    .join('');
}

export function debianChangelog(release: Release, name = 'bailiff'): string {
  // RFC 5322 as date -R writes it, in UTC.
  const date = new Date(release.epoch * 1000).toUTCString().replace('GMT', '+0000');
  return [
    `${name} (${debianVersion(release)}) unstable; urgency=medium\n`,
    `  * Version ${release.version}; what is new stands in changelog.gz.\n`,
    ` -- ${MAINTAINER}  ${date}\n`,
  ].join('\n');
}
