import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectPlainly, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { createRevocationList, type Identity } from '../../../src/certificates/authority.ts';
import type { HandshakeFailureReason } from '../../../src/core/event.ts';
import type { LogRecord } from '../../../src/core/record.ts';
import { DAY } from '../../../src/core/time.ts';
import {
  createStreamSource,
  type StreamOptions,
  type StreamSource,
} from '../../../src/sources/stream/stream.ts';
import { PATIENCE_MILLISECONDS, waitFor } from '../../bed/waiting.ts';
import { missingOpenssl } from '../../http/certificate.ts';
import { Listening, permitting, sendersOf } from '../listening.ts';
import { credentialsOf, makeCertificates, makeServer } from './certificates.ts';

const certificates = await makeCertificates();
const { authority, client, server } = certificates;

const VALIDITY = { from: Date.now() * 1_000 - DAY, until: Date.now() * 1_000 + DAY };

const noOpenssl = missingOpenssl() ?? false;

type Options = Partial<StreamOptions>;

async function listen(changes: Options = {}): Promise<Listening & { tls: StreamSource }> {
  const listening = new Listening();
  const limits = { maxConnections: 40, maxConnectionsPerSender: 20 };
  const credentials = credentialsOf(certificates);
  const tls = createStreamSource({ ...listening.options(), ...limits, credentials, ...changes });
  return Object.assign(await listening.start(tls), { tls });
}

/** A connection that believes the authority; its errors are none of the tests'. */
function open(listening: Listening, shown: Identity | null, changes: ConnectionOptions = {}): TLSSocket {
  const identity = shown === null ? {} : { cert: shown.certificate, key: shown.key };
  const options = { host: '127.0.0.1', port: listening.port, servername: 'log.example.net' };
  const socket = connect({ ...options, ca: authority.certificate, ...identity, ...changes });
  socket.on('error', () => {});
  socket.resume();
  return socket;
}

async function plain(listening: Listening, bytes = ''): Promise<Socket> {
  const socket = connectPlainly(listening.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  await once(socket, 'connect');
  if (bytes !== '') socket.write(bytes);
  return socket;
}

/** A way over `socket` that holds back everything after the first write, until it is released. */
function holdAfterFirst(socket: Socket) {
  const holding = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  let isFirst = true;
  const stream = new Duplex({
    read() {},
    write(bytes: Buffer, _encoding, done) {
      if (isFirst) {
        isFirst = false;
        socket.write(bytes, done);
        return;
      }
      holding.resolve();
      void released.promise.then(() => socket.write(bytes, done));
    },
  });
  socket.on('data', (bytes) => stream.push(bytes));
  socket.on('close', () => stream.destroy());
  return { stream, isHeld: holding.promise, release: () => released.resolve() };
}

/** Not `once`, which rejects at an error: a reset is a close as well. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

const shown = ({ source, sender, message }: LogRecord) => [source, sender, message];

describe('a TLS listener', () => {
  it('takes lines and counted messages of a client with a certificate', async () => {
    await using listening = await listen();
    open(listening, client).end('<38>a: one\n12 <38>b: three<38>c: four\r\n');
    const records = await listening.received(3);
    assert.deepEqual(records.map(shown), [
      ['tls', '127.0.0.1', 'one'],
      ['tls', '127.0.0.1', 'three'],
      ['tls', '127.0.0.1', 'four'],
    ]);
    const closed = await listening.event('connection', ({ change }) => change === 'closed');
    assert.deepEqual([closed.source, closed.open], ['tls', 0]);
  });

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`speaks ${version}`, async () => {
      await using listening = await listen();
      const socket = open(listening, client, { minVersion: version, maxVersion: version });
      await once(socket, 'secureConnect');
      assert.equal(socket.getProtocol(), version);
      socket.end('<38>a: b\n');
      await listening.received(1);
    });
  }

  it('knows a sender by its certificate, whatever its address', async () => {
    const configured = [
      {
        name: 'archive',
        networks: ['192.0.2.1'],
        certificates: ['nas1'],
        transports: ['tls'],
        isRelay: false,
        dialect: null,
        jails: null,
        confidence: null,
        rate: null,
        silence: 'off',
        countsOld: true,
      },
    ] as const;
    await using listening = await listen({ senders: sendersOf({ configured }) });
    open(listening, client).end('<38>a: b\n');
    const [record] = await listening.received(1);
    assert.equal(record?.sender, 'archive');
  });

  it('takes whoever has a certificate, from any address, and nobody else', async () => {
    await using listening = await listen({ senders: permitting('192.0.2.0/24') });
    open(listening, client).end('<38>a: b\n');
    const [record] = await listening.received(1);
    assert.equal(record?.sender, '127.0.0.1');
    const refused = open(listening, null);
    await closed(refused);
    assert.equal((await listening.event('handshake-failed')).reason, 'no-certificate');
  });

  it('takes permitted addresses without a certificate when that is optional', async () => {
    const credentials = credentialsOf(certificates, { requiresClientCertificate: false });
    await using listening = await listen({ credentials });
    open(listening, null).end('<38>a: b\n');
    await listening.received(1);
    await using strict = await listen({ credentials, senders: permitting('192.0.2.0/24') });
    const refused = open(strict, null);
    await closed(refused);
    assert.equal((await strict.event('rejected')).reason, 'unknown-sender');
    const forged = open(strict, certificates.selfSigned);
    await closed(forged);
    assert.equal((await strict.event('handshake-failed')).reason, 'self-signed');
  });

  it('without an authority for clients asks for no certificate, and refuses strangers before it does any work', async () => {
    const credentials = credentialsOf(certificates, { clientCa: null, requiresClientCertificate: false });
    await using listening = await listen({ credentials });
    open(listening, null).end('<38>a: b\n');
    await listening.received(1);
    await using strict = await listen({ credentials, senders: permitting('192.0.2.0/24') });
    const refused = open(strict, null);
    await closed(refused);
    assert.equal((await strict.event('rejected')).reason, 'unknown-sender');
    assert.deepEqual(strict.eventsOf('handshake-failed'), []);
  });

  const failures: readonly (readonly [HandshakeFailureReason, string, (to: Listening) => void])[] = [
    ['no-certificate', 'shows no certificate', (to) => open(to, null)],
    ['no-certificate', 'shows none over TLS 1.2', (to) => open(to, null, { maxVersion: 'TLSv1.2' })],
    ['self-signed', 'has signed itself', (to) => open(to, certificates.selfSigned)],
    ['unknown-authority', 'comes with a strange authority', (to) => open(to, certificates.stranger)],
    ['expired', 'has an old certificate', (to) => open(to, certificates.expired)],
    ['not-yet-valid', 'has one of tomorrow', (to) => open(to, certificates.early)],
    ['revoked', 'was revoked', (to) => open(to, certificates.revoked)],
    ['wrong-purpose', 'shows the certificate of a server', (to) => open(to, server)],
    ['closed', 'does not know our authority, and does not say so', (to) => open(to, client, { ca: [] })],
    [
      'protocol-version',
      'speaks TLS 1.1',
      (to) =>
        open(to, client, { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    ],
    [
      'no-shared-cipher',
      'offers ciphers for RSA only',
      (to) => open(to, client, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES256-GCM-SHA384' }),
    ],
    ['not-tls', 'sends plain syslog', (to) => void plain(to, '<38>sshd: Failed password\n')],
    ['not-tls', 'sends counted plain syslog', (to) => void plain(to, '20 <38>sshd: Failed pas\n')],
    ['not-tls', 'speaks HTTP', (to) => void plain(to, 'GET / HTTP/1.1\r\n\r\n')],
    ['timeout', 'says nothing', (to) => void plain(to)],
    ['closed', 'goes away', (to) => void plain(to).then((socket) => socket.end())],
    ['closed', 'resets the connection', (to) => void plain(to).then((socket) => socket.resetAndDestroy())],
  ];
  for (const [reason, what, act] of failures) {
    it(`explains that a client ${what}: ${reason}`, async () => {
      await using listening = await listen({ handshakes: { timeoutMilliseconds: 500 } });
      act(listening);
      const event = await listening.event('handshake-failed');
      assert.deepEqual(
        [event.reason, event.sender, event.source, event.count],
        [reason, '127.0.0.1', 'tls', 1],
      );
      assert.match(event.detail, /^(?:it|its|the) [\w ,.;()-]+$/);
      assert.ok(event.advice !== '');
      assert.deepEqual(listening.records, []);
      assert.deepEqual(listening.eventsOf('connection'), []);
    });
  }

  it('explains that a client says it does not know our authority', { skip: noOpenssl }, async (t) => {
    await using listening = await listen();
    const words = `s_client -connect 127.0.0.1:${listening.port} -verify_return_error`;
    const child = spawn('openssl', words.split(' '), { stdio: 'ignore' });
    t.after(() => child.kill());
    assert.equal((await listening.event('handshake-failed')).reason, 'refused-by-client');
  });

  it('breaks off the oldest handshake for one too many, so that silent clients lock nobody out', async () => {
    await using listening = await listen({ handshakes: { maxHandshakes: 3 } });
    const silent = await Promise.all(Array.from({ length: 3 }, () => plain(listening)));
    const oneClosed = Promise.race(silent.map(closed));
    open(listening, client).end('<38>a: b\n');
    await listening.received(1);
    await oneClosed;
    const limit = await listening.event('limit');
    assert.deepEqual([limit.limit, limit.count], ['handshakes', 1]);
    for (const socket of silent) socket.destroy();
  });

  it('begins only so many handshakes a second', async () => {
    await using listening = await listen({ maxConnections: 2_000, maxConnectionsPerSender: 2_000 });
    for (let round = 0; round < 7; round++) {
      const sockets = await Promise.all(Array.from({ length: 100 }, () => plain(listening)));
      for (const socket of sockets) socket.destroy();
    }
    // Connections are taken in their order: when this one has been refused, those before it are dealt with.
    await closed(await plain(listening));
    const limit = await listening.event('limit', ({ limit }) => limit === 'handshakes');
    assert.match(limit.detail, /TLS handshakes refused|broken off/);
    // The last of the crowd may be taken late, and use up another second.
    await waitFor('a handshake in a later second', PATIENCE_MILLISECONDS, async () => {
      listening.now += 1_000_000;
      const socket = open(listening, client);
      socket.end('<38>a: b\n');
      await closed(socket);
      return listening.records.length > 0 ? true : null;
    });
  });

  for (const [who, limits] of [
    ['a peer with too many connections, so that it locks itself out least', { maxConnectionsPerSender: 2 }],
    ['anybody where there is no room for a connection', { maxConnections: 2 }],
  ] as const) {
    it(`breaks off the oldest handshake of ${who}`, async () => {
      await using listening = await listen(limits);
      const oldest = await plain(listening);
      const second = await plain(listening);
      const oldestClosed = closed(oldest);
      open(listening, client).end('<38>a: b\n');
      await listening.received(1);
      await oldestClosed;
      assert.equal((await listening.event('limit')).limit, 'handshakes');
      second.destroy();
    });
  }

  it('refuses a connection where all there are have shaken hands', async () => {
    await using listening = await listen({ maxConnections: 1 });
    const only = open(listening, client);
    only.write('<38>a: b\n');
    await listening.received(1);
    await closed(await plain(listening));
    assert.equal((await listening.event('limit')).limit, 'connections');
    only.end('<38>a: c\n');
    await listening.received(2);
  });

  it('counts handshakes among the connections of a peer, and breaks off none that has ended well', async () => {
    await using listening = await listen({ maxConnectionsPerSender: 2 });
    const clients = [open(listening, client), open(listening, client)];
    for (const socket of clients) {
      socket.write('<38>a: b\n');
      await once(socket, 'secureConnect');
    }
    await listening.received(2);
    await closed(await plain(listening));
    assert.equal((await listening.event('limit')).limit, 'connections-per-sender');
    for (const socket of clients) socket.end('<38>a: c\n');
    await listening.received(4);
  });

  it('counts each of many that reset their connections at once', async () => {
    await using listening = await listen({ maxConnections: 200, maxConnectionsPerSender: 200 });
    const sockets = await Promise.all(Array.from({ length: 100 }, () => plain(listening)));
    for (const socket of sockets) socket.resetAndDestroy();
    await waitFor('their failures', PATIENCE_MILLISECONDS, () => {
      const counts = listening.eventsOf('handshake-failed').map(({ count }) => count);
      return counts.reduce((sum, count) => sum + count, 0) === 100 ? true : null;
    });
  });

  it('shows a new certificate to new clients, and keeps the connections that it has', async () => {
    await using listening = await listen();
    const old = open(listening, client);
    await once(old, 'secureConnect');
    const renewed = await makeServer(authority, 'new.example.net');
    const limits = { maxConnections: 40, maxConnectionsPerSender: 20, maxMessageBytes: 1024 };
    listening.tls.configure({ ...limits, credentials: credentialsOf(certificates, renewed) });
    const fresh = open(listening, client, { servername: 'new.example.net' });
    await once(fresh, 'secureConnect');
    assert.deepEqual(
      [old, fresh].map((socket) => socket.getPeerCertificate().subject.CN),
      ['log.example.net', 'new.example.net'],
    );
    old.end('<38>a: old\n');
    await listening.received(1);
    fresh.end('<38>a: new\n');
    await listening.received(2);
    assert.deepEqual(listening.messages, ['old', 'new']);
  });

  it('closes a connection as soon as its certificate is revoked, and keeps the others', async () => {
    const revoked = await createRevocationList(authority, [], 1, VALIDITY);
    await using listening = await listen({ credentials: credentialsOf(certificates, { revoked }) });
    const [honest, stolen] = [open(listening, client), open(listening, certificates.revoked)];
    for (const socket of [honest, stolen]) {
      socket.write('<38>a: b\n');
      await once(socket, 'secureConnect');
    }
    await listening.received(2);
    const limits = { maxConnections: 40, maxConnectionsPerSender: 20, maxMessageBytes: 1024 };
    const stolenClosed = closed(stolen);
    listening.tls.configure({ ...limits, credentials: credentialsOf(certificates) });
    await stolenClosed;
    honest.end('<38>a: c\n');
    await listening.received(3);
  });

  it('believes no certificate that was revoked while its handshake was under way', async () => {
    const revoked = await createRevocationList(authority, [], 1, VALIDITY);
    await using listening = await listen({ credentials: credentialsOf(certificates, { revoked }) });
    const held = holdAfterFirst(await plain(listening));
    open(listening, certificates.revoked, { socket: held.stream });
    await held.isHeld;
    const limits = { maxConnections: 40, maxConnectionsPerSender: 20, maxMessageBytes: 1024 };
    listening.tls.configure({ ...limits, credentials: credentialsOf(certificates) });
    held.release();
    assert.equal((await listening.event('handshake-failed')).reason, 'revoked');
    assert.deepEqual(listening.records, []);
  });

  it('refuses credentials that do not go together, and goes on with those before', async () => {
    await using listening = await listen();
    const limits = { maxConnections: 40, maxConnectionsPerSender: 20, maxMessageBytes: 1024 };
    const credentials = credentialsOf(certificates, { key: client.key });
    assert.throws(() => listening.tls.configure({ ...limits, credentials }));
    open(listening, client).end('<38>a: b\n');
    await listening.received(1);
  });

  it('believes nobody again without looking: a session cannot be resumed', async () => {
    await using listening = await listen();
    const sessions: Buffer[] = [];
    const first = open(listening, client, { maxVersion: 'TLSv1.2' });
    first.on('session', (session) => sessions.push(session));
    await once(first, 'secureConnect');
    const session = first.getSession();
    first.end('<38>a: one\n');
    await listening.received(1);
    const second = open(listening, client, { maxVersion: 'TLSv1.2', ...(session ? { session } : {}) });
    await once(second, 'secureConnect');
    assert.equal(second.isSessionReused(), false);
    second.destroy();
  });

  it('hands over what a broken connection has left as cut', async () => {
    await using listening = await listen();
    const socket = open(listening, client);
    await once(socket, 'secureConnect');
    socket.write('<38>sshd: a\n');
    await listening.received(1);
    socket.write('<38>sshd: b\n<38>sshd: Failed password for root from 203.0.113.7');
    await listening.received(2);
    socket.destroy();
    const records = await listening.received(3);
    assert.equal(records[2]?.message, 'Failed password for root from …');
  });

  it('stops while clients are still shaking hands', async () => {
    const listening = await listen();
    const sockets = await Promise.all([plain(listening), plain(listening)]);
    const allClosed = Promise.all(sockets.map(closed));
    await listening.source?.stop();
    await allClosed;
  });
});
