import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect } from 'node:tls';
import type { ListenAddress, MetricsPlan } from '../../../src/config/plan.ts';
import { DAY } from '../../../src/core/time.ts';
import { MetricsEndpoint } from '../../../src/daemon/metrics/endpoint.ts';
import { actionsOf, wordsOf } from '../../core/warning/words.ts';
import { makeCertificate, missingOpenssl } from '../../http/certificate.ts';
import { makeDirectory } from '../../http/running-server.ts';
import { Recorder } from '../parts.ts';

const LOOPBACK = { host: '127.0.0.1', port: 0 };

function planWith(listen: readonly ListenAddress[], parts: Partial<MetricsPlan> = {}): MetricsPlan {
  return { listen, tokenFile: null, tls: null, fail2banNames: false, ...parts };
}

function setUp(t: TestContext) {
  const recorder = new Recorder();
  const endpoint = new MetricsEndpoint({
    metrics: { contentType: 'text/plain', render: () => 'bailiff_up 1\n' },
    health: () => ({ ready: true, components: [] }),
    clock: { now: () => 0 },
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
  await endpoint.apply({ metrics: planWith([LOOPBACK]) });
  assert.equal(last()?.health, 'up');
  const url = last()?.detail ?? '';
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
  assert.equal(await (await fetch(url)).text(), 'bailiff_up 1\n');
});

test('the same addresses again change nothing, others move it, none switches it off', async (t) => {
  const { endpoint, recorder, last } = setUp(t);
  await endpoint.apply({ metrics: planWith([LOOPBACK]) });
  const url = last()?.detail ?? '';
  await endpoint.apply({ metrics: planWith([LOOPBACK]) });
  assert.equal(recorder.of('component').length, 1);
  await endpoint.apply({ metrics: planWith([]) });
  assert.equal(last()?.health, 'off');
  await assert.rejects(fetch(url));
});

test('an address that cannot be had is told with advice, and the other is served', async (t) => {
  const { endpoint, last } = setUp(t);
  const taken = await takePort(t);
  await endpoint.apply({ metrics: planWith([LOOPBACK, taken.address]) });
  assert.equal(last()?.health, 'degraded');
  assert.match(wordsOf(last()), /^http:.*\/metrics; cannot serve metrics on 127\.0\.0\.1:/);
  assert.match(actionsOf(last()), /another program has this port/);
});

test('without any it is down, and the next reload tries again', async (t) => {
  const { endpoint, last } = setUp(t);
  const taken = await takePort(t);
  await endpoint.apply({ metrics: planWith([taken.address]) });
  assert.equal(last()?.health, 'down');
  await taken.free();
  await endpoint.apply({ metrics: planWith([taken.address]) });
  assert.equal(last()?.health, 'up');
});

test('a token is asked for, and a reload takes the new one', async (t) => {
  const { endpoint, last } = setUp(t);
  const tokenFile = join(makeDirectory(t), 'token');
  const plan = planWith([LOOPBACK], { tokenFile });
  const statusWith = async (token: string) =>
    (await fetch(last()?.detail ?? '', { headers: { authorization: `Bearer ${token}` } })).status;
  writeFileSync(tokenFile, 'the-first-token-0\n');
  await endpoint.apply({ metrics: plan });
  assert.equal((await fetch(last()?.detail ?? '')).status, 401);
  assert.equal(await statusWith('the-first-token-0'), 200);
  writeFileSync(tokenFile, 'the-second-token-0\n');
  await endpoint.apply({ metrics: plan });
  assert.deepEqual(
    [await statusWith('the-first-token-0'), await statusWith('the-second-token-0')],
    [401, 200],
  );
});

test('a file that has gone bad changes nothing but what is told, until it is good again', async (t) => {
  const { endpoint, last } = setUp(t);
  const tokenFile = join(makeDirectory(t), 'token');
  const plan = planWith([LOOPBACK], { tokenFile });
  writeFileSync(tokenFile, 'the-first-token-0');
  await endpoint.apply({ metrics: plan });
  const url = last()?.detail ?? '';
  rmSync(tokenFile);
  await endpoint.apply({ metrics: plan });
  assert.equal(last()?.health, 'degraded');
  assert.match(wordsOf(last()), /^served with what the files held before: cannot use token_file .*: ENOENT/);
  assert.equal((await fetch(url)).status, 401);
  writeFileSync(tokenFile, 'the-first-token-0');
  await endpoint.apply({ metrics: plan });
  assert.equal(last()?.health, 'up');
});

test('when the file of a token cannot be read, the page is not open to everybody instead', async (t) => {
  const { endpoint, last } = setUp(t);
  await endpoint.apply({ metrics: planWith([LOOPBACK]) });
  const url = last()?.detail ?? '';
  await endpoint.apply({ metrics: planWith([LOOPBACK], { tokenFile: join(makeDirectory(t), 'nothing') }) });
  assert.equal(last()?.health, 'down');
  assert.match(actionsOf(last()), /bailiff reload/);
  await assert.rejects(fetch(url));
});

test('a reload takes a new certificate, and tells when it expires', {
  skip: missingOpenssl() ?? false,
}, async (t) => {
  const { endpoint, recorder, last } = setUp(t);
  const directory = makeDirectory(t);
  const { certificatePath, keyPath } = makeCertificate(directory, 'served');
  const plan = planWith([LOOPBACK], { tls: { certificate: certificatePath, key: keyPath } });
  const certificateNow = async () => {
    const url = new URL(last()?.detail ?? '');
    assert.equal(url.protocol, 'https:');
    const socket = connect({ host: url.hostname, port: Number(url.port), rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  };
  await endpoint.apply({ metrics: plan });
  const first = await certificateNow();
  makeCertificate(directory, 'served', 30);
  await endpoint.apply({ metrics: plan });
  assert.notEqual(await certificateNow(), first);
  await endpoint.apply({ metrics: planWith([LOOPBACK]) });
  const [before, after, none] = recorder.of('certificate').map(({ until }) => until);
  assert.equal(Math.round(((after ?? 0) - (before ?? 0)) / DAY), 28);
  assert.equal(none, null);
});
