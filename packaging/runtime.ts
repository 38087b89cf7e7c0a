/**
 * What a package holds that depends on the architecture: the pinned Node.js and koffi's native half, from the packages
 * of npm that package-lock.json names. Those for this machine are installed; others npm fetches while the package is
 * built, and they are held against the digests in the lock.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { stripElf } from './elf.ts';
import { runTool } from './tools.ts';

/** Debian's names of the architectures, npm's and RPM's. */
export const ARCHITECTURES = {
  amd64: { npm: 'x64', rpm: 'x86_64' },
  arm64: { npm: 'arm64', rpm: 'aarch64' },
} as const;
export type Architecture = keyof typeof ARCHITECTURES;

export type Runtime = {
  /** Without symbols, which are a fifth of it. */
  readonly node: Buffer;
  readonly koffi: Buffer;
  /** The directory of Node's package, for its licence. */
  readonly nodePackage: string;
};

type Locked = { readonly version: string; readonly integrity: string };

/** Reads the runtime for an architecture; what npm has to fetch is kept in `cache`. */
export async function readRuntime(root: string, architecture: Architecture, cache: string): Promise<Runtime> {
  const { npm } = ARCHITECTURES[architecture];
  const nodePackage = await findPackage(root, `node-linux-${npm}`, cache);
  const koffiPackage = await findPackage(root, `@koromix/koffi-linux-${npm}`, cache);
  return {
    node: stripElf(await readFile(join(nodePackage, 'bin/node'))),
    koffi: stripElf(await readFile(join(koffiPackage, `linux_${npm}/koffi.node`))),
    nodePackage,
  };
}

/** The directory of a package as the lock names it. */
async function findPackage(root: string, name: string, cache: string): Promise<string> {
  const installed = join(root, 'node_modules', name);
  if (existsSync(join(installed, 'package.json'))) return installed;
  const { version, integrity } = await lockedPackage(root, name);
  const directory = join(cache, `${name.replaceAll('/', '-')}-${version}`);
  const unpacked = join(directory, 'package');
  if (existsSync(join(unpacked, 'package.json'))) return unpacked;
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  await runTool(['npm', 'pack', '--silent', '--pack-destination', directory, `${name}@${version}`], {
    directory: root,
  });
  const archive = join(directory, (await readdir(directory))[0] ?? '');
  await verify(archive, integrity);
  await runTool([
    'tar',
    '--extract',
    '--gzip',
    '--no-same-owner',
    '--file',
    archive,
    '--directory',
    directory,
  ]);
  await rm(archive);
  return unpacked;
}

async function lockedPackage(root: string, name: string): Promise<Locked> {
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, Locked>>;
  };
  const locked = lock.packages[`node_modules/${name}`];
  if (locked === undefined) throw new Error(`package-lock.json has no ${name}`);
  return locked;
}

/** Subresource Integrity's form: the algorithm, a hyphen, the digest in base64. */
async function verify(file: string, integrity: string): Promise<void> {
  const [algorithm = '', expected] = integrity.split(/-(.*)/s);
  const found = createHash(algorithm)
    .update(await readFile(file))
    .digest('base64');
  if (found !== expected)
    throw new Error(`${file} is not what package-lock.json names: ${algorithm}-${found}`);
}
