/** One request of a connection at a time, whatever its client sends; bytes come as the client wrote them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { PATIENCE_MILLISECONDS, waitFor } from '../bed/waiting.ts';
import { banReport, FakeControl } from './fake-control.ts';
import { type RunningServer, startServer } from './running-server.ts';

const PING = 'GET /v1/ping HTTP/1.1\r\nhost: x\r\n\r\n';
const BANS = 'GET /v1/bans HTTP/1.1\r\nhost: x\r\n\r\n';
const BAN = '{"address":"203.0.113.9","jail":"sshd"}';
const POST =
  'POST /v1/bans HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n' +
  `content-length: ${BAN.length}\r\n\r\n${BAN}`;

/** More than the kernel keeps for a client that does not read. */
const MANY_BANS = Array.from({ length: 40_000 }, (_, index) =>
  banReport({ offender: `10.0.${index >> 8}.${index & 255}` }),
);

function open(t: TestContext, { socketPath }: RunningServer): Socket {
  const socket = connect(socketPath);
  socket.on('error', () => {});
  t.after(() => socket.destroy());
  return socket;
}

/** All that comes until the server says no more, or `isEnough`. */
function reading(socket: Socket): { readonly text: () => string; until(pattern: RegExp): Promise<string> } {
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
  });
  return {
    text: () => text,
    until: (pattern) =>
      waitFor(`${pattern}`, PATIENCE_MILLISECONDS, () => (pattern.test(text) ? text : null)),
  };
}

function limitsOf(running: RunningServer): string[] {
  return running.emitted.flatMap((event) => (event.kind === 'limit' ? [event.limit] : []));
}

test('requests that come together are answered one after the other, in order', async (t) => {
  const running = await startServer(t);
  const socket = open(t, running);
  const answers = reading(socket);
  socket.write(`${PING}${POST}\r\n${BANS}${PING}`);
  const text = await answers.until(/(?:HTTP\/1\.1 200 OK[\s\S]*){4}pong/);
  assert.deepEqual(
    [...text.matchAll(/\n(\{"(?:answer|offender|position)")/g)].map((found) => found[1]),
    ['{"answer"', '{"offender"', '{"position"', '{"answer"'],
  );
  assert.deepEqual(running.control.calls, ['ban 203.0.113.9 sshd -', 'bans']);
});

test('a request in single bytes is a request', async (t) => {
  const running = await startServer(t);
  const socket = open(t, running);
  const answers = reading(socket);
  for (const byte of POST + PING) {
    socket.write(byte);
    await new Promise(setImmediate);
  }
  await answers.until(/203\.0\.113\.9[\s\S]*pong/);
});

test('a body with line ends and a chunked one are read whole', async (t) => {
  const running = await startServer(t);
  const socket = open(t, running);
  const answers = reading(socket);
  const head = 'POST /v1/bans HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
  const spread = BAN.replaceAll(',', ',\n\n').replaceAll(':', ':\n');
  socket.write(`${head}content-length: ${spread.length}\r\n\r\n${spread}`);
  const chunks = [BAN.slice(0, 5), BAN.slice(5)].map((part) => `${part.length.toString(16)}\r\n${part}\r\n`);
  socket.write(`${head}transfer-encoding: chunked\r\n\r\n${chunks.join('')}0\r\n\r\n${PING}`);
  await answers.until(/(?:203\.0\.113\.9[\s\S]*){2}pong/);
});

test('the second request is not begun before the answer to the first is read', async (t) => {
  const control = new FakeControl();
  control.held = MANY_BANS;
  const running = await startServer(t, control);
  const socket = open(t, running);
  socket.pause();
  socket.write(BANS.repeat(500) + POST);
  await waitFor('the limit', PATIENCE_MILLISECONDS, () => limitsOf(running)[0] ?? null);
  assert.deepEqual(limitsOf(running), ['pipelined-requests']);
  const other = open(t, running);
  const pong = reading(other);
  other.write(PING);
  await pong.until(/pong/);
  assert.deepEqual(control.calls, ['bans']);
});

test('an answer that nobody reads ends its connection, with the reason', async (t) => {
  const control = new FakeControl();
  control.held = MANY_BANS;
  const running = await startServer(t, control, undefined, { readTimeoutMilliseconds: 50 });
  const socket = open(t, running);
  socket.pause();
  socket.write(BANS);
  const limit = await waitFor(
    'the limit',
    PATIENCE_MILLISECONDS,
    () => running.emitted.find((event) => event.kind === 'limit') ?? null,
  );
  assert.match(
    `${limit.limit}: ${limit.detail}`,
    /^unread-answers: the control socket: connections whose answers nobody read closed, of user \d+$/,
  );
  socket.resume();
  await once(socket, 'close');
});

test('line ends without a request keep nobody waiting', async (t) => {
  const running = await startServer(t);
  const flood = open(t, running);
  const answers = reading(flood);
  flood.write('\r\n'.repeat(100_000) + PING);
  const other = open(t, running);
  const pong = reading(other);
  other.write(PING);
  await pong.until(/pong/);
  assert.equal(answers.text(), '');
  await answers.until(/pong/);
});

test('a client that goes in the middle of what it has sent leaves nothing behind', async (t) => {
  const running = await startServer(t);
  const listening = open(t, running);
  const events = reading(listening);
  listening.write('GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n');
  await events.until(/event-stream/);
  assert.equal(running.subscribers.size, 1);
  listening.destroy();
  await waitFor('the end', PATIENCE_MILLISECONDS, () => (running.subscribers.size === 0 ? true : null));
  const half = open(t, running);
  half.end('GET /v1/ping HTTP/1.1\r\nhost: x\r\n');
  half.resume();
  await once(half, 'close');
  assert.deepEqual(running.bugs, []);
});
