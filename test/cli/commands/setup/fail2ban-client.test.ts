import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ControlError } from '../../../../src/http/control.ts';
import { BANS, banReport, FakeControl } from '../../../http/fake-control.ts';
import { makeDirectory, startServer } from '../../../http/running-server.ts';
import { type Outcome, run } from '../../fake-terminal.ts';

async function start(t: TestContext, control = new FakeControl()) {
  const { socketPath } = await startServer(t, control);
  const client = (line: string): Promise<Outcome> =>
    run(['fail2ban-client', ...line.split(' ')], { environment: { BAILIFF_SOCKET: socketPath } });
  return { control, client, socketPath };
}

/** What stands in the log line on standard error. */
function complaint({ error }: Outcome): string {
  const line = /^2026-11-21 00:11:53,000 fail2ban {16}\[\d+\]: ERROR {3}(.*)$/.exec(error);
  return line?.[1] ?? `no log line: ${error}`;
}

test('an address inside the ban of a wider network is lifted by nothing, which is 0', async (t) => {
  const control = new FakeControl();
  control.unban = async (address) => {
    throw new ControlError(409, 'held-by-network', `${address} is inside the ban of 198.51.100.0/24 in sshd`);
  };
  const { client, socketPath } = await start(t, control);
  for (const line of ['unban 198.51.100.7', 'set sshd unbanip 198.51.100.7']) {
    const { status, out, error } = await client(line);
    assert.deepEqual([status, out, error], [0, '0', '']);
  }
  const { status, error } = await run(['unban', '198.51.100.7', '--socket', socketPath]);
  assert.equal(status, 1);
  assert.match(error, /198\.51\.100\.7 is inside the ban of 198\.51\.100\.0\/24 in sshd/);
});

test('a jail is drawn as a tree, with tabs where programs look for them', async (t) => {
  const { client } = await start(t);
  const { status, out, error } = await client('status sshd');
  assert.deepEqual([status, error], [0, '']);
  assert.equal(
    out,
    [
      'Status for the jail: sshd',
      '|- Filter',
      '|  |- Currently failed:\t2',
      '|  |- Total failed:\t120',
      '|  `- File list:\t',
      '`- Actions',
      '   |- Currently banned:\t2',
      '   |- Total banned:\t14',
      '   `- Banned IP list:\t2001:db8:1:2::/64 203.0.113.9',
    ].join('\n'),
  );
  const { out: jails } = await client('status');
  assert.equal(jails, 'Status\n|- Number of jail:\t2\n`- Jail list:\tmail, sshd');
});

test('an address is also banned by the ban of a network that holds it', async (t) => {
  const { client } = await start(t);
  assert.equal((await client('banned 2001:db8:1:2::7')).out, "[['sshd']]");
  assert.equal((await client('banned 2001:db8:1:3::7 203.0.113.9')).out, "[[], ['sshd']]");
  assert.equal((await client('get sshd banned 2001:db8:1:2::7')).out, '1');
});

test('bans are listed by their ends, a permanent one last', async (t) => {
  const { client, control } = await start(t);
  assert.equal((await client('get sshd banip')).out, '203.0.113.9 2001:db8:1:2::/64');
  const soon = banReport({ offender: '192.0.2.1', until: '2026-11-21T00:12:00.000Z', remainingSeconds: 7 });
  control.held = [...BANS, soon];
  assert.equal((await client('get sshd banip ,')).out, '192.0.2.1,203.0.113.9,2001:db8:1:2::/64');
  assert.deepEqual((await client('get sshd banip --with-time')).out.split('\n'), [
    '192.0.2.1 \t2026-11-21 00:10:05 + 115 = 2026-11-21 00:12:00',
    '203.0.113.9 \t2026-11-21 00:10:05 + 600 = 2026-11-21 00:20:05',
    '2001:db8:1:2::/64 \t2026-11-20 23:59:00 + -1 = 9999-12-31 23:59:59',
  ]);
});

test('a ban that is refused fails, says why, and does not keep the others from being banned', async (t) => {
  const { client, control } = await start(t);
  const outcome = await client('set sshd banip 127.0.0.1 198.51.100.7 nonsense');
  assert.equal(outcome.status, 255);
  assert.match(outcome.out, /127\.0\.0\.1 is trusted: it is never banned; "nonsense" is not an address/);
  assert.match(complaint(outcome), /^NOK: \(.*127\.0\.0\.1 is trusted/);
  assert.ok(control.held.some((ban) => ban.offender === '198.51.100.7'));
});

test('what would change a jail is refused, and says where jails are changed', async (t) => {
  const { client, control } = await start(t);
  for (const line of [
    'set sshd bantime 3600',
    'set sshd addignoreip 192.0.2.1',
    'set sshd delignoreip 192.0.2.1',
    'set sshd idle on',
    'set sshd attempt 192.0.2.1',
    'set sshd addfailregex x',
    'add web',
    'start sshd',
    'stop sshd',
  ]) {
    const { status, out } = await client(line);
    assert.equal(status, 255, line);
    assert.match(out, /in its configuration only: edit a file in \/etc\/bailiff\/conf\.d, then reload/, line);
  }
  assert.deepEqual(new Set(control.calls), new Set(['status', 'jail sshd']));
});

test('what only fail2ban has is refused by its name', async (t) => {
  const { client } = await start(t);
  const lines = [
    'get loglevel',
    'get dbfile',
    'set logtarget STDOUT',
    'get sshd failregex',
    'get sshd datepattern',
  ];
  for (const line of lines) {
    const outcome = await client(line);
    assert.equal(outcome.status, 255, line);
    assert.match(outcome.out, /^bailiff has no \w+/, line);
    assert.equal(complaint(outcome), `NOK: ('${outcome.out}',)`);
  }
  for (const line of ['-d', '--dp', '-i']) assert.equal((await client(line)).status, 255, line);
});

test('start, stop and restart name the command of systemd that does it', async (t) => {
  const { client } = await start(t);
  assert.equal(complaint(await client('start')), 'Server already running');
  assert.match(complaint(await client('stop')), /systemctl stop bailiff; its bans stay in force$/);
  assert.match(complaint(await client('restart')), /systemctl restart bailiff$/);
  const off = await run(['fail2ban-client', '-s', '/nonexistent/socket', 'start']);
  assert.match(complaint(off), /systemctl start bailiff$/);
});

test('a reload that is refused fails with its problems', async (t) => {
  const { client, control } = await start(t);
  control.reloadReport = { applied: false, problems: ['bailiff.toml:1:1: unknown key'], jails: [] };
  const outcome = await client('reload');
  assert.deepEqual([outcome.status, outcome.out], [255, '']);
  assert.equal(complaint(outcome), 'Failed during configuration: bailiff.toml:1:1: unknown key');
});

test('a reload of one jail asks whether it is there, and lifts its bans when told to', async (t) => {
  const { client, control } = await start(t);
  assert.equal((await client('reload sshd')).out, 'OK');
  assert.equal((await client('reload --if-exists nope')).out, 'OK');
  const outcome = await client('reload nope');
  assert.equal(outcome.status, 255);
  assert.match(complaint(outcome), /No section: 'nope'$/);
  assert.equal((await client('restart --unban sshd')).out, 'OK');
  assert.equal(control.calls.at(-1), 'unbanAll sshd');
  assert.deepEqual(control.held, []);
});

test('-t says whether the daemon would take the configuration, and goes on to the command', async (t) => {
  const { socketPath } = await start(t);
  const directory = makeDirectory(t);
  mkdirSync(join(directory, 'conf.d'));
  writeFileSync(join(directory, 'bailiff.toml'), '[jail.sshd]\nmax_retry = 3\n');
  const good = await run(['fail2ban-client', '-c', directory, '-t']);
  assert.deepEqual(good, { status: 0, out: 'OK: configuration test is successful', error: '' });
  const both = await run(['fail2ban-client', '-t', '-c', directory, '-s', socketPath, 'ping']);
  assert.deepEqual(both, { status: 0, out: 'Server replied: pong', error: '' });
  writeFileSync(join(directory, 'bailiff.toml'), '[jail.sshd]\nmax_retries = 3\n');
  const bad = await run(['fail2ban-client', '--conf', directory, '--test']);
  assert.deepEqual([bad.status, bad.out], [255, '']);
  assert.match(bad.error, /max_retries/);
  assert.match(bad.error, /ERROR: test configuration failed$/);
});

test('without a daemon every command fails with 255 and says that none is running', async () => {
  for (const line of ['ping', 'status', 'banned', 'reload', 'unban --all', 'get sshd bantime', 'version']) {
    const outcome = await run(['fail2ban-client', '-s', '/nonexistent/socket', ...line.split(' ')]);
    assert.deepEqual([outcome.status, outcome.out], [255, ''], line);
    assert.match(complaint(outcome), /the daemon is not running: nobody answers on \/nonexistent\/socket/);
  }
});

test('a permanent ban time is -1 seconds', async (t) => {
  const control = new FakeControl();
  const jail = control.jail.bind(control);
  control.jail = (name) => ({ ...jail(name), banTimeSeconds: null });
  const { client } = await start(t, control);
  assert.equal((await client('get sshd bantime')).out, '-1');
});

test('the help is that of the command, on every way to it', async () => {
  const { out } = await run(['fail2ban-client', '--help']);
  assert.match(out, /^Usage: bailiff fail2ban-client/);
  assert.deepEqual(await run(['fail2ban-client', '-h']), { status: 0, out, error: '' });
  assert.deepEqual(await run(['fail2ban-client', 'help']), { status: 0, out, error: '' });
  assert.deepEqual(await run(['fail2ban-client']), { status: 255, out, error: '' });
});

test('whatever the daemon or the command line passes on, nothing reaches the terminal but what can be seen', async (t) => {
  const hostile = 'x\x1b[2J\x9b1m\x7f\u202e';
  const { control, socketPath } = await start(t);
  control.held = [banReport({ offender: hostile, since: hostile, until: hostile })];
  const lines = [
    ['status', 'sshd'],
    ['banned'],
    ['get', 'sshd', 'banip'],
    ['get', 'sshd', 'banip', hostile],
    ['get', 'sshd', 'banip', '--with-time'],
    ['status', hostile],
    ['set', 'sshd', hostile, '1'],
    ['set', 'sshd', 'unbanip', '--report-absent', hostile],
    ['echo', hostile],
    ['reload', hostile],
    ['--str2sec', hostile],
    [hostile],
  ];
  for (const words of lines) {
    const { out, error } = await run(['fail2ban-client', '-s', socketPath, ...words]);
    assert.doesNotMatch(`${out}${error}`.replace(/[\n\t]/g, ''), /\p{C}/u, words.join(' '));
  }
});

test('lengths of time are read in no more time than they are long', async () => {
  const { secondsOf } = await import('../../../../src/cli/fail2ban/time.ts');
  assert.equal(secondsOf(`1${'*1'.repeat(100)}`), '1');
  assert.equal(secondsOf('9'.repeat(200)), null);
  const { status } = await run(['fail2ban-client', '--str2sec', '1 '.repeat(10_000)]);
  assert.equal(status, 255);
});
