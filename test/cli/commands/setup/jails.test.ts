import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { JailOverview } from '../../../../src/cli/commands/setup/jails.ts';
import { STATUS } from '../../../http/fake-control.ts';
import { startServer } from '../../../http/running-server.ts';
import { assertGolden, run } from '../../fake-terminal.ts';

const OWN = '[jail.sshd]\nmax_retry = 3\n\n[jail.postfix]\nenabled = true\nban_time = "1d"\n';

/** A configuration of its own, and a daemon that says it runs with it. */
async function setUp(t: TestContext, { isRunning = true, text = OWN } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'bailiff-jails-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const config = join(directory, 'bailiff.toml');
  writeFileSync(config, text);
  const running = isRunning ? await startServer(t) : null;
  if (running !== null) running.control.state = { ...STATUS, configuration: config };
  const socket = running?.socketPath ?? join(directory, 'nobody.sock');
  const jails = (...words: string[]) => run(['jails', ...words, '--config', config]);
  const change = (...words: string[]) => jails(...words, '--socket', socket);
  const dropIn = join(directory, 'conf.d/jail-dovecot.toml');
  const dropIns = () => (existsSync(join(directory, 'conf.d')) ? readdirSync(join(directory, 'conf.d')) : []);
  return { directory, config, jails, change, dropIn, dropIns, control: running?.control ?? null };
}

test('jails lists those that are on, with what they ban for and read, and how many are off', async (t) => {
  const { jails } = await setUp(t, { isRunning: false });
  const { status, out, error } = await jails();
  assert.deepEqual([status, error], [0, '']);
  assertGolden('jails', out.replace(/and \d+ jails that/, 'and N jails that'));
});

test('jails --all lists all that come along, as JSON for programs', async (t) => {
  const { jails } = await setUp(t, { isRunning: false });
  const overview = JSON.parse((await jails('--all', '--json')).out).jails as JailOverview[];
  assert.ok(overview.length > 150, `${overview.length}`);
  const stateOf = (name: string) => overview.find((jail) => jail.name === name)?.state;
  assert.deepEqual(['sshd', 'postfix', 'dovecot'].map(stateOf), ['on', 'on', 'off']);
  assert.deepEqual(
    overview.map(({ name }) => name),
    overview.map(({ name }) => name).sort(),
  );
  assert.equal(overview.find(({ name }) => name === 'dovecot')?.description, 'Dovecot IMAP and POP3 server');
});

test('without any that is on it says so', async (t) => {
  const { jails } = await setUp(t, { isRunning: false, text: '' });
  assert.match((await jails()).out, /^no jail is on: nobody will be banned\nand \d+ jails that are off/);
});

test('enable writes a drop-in and tells the daemon; a second time nothing changes', async (t) => {
  const { change, jails, dropIn, dropIns, control } = await setUp(t);
  assert.equal((await change('enable', 'dovecot')).out, 'dovecot is on\nreloaded');
  assert.equal(
    readFileSync(dropIn, 'utf8'),
    '# Written by bailiff jails.\n\n[jail.dovecot]\nenabled = true\n',
  );
  assert.deepEqual(dropIns(), ['jail-dovecot.toml']);
  assert.match((await jails()).out, /^dovecot +on /m);
  const again = await change('enable', 'dovecot', '--json');
  assert.deepEqual(
    [again.status, JSON.parse(again.out)],
    [0, { jail: 'dovecot', enabled: true, changed: false, reloaded: false }],
  );
  assert.deepEqual(control?.calls, ['status', 'reload', 'status']);
});

test('disable takes back what enable did, and switches off what the files switch on', async (t) => {
  const { change, dropIn, directory } = await setUp(t);
  await change('enable', 'dovecot');
  assert.equal((await change('disable', 'dovecot')).out, 'dovecot is off\nreloaded');
  assert.match(readFileSync(dropIn, 'utf8'), /enabled = false/);
  assert.deepEqual(JSON.parse((await change('disable', 'sshd', '--json')).out), {
    jail: 'sshd',
    enabled: false,
    changed: true,
    reloaded: true,
  });
  assert.match(
    readFileSync(join(directory, 'conf.d/jail-sshd.toml'), 'utf8'),
    /\[jail\.sshd\]\nenabled = false/,
  );
});

test('without a daemon it is known at the next start', async (t) => {
  const { change } = await setUp(t, { isRunning: false });
  assert.match((await change('enable', 'dovecot')).out, /^dovecot is on\nthe daemon is not running/);
});

test('a jail that nobody knows is refused', async (t) => {
  const { change, dropIns } = await setUp(t);
  const { status, error } = await change('enable', 'dovcot');
  assert.equal(status, 1);
  assert.match(error, /there is no jail dovcot/);
  assert.deepEqual(dropIns(), []);
});

test('what another file says later wins: nothing is changed, and that file is pointed to', async (t) => {
  const { directory, change, dropIns } = await setUp(t);
  await change('enable', 'dovecot');
  writeFileSync(join(directory, 'conf.d/z.toml'), '[jail.dovecot]\nenabled = true\n');
  const { status, error } = await change('disable', 'dovecot');
  assert.equal(status, 4);
  assert.match(error, /a file that is read after .*jail-dovecot\.toml says otherwise/);
  assert.deepEqual(dropIns(), ['jail-dovecot.toml', 'z.toml']);
  assert.match(readFileSync(join(directory, 'conf.d/jail-dovecot.toml'), 'utf8'), /enabled = true/);
});

test("somebody else's file of that name is not touched", async (t) => {
  const { directory, change, dropIn } = await setUp(t);
  await change('enable', 'exim');
  writeFileSync(dropIn, '[jail.dovecot]\nmax_retry = 2\n');
  const { status, error } = await change('enable', 'dovecot');
  assert.equal(status, 1);
  assert.match(error, /is somebody else's/);
  assert.equal(readFileSync(dropIn, 'utf8'), '[jail.dovecot]\nmax_retry = 2\n');
  assert.ok(existsSync(join(directory, 'conf.d/jail-exim.toml')));
});

test('a jail whose filter cannot be used is not switched on', async (t) => {
  const { directory, change, dropIns } = await setUp(t);
  const filters = join(directory, 'filters');
  mkdirSync(filters);
  writeFileSync(join(filters, 'door.toml'), 'description = "a door"\n');
  writeFileSync(join(directory, 'bailiff.toml'), `${OWN}\n[jail.door]\nenabled = false\n`);
  const { status, error } = await change('enable', 'door');
  assert.equal(status, 4);
  assert.match(error, /door/);
  assert.deepEqual(dropIns(), []);
});

test('a configuration that cannot be read is told of, and not taken for one without jails', async (t) => {
  const { jails, change, dropIns } = await setUp(t, { text: '[jail.sshd\n' });
  for (const told of [await jails(), await change('enable', 'dovecot')]) {
    assert.deepEqual([told.status, told.out], [4, '']);
    assert.match(told.error, /bailiff\.toml:1:/);
    assert.doesNotMatch(told.error, /there is no jail/);
  }
  assert.deepEqual(dropIns(), []);
});

test('when the drop-in cannot be written the one that is there stays', async (t) => {
  const { directory, change, dropIn } = await setUp(t);
  await change('enable', 'dovecot');
  const before = readFileSync(dropIn, 'utf8');
  mkdirSync(join(directory, `conf.d/.${process.pid}.new`));
  const { status, error } = await change('disable', 'dovecot');
  assert.equal(status, 1);
  assert.match(error, /cannot write .*jail-dovecot\.toml/);
  assert.equal(readFileSync(dropIn, 'utf8'), before);
});

test('a file where conf.d should be is named, whoever writes there', async (t) => {
  const { directory, change } = await setUp(t);
  writeFileSync(join(directory, 'conf.d'), '');
  const { status, error } = await change('enable', 'dovecot');
  assert.equal(status, 1);
  assert.match(error, /cannot write .*jail-dovecot\.toml: a part of its path is not a directory/);
});
