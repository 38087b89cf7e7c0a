/**
 * The package bailiff-fail2ban-client: the command `fail2ban-client`, for scripts and dashboards that call it. It is a
 * package of its own because fail2ban, which may run beside bailiff, has a command of that name.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { debianChangelog, debianVersion, installedKibibytes, packDeb } from './deb.ts';
import { filled, MAINTAINER, REVISION, type Release } from './release.ts';
import { changelogEntry, fileLines, packRpm } from './rpm.ts';
import { Tree } from './tree.ts';

const NAME = 'bailiff-fail2ban-client';
const SUMMARY = 'fail2ban-client for bailiff';
const DESCRIPTION =
  'The command fail2ban-client, which takes the words of that of fail2ban, asks the daemon of bailiff, and answers ' +
  'as fail2ban does. Scripts and dashboards that call it go on working when bailiff takes its place.';
const DESCRIPTION_COLUMNS = 78;
const COMMAND = '#!/bin/sh\nexec /usr/bin/bailiff fail2ban-client "$@"\n';

export type ClientOptions = {
  readonly root: string;
  readonly release: Release;
  /** A directory for what is packed, emptied first. */
  readonly work: string;
  readonly output: string;
};

/** Makes the .deb and resolves to its path. */
export async function makeClientDeb({ root, release, work, output }: ClientOptions): Promise<string> {
  const tree = clientTree();
  const documentation = `usr/share/doc/${NAME}`;
  const copyright = await readFile(join(root, 'packaging/debian/copyright'), 'utf8');
  // The comment is on Node.js, which is not in this package.
  tree.file(`${documentation}/copyright`, copyright.replace(/^Comment:.*/ms, ''));
  tree.compressed(`${documentation}/changelog`, release.changelog);
  tree.compressed(`${documentation}/changelog.Debian`, debianChangelog(release, NAME));
  const control = [
    `Package: ${NAME}`,
    `Version: ${debianVersion(release)}`,
    'Architecture: all',
    `Maintainer: ${MAINTAINER}`,
    `Installed-Size: ${installedKibibytes(tree)}`,
    `Depends: bailiff (>= ${release.version})`,
    'Conflicts: fail2ban',
    'Section: net',
    'Priority: optional',
    `Description: ${SUMMARY}`,
    ...filled(DESCRIPTION, DESCRIPTION_COLUMNS).map((line) => ` ${line}`),
    '',
  ].join('\n');
  const file = join(output, `${NAME}_${debianVersion(release)}_all.deb`);
  await packDeb({ release, tree, control, conffiles: [], scripts: new Map(), work, file });
  return file;
}

/** Makes the .rpm and resolves to its path. */
export async function makeClientRpm({ root, release, work, output }: ClientOptions): Promise<string> {
  const tree = clientTree();
  tree.file(`usr/share/licenses/${NAME}/LICENSE`, await readFile(join(root, 'LICENSE')));
  const spec = [
    `Name: ${NAME}\nVersion: ${release.version}\nRelease: ${REVISION}\nSummary: ${SUMMARY}`,
    `License: Apache-2.0\nGroup: System Environment/Daemons\nPackager: ${MAINTAINER}\nBuildArch: noarch`,
    `Requires: bailiff >= ${release.version}\nConflicts: fail2ban-server\nAutoReqProv: no`,
    `%description\n${filled(DESCRIPTION, DESCRIPTION_COLUMNS).join('\n')}`,
    `%files\n%defattr(-,root,root)\n%dir /usr/share/licenses/${NAME}\n${fileLines(tree).join('\n')}`,
    `%changelog\n${changelogEntry(release)}`,
    '',
  ].join('\n');
  return packRpm({ name: NAME, release, tree, spec, target: 'noarch', work, output });
}

function clientTree(): Tree {
  const tree = new Tree();
  tree.executable('usr/bin/fail2ban-client', COMMAND);
  tree.link('usr/share/man/man1/fail2ban-client.1.gz', '../man8/bailiff-fail2ban-client.8.gz');
  return tree;
}
