import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { MetricsEndpoint } from '../../src/daemon/metrics-endpoint.ts';
import { Recorder } from './parts.ts';

const LOOPBACK = { host: '127.0.0.1', port: 0 };

function setUp(t: TestContext) {
  const recorder = new Recorder();
  const endpoint = new MetricsEndpoint({
    metrics: { contentType: 'text/plain', render: () => 'bailiff_up 1\n' },
    health: () => ({ ready: true, components: [] }),
    emit: recorder.emit,
    onBug: (error) => assert.fail(String(error)),
  });
  t.after(() => endpoint.stop());
  const last = () => recorder.of('component').at(-1);
  return { endpoint, recorder, last };
}

async function takePort(t: TestContext) {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const free = () => new Promise<void>((resolve) => void server.close(() => resolve()));
  t.after(() => server.listening && free());
  return { address: { host: '127.0.0.1', port: (server.address() as { port: number }).port }, free };
}

test('the page is served where the plan says', async (t) => {
  const { endpoint, last } = setUp(t);
  await endpoint.apply([LOOPBACK]);
  assert.equal(last()?.health, 'up');
  const url = last()?.detail ?? '';
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
  assert.equal(await (await fetch(url)).text(), 'bailiff_up 1\n');
});

test('the same addresses again change nothing, others move it, none switches it off', async (t) => {
  const { endpoint, recorder, last } = setUp(t);
  await endpoint.apply([LOOPBACK]);
  const url = last()?.detail ?? '';
  await endpoint.apply([LOOPBACK]);
  assert.equal(recorder.of('component').length, 1);
  await endpoint.apply([]);
  assert.equal(last()?.health, 'off');
  await assert.rejects(fetch(url));
});

test('an address that cannot be had is told with advice, and the other is served', async (t) => {
  const { endpoint, last } = setUp(t);
  const taken = await takePort(t);
  await endpoint.apply([LOOPBACK, taken.address]);
  assert.equal(last()?.health, 'degraded');
  assert.match(last()?.detail ?? '', /^http:.*\/metrics, cannot serve metrics on 127\.0\.0\.1:/);
  assert.match(last()?.advice ?? '', /another program has this port/);
});

test('without any it is down, and the next reload tries again', async (t) => {
  const { endpoint, last } = setUp(t);
  const taken = await takePort(t);
  await endpoint.apply([taken.address]);
  assert.equal(last()?.health, 'down');
  await taken.free();
  await endpoint.apply([taken.address]);
  assert.equal(last()?.health, 'up');
});
