import assert from 'node:assert/strict';
import { once } from 'node:events';
import { STATUS_CODES } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { OperationalError } from '../../src/core/errors.ts';
import { MAX_BODY_BYTES } from '../../src/http/app.ts';
import { SOCKET_LIMITS } from '../../src/http/connections.ts';
import { ControlError } from '../../src/http/control.ts';
import { PATIENCE_MILLISECONDS, waitFor } from '../bed/waiting.ts';
import { BAN_CHANGE, BANS, banReport, JAIL_DETAILS, SENDERS, SSHD, STATUS } from './fake-control.ts';
import { JSON_BODY, open, type RunningServer, send, startServer } from './running-server.ts';

type Problem = {
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
};

async function refused(running: RunningServer, method: string, path: string, body?: string): Promise<string> {
  const answer = await send(running, method, path, body === undefined ? {} : { body, headers: JSON_BODY });
  assert.match(`${answer.headers['content-type']}`, /^application\/problem\+json/);
  const { title, status, detail, code } = JSON.parse(answer.text) as Problem;
  assert.deepEqual([status, title], [answer.status, STATUS_CODES[answer.status]], 'as RFC 9457 has it');
  return `${answer.status} ${code}: ${detail}`;
}

test('every GET answers the control object’s report as JSON', async (t) => {
  const running = await startServer(t);
  const reports: ReadonlyArray<readonly [string, unknown]> = [
    ['/v1/ping', { answer: 'pong' }],
    ['/v1/version', { version: '0.1.0' }],
    ['/v1/status', STATUS],
    ['/v1/jails/sshd', { ...SSHD, ...JAIL_DETAILS, bans: BANS }],
    ['/v1/senders', SENDERS],
    ['/v1/bans', { position: 'life.7', bans: BANS }],
    ['/v1/bans?jail=sshd', { position: 'life.7', bans: BANS }],
    ['/v1/bans?jail=mail', { position: 'life.7', bans: [] }],
  ];
  for (const [path, report] of reports) {
    const answer = await send(running, 'GET', path);
    assert.equal(answer.status, 200, path);
    assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8');
    assert.deepEqual(JSON.parse(answer.text), report);
    assert.ok(answer.text.endsWith('\n'));
  }
});

test('bans of a jail that is no longer configured are found by its name', async (t) => {
  const running = await startServer(t);
  const orphan = banReport({ jail: 'gone' });
  running.control.held = [...BANS, orphan];
  const answer = await send(running, 'GET', '/v1/bans?jail=gone');
  assert.deepEqual(JSON.parse(answer.text), { position: 'life.7', bans: [orphan] });
  assert.match(await refused(running, 'GET', '/v1/bans?jail=never'), /^404 unknown-jail/);
});

test('a long list of bans arrives whole', async (t) => {
  const running = await startServer(t);
  running.control.held = Array.from({ length: 12_345 }, (_, index) =>
    banReport({ offender: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}` }),
  );
  const answer = await send(running, 'GET', '/v1/bans');
  assert.deepEqual(JSON.parse(answer.text), { position: 'life.7', bans: running.control.held });
});

test('GET /v1/bans?since= answers with the changes, or with all bans to begin anew with', async (t) => {
  const running = await startServer(t);
  running.control.changes = [{ ...BAN_CHANGE, position: 'life.6' }, BAN_CHANGE];
  const ask = async (since: string): Promise<unknown> =>
    JSON.parse((await send(running, 'GET', `/v1/bans?since=${since}`)).text);
  assert.deepEqual(await ask('life.6'), { position: 'life.7', changes: [BAN_CHANGE] });
  assert.deepEqual(await ask('life.7'), { position: 'life.7', changes: [] });
  assert.deepEqual(await ask('death.6'), { position: 'life.7', reset: true, bans: BANS });
  assert.deepEqual(await ask('life.6&jail=sshd'), { position: 'life.7', changes: [BAN_CHANGE] });
  assert.deepEqual(running.control.calls.at(-1), 'bansSince life.6 sshd');
  const refusal = await refused(running, 'GET', '/v1/bans?since=yesterday');
  assert.match(
    refusal,
    /^400 bad-position: "yesterday" is not a position: hand in the one of your last answer/,
  );
  assert.match(await refused(running, 'GET', '/v1/bans?since=life.6&jail=never'), /^404 unknown-jail/);
});

test('POST /v1/bans bans the canonical address', async (t) => {
  const running = await startServer(t);
  const body = JSON.stringify({ address: '2001:DB8:0:0::7', jail: 'sshd', for: '1h' });
  const answer = await send(running, 'POST', '/v1/bans', { body, headers: JSON_BODY });
  assert.equal(answer.status, 200);
  assert.equal((JSON.parse(answer.text) as { offender: string }).offender, '2001:db8::7');
  assert.deepEqual(running.control.calls, ['ban 2001:db8::7 sshd 1h']);
});

test('POST /v1/bans refuses what is not a request to ban, and bans nothing', async (t) => {
  const running = await startServer(t);
  const expectations: ReadonlyArray<readonly [string, RegExp]> = [
    ['{}', /^400 bad-request: body must have required property 'address'/],
    ['[]', /^400 bad-request: body must be object/],
    ['{"address":7,"jail":"sshd"}', /^400 bad-request: body\/address must be string/],
    ['{"address":"192.0.2.1","jail":""}', /^400 bad-request: body\/jail must NOT have fewer/],
    ['{"address":"192.0.2.1","jail":"sshd","fore":"1h"}', /must NOT have additional properties/],
    ['{"address":"192.0.2.1","jail":"sshd","for":"soon"}', /^400 bad-duration: "soon" is not a duration/],
    ['{"address":"192.0.2.01","jail":"sshd"}', /^400 bad-address: "192.0.2.01" is not an address/],
    ['{"address":"example.org","jail":"sshd"}', /^400 bad-address/],
    ['{"__proto__":{},"address":"192.0.2.1","jail":"sshd"}', /^400 bad-request/],
    ['{', /^400 bad-request/],
    ['', /^400 bad-request/],
  ];
  for (const [body, expected] of expectations) {
    assert.match(await refused(running, 'POST', '/v1/bans', body), expected, body);
  }
  assert.deepEqual(running.control.calls, []);
});

test('a body that is too long or no JSON is refused with the reason', async (t) => {
  const running = await startServer(t);
  const long = JSON.stringify({ address: 'x'.repeat(MAX_BODY_BYTES), jail: 'sshd' });
  assert.match(await refused(running, 'POST', '/v1/bans', long), /^413 bad-request/);
  const form = await send(running, 'POST', '/v1/bans', {
    body: 'address=192.0.2.1',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  assert.equal(form.status, 415);
  assert.match(form.text, /sent as content-type application\/json/);
});

test('DELETE takes an address or network in the path, plain or encoded, or as a parameter', async (t) => {
  const running = await startServer(t);
  const expectations: ReadonlyArray<readonly [string, string]> = [
    ['/v1/bans/203.0.113.9', 'unban 203.0.113.9 -'],
    ['/v1/bans/203.0.113.9?jail=sshd', 'unban 203.0.113.9 sshd'],
    ['/v1/bans/2001:db8:1:2::/64', 'unban 2001:db8:1:2::/64 -'],
    ['/v1/bans/2001:db8:1:2::%2F64', 'unban 2001:db8:1:2::/64 -'],
    ['/v1/bans/2001%3Adb8%3A1%3A2%3A%3A%2f64?jail=sshd', 'unban 2001:db8:1:2::/64 sshd'],
    ['/v1/bans?address=2001:db8:1:2::/64', 'unban 2001:db8:1:2::/64 -'],
  ];
  for (const [path, call] of expectations) {
    running.control.held = BANS;
    const answer = await send(running, 'DELETE', path);
    assert.equal(answer.status, 200, path);
    assert.equal((JSON.parse(answer.text) as { lifted: unknown[] }).lifted.length, 1);
    assert.equal(running.control.calls.pop(), call);
  }
});

test('DELETE of an address that is not banned is done, and says that nothing changed', async (t) => {
  const running = await startServer(t);
  for (const path of ['/v1/bans/192.0.2.77', '/v1/bans/203.0.113.9?jail=mail']) {
    const { status, text } = await send(running, 'DELETE', path);
    assert.deepEqual([status, JSON.parse(text)], [200, { changed: false, lifted: [] }], path);
  }
});

test('DELETE with all=true lifts every ban, of one jail where it is named', async (t) => {
  const running = await startServer(t);
  const inMail = await send(running, 'DELETE', '/v1/bans?jail=mail&all=true');
  assert.deepEqual(JSON.parse(inMail.text), { changed: false, lifted: [] });
  const all = await send(running, 'DELETE', '/v1/bans?all=true');
  assert.deepEqual(JSON.parse(all.text), { changed: true, lifted: BANS });
  assert.deepEqual(running.control.calls, ['unbanAll mail', 'unbanAll -']);
});

test('DELETE that names nobody is told how to mean everybody', async (t) => {
  const running = await startServer(t);
  for (const path of ['/v1/bans', '/v1/bans?jail=sshd']) {
    assert.match(await refused(running, 'DELETE', path), /^400 nobody-named: .*\?all=true$/, path);
  }
  for (const path of ['/v1/bans?all=yes', '/v1/bans?all=false', '/v1/bans?all=true&address=203.0.113.9']) {
    assert.match(await refused(running, 'DELETE', path), /^400 bad-request: /, path);
  }
  assert.deepEqual(running.control.calls, []);
});

test('an address or a network is looked up, in one jail where it is named; nothing is no address', async (t) => {
  const running = await startServer(t);
  for (const path of ['/v1/addresses/203.0.113.9', '/v1/addresses/2001:db8::%2F64?jail=sshd']) {
    assert.equal((await send(running, 'GET', path)).status, 200, path);
  }
  assert.deepEqual(running.control.calls, ['address 203.0.113.9 -', 'address 2001:db8::/64 sshd']);
  assert.match(await refused(running, 'GET', '/v1/addresses/'), /^400 bad-address/);
});

test('an empty shell variable or a misspelt parameter never lifts every ban', async (t) => {
  const running = await startServer(t);
  for (const path of [
    '/v1/bans/',
    '/v1/bans/?all=true',
    '/v1/bans?all=',
    '/v1/bans/?jail=sshd',
    '/v1/bans?jail=',
    '/v1/bans?address=',
    '/v1/bans?jial=sshd',
    '/v1/bans?jail=sshd&jail=mail',
    '/v1/bans/%20',
    '/v1/bans//',
  ]) {
    assert.match(await refused(running, 'DELETE', path), /^400 /, path);
  }
  assert.deepEqual(running.control.calls, []);
});

test('what the control object turns down reaches the client with its status, code and message', async (t) => {
  const running = await startServer(t);
  assert.equal(
    await refused(running, 'POST', '/v1/bans', '{"address":"127.0.0.1","jail":"sshd"}'),
    '409 trusted: 127.0.0.1 is trusted: it is never banned',
  );
  assert.equal(
    await refused(running, 'GET', '/v1/jails/nginx'),
    '404 unknown-jail: there is no jail "nginx"',
  );
  running.control.failure = new ControlError(503, 'starting', 'the daemon is starting');
  assert.equal(await refused(running, 'GET', '/v1/status'), '503 starting: the daemon is starting');
  running.control.failure = new OperationalError('the kernel refused', {
    code: 'EPERM',
    advice: 'run as root',
  });
  assert.equal(await refused(running, 'POST', '/v1/reload'), '503 EPERM: the kernel refused; run as root');
  assert.deepEqual(running.bugs, []);
});

test('a bug is handed to the daemon and not to the client', async (t) => {
  const running = await startServer(t);
  const bug = new TypeError('secret detail');
  running.control.failure = bug;
  assert.match(await refused(running, 'GET', '/v1/status'), /^500 bug: (?!.*secret)/);
  assert.deepEqual(running.bugs, [bug]);
  assert.equal((await send(running, 'GET', '/v1/ping')).status, 200);
});

test('unknown routes, methods and malformed paths are answered in the same form', async (t) => {
  const running = await startServer(t);
  const expectations: ReadonlyArray<readonly [string, string, RegExp]> = [
    ['GET', '/', /^404 no-such-route: there is no GET \/$/],
    ['GET', '/v1/nothing', /^404 no-such-route: there is no GET \/v1\/nothing$/],
    [
      'PUT',
      '/v1/bans',
      /^405 no-such-method: there is no PUT \/v1\/bans, only GET and HEAD and POST and DELETE$/,
    ],
    ['GET', '/v1/ping?x=1', /^400 bad-request/],
    ['GET', '/v1/bans?jail=sshd&jail=web', /^400 bad-request: querystring\/jail must be string/],
    ['GET', '/v1/bans?jial=sshd', /^400 bad-request: querystring must NOT have additional properties/],
    ['GET', `/v1/bans?jail=${'x'.repeat(129)}`, /^400 bad-request: querystring\/jail must NOT have more/],
    ['GET', '/v1/bans?toString=1', /^400 bad-request/],
    ['GET', '/v1/jails/%ff', /^400 bad-request/],
    ['DELETE', '/v1/bans/%zz', /^400 bad-request/],
    ['GET', `/v1/jails/${'x'.repeat(500)}`, /^4\d\d bad-request/],
    ['GET', `/${'x'.repeat(5_000)}`, /^404 no-such-route: there is no GET \/x{99}$/],
  ];
  for (const [method, path, expected] of expectations) {
    assert.match(await refused(running, method, path), expected, path.slice(0, 40));
  }
  assert.deepEqual(running.control.calls, []);
  assert.deepEqual(running.bugs, []);
});

test('text of attackers is escaped in every answer, so that curl may print it', async (t) => {
  const running = await startServer(t);
  running.control.held = [banReport({ cause: '\x1b[2J\x9b\x7f\u202e' })];
  const hostile = new ControlError(404, 'unknown-jail', '\x9b31m\u202e');
  for (const path of ['/v1/bans', '/v1/jails/sshd']) {
    const answer = await send(running, 'GET', path);
    assert.match(answer.text, /\\u001b\[2J\\u009b\\u007f\\u202e/);
    assert.doesNotMatch(answer.text.trimEnd(), /\p{C}/u);
  }
  running.control.failure = hostile;
  const answer = await send(running, 'GET', '/v1/status');
  assert.doesNotMatch(answer.text.trimEnd(), /\p{C}/u);
});

test('what is not HTTP is answered and cut off', async (t) => {
  const running = await startServer(t);
  const socket = connect(running.socketPath);
  socket.write('\x16\x03\x01 hello\r\n\r\n');
  let text = '';
  for await (const chunk of socket.setEncoding('latin1')) text += chunk;
  assert.match(text, /^HTTP\/1\.1 400 Bad Request\r\n/);
  assert.match(text, /"status":400,.*"code":"bad-request"/);
});

test('half-sent requests give way to new connections, and that is reported', async (t) => {
  const running = await startServer(t);
  const half = Array.from({ length: SOCKET_LIMITS.maxConnectionsPerPeer }, () => connect(running.socketPath));
  t.after(() => {
    for (const socket of half) socket.destroy();
  });
  for (const socket of half) {
    socket.on('error', () => undefined);
    socket.write('GET /v1/ping HTTP/1.1\r\n');
    await once(socket, 'connect');
  }
  const [oldest] = half;
  assert.ok(oldest);
  const closed = once(oldest.resume(), 'close');
  assert.equal((await send(running, 'GET', '/v1/ping')).status, 200);
  await closed;
  const limit = await waitFor('the report', PATIENCE_MILLISECONDS, () => running.emitted[0] ?? null);
  assert.ok(limit.kind === 'limit');
  assert.deepEqual([limit.limit, limit.count], ['http-connections-per-peer', 1]);
  assert.match(limit.detail, /^the control socket: connections closed to make room, of user \d+$/);
});

test('stopping ends streams and idle connections at once', async (t) => {
  const running = await startServer(t);
  const stream = await open(running, 'GET', '/v1/events');
  const idle = connect(running.socketPath);
  await once(idle, 'connect');
  const ended = once(stream, 'end');
  stream.resume();
  idle.resume();
  await Promise.all([running.server.stop(), ended]);
  assert.equal(running.subscribers.size, 0);
});
