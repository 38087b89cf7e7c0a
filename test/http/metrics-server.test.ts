import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BailiffEvent } from '../../src/core/event.ts';
import { createMetricsServer, type MetricsServerOptions } from '../../src/http/metrics-server.ts';
import { PAGE_LIFETIME } from '../../src/http/shared-page.ts';
import { send } from './running-server.ts';

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

function optionsWith(changes: Partial<MetricsServerOptions> = {}): MetricsServerOptions {
  return {
    listen: [{ host: '127.0.0.1', port: 0 }],
    token: null,
    tls: null,
    metrics: { contentType: CONTENT_TYPE, render: async () => '# HELP bailiff_up 1\nbailiff_up 1\n' },
    health: () => ({
      ready: true,
      components: [
        { component: 'journal', health: 'up' },
        { component: 'firewall', health: 'degraded' },
      ],
    }),
    clock: { now: () => 0 },
    emit: (_event: BailiffEvent) => undefined,
    onBug: (error) => {
      throw error;
    },
    ...changes,
  };
}

test('/metrics answers the exposition with its content type', async (t) => {
  const server = createMetricsServer(optionsWith());
  t.after(() => server.stop());
  const { bound, errors } = await server.start();
  assert.deepEqual(errors, []);
  const port = bound[0]?.port ?? 0;
  const answer = await send({ port }, 'GET', '/metrics');
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['content-type'], CONTENT_TYPE);
  assert.equal(answer.text, '# HELP bailiff_up 1\nbailiff_up 1\n');
});

test('all who ask within a second get one rendering', async (t) => {
  const time = { at: 0, rendered: 0 };
  const render = () => `bailiff_up ${++time.rendered}\n`;
  const options = { metrics: { contentType: CONTENT_TYPE, render }, clock: { now: () => time.at } };
  const server = createMetricsServer(optionsWith(options));
  t.after(() => server.stop());
  const port = (await server.start()).bound[0]?.port ?? 0;
  const read = async () => (await send({ port }, 'GET', '/metrics')).text;
  assert.deepEqual(await Promise.all([read(), read(), read()]), Array(3).fill('bailiff_up 1\n'));
  time.at = PAGE_LIFETIME;
  assert.equal(await read(), 'bailiff_up 2\n');
});

test('/healthz says that the process answers, /readyz whether it does its work', async (t) => {
  let ready = true;
  const { health } = optionsWith();
  const server = createMetricsServer(optionsWith({ health: () => ({ ...health(), ready }) }));
  t.after(() => server.stop());
  const port = (await server.start()).bound[0]?.port ?? 0;
  assert.deepEqual(JSON.parse((await send({ port }, 'GET', '/healthz')).text), { status: 'ok' });
  const good = await send({ port }, 'GET', '/readyz');
  assert.equal(good.status, 200);
  assert.deepEqual(JSON.parse(good.text), {
    ready: true,
    components: { journal: 'up', firewall: 'degraded' },
  });
  ready = false;
  assert.equal((await send({ port }, 'GET', '/readyz')).status, 503);
  assert.equal((await send({ port }, 'GET', '/healthz')).status, 200);
});

test('nothing of the control API is there', async (t) => {
  const server = createMetricsServer(optionsWith());
  t.after(() => server.stop());
  const port = (await server.start()).bound[0]?.port ?? 0;
  for (const [method, path, status] of [
    ['GET', '/v1/status', 404],
    ['DELETE', '/v1/bans', 404],
    ['POST', '/metrics', 405],
    ['GET', '/', 404],
  ] as const) {
    const answer = await send({ port }, method, path);
    assert.equal(answer.status, status, path);
    assert.match(`${answer.headers['content-type']}`, /^application\/problem\+json/);
    assert.equal((JSON.parse(answer.text) as { status: number }).status, status);
    assert.equal(answer.headers.allow, status === 405 ? 'GET, HEAD' : undefined);
  }
});

test('an address in use is reported with advice, and the other addresses are served', async (t) => {
  const first = createMetricsServer(optionsWith());
  t.after(() => first.stop());
  const taken = (await first.start()).bound[0]?.port ?? 0;
  const second = createMetricsServer(
    optionsWith({
      listen: [
        { host: '127.0.0.1', port: taken },
        { host: '192.0.2.1', port: 0 },
        { host: '127.0.0.1', port: 0 },
      ],
    }),
  );
  t.after(() => second.stop());
  const { bound, errors } = await second.start();
  assert.deepEqual(
    errors.map((error) => error.code),
    ['EADDRINUSE', 'EADDRNOTAVAIL'],
  );
  assert.match(errors[0]?.message ?? '', new RegExp(`^cannot serve metrics on 127\\.0\\.0\\.1:${taken}: `));
  assert.match(errors[0]?.advice ?? '', new RegExp(`ss -ltnp 'sport = :${taken}'`));
  assert.equal(bound.length, 1);
  assert.equal((await send({ port: bound[0]?.port ?? 0 }, 'GET', '/metrics')).status, 200);
});

test('a failure to render is a bug for the daemon and a 500 for the client', async (t) => {
  const bugs: unknown[] = [];
  const bug = new Error('secret detail');
  const server = createMetricsServer(
    optionsWith({
      metrics: { contentType: CONTENT_TYPE, render: () => Promise.reject(bug) },
      onBug: (error) => bugs.push(error),
    }),
  );
  t.after(() => server.stop());
  const port = (await server.start()).bound[0]?.port ?? 0;
  const answer = await send({ port }, 'GET', '/metrics');
  assert.equal(answer.status, 500);
  assert.doesNotMatch(answer.text, /secret/);
  assert.deepEqual(bugs, [bug]);
});

test('it stops listening and can be started again', async () => {
  const server = createMetricsServer(optionsWith());
  const port = (await server.start()).bound[0]?.port ?? 0;
  await server.stop();
  await assert.rejects(send({ port }, 'GET', '/metrics'), { code: 'ECONNREFUSED' });
  const again = await server.start();
  assert.equal(again.errors.length, 0);
  await server.stop();
});

const TOKEN = 'correct-horse-battery-staple';

test('with a token, only /healthz is open to those who do not present it', async (t) => {
  const server = createMetricsServer(optionsWith({ token: TOKEN }));
  t.after(() => server.stop());
  const port = (await server.start()).bound[0]?.port ?? 0;
  const get = (path: string, authorization?: string) =>
    send({ port }, 'GET', path, authorization === undefined ? {} : { headers: { authorization } });
  assert.equal((await get('/healthz')).status, 200);
  for (const path of ['/metrics', '/readyz', '/nowhere', '/healthz/', '/metrics?/healthz']) {
    const refused = await get(path);
    assert.equal(refused.status, 401, path);
    assert.equal(refused.headers['www-authenticate'], 'Bearer realm="bailiff"');
    assert.doesNotMatch(refused.text, /bailiff_up|journal/);
    assert.notEqual((await get(path, `Bearer ${TOKEN}`)).status, 401, path);
  }
  assert.equal((await get('/metrics', `bearer  ${TOKEN}`)).status, 200);
});

test('a token that is not quite right is wrong, and nothing is said about the right one', async (t) => {
  const server = createMetricsServer(optionsWith({ token: TOKEN }));
  t.after(() => server.stop());
  const port = (await server.start()).bound[0]?.port ?? 0;
  const near = [TOKEN.slice(1), `${TOKEN}x`, TOKEN.toUpperCase(), 'x', `${TOKEN} ${TOKEN}`, `"${TOKEN}"`];
  for (const authorization of [
    '',
    'Bearer',
    TOKEN,
    `Basic ${TOKEN}`,
    ...near.map((one) => `Bearer ${one}`),
  ]) {
    const refused = await send({ port }, 'GET', '/metrics', { headers: { authorization } });
    assert.equal(refused.status, 401, authorization);
    assert.ok(!refused.text.includes(TOKEN));
  }
  const wrong = await send({ port }, 'GET', '/metrics', { headers: { authorization: 'Bearer wrong' } });
  assert.equal(wrong.headers['www-authenticate'], 'Bearer realm="bailiff", error="invalid_token"');
});
