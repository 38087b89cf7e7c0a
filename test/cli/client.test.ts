import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createRawServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { askDaemon, pathOf } from '../../src/cli/client.ts';
import type { OperationalError } from '../../src/core/errors.ts';
import { listen } from '../../src/http/app.ts';
import { makeDirectory, startServer } from '../http/running-server.ts';
import { fakeTerminal, run } from './fake-terminal.ts';

const NOBODY = 65_534;
const PING = { method: 'GET', path: '/v1/ping' } as const;

async function serve(t: TestContext, answer: RequestListener): Promise<string> {
  const path = join(makeDirectory(t), 'other.sock');
  const server = createServer(answer);
  await listen(server, { path });
  t.after(() => server.close());
  return path;
}

test('without a daemon there is advice how to start one, and status 3', async (t) => {
  const socketPath = join(makeDirectory(t), 'bailiff.sock');
  for (const words of [['ping'], ['status'], ['bans', '--json'], ['unban', '--all'], ['reload']]) {
    assert.deepEqual(await run([...words, '--socket', socketPath]), {
      status: 3,
      out: '',
      error:
        `bailiff: the daemon is not running: nobody answers on ${socketPath}\n` +
        '  start it with: systemctl start bailiff, or here in the foreground: bailiff run',
    });
  }
});

test('a socket that a dead daemon left, or a path that cannot be one, is no daemon', async (t) => {
  const plain = join(makeDirectory(t), 'bailiff.sock');
  writeFileSync(plain, '');
  for (const socketPath of [plain, `/run/${'x'.repeat(200)}`]) {
    assert.equal((await run(['ping', '--socket', socketPath])).status, 3);
  }
});

test('the socket is that of --socket, else of BAILIFF_SOCKET, else the usual ones', async (t) => {
  const { socketPath } = await startServer(t);
  const environment = { BAILIFF_SOCKET: socketPath };
  assert.equal((await run(['ping'], { environment })).out, 'pong');
  assert.equal((await run(['ping', '--socket', `${socketPath}.other`], { environment })).status, 3);

  const directory = makeDirectory(t);
  const user = { userId: 1_000, environment: { XDG_RUNTIME_DIR: directory } };
  const { status, error } = await run(['ping'], user);
  if (status === 3) {
    assert.ok(error.includes(`${directory}/bailiff.sock or /run/bailiff/bailiff.sock`), error);
  } else assert.equal(status, 0, 'the machine’s own daemon answers');
});

test('a user’s own daemon is asked first', async (t) => {
  const { socketPath, directory } = await startServer(t);
  assert.equal(socketPath, join(directory, 'bailiff.sock'));
  const user = { userId: 1_000, environment: { XDG_RUNTIME_DIR: directory } };
  assert.equal((await run(['ping'], user)).out, 'pong');
});

test('a socket that may not be opened comes with advice and status 1', async (t) => {
  const { socketPath, directory } = await startServer(t);
  const isRoot = process.geteuid?.() === 0;
  chmodSync(directory, 0o755);
  chmodSync(socketPath, isRoot ? 0o600 : 0);
  try {
    if (isRoot) process.seteuid?.(NOBODY);
  } catch (error) {
    return t.skip(`root may open every socket and cannot become nobody: ${(error as Error).message}`);
  }
  try {
    const { status, error } = await run(['ping', '--socket', socketPath]);
    assert.equal(status, 1);
    assert.match(error, /^bailiff: not allowed to open .*\n {2}use sudo, or join the group bailiff/);
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
});

test('something else on the socket is told apart from the daemon', async (t) => {
  const path = await serve(t, (_request, response) => response.end('<html>\x1b[2J'));
  assert.deepEqual(await run(['ping', '--socket', path]), {
    status: 1,
    out: '',
    error: `bailiff: what answers on ${path} is not a bailiff daemon`,
  });
});

test('a daemon that breaks off is status 1, with a hint to its log', async (t) => {
  const path = join(makeDirectory(t), 'other.sock');
  const server = createRawServer((socket) =>
    socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"ans'),
  );
  await listen(server as never, { path });
  t.after(() => server.close());
  const { status, error } = await run(['ping', '--socket', path]);
  assert.equal(status, 1);
  assert.match(error, /did not answer: aborted\n {2}its log may say why: journalctl -u bailiff$/);
});

test('an error without the usual form still ends as an error', async (t) => {
  for (const body of ['{}', 'null', '[]', '{"error":7}', '{"error":{"message":{}}}']) {
    const path = await serve(t, (_request, response) => response.writeHead(500).end(body));
    const asked = askDaemon({ socket: path }, fakeTerminal(), PING);
    await assert.rejects(asked, (error: OperationalError) => {
      assert.equal(error.name, 'OperationalError', body);
      assert.match(error.message, /the daemon answered with status 500/);
      return true;
    });
  }
});

test('names and addresses are encoded into the path, parameters that are absent are left out', () => {
  assert.equal(pathOf(['ping']), '/v1/ping');
  assert.equal(
    pathOf(['bans', '2001:db8::/32'], { jail: 'a b&c' }),
    '/v1/bans/2001%3Adb8%3A%3A%2F32?jail=a%20b%26c',
  );
  assert.equal(pathOf(['bans'], { jail: undefined }), '/v1/bans');
  assert.equal(pathOf(['jails', '../bans']), '/v1/jails/..%2Fbans');
});
