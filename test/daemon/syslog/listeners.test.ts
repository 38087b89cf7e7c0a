import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import type { Identity } from '../../../src/certificates/authority.ts';
import type { ListenAddress, Plan } from '../../../src/config/plan.ts';
import type { LogRecord } from '../../../src/core/record.ts';
import { SyslogListeners, type SyslogListenersOptions } from '../../../src/daemon/syslog/listeners.ts';
import { AF_INET, encodeInternetAddress } from '../../../src/native/socket-address.ts';
import {
  bindSocket,
  closeSocket,
  openSocket,
  readLocalAddress,
  SOCK_STREAM,
} from '../../../src/native/socket-calls.ts';
import { SenderDirectory } from '../../../src/senders/directory.ts';
import { PATIENCE_MILLISECONDS, waitFor } from '../../bed/waiting.ts';
import { actionsOf, wordsOf } from '../../core/warning/words.ts';
import { makeDirectory } from '../../http/running-server.ts';
import { makeCertificates, makeServer } from '../../sources/stream/certificates.ts';
import { planOf, Recorder, START, sendersOf } from '../parts.ts';

const LOOPBACK = { host: '127.0.0.1', port: 0 };

function syslogOf(parts: Partial<Plan['syslog']>): Plan['syslog'] {
  return { ...planOf().syslog, ...parts };
}

function setUp(t: TestContext, changes: Partial<SyslogListenersOptions> = {}) {
  const recorder = new Recorder();
  const senders = new SenderDirectory(sendersOf());
  const records: LogRecord[] = [];
  const listeners = new SyslogListeners({
    clock: { now: () => START },
    elapsed: () => performance.now(),
    sink: (batch) => records.push(...batch.records),
    emit: recorder.emit,
    watchMilliseconds: 15,
    ...changes,
    senders,
  });
  t.after(() => listeners.stop());
  const told = () => recorder.of('component').map((event) => `${event.health}: ${wordsOf(event)}`);
  const received = (message: string) =>
    waitFor(
      `the message ${message}`,
      PATIENCE_MILLISECONDS,
      () => records.find((one) => one.message === message) ?? null,
    );
  return { listeners, recorder, senders, told, received };
}

/** Where a listener is bound, from `udp 127.0.0.1:40022`. */
function portOf(bound: string | undefined): number {
  return Number(bound?.split(':').at(-1));
}

async function sendUdp(port: number, message: string): Promise<void> {
  const socket = createSocket('udp4');
  await new Promise((resolve) => socket.send(`<38>sshd[1]: ${message}`, port, '127.0.0.1', resolve));
  socket.close();
}

/** A port of loopback that nobody has. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return address.port;
}

test('it listens where the plan says, and what comes in goes on', async (t) => {
  const { listeners, told, received } = setUp(t);
  await listeners.apply({ syslog: syslogOf({ udp: [LOOPBACK], tcp: [LOOPBACK] }) });
  const [udp, tcp] = listeners.bound();
  assert.match(udp ?? '', /^udp 127\.0\.0\.1:\d+$/);
  assert.match(tcp ?? '', /^tcp 127\.0\.0\.1:\d+$/);
  assert.deepEqual(told(), [`up: listens on ${udp}, ${tcp}`]);
  await sendUdp(portOf(udp), 'by datagram');
  assert.equal((await received('by datagram')).source, 'udp');
  const stream = connect(portOf(tcp), '127.0.0.1');
  stream.write('<38>sshd[1]: by stream\n');
  assert.equal((await received('by stream')).source, 'tcp');
  stream.destroy();
});

test('with nothing to listen on it is off', async (t) => {
  const { listeners, told } = setUp(t);
  await listeners.apply({ syslog: syslogOf({}) });
  assert.deepEqual(told(), ['off: no listener is configured']);
});

test('a plan that says the same changes nothing, not even the sockets', async (t) => {
  const { listeners, told } = setUp(t);
  await listeners.apply({ syslog: syslogOf({ udp: [LOOPBACK] }) });
  const before = listeners.bound();
  await listeners.apply({ syslog: syslogOf({ udp: [LOOPBACK] }) });
  assert.deepEqual(listeners.bound(), before);
  assert.equal(told().length, 1);
});

test('a listener more or less leaves the others alone', async (t) => {
  const { listeners } = setUp(t);
  await listeners.apply({ syslog: syslogOf({ udp: [LOOPBACK] }) });
  const [udp] = listeners.bound();
  await listeners.apply({ syslog: syslogOf({ udp: [LOOPBACK], tcp: [LOOPBACK] }) });
  assert.equal(listeners.bound()[0], udp);
  assert.equal(listeners.bound().length, 2);
  await listeners.apply({ syslog: syslogOf({ tcp: [LOOPBACK] }) });
  assert.equal(listeners.bound().length, 1);
  assert.match(listeners.bound()[0] ?? '', /^tcp/);
});

test('other senders hold from then on', async (t) => {
  const { listeners, recorder, senders, received } = setUp(t);
  const port = await freePort();
  const udp: ListenAddress[] = [{ host: '127.0.0.1', port }];
  senders.configure(sendersOf({ networks: ['192.0.2.0/24'] }));
  await listeners.apply({ syslog: syslogOf({ udp }) });
  await sendUdp(port, 'from a stranger');
  await waitFor('the rejection', PATIENCE_MILLISECONDS, () => recorder.of('rejected')[0] ?? null);
  senders.configure(sendersOf({ networks: ['127.0.0.1'] }));
  await sendUdp(port, 'from a friend');
  await received('from a friend');
  assert.equal(recorder.of('rejected').length, 1);
});

test('an address that another program has is told with advice, and the others are heard', async (t) => {
  const { listeners, recorder, told, received } = setUp(t);
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.after(() => taken.close());
  const { port } = taken.address() as { port: number };
  await listeners.apply({ syslog: syslogOf({ udp: [LOOPBACK], tcp: [{ host: '127.0.0.1', port }] }) });
  const [udp] = listeners.bound();
  assert.equal(listeners.bound().length, 1);
  assert.equal(told().length, 1, 'one word when all have been tried');
  assert.match(
    told()[0] ?? '',
    new RegExp(`^degraded: listens on ${udp}; cannot listen on tcp 127\\.0\\.0\\.1:${port}`),
  );
  assert.match(actionsOf(recorder.of('component')[0]), /^find it with: ss /);
  await sendUdp(portOf(udp), 'all the same');
  await received('all the same');
});

test('it is down when nothing can be received', async (t) => {
  const { listeners, told } = setUp(t);
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.after(() => taken.close());
  const { port } = taken.address() as { port: number };
  await listeners.apply({ syslog: syslogOf({ tcp: [{ host: '127.0.0.1', port }] }) });
  assert.match(told()[0] ?? '', /^down: cannot listen on tcp/);
});

test('after it was stopped nobody listens', async (t) => {
  const { listeners } = setUp(t);
  await listeners.apply({ syslog: syslogOf({ tcp: [LOOPBACK] }) });
  const port = portOf(listeners.bound()[0]);
  await listeners.stop();
  assert.deepEqual(listeners.bound(), []);
  const refused = connect(port, '127.0.0.1');
  const [error] = await once(refused, 'error');
  assert.equal(error.code, 'ECONNREFUSED');
});

test('it listens over TLS as soon as it has a certificate, and a new one takes nothing from open connections', async (t) => {
  const directory = makeDirectory(t);
  const made = await makeCertificates();
  const path = (name: string) => join(directory, name);
  const put = (identity: Identity) => {
    writeFileSync(path('server.key'), identity.key);
    writeFileSync(path('server.crt'), identity.certificate);
  };
  const { listeners, told, received } = setUp(t);
  const tlsServer = {
    certificate: path('server.crt'),
    key: path('server.key'),
    clientCa: null,
    requiresClientCertificate: false,
    revoked: null,
  };
  await listeners.apply({ syslog: syslogOf({ tls: [LOOPBACK], tlsServer }) });
  assert.match(
    told()[0] ?? '',
    /^down: tls 127\.0\.0\.1:0 waits for its certificate; TLS is off: cannot use certificate .*ENOENT/,
  );
  put(made.server);
  const bound = await waitFor('the listener', PATIENCE_MILLISECONDS, () => listeners.bound()[0] ?? null);
  assert.match(bound, /^tls 127\.0\.0\.1:\d+$/);
  await waitFor(
    'the word',
    PATIENCE_MILLISECONDS,
    () =>
      /^up: listens on tls 127\.0\.0\.1:\d+; TLS certificate valid until \d{4}-/.test(told().at(-1) ?? '') ||
      null,
  );
  const ca = made.authority.certificate;
  const options = { host: '127.0.0.1', port: portOf(bound), ca };
  const open = connectTls({ ...options, servername: 'log.example.net' });
  await once(open, 'secureConnect');
  put(await makeServer(made.authority, 'new.example.net'));
  await listeners.apply({ syslog: syslogOf({ tls: [LOOPBACK], tlsServer }) });
  assert.equal(listeners.bound()[0], bound);
  const fresh = connectTls({ ...options, servername: 'new.example.net' });
  await once(fresh, 'secureConnect');
  fresh.end('<38>sshd[1]: by the new\n');
  await received('by the new');
  open.end('<38>sshd[1]: by the old\n');
  assert.equal((await received('by the old')).source, 'tls');
});

test('a passed socket for TLS is heard no longer when a plan takes its certificate away', async (t) => {
  const directory = makeDirectory(t);
  const { server } = await makeCertificates();
  const [certificate, key] = [join(directory, 'server.crt'), join(directory, 'server.key')];
  writeFileSync(certificate, server.certificate);
  writeFileSync(key, server.key);
  const descriptor = openSocket(AF_INET, SOCK_STREAM);
  t.after(() => closeSocket(descriptor));
  bindSocket(descriptor, encodeInternetAddress('127.0.0.1', 0));
  const address = readLocalAddress(descriptor);
  assert.ok(address?.family === 'internet');
  const { host, port } = address;
  const activation = {
    sockets: [{ fd: descriptor, name: 'tls', kind: 'tcp', address: { host, port } }] as const,
    refused: [],
  };
  const { listeners, told } = setUp(t, { activation });
  const tlsServer = { certificate, key, clientCa: null, requiresClientCertificate: false, revoked: null };
  await listeners.apply({ syslog: syslogOf({ tlsServer }) });
  assert.deepEqual(listeners.bound(), [`tls 127.0.0.1:${port}`]);
  await listeners.apply({ syslog: syslogOf({}) });
  assert.deepEqual(listeners.bound(), []);
  assert.match(told().at(-1) ?? '', /^down: .* there is no certificate for it$/);
  await listeners.apply({ syslog: syslogOf({ tlsServer }) });
  assert.deepEqual(listeners.bound(), [`tls 127.0.0.1:${port}`]);
});

test('sockets that were passed to it are heard without any configuration, and what is none is told', async (t) => {
  const descriptor = openSocket(AF_INET, SOCK_STREAM);
  t.after(() => closeSocket(descriptor));
  bindSocket(descriptor, encodeInternetAddress('127.0.0.1', 0));
  const address = readLocalAddress(descriptor);
  assert.ok(address?.family === 'internet');
  const { host, port } = address;
  const activation = {
    sockets: [{ fd: descriptor, name: 'syslog', kind: 'tcp', address: { host, port } }] as const,
    refused: ['descriptor 4 ("x") is no UDP socket'],
  };
  const { listeners, told, received } = setUp(t, { activation });
  await listeners.apply({ syslog: syslogOf({}) });
  assert.deepEqual(told(), [
    `degraded: listens on tcp 127.0.0.1:${port}; passed descriptor 4 ("x") is no UDP socket`,
  ]);
  await listeners.apply({ syslog: syslogOf({ maxMessageBytes: 2_048, tcp: [{ host, port }] }) });
  assert.deepEqual(listeners.bound(), [`tcp 127.0.0.1:${port}`]);
  connect(port, '127.0.0.1').end('<38>sshd[1]: passed along\n');
  await received('passed along');
});

test('it hears programs of this host at a unix socket', async (t) => {
  const path = join(makeDirectory(t), 'log');
  const { listeners, told } = setUp(t);
  await listeners.apply({ syslog: syslogOf({ unix: [path] }) });
  assert.deepEqual(listeners.bound(), [`unix ${path}`]);
  assert.deepEqual(told(), [`up: listens on unix ${path}`]);
});
