/** The packages that `npm run package` has made, for the tests that install and examine them. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import metadata from '../../package.json' with { type: 'json' };

export const ROOT = resolve(import.meta.dirname, '../..');
export const PACKAGES = join(ROOT, 'build/packages');
const { version } = metadata;

/** The architecture of this machine, as Debian and RPM call it. */
export const HOST =
  process.arch === 'arm64' ? { deb: 'arm64', rpm: 'aarch64' } : { deb: 'amd64', rpm: 'x86_64' };

export function debFile(architecture: string = HOST.deb): string {
  return join(PACKAGES, `bailiff_${version}-1_${architecture}.deb`);
}

export function rpmFile(architecture: string = HOST.rpm): string {
  return join(PACKAGES, `bailiff-${version}-1.${architecture}.rpm`);
}

/** The package with the command fail2ban-client, the same for all architectures. */
export function clientDebFile(): string {
  return join(PACKAGES, `bailiff-fail2ban-client_${version}-1_all.deb`);
}

export function clientRpmFile(): string {
  return join(PACKAGES, `bailiff-fail2ban-client-${version}-1.noarch.rpm`);
}

/** Why there is nothing to test, for the skipped test's message; null when there is. */
export function missingPackages(...files: readonly string[]): string | null {
  const missing = files.find((file) => !existsSync(file));
  return missing === undefined ? null : `there is no ${missing}: npm run package`;
}

/** Runs a program to its end; throws, with its output, unless it exits with 0 or any status is welcome. */
export function run(argv: readonly string[], options: { readonly anyStatus?: boolean } = {}): string {
  const [command = '', ...words] = argv;
  const { status, stdout, stderr, error } = spawnSync(command, words, {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (error !== undefined) throw error;
  if (status !== 0 && options.anyStatus !== true)
    throw new Error(`${argv.join(' ')}: exit status ${status}\n${stdout}${stderr}`);
  return stdout + stderr;
}

/**
 * A package of the next revision, to upgrade to: the same files, but with one more line in the configuration. Packed
 * with less effort, which is what takes long.
 */
export function nextDeb(deb: string, output: string): string {
  const work = mkdtempSync(join(tmpdir(), 'bailiff-next-'));
  try {
    const tree = join(work, 'tree');
    run(['dpkg-deb', '--raw-extract', deb, tree]);
    edit(join(tree, 'DEBIAN/control'), (text) => text.replace(/^Version: .*$/m, `Version: ${version}-2`));
    edit(join(tree, 'etc/bailiff/bailiff.toml'), (text) => `${text}# A line of the next version.\n`);
    run(['dpkg-deb', '--root-owner-group', '-Zgzip', '-z1', '--build', tree, output]);
    return output;
  } finally {
    rmSync(work, { recursive: true });
  }
}

function edit(file: string, change: (text: string) => string): void {
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}
