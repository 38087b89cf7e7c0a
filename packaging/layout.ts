/** What the packages of all formats hold, and where: hier(7), file-hierarchy(7). */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHECKED_FILTERS_FILE, checkedLine } from '../src/config/filters/checked-filters.ts';
import { makeBundle, NATIVE_FILE } from './bundle.ts';
import { thirdPartyLicences } from './licences.ts';
import type { Runtime } from './runtime.ts';
import { runTool } from './tools.ts';
import { Tree } from './tree.ts';

/** Not /usr/lib: SELinux lets init start what is in /usr/libexec as it does what is in /usr/bin. */
const PROGRAM = 'usr/libexec/bailiff';
const SHARE = 'usr/share/bailiff';
const DOCUMENTATION = 'usr/share/doc/bailiff';
const UNITS = 'usr/lib/systemd/system';

/** Files that belong to the administrator once they are installed. */
export const CONFIGURATION_FILES: readonly string[] = ['etc/bailiff/bailiff.toml'];

export type Layout = {
  /** All that is the same for every architecture and format. */
  readonly tree: Tree;
  /** Packages of npm whose code is in it. */
  readonly packages: readonly string[];
};

/** Builds and gathers what depends neither on the architecture nor on the format. */
export async function layOut(root: string): Promise<Layout> {
  const tree = new Tree();
  const work = await mkdtemp(join(tmpdir(), 'bailiff-package-'));
  try {
    const bundle = await makeBundle(root);
    for (const [file, text] of bundle.files) tree.file(`${PROGRAM}/${file}`, text);
    tree.executable('usr/bin/bailiff', await readFile(join(root, 'packaging/bailiff')));
    await addShared(tree, root);
    await addUnits(tree, join(root, 'packaging/systemd'));
    await addManners(tree, root, join(work, 'generated'));
    tree.file('etc/bailiff/bailiff.toml', await readFile(join(root, 'packaging/bailiff.toml')));
    tree.directory('etc/bailiff/conf.d');
    tree.directory('etc/bailiff/filters');
    return { tree, packages: bundle.packages };
  } finally {
    await rm(work, { recursive: true });
  }
}

/** The layout with what depends on the architecture. */
export async function withRuntime(layout: Layout, root: string, runtime: Runtime): Promise<Tree> {
  const tree = layout.tree.clone();
  tree.executable(`${PROGRAM}/node`, runtime.node);
  tree.file(`${PROGRAM}/${NATIVE_FILE}`, runtime.koffi);
  const licences = await thirdPartyLicences(root, layout.packages, runtime.nodePackage);
  tree.compressed(`${DOCUMENTATION}/third-party-licences`, licences);
  return tree;
}

async function addShared(tree: Tree, root: string): Promise<void> {
  await tree.copy(join(root, 'etc/filters'), `${SHARE}/filters`);
  tree.file(`${SHARE}/filters/${CHECKED_FILTERS_FILE}`, await checkedFilters(join(root, 'etc/filters')));
  tree.file(`${SHARE}/jails.toml`, await readFile(join(root, 'etc/jails.toml')));
  await tree.copy(join(root, 'etc/grafana'), `${SHARE}/grafana`);
  await tree.copy(join(root, 'etc/prometheus'), `${SHARE}/prometheus`);
  await tree.copy(join(root, 'docs'), DOCUMENTATION);
}

/** The linter passes every filter that is in the repository, as `npm test` proves. */
async function checkedFilters(directory: string): Promise<string> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.toml')).sort();
  const lines = names.map(async (name) =>
    checkedLine(name.slice(0, -'.toml'.length), await readFile(join(directory, name), 'utf8')),
  );
  return `${(await Promise.all(lines)).join('\n')}\n`;
}

async function addUnits(tree: Tree, directory: string): Promise<void> {
  for (const name of (await readdir(directory)).sort()) {
    const contents = await readFile(join(directory, name));
    if (name.endsWith('.sysusers')) tree.file('usr/lib/sysusers.d/bailiff.conf', contents);
    else if (name.endsWith('.tmpfiles')) tree.file('usr/lib/tmpfiles.d/bailiff.conf', contents);
    else if (name.endsWith('.preset')) tree.file('usr/lib/systemd/system-preset/80-bailiff.preset', contents);
    else tree.file(`${UNITS}/${name}`, contents);
  }
}

/** Manual pages, completions and schemas, made from the program itself. */
async function addManners(tree: Tree, root: string, directory: string): Promise<void> {
  await runTool([process.execPath, 'packaging/generate.ts', directory], { directory: root });
  for (const page of (await readdir(join(directory, 'man'))).sort()) {
    const section = page.slice(page.lastIndexOf('.') + 1);
    tree.compressed(`usr/share/man/man${section}/${page}`, await readFile(join(directory, 'man', page)));
  }
  const completion = (shell: string): Promise<Buffer> => readFile(join(directory, 'completions', shell));
  tree.file('usr/share/bash-completion/completions/bailiff', await completion('bash'));
  tree.file('usr/share/fish/vendor_completions.d/bailiff.fish', await completion('fish'));
  tree.file('usr/share/zsh/vendor-completions/_bailiff', await completion('zsh'));
  await tree.copy(join(directory, 'schema'), `${SHARE}/schema`);
}
