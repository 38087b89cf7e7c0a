import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import type { BailiffEvent } from '../../src/core/event.ts';
import type { BanChangeReport, BanNewsReport } from '../../src/http/control.ts';
import { MAX_EVENT_LISTENERS, MAX_LISTENER_BACKLOG } from '../../src/http/event-feed.ts';
import { BAN_CHANGE, FakeControl } from './fake-control.ts';
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
    weight: 1,
    count: 1,
    maxRetry: 5,
    isOffence: false,
  };
}

function limitsOf(running: RunningServer): string[] {
  return running.emitted.flatMap((event) => (event.kind === 'limit' ? [event.limit] : []));
}

/** The next events of a stream, each as its lines. */
async function readEvents(stream: IncomingMessage, count: number): Promise<string[][]> {
  const events: string[][] = [];
  let lines: string[] = [];
  for await (const line of createInterface({ input: stream })) {
    if (line !== '') {
      lines.push(line);
      continue;
    }
    events.push(lines);
    lines = [];
    if (events.length === count) break;
  }
  return events;
}

/** A ban that leads to a position in the session `life`. */
function banOf(serial: number): BailiffEvent {
  const ban = {
    jail: 'sshd',
    offender: `203.0.113.${serial}`,
    since: 1_795_000_000_000_000,
    until: 1_795_000_600_000_000,
    cause: 'offence',
    failures: 5,
  } as const;
  return { kind: 'ban', ban, at: ban.since, position: { session: 'life', serial }, lacks: [] };
}

function changeOf(serial: number): BanChangeReport {
  const ban = { ...BAN_CHANGE.ban, offender: `203.0.113.${serial}` };
  return { ...BAN_CHANGE, position: `life.${serial}`, ban };
}

function idsOf(events: readonly string[][]): string[] {
  return events.map((lines) => lines.find((line) => line.startsWith('id: '))?.slice('id: '.length) ?? '');
}

test('each event has its kind and one line of JSON with RFC 3339 instants, in order, for every listener', async (t) => {
  const running = await startServer(t);
  const streams = [await open(running, 'GET', '/v1/events'), await open(running, 'GET', '/v1/events')];
  assert.equal(streams[0]?.headers['content-type'], 'text/event-stream; charset=utf-8');
  const events = [failureOf('root'), failureOf('admin'), { kind: 'ready' } as const];
  for (const event of events) running.publish(event);
  for (const stream of streams) {
    assert.deepEqual(
      await readEvents(stream, 3),
      events.map((event) => {
        const shown = 'seenAt' in event ? { ...event, seenAt: '2026-11-18T11:06:40.000Z' } : event;
        return [`event: ${event.kind}`, `data: ${JSON.stringify(shown)}`];
      }),
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
  const [[name, data = ''] = [], second] = await readEvents(stream, 2);
  assert.equal(name, 'event: failure');
  assert.doesNotMatch(data, /[\p{C}\p{Zl}]/u);
  assert.equal((JSON.parse(data.slice('data: '.length)) as { user: string }).user, user);
  assert.deepEqual(second, ['event: ready', 'data: {"kind":"ready"}']);
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
  assert.equal((await send(running, 'HEAD', '/v1/events')).status, 405);
  assert.equal(running.subscribers.size, 0);
});

test('a listener may ask for some kinds only', async (t) => {
  const running = await startServer(t);
  const stream = await open(running, 'GET', '/v1/events?kinds=ban,ready');
  for (const event of [failureOf('root'), banOf(8), { kind: 'ready' } as const]) running.publish(event);
  assert.deepEqual(
    (await readEvents(stream, 2)).map(([name]) => name),
    ['event: ban', 'event: ready'],
  );
  const answer = await send(running, 'GET', '/v1/events?kinds=ban,bann');
  assert.equal(answer.status, 400);
  assert.match(answer.text, /there are no events of kind \\"bann\\"; the kinds are: started, ready, /);
});

test('a change of the bans carries its position, as in answers', async (t) => {
  const running = await startServer(t);
  const stream = await open(running, 'GET', '/v1/events');
  running.publish(banOf(8));
  running.publish({ ...banOf(9), kind: 'unban', cause: 'operator' } as BailiffEvent);
  const [ban = [], unban = []] = await readEvents(stream, 2);
  assert.deepEqual(ban.slice(0, 2), ['event: ban', 'id: life.8']);
  assert.deepEqual(JSON.parse(ban[2]?.slice('data: '.length) ?? ''), {
    ...changeOf(8),
    at: '2026-11-18T11:06:40.000Z',
    ban: { ...changeOf(8).ban, since: '2026-11-18T11:06:40.000Z', until: '2026-11-18T11:16:40.000Z' },
  });
  assert.deepEqual(unban.slice(0, 2), ['event: unban', 'id: life.9']);
  assert.match(unban[2] ?? '', /"cause":"operator"\}$/);
});

test('who comes back gets what was missed, and what happens meanwhile once', async (t) => {
  const control = new FakeControl();
  const news = Promise.withResolvers<BanNewsReport>();
  control.bansSince = () => news.promise;
  const running = await startServer(t, control);
  const headers = { 'last-event-id': 'life.7' };
  const stream = await open(running, 'GET', '/v1/events?kinds=ban', { headers });
  for (const serial of [9, 10]) running.publish(banOf(serial));
  news.resolve({ position: 'life.9', changes: [8, 9].map(changeOf) });
  await news.promise;
  await new Promise(setImmediate);
  running.publish(banOf(11));
  assert.deepEqual(idsOf(await readEvents(stream, 4)), ['life.8', 'life.9', 'life.10', 'life.11']);
});

test('who comes back too late is told to ask for all bans, and then what happens', async (t) => {
  const running = await startServer(t);
  const stream = await open(running, 'GET', '/v1/events?kinds=ban&since=death.3');
  while (running.control.calls.length === 0) await new Promise(setImmediate);
  running.publish(banOf(8));
  const [reset, ban] = await readEvents(stream, 2);
  assert.deepEqual(reset, ['event: reset', 'data: {"position":"life.7"}']);
  assert.equal(ban?.[1], 'id: life.8');
});

test('what was missed may be far more than may wait for a listener', async (t) => {
  const control = new FakeControl();
  const count = Math.ceil((4 * MAX_LISTENER_BACKLOG) / JSON.stringify(BAN_CHANGE).length);
  control.position = { session: 'life', serial: count };
  control.changes = Array.from({ length: count }, (_, index) => changeOf(index + 1));
  const running = await startServer(t, control);
  const stream = await open(running, 'GET', '/v1/events', { headers: { 'last-event-id': 'life.0' } });
  const ids = idsOf(await readEvents(stream, count));
  assert.deepEqual([ids[0], ids.at(-1)], ['life.1', `life.${count}`]);
  assert.deepEqual(limitsOf(running), []);
});

test('a listener that does not read what it has missed is cut off as any other', async (t) => {
  const control = new FakeControl();
  control.bansSince = () => new Promise(() => {});
  const running = await startServer(t, control);
  const stream = await open(running, 'GET', '/v1/events?since=life.7');
  stream.on('error', () => undefined);
  stream.resume();
  const closed = new Promise((resolve) => stream.on('close', resolve));
  for (let sent = 0; sent <= MAX_LISTENER_BACKLOG; sent += 32_000)
    running.publish(failureOf('x'.repeat(32_000)));
  await closed;
  assert.deepEqual(limitsOf(running), ['event-listeners']);
  assert.equal(running.subscribers.size, 0);
});

test('a position that is none is refused', async (t) => {
  const running = await startServer(t);
  const answer = await send(running, 'GET', '/v1/events', { headers: { 'last-event-id': '7' } });
  assert.equal(answer.status, 400);
  assert.match(answer.text, /"code":"bad-position"/);
});
