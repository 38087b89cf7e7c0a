/**
 * `npm run package`: the packages of bailiff, all from one machine.
 *
 *     sh packaging/node.sh packaging/build.ts [--arch amd64,arm64] [--format deb,rpm] [--output build/packages]
 *
 * The same sources give the same bytes, see SOURCE_DATE_EPOCH in release.ts. Needs dpkg-deb, rpmbuild, tar and npm.
 */
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { makeClientDeb, makeClientRpm } from './client.ts';
import { makeDeb, type PackageOptions } from './deb.ts';
import { layOut, withRuntime } from './layout.ts';
import { readRelease } from './release.ts';
import { makeRpm } from './rpm.ts';
import { ARCHITECTURES, type Architecture, readRuntime } from './runtime.ts';

const ROOT = resolve(import.meta.dirname, '..');

const FORMATS: Readonly<Record<string, (options: PackageOptions) => Promise<string>>> = {
  deb: makeDeb,
  rpm: makeRpm,
};

/** The package with the command `fail2ban-client`, the same for all architectures. */
const CLIENT_FORMATS: Readonly<Record<string, typeof makeClientDeb>> = {
  deb: makeClientDeb,
  rpm: makeClientRpm,
};

const { values } = parseArgs({
  options: {
    arch: { type: 'string', default: Object.keys(ARCHITECTURES).join(',') },
    format: { type: 'string', default: Object.keys(FORMATS).join(',') },
    output: { type: 'string', default: join(ROOT, 'build/packages') },
  },
});

const output = resolve(values.output);
await mkdir(output, { recursive: true });
const work = await mkdtemp(join(tmpdir(), 'bailiff-build-'));
try {
  const release = await readRelease(ROOT);
  const layout = await layOut(ROOT);
  for (const architecture of values.arch.split(',').map(architectureOf)) {
    const runtime = await readRuntime(ROOT, architecture, join(ROOT, 'build/cache'));
    const tree = await withRuntime(layout, ROOT, runtime);
    for (const format of values.format.split(',')) {
      const make = FORMATS[format];
      if (make === undefined)
        throw new Error(`--format ${format}: one of ${Object.keys(FORMATS).join(', ')}`);
      const file = await make({ root: ROOT, release, architecture, tree, work: join(work, format), output });
      console.log(`${file} ${((await stat(file)).size / 1e6).toFixed(1)} MB`);
    }
  }
  for (const format of values.format.split(',')) {
    const options = { root: ROOT, release, work: join(work, `client-${format}`), output };
    console.log(await CLIENT_FORMATS[format]?.(options));
  }
} finally {
  await rm(work, { recursive: true });
}

function architectureOf(name: string): Architecture {
  if (Object.hasOwn(ARCHITECTURES, name)) return name as Architecture;
  throw new Error(`--arch ${name}: one of ${Object.keys(ARCHITECTURES).join(', ')}`);
}
