import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ControlError } from '../../src/http/control.ts';
import { BANS, banReport } from '../http/fake-control.ts';
import { startServer } from '../http/running-server.ts';
import { assertGolden, run } from './fake-terminal.ts';

test('ping answers pong', async (t) => {
  const { socketPath } = await startServer(t);
  assert.deepEqual(await run(['ping', '--socket', socketPath]), { status: 0, out: 'pong', error: '' });
});

test('ban says until when', async (t) => {
  const { socketPath, control } = await startServer(t);
  const words = ['ban', '203.0.113.77', '--jail', 'sshd', '--for', '1h', '--socket', socketPath];
  assert.deepEqual(await run(words), {
    status: 0,
    out: '203.0.113.77 is banned in sshd for 8m12s, until 2026-11-21 00:20',
    error: '',
  });
  assert.deepEqual(control.calls, ['ban 203.0.113.77 sshd 1h']);
});

test('ban of a network takes the jail’s time, and --json prints the ban', async (t) => {
  const { socketPath, control } = await startServer(t);
  const words = ['ban', '203.0.113.7/24', '--jail', 'sshd', '--json', '--socket', socketPath];
  const { status, out } = await run(words);
  assert.equal(status, 0);
  assert.equal((JSON.parse(out) as { offender: string }).offender, '203.0.113.0/24');
  assert.deepEqual(control.calls, ['ban 203.0.113.0/24 sshd -']);
});

test('ban without a jail is one of the jail for bans by hand', async (t) => {
  const { socketPath, control } = await startServer(t);
  const { status, out } = await run(['ban', '203.0.113.77', '--socket', socketPath]);
  assert.deepEqual([status, control.calls], [0, ['ban 203.0.113.77 - -']]);
  assert.match(out, /^203\.0\.113\.77 is banned in manual for /);
});

test('a ban that the daemon refuses is shown with its reason and ends with status 1', async (t) => {
  const { socketPath } = await startServer(t);
  assert.deepEqual(await run(['ban', '127.0.0.1', '--jail', 'sshd', '--socket', socketPath]), {
    status: 1,
    out: '',
    error: 'bailiff: 127.0.0.1 is trusted: it is never banned',
  });
});

test('unban prints what it lifted', async (t) => {
  const { socketPath, control } = await startServer(t);
  assert.deepEqual(await run(['unban', '203.0.113.9', '--socket', socketPath]), {
    status: 0,
    out: '203.0.113.9 is no longer banned in sshd (8m12s before its end)',
    error: '',
  });
  await run(['unban', '2001:db8:1:2::/64', '--jail', 'sshd', '--socket', socketPath]);
  assert.deepEqual(control.calls, ['unban 203.0.113.9 -', 'unban 2001:db8:1:2::/64 sshd']);
  assert.deepEqual(control.held, []);
});

test('unban of an address that is not banned says so, and is no failure', async (t) => {
  const { socketPath } = await startServer(t);
  assert.deepEqual(await run(['unban', '192.0.2.1', '--jail', 'sshd', '--socket', socketPath]), {
    status: 0,
    out: '192.0.2.1 was not banned in sshd; nothing changed',
    error: '',
  });
  const json = await run(['unban', '192.0.2.1', '--json', '--socket', socketPath]);
  assert.deepEqual(JSON.parse(json.out), { changed: false, lifted: [] });
});

test('unban --all lifts everything and is done also when nobody was banned', async (t) => {
  const { socketPath, control } = await startServer(t);
  control.held = [...BANS, banReport({ offender: '192.0.2.1', jail: 'mail', remainingSeconds: 0 })];
  const first = await run(['unban', '--all', '--socket', socketPath]);
  assert.deepEqual([first.status, first.error], [0, '']);
  assertGolden('unban-all', first.out);
  const second = await run(['unban', '--all', '--jail', 'sshd', '--socket', socketPath]);
  assert.deepEqual(second, { status: 0, out: 'nobody was banned in sshd; nothing changed', error: '' });
  assert.deepEqual(control.calls, ['unbanAll -', 'unbanAll sshd']);
});

test('unban names fifty and counts the rest; --json has them all', async (t) => {
  const { socketPath, control } = await startServer(t);
  const held = Array.from({ length: 53 }, (_, index) => banReport({ offender: `198.51.100.${index}` }));
  control.held = held;
  const { out } = await run(['unban', '--all', '--socket', socketPath]);
  assert.equal(out.split('\n').length, 52);
  assert.match(out, /\nand 3 more bans\nlifted 53 bans$/);
  control.held = held;
  const json = await run(['unban', '--all', '--json', '--socket', socketPath]);
  assert.deepEqual(JSON.parse(json.out), { changed: true, lifted: held });
});

test('reload names the jails', async (t) => {
  const { socketPath } = await startServer(t);
  assert.deepEqual(await run(['reload', '--socket', socketPath]), {
    status: 0,
    out: 'reloaded; jails: sshd',
    error: '',
  });
});

test('a refused reload shows every problem and ends with status 4', async (t) => {
  const { socketPath, control } = await startServer(t);
  control.reloadReport = {
    applied: false,
    problems: [
      'bailiff.toml:3:1: unknown key "tust"\n    3 | tust = []\n      | ^',
      'bailiff.toml:9:5: \x1b[2J',
    ],
    jails: ['sshd'],
  };
  const { status, out, error } = await run(['reload', '--socket', socketPath]);
  assert.deepEqual([status, out], [4, '']);
  assertGolden('reload-refused', error);
  const json = await run(['reload', '--json', '--socket', socketPath]);
  assert.equal(json.status, 4);
  assert.deepEqual(JSON.parse(json.out), control.reloadReport);
});

test('a daemon that cannot do it now is status 1 with its message', async (t) => {
  const { socketPath, control } = await startServer(t);
  control.failure = new ControlError(503, 'starting', 'the daemon is \x1b[2Jstarting');
  assert.deepEqual(await run(['status', '--socket', socketPath]), {
    status: 1,
    out: '',
    error: 'bailiff: the daemon is \\x1b[2Jstarting',
  });
});

test('version needs no daemon', async () => {
  const { version } = JSON.parse((await run(['version', '--json'])).out) as { version: string };
  assert.match(version, /^\d+\.\d+\.\d+/);
  assert.deepEqual(await run(['version']), { status: 0, out: `bailiff ${version}`, error: '' });
  assert.deepEqual(await run(['--version']), { status: 0, out: `bailiff ${version}`, error: '' });
});

test('status and bans of an address tell all that concerns it', async (t) => {
  const { socketPath, control } = await startServer(t);
  const known = { ignoredBy: [], maxRetry: 5, failures: 0, bans: [], furtherBans: 0 };
  control.addressReport = {
    address: '',
    protectedBy: [
      { by: 'trust', network: '203.0.113.0/28' },
      { by: 'host', network: '203.0.113.9' },
    ],
    jails: [
      { ...known, jail: 'sshd', failures: 3, bans: [banReport({ offender: '203.0.113.9' })] },
      {
        ...known,
        jail: 'mail',
        bans: [banReport({ jail: 'mail', offender: '203.0.113.0/24', enforced: false })],
      },
      { ...known, jail: 'web', ignoredBy: ['203.0.113.0/24'] },
    ],
  };
  const status = await run(['status', '203.0.113.9', '--socket', socketPath]);
  assertGolden('address', status.out);
  assert.equal((await run(['bans', '203.0.113.9', '--socket', socketPath])).out, status.out);
  const json = await run(['bans', '203.0.113.9', '--jail', 'sshd', '--json', '--socket', socketPath]);
  assert.deepEqual(JSON.parse(json.out), { ...control.addressReport, address: '203.0.113.9' });
  assert.deepEqual(control.calls, [
    'address 203.0.113.9 -',
    'address 203.0.113.9 -',
    'address 203.0.113.9 sshd',
  ]);
});

test('of an address that nobody knows that is said', async (t) => {
  const { socketPath } = await startServer(t);
  const { status, out } = await run(['status', '2001:db8::/64', '--socket', socketPath]);
  assert.equal(status, 0);
  assert.equal(out, '2001:db8::/64\n  not banned, not trusted, and no failure of it is being counted');
});
