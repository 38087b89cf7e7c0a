import assert from 'node:assert/strict';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { crowdedFolders, MAX_FOLDER_FILES } from './folder-rules.ts';
import * as rules from './tidy-rules.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const code = read('{src,test}/**/*.ts');
const everything = [
  ...code,
  ...read('{src,test,packaging,etc,docs,.ci}/**/*.{sh,toml,md,json,yaml,yml,service}'),
  ...read('*.{md,json}').filter((file) => file.path !== 'package-lock.json'),
];
const sources = new Set(code.map((file) => file.path).filter((path) => path.startsWith('src/')));

/** Names of directories that every machine has, or that anybody would give a clone: hier(7). */
const ANYBODYS =
  /^(?:bin|boot|dev|etc|home|lib|lib64|media|mnt|opt|proc|root|run|sbin|srv|sys|tmp|usr|var|local|share|src|bailiff)$/;
const OWN_DIRECTORIES = particularDirectories(ROOT.split('/').slice(1));

for (const [sentence, rule, files] of [
  [`no file of src/ has more than ${rules.MAX_LINES} lines`, rules.fileLength, code],
  [`no line is wider than ${rules.MAX_COLUMNS} columns`, rules.lineLength, code],
  ['nothing is left undone', rules.nothingLeftUndone, everything],
  ['every file of src/ begins with what it is for', rules.purposeComment, code],
  ['every file of src/ is in a layer', rules.knownLayer, code],
  ['pure layers read no clock, arm no timer, draw no number and touch no process', rules.purity, code],
  ['one place reads the clocks of the machine', rules.oneClock, code],
  ['only main.ts ends the process', rules.oneExit, code],
  ['no file hands on what another one holds', rules.noBarrels, code],
  ['no file names a path of this machine', rules.noMachinePaths(OWN_DIRECTORIES), everything],
  ['every test of a layer has the file that it tests', rules.mirrored(sources), code],
] as const) {
  test(sentence, () => {
    assert.ok(files.length > 0);
    assert.deepEqual(files.flatMap(rule), []);
  });
}

test(`no folder has more than ${MAX_FOLDER_FILES} files of code: it has wings`, () => {
  assert.deepEqual(crowdedFolders([...code, ...read('packaging/**/*.ts')]), []);
  const files = (count: number) =>
    Array.from({ length: count }, (_, number) => ({ path: `src/core/${number}.ts`, text: '' }));
  assert.deepEqual(crowdedFolders(files(MAX_FOLDER_FILES)), []);
  assert.deepEqual(crowdedFolders([...files(17), { path: 'src/core/a/b.ts', text: '' }]), [
    'src/core/: 17 files, of 16',
  ]);
});

/** For each rule: files that it must complain of, and files that look like those and are fine. */
const CASES: readonly {
  readonly rule: rules.TidyRule;
  readonly bad: readonly [path: string, text: string][];
  readonly good: readonly [path: string, text: string][];
}[] = [
  {
    rule: rules.fileLength,
    bad: [['src/core/long.ts', 'a;\n'.repeat(401)]],
    good: [
      ['src/core/long.ts', 'a;\n'.repeat(400)],
      ['test/core/long.test.ts', 'a;\n'.repeat(900)],
    ],
  },
  {
    rule: rules.lineLength,
    bad: [
      ['src/core/a.ts', 'x'.repeat(121)],
      ['src/core/a.ts', `// ${'x'.repeat(118)}`],
      ['test/core/a.test.ts', `call(${'x'.repeat(121)});`],
    ],
    good: [
      ['src/core/a.ts', 'ü'.repeat(120)],
      ['src/core/a.ts', `// https://example.org/${'x'.repeat(121)}`],
      ['test/core/a.test.ts', `call('${'x'.repeat(121)}', "it's");`],
    ],
  },
  {
    rule: rules.nothingLeftUndone,
    bad: [
      ['src/core/a.ts', `// ${'TO'}DO: more`],
      ['docs/a.md', `a ${'FIX'}ME`],
    ],
    good: [['docs/a.md', 'mktemp x.XXXXXX']],
  },
  {
    rule: rules.purposeComment,
    bad: [
      ['src/core/a.ts', "import 'node:net';\n/** Late. */"],
      ['src/core/a.ts', '/** */\nexport const a = 1;'],
    ],
    good: [
      ['src/core/a.ts', '/** What it is. */\n'],
      ['src/core/a.ts', '/**\n * What it is.\n */\n'],
      ['src/main.ts', '#!/usr/bin/env node\n/** What it is. */\n'],
    ],
  },
  {
    rule: rules.knownLayer,
    bad: [
      ['src/helpers/a.ts', ''],
      ['src/a.ts', ''],
    ],
    good: [
      ['src/main.ts', ''],
      ['src/http/a.ts', ''],
      ['test/sim/a.ts', ''],
    ],
  },
  {
    rule: rules.purity,
    bad: [
      ['src/core/a.ts', 'const at = Date.now();'],
      ['src/core/a.ts', 'const at = new Date();'],
      ['src/syslog/a.ts', 'setTimeout(f, 1);'],
      ['src/match/a.ts', 'const n = Math.random();'],
      ['src/match/a.ts', 'const { env } = process;'],
      ['src/match/a.ts', 'const later = { setTimeout };'],
    ],
    good: [
      ['src/core/a.ts', '/** Never Date.now(), nor process.exit. */\nconst text = "Math.random()";'],
      ['src/core/a.ts', 'const at = new Date(at / 1000).toISOString();'],
      ['src/core/a.ts', 'type T = { process: string }; const word = record.process;'],
      ['src/daemon/clock.ts', 'const at = Date.now();'],
    ],
  },
  {
    rule: rules.oneClock,
    bad: [
      ['src/sources/a.ts', 'const at = Date.now();'],
      ['src/sources/a.ts', 'const clock = { now: Date.now };'],
      ['src/daemon/a.ts', 'const at = performance.now();'],
      ['src/daemon/a.ts', 'const at = globalThis.performance.now();'],
      ['src/metrics/a.ts', 'const at = performance.timeOrigin;'],
      ['src/native/a.ts', 'const at = process.hrtime.bigint();'],
      ['src/native/a.ts', 'const at = process.uptime();'],
      ['src/cli/a.ts', 'const at = new Date();'],
      ['src/cli/a.ts', 'const at = new Date;'],
      ['src/cli/a.ts', 'const at = Date();'],
      ['src/cli/a.ts', "import { performance as watch } from 'node:perf_hooks';"],
    ],
    good: [
      ['src/native/machine-clocks.ts', 'const at = Date.now();'],
      ['src/cli/a.ts', 'const at = new Date(instant);\n// Not Date.now().'],
      ['src/metrics/a.ts', 'performance.eventLoopUtilization();'],
      ['src/sources/a.ts', 'setTimeout(look, 1_000);'],
      ['test/core/a.test.ts', 'const at = Date.now();'],
    ],
  },
  {
    rule: rules.oneExit,
    bad: [['src/cli/run.ts', 'if (bad) process.exit(1);']],
    good: [
      ['src/cli/run.ts', 'process.exitCode = 1;'],
      ['src/main.ts', 'process.exit(1);'],
    ],
  },
  {
    rule: rules.noBarrels,
    bad: [
      ['src/core/index.ts', "export * from './time.ts';"],
      ['src/core/index.ts', "export { a } from './time.ts';"],
    ],
    good: [['src/core/a.ts', 'const a = 1;\nexport { a };']],
  },
  {
    rule: rules.noMachinePaths(['/build/place']),
    bad: [
      ['docs/a.md', 'see /build/place/src'],
      ['src/core/a.ts', "const a = '/build/place';"],
    ],
    good: [['docs/a.md', 'see /build/places and https://example.org/build/place']],
  },
  {
    rule: rules.mirrored(new Set(['src/core/time.ts', 'src/sources/journal.worker.ts'])),
    bad: [['test/core/tune.test.ts', '']],
    good: [
      ['test/core/time.test.ts', ''],
      ['test/core/time.leap.test.ts', ''],
      ['test/sources/journal.worker.test.ts', ''],
      ['test/sim/anything.test.ts', ''],
      ['test/core/helper.ts', ''],
    ],
  },
];

test('each rule finds what breaks it, and nothing in what does not', () => {
  assert.equal(CASES.length, Object.values(rules).filter((value) => typeof value === 'function').length);
  for (const { rule, bad, good } of CASES) {
    for (const [path, text] of bad) assert.equal(rule({ path, text }).length, 1, `${path}: ${text}`);
    for (const [path, text] of good) assert.deepEqual(rule({ path, text }), [], `${path}: ${text}`);
  }
});

/** Where this checkout is, and what lies beside its top, unless anybody's machine could have that. */
function particularDirectories(names: readonly string[]): string[] {
  const [top = ''] = names;
  if (names.length < 2 || names.every((name) => ANYBODYS.test(name))) return [];
  return ANYBODYS.test(top) ? [ROOT] : [ROOT, ...readdirSync(`/${top}`).map((name) => `/${top}/${name}`)];
}

function read(pattern: string): rules.SourceFile[] {
  return globSync(pattern, { cwd: ROOT }).map((path) => ({
    path,
    text: readFileSync(`${ROOT}/${path}`, 'utf8'),
  }));
}
