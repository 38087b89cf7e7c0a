/** An .rpm of a tree, by rpmbuild(8) from a spec that is written here. It is told to pack and to change nothing. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PackageOptions } from './deb.ts';
import { CONFIGURATION_FILES } from './layout.ts';
import { DESCRIPTION, filled, MAINTAINER, REVISION, type Release, SUMMARY } from './release.ts';
import { ARCHITECTURES } from './runtime.ts';
import { runTool } from './tools.ts';
import type { Entry, Tree } from './tree.ts';

/** By soname and command, which have the same names on Fedora, EL and openSUSE. */
const REQUIRES = [
  'libatomic.so.1()(64bit)',
  'libc.so.6(GLIBC_2.28)(64bit)',
  'libnftables.so.1()(64bit)',
  'libstdc++.so.6()(64bit)',
  'libsystemd.so.0()(64bit)',
  'nftables',
  'systemd',
];

const SCRIPTS: readonly string[] = ['post', 'preun', 'postun'];

/** Nothing may be stripped, compressed anew or depend on this machine; two threads give the same bytes as many do. */
const DEFINES: Readonly<Record<string, string>> = {
  __os_install_post: '%{nil}',
  __spec_install_pre: '%{nil}',
  debug_package: '%{nil}',
  _build_id_links: 'none',
  _buildhost: 'localhost',
  _binary_payload: 'w6T2.xzdio',
  use_source_date_epoch_as_buildtime: '1',
  clamp_mtime_to_source_date_epoch: '1',
  source_date_epoch_from_changelog: '0',
};

export type RpmContents = {
  readonly name: string;
  readonly release: Release;
  readonly tree: Tree;
  /** The text of the spec file. */
  readonly spec: string;
  /** The architecture as RPM calls it, or `noarch`. */
  readonly target: string;
  /** A directory for what is packed, emptied first. */
  readonly work: string;
  readonly output: string;
};

/** Makes the package and resolves to its path. */
export async function makeRpm(options: PackageOptions): Promise<string> {
  const { release, architecture, work, output } = options;
  const tree = options.tree.clone();
  tree.rename('usr/share/zsh/vendor-completions/_bailiff', 'usr/share/zsh/site-functions/_bailiff');
  tree.compressed('usr/share/doc/bailiff/changelog', release.changelog);
  tree.file('usr/share/licenses/bailiff/LICENSE', await readFile(join(options.root, 'LICENSE')));
  const target = ARCHITECTURES[architecture].rpm;
  return packRpm({
    name: 'bailiff',
    release,
    tree,
    spec: await specText(options, tree),
    target,
    work,
    output,
  });
}

/** Packs a tree by a spec and resolves to the package's path. */
export async function packRpm(contents: RpmContents): Promise<string> {
  const { release, tree, target, work, output } = contents;
  await rm(work, { recursive: true, force: true });
  const payload = join(work, 'payload');
  await mkdir(work, { recursive: true });
  await tree.write(payload, release.epoch);
  const spec = join(work, 'bailiff.spec');
  await writeFile(spec, contents.spec);
  const file = `${contents.name}-${release.version}-${REVISION}.${target}.rpm`;
  const defines = { ...DEFINES, _topdir: work, _rpmdir: output, _rpmfilename: file };
  await runTool(
    [
      ...['rpmbuild', '-bb', '--quiet', '--target', `${target}-linux`, '--buildroot', payload],
      ...Object.entries(defines).flatMap(([name, value]) => ['--define', `${name} ${value}`]),
      spec,
    ],
    { environment: { SOURCE_DATE_EPOCH: `${release.epoch}` } },
  );
  return join(output, file);
}

async function specText({ root, release }: PackageOptions, tree: Tree): Promise<string> {
  const script = async (name: string): Promise<string> =>
    `%${name}\n${await readFile(join(root, 'packaging/rpm', name), 'utf8')}`;
  return [
    `Name: bailiff\nVersion: ${release.version}\nRelease: ${REVISION}`,
    `Summary: ${SUMMARY[0]?.toUpperCase()}${SUMMARY.slice(1)}`,
    `License: Apache-2.0 AND MIT\nGroup: System Environment/Daemons\nPackager: ${MAINTAINER}`,
    ...REQUIRES.map((name) => `Requires: ${name}`),
    'Suggests: bailiff-fail2ban-client\nSuggests: fail2ban\nAutoReqProv: no',
    `%description\n${DESCRIPTION.map((paragraph) => filled(paragraph, 78).join('\n')).join('\n\n')}`,
    ...(await Promise.all(SCRIPTS.map(script))),
    `%files\n%defattr(-,root,root)\n${fileLines(tree).join('\n')}`,
    `%changelog\n${changelogEntry(release)}`,
    '',
  ].join('\n');
}

/** Directories that are ours are named too, so that they go with the package. */
export function fileLines(tree: Tree): string[] {
  const directories = new Set<string>();
  const lines = tree.entries().map(([path, entry]) => {
    const own = /^((?:.*\/)?bailiff)\//.exec(path);
    for (let parent = path; own?.[1] !== undefined && parent.length > own[1].length; ) {
      parent = parent.slice(0, parent.lastIndexOf('/'));
      directories.add(parent);
    }
    return fileLine(path, entry);
  });
  return [...[...directories].sort().map((path) => `%dir /${path}`), ...lines];
}

function fileLine(path: string, entry: Entry): string {
  if (entry.kind === 'directory') return `%dir /${path}`;
  if (CONFIGURATION_FILES.includes(path)) return `%config(noreplace) /${path}`;
  if (path.startsWith('usr/share/licenses/')) return `%license /${path}`;
  if (path.startsWith('usr/share/doc/') || path.startsWith('usr/share/man/')) return `%doc /${path}`;
  return `/${path}`;
}

export function changelogEntry(release: Release): string {
  const [day, date, month, year] = new Date(release.epoch * 1000).toUTCString().replace(',', '').split(' ');
  return [
    `* ${day} ${month} ${date} ${year} ${MAINTAINER} - ${release.version}-${REVISION}`,
    `- Version ${release.version}; what is new stands in /usr/share/doc/bailiff/changelog.gz.`,
  ].join('\n');
}
