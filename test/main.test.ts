import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Outcome } from './cli/fake-terminal.ts';
import { banReport } from './http/fake-control.ts';
import { makeDirectory, startServer } from './http/running-server.ts';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** Runs the program as a process of its own. */
function spawnBailiff(words: readonly string[], environment: Record<string, string> = {}): Promise<Outcome> {
  const env = { ...process.env, ...environment };
  const options = { env, maxBuffer: 64 * 1024 * 1024 };
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...words], options, (error, out, complaint) => {
      const status = error === null ? 0 : Number(error.code);
      resolve({ status, out: out.trimEnd(), error: complaint.trimEnd() });
    });
  });
}

test('the exit status reaches the shell', async (t) => {
  const { socketPath } = await startServer(t);
  const environment = { BAILIFF_SOCKET: socketPath };
  const expectations: ReadonlyArray<readonly [string, number]> = [
    ['ping', 0],
    ['unban 192.0.2.1', 0],
    ['ban 127.0.0.1', 1],
    ['unban', 2],
    [`ping --socket ${makeDirectory(t)}/none.sock`, 3],
  ];
  for (const [line, status] of expectations) {
    assert.equal((await spawnBailiff(line.split(' '), environment)).status, status, line);
  }
});

test('into a pipe goes plain text, and all of it', async (t) => {
  const { socketPath, control } = await startServer(t);
  control.held = Array.from({ length: 20_000 }, (_, index) =>
    banReport({ offender: `10.0.${index >> 8}.${index & 255}` }),
  );
  const { status, out } = await spawnBailiff(['bans', '--json', '--socket', socketPath]);
  assert.equal(status, 0);
  assert.equal((JSON.parse(out) as { bans: unknown[] }).bans.length, 20_000);
  const table = await spawnBailiff(['status', '--socket', socketPath], { FORCE_COLOR: '1' });
  assert.doesNotMatch(table.out.replaceAll('\n', ''), /\p{C}/u);
});

test('a reader that goes away early causes no noise', async (t) => {
  const { socketPath, control } = await startServer(t);
  control.held = Array.from({ length: 20_000 }, () => banReport());
  const child = spawn(process.execPath, [MAIN, 'bans', '--socket', socketPath], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  await once(child.stdout, 'data');
  child.stdout.destroy();
  await once(child, 'close');
  assert.equal(complaint, '');
});

/** Every module that a run of the program loads, one on each line. */
function modulesOf(...words: readonly string[]): Promise<string> {
  const script = `
    import { registerHooks } from 'node:module';
    registerHooks({ load(url, context, next) { process.stderr.write(url + '\\n'); return next(url, context); } });
    process.argv.push('bailiff', ...${JSON.stringify(words)});
    await import(${JSON.stringify(MAIN)});`;
  return new Promise((resolve) => {
    execFile(process.execPath, ['--input-type=module', '-e', script], (_error, _out, complaint) =>
      resolve(complaint),
    );
  });
}

test('a client’s command loads neither the daemon nor its libraries', async (t) => {
  const { socketPath } = await startServer(t);
  const loaded = await modulesOf('ping', '--socket', socketPath);
  assert.match(loaded, /src\/cli\/commands\/daemon\/ping\.ts/);
  assert.doesNotMatch(loaded, /koffi|fastify|zod|toml|src\/daemon\/|src\/cli\/commands\/daemon\/status/);
});

test('the help and the completions of the shells, which know every command, load no library but commander', async () => {
  for (const words of [['--help'], ['statsu'], ['completion', 'bash']]) {
    const loaded = await modulesOf(...words);
    assert.match(loaded, /src\/cli\/commands\/filters\/match\.ts/);
    assert.doesNotMatch(loaded, /koffi|fastify|zod|toml|pkijs|src\/(?:daemon|match|sources)\//);
  }
});

test('the values of a completion are asked with little', async () => {
  const loaded = await modulesOf('complete', 'jails', '--socket', '/nonexistent/socket');
  assert.doesNotMatch(loaded, /koffi|fastify|zod|toml|src\/daemon\/|src\/cli\/commands\/daemon\/status/);
});
