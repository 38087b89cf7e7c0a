import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import * as koffi from 'koffi';
import { MAX_STATUS_LENGTH, openServiceManager } from '../../src/native/service-manager.ts';
import { temporaryDirectory } from '../sources/journal/journal-files.ts';

/** socket.h; sockaddr_un of unix(7) has the family in 2 bytes and the path in 108. */
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;
const ADDRESS_BYTES = 110;

const libc = koffi.load('libc.so.6');
const socket = libc.func('int socket(int, int, int)');
const bind = libc.func('int bind(int, void *, uint32_t)');
const receive = libc.func('int64_t recv(int, void *, size_t, int)');
const close = libc.func('int close(int)');

/** Stands in for systemd's notification socket; sendmsg(2) has delivered when it returns, so nothing is waited for. */
function listen(context: TestContext, environment: Readonly<Record<string, string>> = {}) {
  const path = join(temporaryDirectory(context), 'notify');
  const descriptor = socket(AF_UNIX, SOCK_DGRAM, 0) as number;
  const address = Buffer.alloc(ADDRESS_BYTES);
  address.writeUInt16LE(AF_UNIX);
  address.write(path, 2);
  assert.equal(bind(descriptor, address, address.length), 0);
  const names = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'];
  Object.assign(process.env, { NOTIFY_SOCKET: path, ...environment });
  context.after(() => {
    for (const name of names) delete process.env[name];
    close(descriptor);
  });
  const message = Buffer.alloc(4_096);
  return {
    /** The next message as its lines; null when none has come. */
    next(): string[] | null {
      const length = Number(receive(descriptor, message, message.length, MSG_DONTWAIT));
      return length < 0 ? null : message.toString('utf8', 0, length).split('\n');
    },
    close: () => close(descriptor),
  };
}

test('without a service manager nothing is sent, and nothing fails', () => {
  const manager = openServiceManager();
  assert.equal(manager.present, false);
  assert.equal(manager.watchdogInterval, null);
  for (const tell of ['ready', 'status', 'reloading', 'stopping'] as const) manager[tell]('x');
  manager.watchdog();
});

test('each state is told in one message', (context) => {
  const listener = listen(context);
  const manager = openServiceManager();
  assert.equal(manager.present, true);
  assert.equal(manager.watchdogInterval, null);
  manager.ready('2 jails');
  assert.deepEqual(listener.next(), ['READY=1', 'STATUS=2 jails']);
  manager.status('3 bans');
  assert.deepEqual(listener.next(), ['STATUS=3 bans']);
  manager.stopping('SIGTERM');
  assert.deepEqual(listener.next(), ['STOPPING=1', 'STATUS=SIGTERM']);
  manager.watchdog();
  assert.deepEqual(listener.next(), ['WATCHDOG=1']);
  assert.equal(listener.next(), null);
});

test('a reload is told with the monotonic time', (context) => {
  const listener = listen(context);
  const before = process.hrtime.bigint() / 1000n;
  openServiceManager().reloading('again');
  const after = process.hrtime.bigint() / 1000n;
  const [reloading, monotonic, status] = listener.next() ?? [];
  assert.deepEqual([reloading, status], ['RELOADING=1', 'STATUS=again']);
  const at = BigInt(/^MONOTONIC_USEC=(\d+)$/.exec(monotonic ?? '')?.[1] ?? 0);
  assert.ok(before <= at && at <= after, `${before} <= ${at} <= ${after}`);
});

test('a status can not become another assignment, and is bounded', (context) => {
  const listener = listen(context);
  const manager = openServiceManager();
  manager.status('evil\nMAINPID=1\0\x1b[2J');
  assert.deepEqual(listener.next(), ['STATUS=evil MAINPID=1  [2J']);
  manager.status('x'.repeat(10_000));
  assert.equal(listener.next()?.[0]?.length, 'STATUS='.length + MAX_STATUS_LENGTH);
});

test('the watchdog interval is told when it is meant for this process', (context) => {
  listen(context, { WATCHDOG_USEC: '3000000' });
  assert.equal(openServiceManager().watchdogInterval, 3_000_000);
  process.env.WATCHDOG_PID = '1';
  assert.equal(openServiceManager().watchdogInterval, null);
});

test('a service manager that is gone is an operational error', (context) => {
  const listener = listen(context);
  const manager = openServiceManager();
  listener.close();
  assert.throws(() => manager.watchdog(), {
    name: 'OperationalError',
    code: 'ECONNREFUSED',
    message: /^sd_notify: /,
  });
});
