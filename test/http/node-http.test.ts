import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const SOURCES = join(import.meta.dirname, '../../src');

/** Whether a process that has imported `modules` has loaded what Node.js has for fetch() and WebSocket. */
function loadsUndici(...modules: readonly string[]): boolean {
  const program = `
    for (const name of ${JSON.stringify(modules)}) await import(name);
    process.stdout.write(String(process.moduleLoadList.some((name) => name.includes('undici/undici'))));
  `;
  return (
    execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }) === 'true'
  );
}

test('neither the servers nor a question to the daemon load undici, which node:http as an ES module does', () => {
  assert.equal(loadsUndici('node:http'), true);
  const own = ['http/control-server.ts', 'http/metrics-server.ts', 'cli/client.ts'];
  assert.equal(loadsUndici(...own.map((path) => join(SOURCES, path))), false);
});
