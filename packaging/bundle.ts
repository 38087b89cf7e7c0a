/**
 * The program as a package holds it: one JavaScript file for the command, one for each worker, chunks for what they
 * share or load late, all of them in one directory and for every architecture the same. koffi's native half lies beside
 * them as `koffi.node`.
 */
import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { basename } from 'node:path';
import { build, type Plugin } from 'esbuild';

export type Bundle = {
  /** The text of each file by its name; `main.mjs` is the command. */
  readonly files: ReadonlyMap<string, string>;
  /** Packages of npm whose code is in them, by name, sorted. */
  readonly packages: readonly string[];
};

/** koffi's native half, looked for beside the bundle. */
export const NATIVE_FILE = 'koffi.node';

/** CommonJS packages ask for Node's modules by require(), which a module does not have by itself. */
const REQUIRE = [
  "import { createRequire as createBundleRequire } from 'node:module';",
  'const require = createBundleRequire(import.meta.url);',
].join('\n');

/** Makes the bundle of the project at `root`. */
export async function makeBundle(root: string): Promise<Bundle> {
  const workers = await Array.fromAsync(glob('src/**/*.worker.ts', { cwd: root }));
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ['src/main.ts', ...workers.sort()],
    entryNames: '[name]',
    chunkNames: '[name]-[hash]',
    outdir: root,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node26',
    // Lines stay as they are: a stack trace names one of them and shows it.
    legalComments: 'none',
    banner: { js: REQUIRE },
    plugins: [workersBeside(), nativeBeside()],
    metafile: true,
    write: false,
    logLevel: 'warning',
  });
  return {
    files: new Map(outputFiles.map(({ path, text }) => [basename(path), text.replace(/^#!.*\n/, '')])),
    packages: packagesOf(Object.keys(metafile.inputs)),
  };
}

/** Workers are named by the URL of their source; in the bundle it is that of their bundled file. */
function workersBeside(): Plugin {
  return {
    name: 'workers-beside',
    setup: ({ onLoad }) => {
      onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => ({
        contents: readFileSync(path, 'utf8').replaceAll(
          /new URL\('\.\/([\w-]+\.worker)\.ts', import\.meta\.url\)/g,
          "new URL('./$1.mjs', import.meta.url)",
        ),
        loader: 'ts',
      }));
    },
  };
}

/** koffi asks a file of its own for a native half that a bundler has chosen, before it looks around. */
function nativeBeside(): Plugin {
  return {
    name: 'native-beside',
    setup: ({ onLoad }) => {
      onLoad({ filter: /\/koffi\/src\/koffi\/src\/static\.js$/ }, () => ({
        contents: [
          "import { createRequire } from 'node:module';",
          `export const loadStatic = () => createRequire(import.meta.url)('./${NATIVE_FILE}');`,
        ].join('\n'),
        loader: 'js',
      }));
    },
  };
}

/** `node_modules/@scope/name/file` is of `@scope/name`; a package within a package counts as itself. */
function packagesOf(inputs: readonly string[]): string[] {
  const names = inputs.flatMap((path) => /^.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []);
  return [...new Set(names)].sort();
}
