import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { SECOND } from '../../../src/core/time.ts';
import { LocalPeers, unitOf } from '../../../src/sources/datagram/local-peers.ts';

test('the unit is the first directory that is no slice, in both layouts of cgroups', () => {
  for (const [text, unit] of [
    ['0::/system.slice/nginx.service\n', 'nginx.service'],
    ['0::/system.slice/system-postfix.slice/postfix@-.service', 'postfix@-.service'],
    ['0::/user.slice/user-1000.slice/session-3.scope', 'session-3.scope'],
    ['12:pids:/a.service\n1:name=systemd:/system.slice/ssh.service\n', 'ssh.service'],
    ['0::/system.slice/_cgroup.service', 'cgroup.service'],
    ['0::/system.slice/docker-0a1b.scope/init', 'docker-0a1b.scope'],
    ['0::/', ''],
    ['0::/../../system.slice/nginx.service', ''],
    ['0::/init.scope', 'init.scope'],
    ['', ''],
  ] as const) {
    assert.equal(unitOf(text), unit, JSON.stringify(text));
  }
});

test('a user cannot name a unit of its own after one of the system', () => {
  const delegated = '0::/user.slice/user-1000.slice/user@1000.service/app.slice/ssh.service';
  assert.equal(unitOf(delegated), 'user@1000.service');
  assert.equal(
    unitOf('0::/user.slice/user-1000.slice/user@1000.service/../ssh.service'),
    'user@1000.service',
  );
  assert.equal(unitOf('0::/system.slice/a b.service\n0::/system.slice/ssh.service'), '');
});

test('a process is known by its uid, and by its executable when that is the one installed', () => {
  const peers = new LocalPeers();
  const fields = peers.identify({ pid: process.pid, uid: 33 }, 0);
  assert.equal(fields.uid, 33);
  assert.equal(fields.executable, process.execPath);
});

test('of a process that is gone, or that cannot be seen, the uid remains', async () => {
  const child = spawn('true');
  await new Promise((resolve) => child.once('exit', resolve));
  const peers = new LocalPeers();
  for (const pid of [0, child.pid ?? 0]) {
    assert.deepEqual(peers.identify({ pid, uid: 33 }, 0), { unit: '', executable: '', uid: 33 });
  }
});

test('without credentials nothing is known', () => {
  assert.deepEqual(new LocalPeers().identify(null, 0), { unit: '', executable: '', uid: -1 });
});

test('what is known of a process is looked up again after a second, and for another uid', () => {
  const peers = new LocalPeers();
  const first = peers.identify({ pid: process.pid, uid: 1 }, 0);
  assert.equal(peers.identify({ pid: process.pid, uid: 1 }, SECOND - 1), first);
  assert.notEqual(peers.identify({ pid: process.pid, uid: 1 }, SECOND), first);
  assert.equal(peers.identify({ pid: process.pid, uid: 2 }, SECOND).uid, 2);
});

test('any number of processes leaves bounded memory, and each keeps its own fields', () => {
  const peers = new LocalPeers();
  for (let pid = 5_000_000; pid < 5_003_000; pid++)
    assert.equal(peers.identify({ pid, uid: pid }, 0).uid, pid);
});
