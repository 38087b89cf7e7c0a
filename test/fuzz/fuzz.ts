/**
 * npm run fuzz [-- SECONDS]: framing, parsing and matching under Jazzer.js, which keeps the inputs that reach code that
 * none before has reached, and makes new ones of them. It begins with the samples of all filters. An input that makes
 * something throw is left in the directory that is named first; Jazzer.js says how to try it again.
 *
 * Jazzer.js instruments what is loaded with require(), so the sources are made one file of that kind first. It is
 * installed below build/ (`jazzer/package.json`), as nothing else needs the hundred packages that it is made of.
 */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { buildSync } from 'esbuild';
import { loadFilters } from '../../src/config/filters/filter-file.ts';
import type { Filter } from '../../src/match/filter.ts';
import { PIECES } from './messages.ts';

const DEFAULT_SECONDS = 600;
const MAX_INPUT_BYTES = 2_048;
/** The first input compiles hundreds of expressions, and the machine may have other work. */
const MAX_INPUT_MILLISECONDS = 60_000;

/** Of the GNU C library: what Jazzer.js 4.0.0 was built with. Debian 13 and Ubuntu 24.04 have it. */
const MIN_LIBRARY = { major: 2, minor: 38 } as const;

checkLibrary();
const seconds = Number(process.argv[2] ?? DEFAULT_SECONDS);
const directory = process.env.BAILIFF_FUZZ_DIRECTORY ?? mkdtempSync(join(tmpdir(), 'bailiff-fuzz.'));
const corpus = join(directory, 'corpus');
prepare();
console.log(
  `inputs that reach something new are kept in ${corpus}, those that break something in ${directory}`,
);
fuzz();

function checkLibrary(): void {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  const [major = 0, minor = 0] = (header.glibcVersionRuntime ?? '').split('.').map(Number);
  if (major > MIN_LIBRARY.major || (major === MIN_LIBRARY.major && minor >= MIN_LIBRARY.minor)) return;
  console.error(
    `Jazzer.js needs the GNU C library ${MIN_LIBRARY.major}.${MIN_LIBRARY.minor}, and this machine has ` +
      `${major}.${minor}: run it on Debian 13, or take test/fuzz/*.test.ts with BAILIFF_FUZZ_RUNS=1000000`,
  );
  process.exit(1);
}

/** Writes what the target and the fuzzer read. */
function prepare(): void {
  mkdirSync(corpus, { recursive: true });
  const filterDirectory = { path: resolve(import.meta.dirname, '../../etc/filters'), strict: true };
  const { filters } = loadFilters([filterDirectory], false);
  writeFileSync(join(directory, 'filters.json'), JSON.stringify(filters));
  for (const [name, input] of seeds(filters)) writeFileSync(join(corpus, name), input);
  writeFileSync(join(directory, 'pieces.dict'), PIECES.map(dictionaryLine).join(''));
  buildSync({
    entryPoints: [join(import.meta.dirname, 'target.ts')],
    outfile: join(directory, 'target.cjs'),
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node26',
  });
}

/** Jazzer.js ends the process. */
function fuzz(): void {
  const options = [`-max_total_time=${seconds}`, `-max_len=${MAX_INPUT_BYTES}`, '-dict=pieces.dict'];
  const timeout = ['--timeout', String(MAX_INPUT_MILLISECONDS)];
  const words = [
    'target.cjs',
    'corpus',
    '--sync',
    '--disableBugDetectors',
    '.*',
    ...timeout,
    '--',
    ...options,
  ];
  process.env.BAILIFF_FUZZ_FILTERS = join(directory, 'filters.json');
  process.chdir(directory);
  process.argv.splice(2, Number.POSITIVE_INFINITY, ...words, '-print_final_stats=1');
  createRequire(resolve(import.meta.dirname, '../../build/fuzz/package.json'))('@jazzer.js/core/dist/cli.js');
}

/** The samples of all filters, each as a message over TCP. */
function* seeds(filters: readonly Filter[]): Generator<[string, Buffer]> {
  for (const { name, input, rules } of filters) {
    const identifier = input.identifiers[0]?.replace(/\*$/, '') ?? '';
    for (const [index, { line }] of rules.flatMap(({ samples }) => samples).entries()) {
      yield [`${name}-${index}`, Buffer.from(`\0<38>Nov 20 10:00:00 vm ${identifier}[7]: ${line}\n`)];
    }
  }
}

/** As libFuzzer reads dictionaries. */
function dictionaryLine(piece: string): string {
  const escaped = [...Buffer.from(piece)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`);
  return `"${escaped.join('')}"\n`;
}
