import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { createMetricsServer } from '../../src/http/metrics-server.ts';
import { createTlsServer } from '../../src/http/tls-server.ts';
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
    clock: { now: () => 0 },
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

test('requests that come together are answered one after the other', { skip }, async (t) => {
  const { server, port, ca } = await startHttps(makeDirectory(t));
  t.after(() => server.stop());
  const client = connectTls({ host: '127.0.0.1', port, ca });
  const request = (end: string) => `GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: ${end}\r\n\r\n`;
  client.write(request('keep-alive') + request('close'));
  let text = '';
  for await (const chunk of client.setEncoding('utf8')) text += chunk;
  assert.match(text, /^(?:HTTP\/1\.1 200 OK\r\n[\s\S]*?bailiff_ready 1\n){2}$/);
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

test('stopping closes a client that never shakes hands, and does not wait until its time is up', {
  skip,
}, async (t) => {
  const server = createTlsServer(
    makeCertificate(makeDirectory(t), 'one'),
    () => assert.fail('a request'),
    {},
  );
  const reasons: unknown[] = [];
  server.on('tlsClientError', (error) => reasons.push((error as NodeJS.ErrnoException).code));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const arrived = once(server, 'connection');
  const silent = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {});
  const closed = once(silent, 'close');
  await arrived;
  server.closeAllConnections();
  await closed;
  server.close();
  assert.ok(!reasons.includes('ERR_TLS_HANDSHAKE_TIMEOUT'), String(reasons));
});
