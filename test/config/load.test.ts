import assert from 'node:assert/strict';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { formatProblem, formatProblemLine, MAX_PROBLEMS } from '../../src/config/document/problem.ts';
import { type LoadedConfig, type LoadOptions, loadConfig } from '../../src/config/load.ts';
import { FOREVER, MINUTE } from '../../src/core/time.ts';
import { assertGolden, fixture, tomlNames } from './golden.ts';

const FILTERS = [{ path: fixture('filters'), strict: true }];

function load(configPath: string, options: Partial<LoadOptions> = {}): LoadedConfig {
  return loadConfig({
    configPath,
    uid: 0,
    env: {},
    filterDirectories: FILTERS,
    presetsPath: null,
    servicesPath: fixture('services'),
    ...options,
  });
}

/** Writes `files` by name into a directory of their own and loads bailiff.toml from there. */
function loadFiles(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  options: Partial<LoadOptions> = {},
) {
  const directory = mkdtempSync(join(tmpdir(), 'bailiff-config-'));
  t.after(() => rmSync(directory, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  const loaded = load(join(directory, 'bailiff.toml'), options);
  const lines = loaded.problems.map((problem) => formatProblemLine(problem).replaceAll(`${directory}/`, ''));
  return { ...loaded, directory, lines };
}

for (const name of tomlNames('bad')) {
  test(`bad/${name} is refused, and every problem in it is named with its place`, () => {
    const { plan, problems, warnings } = load(fixture('bad', name));
    assert.equal(plan, null);
    assert.deepEqual(warnings, []);
    assertGolden('bad', name, 'txt', problems.map(formatProblem).join('\n'));
  });
}

for (const name of tomlNames('good')) {
  test(`good/${name} becomes the plan that is expected`, () => {
    const { plan, problems, warnings } = load(fixture('good', name));
    assert.deepEqual(problems.map(formatProblem), []);
    const shown = { ...plan, filters: plan?.filters.map((filter) => filter.name) };
    assertGolden('good', name, 'plan.txt', JSON.stringify(shown, null, 2));
    if (warnings.length > 0)
      assertGolden('good', name, 'warnings.txt', warnings.map(formatProblem).join('\n'));
  });
}

test('the shipped configuration is good: syslog and metrics on loopback, five failures in ten minutes', () => {
  const configPath = join(import.meta.dirname, '../../etc/bailiff.toml');
  const { plan, problems, warnings } = loadConfig({ configPath, uid: 0, env: {} });
  assert.deepEqual([...problems, ...warnings].map(formatProblem), []);
  const listen = [
    { host: '127.0.0.1', port: 5514 },
    { host: '::1', port: 5514 },
  ];
  assert.deepEqual([plan?.syslog.udp, plan?.syslog.tcp], [listen, listen]);
  assert.deepEqual(plan?.metrics.listen, [{ host: '127.0.0.1', port: 9185 }]);
  assert.equal(plan?.jails.length, 2);
  const [jail, manual] = plan?.jails ?? [];
  assert.deepEqual(
    [manual?.policy.name, manual?.filters, manual?.policy.banTime],
    ['manual', [], 10 * MINUTE],
  );
  assert.deepEqual([jail?.filters, jail?.mode, jail?.policy.ports], [['sshd'], 'normal', null]);
  const { name, maxRetry, findTime, banTime } = jail?.policy ?? {};
  assert.deepEqual([name, maxRetry, findTime, banTime], ['sshd', 5, 10 * MINUTE, 10 * MINUTE]);
  assert.deepEqual(jail?.policy.ignore.networks, ['127.0.0.0/8', '::1']);
});

test('the jail manual has no filter, comes last, and alone does not mean that anybody is banned', (t) => {
  const alone = loadFiles(t, { 'bailiff.toml': '[jail.manual]\nban_time = "1d"\n' });
  assert.deepEqual(
    alone.plan?.jails.map(({ policy, filters }) => [policy.name, policy.banTime, filters]),
    [['manual', 24 * 60 * MINUTE, []]],
  );
  assert.match(alone.warnings.map(formatProblemLine).join(), /nobody will be banned/);
  const fed = loadFiles(t, { 'bailiff.toml': '[jail.manual]\nfilters = ["sshd"]\n[jail.nginx]\n' });
  assert.deepEqual(
    fed.plan?.jails.map(({ policy, filters }) => [policy.name, filters]),
    [
      ['nginx', ['nginx']],
      ['manual', ['sshd']],
    ],
  );
});

test('a jail that can never count anything is told, with what keeps it from it', (t) => {
  const filterDirectories = [{ path: fixture('blind-filters'), strict: false }];
  const text =
    '[jail.late]\n[jail.never]\n[jail.recidive]\nenabled = true\n[jail.all]\nfilters = ["late", "recidive"]\n';
  const warningsOf = (more: string) => {
    const { lines, warnings } = loadFiles(t, { 'bailiff.toml': `${text}${more}` }, { filterDirectories });
    assert.deepEqual(lines, []);
    return warnings.map(formatProblemLine).map((line) => line.replace(/^.*\/bailiff\.toml:/, ''));
  };
  assert.deepEqual(warningsOf(''), [
    '1:7: jail `late` will never ban: its mode is "normal", and its filters have rules for failures from "aggressive" on; write `mode = "aggressive"`, if you want what they find',
    '2:7: jail `never` will never ban: no rule of its filters is of kind failure',
    '4:11: jail `recidive` sees no ban of bailiff: it does not read what it logs itself, and no other host can send its log here ([syslog]); unless fail2ban or SSHGuard ban on this host too, nothing is counted',
  ]);
  assert.doesNotMatch(
    warningsOf('[syslog]\nudp = ["192.168.1.2:514"]\n').join(),
    /recidive/,
    'others can send bans',
  );
});

test('drop-ins are read in the byte order of their names: tables merge, later values and lists replace', (t) => {
  const { plan, lines, files, directory } = loadFiles(t, {
    'bailiff.toml':
      '[trust]\naddresses = ["192.0.2.1", "192.0.2.2"]\n[jail.sshd]\nmax_retry = 3\nban_time = "1h"\n',
    'conf.d/10-first.toml': '[jail.sshd]\nmax_retry = 10\nmode = "extra"\n',
    'conf.d/9-last.toml': '[trust]\naddresses = ["192.0.2.3"]\n[jail.sshd]\nmax_retry = 9\n',
    'conf.d/.hidden.toml': 'this is = = not read',
    'conf.d/10-first.toml.bak': 'this is = = not read',
  });
  assert.deepEqual(lines, []);
  assert.deepEqual(
    files,
    ['bailiff.toml', 'conf.d/10-first.toml', 'conf.d/9-last.toml'].map((name) => join(directory, name)),
  );
  assert.deepEqual(plan?.trust, ['192.0.2.3']);
  const [jail] = plan?.jails ?? [];
  assert.deepEqual([jail?.policy.maxRetry, jail?.policy.banTime, jail?.mode], [9, 60 * MINUTE, 'extra']);
});

test('lists of tables add up: each file may have senders of its own, and a problem is told where it stands', (t) => {
  const sender = (name: string, address: string) =>
    `[[sender]]\nname = "${name}"\naddresses = ["${address}"]\n`;
  const files = {
    'bailiff.toml': sender('main', '192.168.1.1'),
    'conf.d/a.toml': sender('one', '192.168.1.2') + sender('two', '192.168.1.3'),
    'conf.d/b.toml': 'sender = [{ name = "three", addresses = ["192.168.1.4"] }]',
  };
  const { plan, lines } = loadFiles(t, files);
  assert.deepEqual(lines, []);
  assert.deepEqual(
    plan?.senders.configured.map(({ name }) => name),
    ['main', 'one', 'two', 'three'],
  );
  const doubled = loadFiles(t, { ...files, 'conf.d/c.toml': `# a copy\n${sender('four', '192.168.1.2')}` });
  assert.equal(doubled.plan, null);
  assert.deepEqual(doubled.lines, [
    'conf.d/c.toml:4:14: "192.168.1.2" is taken: sender "one" has it, conf.d/a.toml:3:14',
  ]);
});

test('every file names its own problems, and a value of one file is judged where it is written', (t) => {
  const { plan, lines } = loadFiles(t, {
    'bailiff.toml': '[jail.sshd]\nmax_retry = 3\n',
    'conf.d/a.toml': '[jail.sshd\n',
    'conf.d/b.toml': 'x = \n',
    'conf.d/c.toml': '[jail.sshd]\n\n  max_retry = 0\n',
  });
  assert.equal(plan, null);
  assert.deepEqual(lines, [
    'conf.d/a.toml:1:11: this table name is not closed: end it with ]',
    'conf.d/b.toml:1:4: a value is missing',
  ]);
  const merged = loadFiles(t, {
    'bailiff.toml': '[jail.sshd]\nmax_retry = 3\n',
    'conf.d/c.toml': '[jail.sshd]\n\n  max_retry = 0\n',
  });
  assert.deepEqual(merged.lines, [
    'conf.d/c.toml:3:15: `max_retry` is 0: expected a whole number from 1 to 1000',
  ]);
});

test('a jail whose filter was refused stays out with its reason, and the rest runs', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'bailiff-config-'));
  t.after(() => rmSync(directory, { recursive: true }));
  cpSync(fixture('filters'), join(directory, 'filters'), { recursive: true });
  writeFileSync(join(directory, 'filters/broken.toml'), 'rules = []\n');
  const configPath = join(directory, 'bailiff.toml');
  writeFileSync(configPath, '[jail.sshd]\n[jail.web]\nfilters = ["nginx", "broken"]\n');
  const filterDirectories = [{ path: join(directory, 'filters'), strict: false }];
  const loaded = load(configPath, { filterDirectories });
  const stays = `${configPath}:3:1: jail \`web\` stays out: filter \`broken\` cannot be used`;
  const reason = `${directory}/filters/broken.toml:1:9: \`rules\` is an empty list: expected 1 to 200 tables [[rules]]`;
  assert.deepEqual(loaded.problems.map(formatProblemLine), [stays, reason]);
  assert.deepEqual(
    loaded.plan?.jails.map((jail) => jail.policy.name),
    ['sshd'],
  );
  assert.deepEqual(loaded.plan?.refusedJails, [{ name: 'web', problems: [stays] }]);
  assert.deepEqual(loaded.plan?.refusedFilters, [{ name: 'broken', problems: [reason] }]);
});

test('what the command line says goes before the file', () => {
  const overrides = { stateDir: '/srv/state', socket: '/srv/socket', dryRun: true };
  const { plan } = load(fixture('good', 'full.toml'), { overrides });
  assert.deepEqual(
    [plan?.stateDirectory, plan?.socketPath, plan?.firewall.backend],
    ['/srv/state', '/srv/socket', 'dry-run'],
  );
  const { plan: same } = load(fixture('good', 'empty.toml'), { overrides: { dryRun: false } });
  assert.equal(same?.firewall.backend, 'nft');
});

test('a socket path too long to bind is refused wherever it comes from', () => {
  const long = `/${'x'.repeat(120)}`;
  const option = load(fixture('good', 'empty.toml'), { overrides: { socket: long } });
  assert.equal(option.plan, null);
  assert.match(
    option.problems.map(formatProblemLine).join(),
    /^--socket: the path of the control socket is longer/,
  );
  const home = load(fixture('good', 'empty.toml'), { uid: 1000, env: { HOME: long } });
  assert.equal(home.plan, null);
});

test('a file that cannot be read is a problem of its own', (t) => {
  assert.deepEqual(loadFiles(t, {}).lines, ['bailiff.toml: cannot be read: there is no such file']);
  const { lines } = loadFiles(t, { 'bailiff.toml/x': '' });
  assert.deepEqual(lines, ['bailiff.toml: cannot be read: it is not a regular file']);
  const loop = mkdtempSync(join(tmpdir(), 'bailiff-config-'));
  t.after(() => rmSync(loop, { recursive: true }));
  symlinkSync('bailiff.toml', join(loop, 'bailiff.toml'));
  assert.match(load(join(loop, 'bailiff.toml')).problems[0]?.message ?? '', /leads nowhere/);
});

test('a file that may not be read is a problem of its own', (t) => {
  if (process.getuid?.() === 0) return t.skip('root may read everything');
  const { directory } = loadFiles(t, { 'bailiff.toml': '' });
  chmodSync(join(directory, 'bailiff.toml'), 0);
  assert.match(load(join(directory, 'bailiff.toml')).problems[0]?.message ?? '', /permission denied/);
});

test('a file of any length is answered with a bounded number of problems', (t) => {
  const unknown = Array.from({ length: 20_000 }, (_, index) => `key${index} = 1`).join('\n');
  assert.equal(loadFiles(t, { 'bailiff.toml': unknown }).lines.length, MAX_PROBLEMS + 1);
  const values = `[trust]\naddresses = [${'7, '.repeat(9_000)}]`;
  const { lines } = loadFiles(t, { 'bailiff.toml': values });
  assert.equal(lines.length, MAX_PROBLEMS + 1);
  assert.match(lines.at(-1) ?? '', /there is more/);
  const { lines: tooLong } = loadFiles(t, { 'bailiff.toml': '#'.repeat(1_048_577) });
  assert.deepEqual(tooLong, ['bailiff.toml: cannot be read: it is longer than 1048576 bytes']);
});

test('the plan is frozen in depth', () => {
  const { plan } = load(fixture('good', 'full.toml'));
  const frozen = [plan, plan?.syslog.udp, plan?.jails[0]?.policy, plan?.filters[0]?.rules[0]?.samples];
  assert.ok(frozen.every((part) => part !== undefined && Object.isFrozen(part)));
  assert.ok(plan?.jails[0]?.policy.ignore.has('127.0.0.1'));
  assert.equal(plan?.jails[1]?.policy.banTime, FOREVER);
});

test('no file makes it throw or lets a control character through to the terminal', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'bailiff-config-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const configPath = join(directory, 'bailiff.toml');
  const line = fc.oneof(
    fc.constantFrom('[jail.sshd]', '[jail."x"]', '[defaults]', '[[syslog]]', '[', '"', "'''", '"""', '}', ''),
    fc
      .tuple(fc.constantFrom('max_retry', 'jail.sshd.ports', 'find_time', 'x', '"\\u001b"'), fc.json())
      .map((pair) => pair.join(' = ')),
    fc.string({ unit: 'binary' }),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), fc.constantFrom('\n', '\r\n'), (lines, end) => {
      writeFileSync(configPath, lines.join(end));
      const { plan, problems } = load(configPath, { filterDirectories: [] });
      assert.ok(plan !== null || problems.length > 0);
      for (const problem of problems) {
        assert.doesNotMatch(formatProblem(problem).replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        assert.equal(problem.excerpt?.split('\n').length ?? 2, 2);
      }
    }),
    { numRuns: 200 },
  );
});

test('the jails that come with the program are off, and one line enables one', (t) => {
  const presets = join(mkdtempSync(join(tmpdir(), 'bailiff-presets-')), 'jails.toml');
  t.after(() => rmSync(dirname(presets), { recursive: true }));
  writeFileSync(presets, '[jail.sshd]\nenabled = false\nmax_retry = 7\n');
  const options = { presetsPath: presets };
  assert.deepEqual(loadFiles(t, { 'bailiff.toml': '' }, options).plan?.jails, []);
  const { plan, files } = loadFiles(t, { 'bailiff.toml': '[jail.sshd]\nenabled = true\n' }, options);
  assert.equal(plan?.jails[0]?.policy.maxRetry, 7);
  assert.equal(files.length, 1, 'the presets are no file of the user');
});

/** A filter of the user with what it says of its jail. */
const gateFilter = (jail: string) => `${jail}
[[rules]]
name = "refused"
template = "refused <address>"
samples = [
  { line = "refused 203.0.113.9", address = "203.0.113.9" },
  { line = "let in 203.0.113.9", match = false },
]
`;

/** Loads a configuration with gate.toml among the filters of the user, and presets that have a jail of that name. */
function loadGate(t: TestContext, config: string, filter: string, presets: string | null = null) {
  const directory = mkdtempSync(join(tmpdir(), 'bailiff-gate-'));
  t.after(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'gate.toml'), filter);
  const presetsPath = presets === null ? null : join(directory, 'presets');
  if (presetsPath !== null) writeFileSync(presetsPath, presets ?? '');
  const filterDirectories = [...FILTERS, { path: directory, strict: false }];
  return loadFiles(t, { 'bailiff.toml': config }, { presetsPath, filterDirectories });
}

test("a filter of the user's own brings the preset of its jail, which one line enables", (t) => {
  const filter = gateFilter(
    '[jail]\ngroup = "web"\ncaution = "Mind the step."\nmax_retry = 2\nban_time = "1h"\nmode = "extra"',
  );
  const gate = (config: string) => {
    const { plan, lines } = loadGate(t, config, filter);
    assert.deepEqual(lines, []);
    return plan?.jails.map(({ policy, mode }) => [policy.name, policy.maxRetry, policy.banTime, mode]);
  };
  assert.deepEqual(gate(''), [], 'the filter alone enables nothing');
  assert.deepEqual(gate('[jail.gate]\n'), [['gate', 2, 60 * MINUTE, 'extra']]);
  assert.deepEqual(gate('[defaults]\nmax_retry = 9\n[jail.gate]\nmode = "normal"\n'), [
    ['gate', 2, 60 * MINUTE, 'normal'],
  ]);
  assert.deepEqual(gate('[jail.door]\nfilters = ["gate"]\n'), [['door', 5, 10 * MINUTE, 'normal']]);
});

test('a filter of the user in the place of one of ours brings its own preset, and enables nothing', (t) => {
  const presets = '[jail.gate]\nenabled = false\nmax_retry = 7\nban_time = "2h"\n';
  const gate = (config: string, jail: string) =>
    loadGate(t, config, gateFilter(jail), presets).plan?.jails.map(({ policy }) => [
      policy.maxRetry,
      policy.banTime,
    ]);
  assert.deepEqual(gate('[jail.gate]\n', '[jail]\nmax_retry = 2'), []);
  assert.deepEqual(gate('[jail.gate]\nenabled = true\n', '[jail]\nmax_retry = 2'), [[2, 120 * MINUTE]]);
  assert.deepEqual(gate('[jail.gate]\nenabled = true\n', ''), [[7, 120 * MINUTE]]);
});

test('a preset with a mistake keeps its own jail out and harms no other', (t) => {
  for (const jail of ['max_retry = 0', 'enabled = true', 'filters = ["sshd"]']) {
    const { plan, lines } = loadGate(t, '[jail.gate]\n[jail.sshd]\n', gateFilter(`[jail]\n${jail}`));
    assert.deepEqual(
      plan?.jails.map(({ policy }) => policy.name),
      ['sshd'],
      jail,
    );
    assert.equal(lines.length, 2, jail);
    assert.match(lines[0] ?? '', /jail `gate` stays out: filter `gate` cannot be used/);
    assert.match(lines[1] ?? '', /gate\.toml:2:\d+: /);
  }
});

test('the daemon loads only the filters that its jails use, and still knows the names of the others', (t) => {
  const options = { filtersInUseOnly: true };
  const names = loadFiles(t, { 'bailiff.toml': '[jail.sshd]\n' }, options).plan?.filters.map(
    ({ name }) => name,
  );
  assert.deepEqual(names, ['sshd']);
  const [problem] = loadFiles(t, { 'bailiff.toml': '[jail.ssh]\n' }, options).problems;
  assert.match(problem?.message ?? '', /did you mean "sshd"\?$/);
});

test('of a file that cannot be understood it loads none: a mistake must not hold it up', (t) => {
  const { directory } = loadFiles(t, { 'bailiff.toml': '', 'filters/gate.toml': 'no filter' });
  const filterDirectories = [{ path: join(directory, 'filters'), strict: false }];
  const reported = (filtersInUseOnly: boolean) =>
    loadFiles(t, { 'bailiff.toml': '[jail.sshd\n' }, { filtersInUseOnly, filterDirectories }).lines.filter(
      (line) => line.startsWith('gate.toml') || line.includes('/gate.toml'),
    ).length;
  assert.equal(reported(true), 0);
  assert.ok(reported(false) > 0, 'check looks at all of them');
});
