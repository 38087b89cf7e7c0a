import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:https';
import { connect } from 'node:net';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { createMetricsServer } from '../../src/http/metrics-server.ts';
import { makeCertificate, missingOpenssl } from './certificate.ts';
import { makeDirectory } from './running-server.ts';

const skip = missingOpenssl() ?? false;

async function startHttps(directory: string) {
  const identity = makeCertificate(directory, 'one');
  const server = createMetricsServer({
    listen: [{ host: '127.0.0.1', port: 0 }],
    token: null,
    tls: identity,
    metrics: { contentType: 'text/plain', render: () => 'bailiff_ready 1\n' },
    health: () => ({ ready: true, components: [] }),
    emit: () => {},
    onBug: (error) => assert.fail(String(error)),
  });
  const port = (await server.start()).bound[0]?.port ?? 0;
  return { server, port, ca: identity.certificate };
}

function get(port: number, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: '127.0.0.1', port, path: '/metrics', ca, agent: false },
      async (message) => {
        let text = '';
        for await (const chunk of message.setEncoding('utf8')) text += chunk;
        resolve(text);
      },
    );
    outgoing.on('error', reject).end();
  });
}

test('a client that knows the certificate gets the page', { skip }, async (t) => {
  const { server, port, ca } = await startHttps(makeDirectory(t));
  t.after(() => server.stop());
  assert.equal(await get(port, ca), 'bailiff_ready 1\n');
  await assert.rejects(get(port, makeCertificate(makeDirectory(t), 'other').certificate));
});

test('plain HTTP, and a handshake of another age, are cut off without an answer', { skip }, async (t) => {
  const { server, port, ca } = await startHttps(makeDirectory(t));
  t.after(() => server.stop());
  const plain = connect(port, '127.0.0.1').on('error', () => {});
  const received: Buffer[] = [];
  plain.on('data', (bytes) => received.push(Buffer.from(bytes)));
  plain.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n');
  await once(plain, 'close');
  assert.ok(!Buffer.concat(received).includes('HTTP/1.1'));
  const old = connectTls({ host: '127.0.0.1', port, ca, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' });
  await assert.rejects(once(old, 'secureConnect'));
  assert.equal(await get(port, ca), 'bailiff_ready 1\n');
});

test('stopping does not wait for a client that never shakes hands', { skip }, async (t) => {
  const { server, port } = await startHttps(makeDirectory(t));
  const silent = connect(port, '127.0.0.1').on('error', () => {});
  await once(silent, 'connect');
  const closed = once(silent, 'close');
  const startedAt = performance.now();
  await server.stop();
  await closed;
  assert.ok(performance.now() - startedAt < 4_000);
});
