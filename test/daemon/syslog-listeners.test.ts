import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { ListenAddress, Plan } from '../../src/config/plan.ts';
import type { LogRecord } from '../../src/core/record.ts';
import { SyslogListeners } from '../../src/daemon/syslog-listeners.ts';
import { waitFor } from '../bed/waiting.ts';
import { planOf, Recorder, START } from './parts.ts';

const LOOPBACK = { host: '127.0.0.1', port: 0 };
const PATIENCE_MILLISECONDS = 10_000;

function syslogOf(parts: Partial<Plan['syslog']>): Plan['syslog'] {
  return { ...planOf().syslog, ...parts };
}

function setUp(t: TestContext) {
  const recorder = new Recorder();
  const records: LogRecord[] = [];
  const listeners = new SyslogListeners({
    clock: { now: () => START },
    sink: (batch) => records.push(...batch.records),
    emit: recorder.emit,
  });
  t.after(() => listeners.stop());
  const told = () => recorder.of('component').map(({ health, detail }) => `${health}: ${detail}`);
  const received = (message: string) =>
    waitFor(
      `the message ${message}`,
      PATIENCE_MILLISECONDS,
      () => records.find((one) => one.message === message) ?? null,
    );
  return { listeners, recorder, told, received };
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
  await listeners.apply(syslogOf({ udp: [LOOPBACK], tcp: [LOOPBACK] }));
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
  await listeners.apply(syslogOf({}));
  assert.deepEqual(told(), ['off: no listener is configured']);
});

test('a plan that says the same changes nothing, not even the sockets', async (t) => {
  const { listeners, told } = setUp(t);
  await listeners.apply(syslogOf({ udp: [LOOPBACK] }));
  const before = listeners.bound();
  await listeners.apply(syslogOf({ udp: [LOOPBACK] }));
  assert.deepEqual(listeners.bound(), before);
  assert.equal(told().length, 1);
});

test('a listener more or less leaves the others alone', async (t) => {
  const { listeners } = setUp(t);
  await listeners.apply(syslogOf({ udp: [LOOPBACK] }));
  const [udp] = listeners.bound();
  await listeners.apply(syslogOf({ udp: [LOOPBACK], tcp: [LOOPBACK] }));
  assert.equal(listeners.bound()[0], udp);
  assert.equal(listeners.bound().length, 2);
  await listeners.apply(syslogOf({ tcp: [LOOPBACK] }));
  assert.equal(listeners.bound().length, 1);
  assert.match(listeners.bound()[0] ?? '', /^tcp/);
});

test('other senders hold from then on', async (t) => {
  const { listeners, recorder, received } = setUp(t);
  const port = await freePort();
  const udp: ListenAddress[] = [{ host: '127.0.0.1', port }];
  await listeners.apply(syslogOf({ udp, senders: ['192.0.2.0/24'] }));
  await sendUdp(port, 'from a stranger');
  await waitFor('the rejection', PATIENCE_MILLISECONDS, () => recorder.of('rejected')[0] ?? null);
  await listeners.apply(syslogOf({ udp, senders: ['127.0.0.1'] }));
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
  await listeners.apply(syslogOf({ udp: [LOOPBACK], tcp: [{ host: '127.0.0.1', port }] }));
  const [udp] = listeners.bound();
  assert.equal(listeners.bound().length, 1);
  assert.equal(told().length, 1, 'one word when all have been tried');
  assert.match(
    told()[0] ?? '',
    new RegExp(`^degraded: listens on ${udp}; cannot listen on tcp 127\\.0\\.0\\.1:${port}`),
  );
  assert.match(recorder.of('component')[0]?.advice ?? '', /^find it with: ss /);
  await sendUdp(portOf(udp), 'all the same');
  await received('all the same');
});

test('it is down when nothing can be received', async (t) => {
  const { listeners, told } = setUp(t);
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.after(() => taken.close());
  const { port } = taken.address() as { port: number };
  await listeners.apply(syslogOf({ tcp: [{ host: '127.0.0.1', port }] }));
  assert.match(told()[0] ?? '', /^down: cannot listen on tcp/);
});

test('after it was stopped nobody listens', async (t) => {
  const { listeners } = setUp(t);
  await listeners.apply(syslogOf({ tcp: [LOOPBACK] }));
  const port = portOf(listeners.bound()[0]);
  await listeners.stop();
  assert.deepEqual(listeners.bound(), []);
  const refused = connect(port, '127.0.0.1');
  const [error] = await once(refused, 'error');
  assert.equal(error.code, 'ECONNREFUSED');
});
