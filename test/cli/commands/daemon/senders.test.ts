import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { type TestContext, test } from 'node:test';
import { SENDERS, STATUS } from '../../../http/fake-control.ts';
import { startServer } from '../../../http/running-server.ts';
import { assertGolden, run } from '../../fake-terminal.ts';

/** A configuration of its own with one jail, and a daemon that says it runs with it. */
async function setUp(t: TestContext, { isRunning = true } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'bailiff-senders-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const config = join(directory, 'bailiff.toml');
  writeFileSync(config, '[jail.sshd]\nenabled = true\n');
  const running = isRunning ? await startServer(t) : null;
  if (running !== null) running.control.state = { ...STATUS, configuration: config };
  const socket = running?.socketPath ?? join(directory, 'nobody.sock');
  const senders = (...words: string[]) => run(['senders', ...words, '--socket', socket]);
  const dropIn = join(directory, 'conf.d', 'sender-nas1.toml');
  const dropIns = () => (existsSync(join(directory, 'conf.d')) ? readdirSync(join(directory, 'conf.d')) : []);
  return { directory, config, senders, dropIn, dropIns, control: running?.control ?? null };
}

test('senders shows who sends what, who was refused and what was lost', async (t) => {
  const { senders } = await setUp(t);
  const { status, out, error } = await senders();
  assert.deepEqual([status, error], [0, '']);
  assertGolden('senders', out);
});

test('senders says when nobody has sent anything, and prints JSON for programs', async (t) => {
  const { senders, control } = await setUp(t);
  assert.deepEqual(JSON.parse((await senders('--json')).out), SENDERS);
  assert.ok(control !== null);
  control.sendersReport = { senders: [], refused: [], lost: [] };
  assert.equal((await senders()).out, 'nobody has sent anything');
});

test('what a sender wrote cannot drive the terminal', async (t) => {
  const { senders, control } = await setUp(t);
  assert.ok(control !== null);
  const [nas] = SENDERS.senders;
  assert.ok(nas !== undefined);
  const evil = '\x1b[31m\u202e\n';
  control.sendersReport = {
    senders: [{ ...nas, name: evil, sender: evil, dialects: [{ dialect: evil, count: 1 }], relays: [evil] }],
    refused: [{ address: evil, transports: [evil], reason: evil, count: 1, lastSeen: evil }],
    lost: [{ listener: evil, count: 1 }],
  };
  for (const words of [[], ['--json']]) {
    const { out } = await senders(...words);
    assert.doesNotMatch(out, /[\x1b\u202e]/);
  }
});

test('adopt writes a drop-in, tells the daemon, and leaves nothing else behind', async (t) => {
  const { senders, dropIn, dropIns, control } = await setUp(t);
  const { status, out, error } = await senders('adopt', '192.168.1.10/32', '--name', 'nas1');
  assert.deepEqual([status, error], [0, '']);
  assert.equal(out, `nas1 is 192.168.1.10: ${dropIn}\nreloaded`);
  assert.equal(
    readFileSync(dropIn, 'utf8'),
    '# Written by bailiff senders adopt.\n\n[[sender]]\nname = "nas1"\naddresses = ["192.168.1.10"]\n',
  );
  assert.deepEqual(dropIns(), ['sender-nas1.toml']);
  assert.deepEqual(control?.calls, ['status', 'reload']);
});

test('adopting the same again changes nothing and succeeds', async (t) => {
  const { senders, dropIn, control } = await setUp(t);
  const words = ['adopt', '192.168.1.10', '--name', 'nas1'];
  const first = JSON.parse((await senders(...words, '--json')).out);
  assert.deepEqual(first, { name: 'nas1', file: dropIn, changed: true, reloaded: true });
  const { status, out } = await senders(...words, '--json');
  assert.deepEqual([status, JSON.parse(out)], [0, { ...first, changed: false, reloaded: false }]);
  assert.equal((await senders(...words)).out, `nas1 is 192.168.1.10 already: ${dropIn}`);
  assert.deepEqual(control?.calls, ['status', 'reload', 'status', 'status']);
});

test('what adopt writes can be read by the daemon, whatever the umask is', async (t) => {
  const { directory, senders, dropIn } = await setUp(t);
  const before = process.umask(0o077);
  t.after(() => process.umask(before));
  assert.equal((await senders('adopt', '192.168.1.10', '--name', 'nas1')).status, 0);
  assert.equal(statSync(dropIn).mode & 0o777, 0o644);
  assert.equal(statSync(join(directory, 'conf.d')).mode & 0o777, 0o755);
});

test('adopt writes down all that it is told', async (t) => {
  const { senders, dropIn } = await setUp(t);
  const words = ['--certificate', 'nas1.example', 'x"\\y', '--over', 'tls', 'tcp', '--jail', 'sshd'];
  const more = ['--dialect', 'rfc5424', '--relay', '--low-confidence'];
  const { status, error } = await senders('adopt', '192.168.1.0/24', '--name', 'nas1', ...words, ...more);
  assert.equal(status, 0);
  assert.match(error, /sender-nas1\.toml:6:16: warning: nobody is asked for a certificate/);
  assert.deepEqual(readFileSync(dropIn, 'utf8').split('\n').slice(3, -1), [
    'name = "nas1"',
    'addresses = ["192.168.1.0/24"]',
    'certificates = ["nas1.example","x\\"\\\\y"]',
    'transports = ["tls","tcp"]',
    'jails = ["sshd"]',
    'dialect = "rfc5424"',
    'relay = true',
    'confidence = "low"',
  ]);
});

test('adopt warns of a network that half of the internet is in', async (t) => {
  const { senders, dropIns } = await setUp(t);
  const { status, error } = await senders('adopt', '128.0.0.0/1', '--name', 'all');
  assert.equal(status, 0);
  assert.match(
    error,
    /:5:14: warning: "128\.0\.0\.0\/1" holds 2\^31 addresses: anybody can have anybody banned/,
  );
  assert.deepEqual(dropIns(), ['sender-all.toml']);
});

test('without a daemon adopt checks the configuration itself', async (t) => {
  const { config, senders, dropIn } = await setUp(t, { isRunning: false });
  const adopted = await senders('adopt', '192.168.1.10', '--name', 'nas1', '--config', config);
  assert.equal(adopted.status, 0);
  assert.match(adopted.out, /the daemon is not running: it will know when it starts$/);
  const again = await senders('adopt', '192.168.1.11', '--name', 'nas1', '--config', config);
  assert.deepEqual([again.status, again.error], [1, `bailiff: cannot write ${dropIn}: it is there already`]);
  assert.match(readFileSync(dropIn, 'utf8'), /192\.168\.1\.10/, 'the first one stays');
});

test('the running daemon is told of its file however that is named', async (t) => {
  const { config, senders } = await setUp(t);
  const adopted = await senders('adopt', '192.168.1.10', '--name', 'nas1', '--config', relative('.', config));
  assert.match(adopted.out, /reloaded$/);
});

test('what the configuration would not bear is refused, and taken back', async (t) => {
  const { config, senders, dropIns } = await setUp(t);
  const taken = '[[sender]]\nname = "nas1"\naddresses = ["192.168.1.10"]\n';
  writeFileSync(config, `[jail.sshd]\n${taken}`);
  for (const [words, reason] of [
    [['192.168.1.99', '--name', 'nas1'], /sender-nas1\.toml:4:8: "nas1" is taken/],
    [['192.168.1.10', '--name', 'nas2'], /sender-nas2\.toml:5:14: "192\.168\.1\.10" is taken/],
    [['192.168.1.99', '--name', 'nas2', '--jail', 'ssdh'], /unknown jail "ssdh": did you mean "sshd"/],
    [['192.168.1.99', '--name', 'nas2', '--dialect', '\x1b[31m'], /`dialect` is "\\x1b\[31m"/],
  ] as const) {
    const { status, error } = await senders('adopt', ...words);
    assert.equal(status, 4);
    assert.match(error, reason);
    assert.match(error, /is not adopted: the configuration would have problems$/);
    assert.deepEqual(dropIns(), []);
  }
});

test('what the daemon refuses is taken back as well', async (t) => {
  const { senders, dropIns, control } = await setUp(t);
  assert.ok(control !== null);
  control.reloadReport = { applied: false, problems: ['the daemon knows better'], jails: [] };
  const { status, error } = await senders('adopt', '192.168.1.10', '--name', 'nas1');
  assert.deepEqual([status, error.split('\n')[0]], [4, 'the daemon knows better']);
  assert.deepEqual(dropIns(), []);
});

test('forget takes away what adopt wrote, and nothing else', async (t) => {
  const { directory, senders, dropIn, dropIns } = await setUp(t);
  await senders('adopt', '192.168.1.10', '--name', 'nas1');
  const forgotten = await senders('forget', 'nas1');
  assert.deepEqual([forgotten.status, forgotten.out], [0, `nas1 is forgotten: ${dropIn} is gone\nreloaded`]);
  assert.deepEqual(dropIns(), []);
  assert.equal((await senders('forget', 'nas1')).status, 1);
  mkdirSync(join(directory, 'conf.d'), { recursive: true });
  writeFileSync(dropIn, '[[sender]]\nname = "nas1"\naddresses = ["192.168.1.10"]\n');
  const { status, error } = await senders('forget', 'nas1');
  assert.equal(status, 1);
  assert.match(error, /nas1 was not adopted/);
  assert.deepEqual(dropIns(), ['sender-nas1.toml']);
});

test('names and addresses are looked at before anything is written', async (t) => {
  const { senders, dropIns } = await setUp(t);
  for (const [words, reason] of [
    [['adopt', '192.168.1.10', '--name', '../../etc/passwd'], /Write 1 to 32 of/],
    [['adopt', '192.168.1.10'], /required option '--name <NAME>'/],
    [['adopt', 'nas1.lan', '--name', 'nas1'], /not an address or a network/],
    [['forget', '../x'], /Write 1 to 32 of/],
    [['adpot'], /./],
  ] as const) {
    const { status, error } = await senders(...words);
    assert.equal(status, 2, words.join(' '));
    assert.match(error, reason);
  }
  assert.deepEqual(dropIns(), []);
});
