import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import type { BailiffEvent } from '../../src/core/event.ts';
import { MAX_EVENT_LISTENERS, MAX_LISTENER_BACKLOG } from '../../src/http/event-feed.ts';
import { open, type RunningServer, send, startServer } from './running-server.ts';

function failureOf(user: string): BailiffEvent {
  return {
    kind: 'failure',
    jail: 'sshd',
    filter: 'sshd',
    address: '203.0.113.9',
    offender: '203.0.113.9',
    user,
    seenAt: 1_795_000_000_000_000,
    count: 1,
    maxRetry: 5,
    isOffence: false,
  };
}

function limitsOf(running: RunningServer): string[] {
  return running.emitted.flatMap((event) => (event.kind === 'limit' ? [event.limit] : []));
}

async function readLines(stream: IncomingMessage, count: number): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: stream })) {
    lines.push(line);
    if (lines.length === count) break;
  }
  return lines;
}

test('each event is one line of JSON, in order, for every listener', async (t) => {
  const running = await startServer(t);
  const streams = [await open(running, 'GET', '/v1/events'), await open(running, 'GET', '/v1/events')];
  assert.equal(streams[0]?.headers['content-type'], 'application/x-ndjson; charset=utf-8');
  const events = [failureOf('root'), failureOf('admin'), { kind: 'ready' } as const];
  for (const event of events) running.publish(event);
  for (const stream of streams) {
    assert.deepEqual(
      (await readLines(stream, 3)).map((line) => JSON.parse(line)),
      events,
    );
  }
});

test('nobody is subscribed while nobody listens', async (t) => {
  const running = await startServer(t);
  assert.equal(running.subscribers.size, 0);
  const stream = await open(running, 'GET', '/v1/events');
  assert.equal(running.subscribers.size, 1);
  stream.destroy();
  while (running.subscribers.size > 0) await new Promise(setImmediate);
});

test('an attacker’s user name can neither forge a line nor drive a terminal', async (t) => {
  const running = await startServer(t);
  const stream = await open(running, 'GET', '/v1/events');
  const user = 'x"}\n{"kind":"ready"}\r\x1b[2J\x7f\x9b\u2028\u202e\u{e0041}\ud800';
  running.publish(failureOf(user));
  running.publish({ kind: 'ready' });
  const [first = '', second] = await readLines(stream, 2);
  assert.doesNotMatch(first, /[\p{C}\p{Zl}]/u);
  assert.equal((JSON.parse(first) as { user: string }).user, user);
  assert.equal(second, '{"kind":"ready"}');
});

test('a listener that does not read is cut off, the others go on', async (t) => {
  const running = await startServer(t);
  const slow = await open(running, 'GET', '/v1/events');
  slow.on('error', () => undefined);
  slow.pause();
  const brisk = await open(running, 'GET', '/v1/events');
  let received = 0;
  brisk.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  const bulk = failureOf('x'.repeat(32_000));
  let published = 0;
  while (limitsOf(running).length === 0) {
    running.publish(bulk);
    published += 32_000;
    assert.ok(published < 20 * MAX_LISTENER_BACKLOG, 'never cut off');
    while (received < published) await once(brisk, 'data');
  }
  assert.deepEqual(limitsOf(running), ['event-listeners']);
  assert.equal(running.subscribers.size, 1);
  running.publish(bulk);
  while (received < published + 32_000) await once(brisk, 'data');
});

test('listeners beyond the limit are refused and reported', async (t) => {
  const running = await startServer(t);
  for (let index = 0; index < MAX_EVENT_LISTENERS; index++) await open(running, 'GET', '/v1/events');
  const answer = await send(running, 'GET', '/v1/events');
  assert.equal(answer.status, 503);
  assert.match(answer.text, /"code":"event-listeners"/);
  assert.deepEqual(limitsOf(running), ['event-listeners']);
});

test('HEAD does not open a stream', async (t) => {
  const running = await startServer(t);
  assert.equal((await send(running, 'HEAD', '/v1/events')).status, 404);
  assert.equal(running.subscribers.size, 0);
});
