import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import type { OperationalError } from '../../src/core/errors.ts';
import { createControlServer } from '../../src/http/control-server.ts';
import { CONTROL_GROUP, listenOnSocketFile } from '../../src/http/socket-file.ts';
import { makeDirectory, send, startServer } from './running-server.ts';

const NOBODY = 65_534;

function groupIdOf(name: string): number | null {
  const entry = new RegExp(`^${name}:[^:]*:(\\d+):`, 'm').exec(readFileSync('/etc/group', 'utf8'));
  return entry === null ? null : Number(entry[1]);
}

test('the socket is for its owner and group, whatever the umask, and its directory is made', async (t) => {
  const path = join(makeDirectory(t), 'run', 'bailiff', 'bailiff.sock');
  const server = createServer();
  const previous = process.umask(0);
  try {
    await listenOnSocketFile(server, path);
  } finally {
    process.umask(previous);
  }
  t.after(() => server.close());
  const status = statSync(path);
  assert.equal(status.mode & 0o777, 0o660);
  assert.equal(statSync(join(path, '..')).mode & 0o777, 0o755);
  assert.equal(status.gid, process.getuid?.() === 0 ? (groupIdOf(CONTROL_GROUP) ?? status.gid) : status.gid);
});

test('stopping removes the file', async (t) => {
  const running = await startServer(t);
  assert.ok(existsSync(running.socketPath));
  await running.server.stop();
  assert.ok(!existsSync(running.socketPath));
});

test('the socket of a daemon that was killed is taken over', async (t) => {
  const path = join(makeDirectory(t), 'bailiff.sock');
  const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('listening'))`;
  const dead = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(dead.stdout, 'data');
  dead.kill('SIGKILL');
  await once(dead, 'exit');
  assert.ok(existsSync(path));

  const server = createServer((_request, response) => response.end('mine'));
  await listenOnSocketFile(server, path);
  t.after(() => server.close());
  assert.equal((await send({ socketPath: path }, 'GET', '/')).text, 'mine');
});

test('a living daemon keeps its socket', async (t) => {
  const running = await startServer(t);
  await assert.rejects(listenOnSocketFile(createServer(), running.socketPath), (error: OperationalError) => {
    assert.equal(error.code, 'already-running');
    assert.match(error.advice, /--socket/);
    return true;
  });
  assert.equal((await send(running, 'GET', '/v1/ping')).status, 200);
});

test('a second daemon that could not start leaves the socket of the first alone when it stops', async (t) => {
  const running = await startServer(t);
  const second = createControlServer({
    socketPath: running.socketPath,
    control: running.control,
    subscribe: () => () => undefined,
    emit: () => undefined,
    onBug: () => undefined,
  });
  await assert.rejects(second.start(), { code: 'already-running' });
  await second.stop();
  assert.equal((await send(running, 'GET', '/v1/ping')).status, 200);
});

test('a file of another kind, or a symbolic link, is never removed', async (t) => {
  const directory = makeDirectory(t);
  const file = join(directory, 'notes.txt');
  const link = join(directory, 'link.sock');
  writeFileSync(file, 'precious');
  symlinkSync(file, link);
  for (const path of [file, link, directory]) {
    await assert.rejects(listenOnSocketFile(createServer(), path), { code: 'not-a-socket' });
  }
  assert.equal(readFileSync(file, 'utf8'), 'precious');
});

test('a path that the kernel would cut is refused', async () => {
  const path = `/run/${'x'.repeat(103)}`;
  await assert.rejects(listenOnSocketFile(createServer(), path), { code: 'socket-path-too-long' });
});

test('a directory that may not be written to comes with advice', async (t) => {
  const directory = join(makeDirectory(t), 'closed');
  mkdirSync(directory);
  chmodSync(directory, 0o555);
  const isRoot = process.geteuid?.() === 0;
  try {
    if (isRoot) process.seteuid?.(NOBODY);
  } catch (error) {
    return t.skip(`root may write everywhere and cannot become nobody: ${(error as Error).message}`);
  }
  try {
    await assert.rejects(
      listenOnSocketFile(createServer(), join(directory, 'bailiff.sock')),
      (error: OperationalError) => {
        assert.equal(error.code, 'EACCES');
        assert.match(error.advice, /run as root/);
        return true;
      },
    );
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
});
