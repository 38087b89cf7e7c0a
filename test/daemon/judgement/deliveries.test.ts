import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogRecord } from '../../../src/core/record.ts';
import { SECOND } from '../../../src/core/time.ts';
import {
  DELIVERY_TIME,
  Deliveries,
  MAX_DELIVERIES,
  MAX_DELIVERY_LENGTH,
} from '../../../src/daemon/judgement/deliveries.ts';

const AT = 1_795_132_800_000_000;

function recordOf(connection: number, parts: Partial<LogRecord> = {}): LogRecord {
  return {
    at: AT,
    source: 'tcp',
    sender: '192.0.2.1',
    hostname: 'lb1',
    identifier: 'haproxy',
    pid: '7',
    facility: 16,
    severity: 6,
    message: '203.0.113.9:40022 [01/Dec/2026:10:00:00.000] web web/s1 0/0/1/2/3 401 0',
    timestamp: AT,
    structuredData: '',
    trusted: null,
    connection,
    ...parts,
  };
}

test('the same record over several connections is one', () => {
  const deliveries = new Deliveries();
  const found = [1, 2, 3, 4].map((connection) => deliveries.isRepeat(recordOf(connection)));
  assert.deepEqual(found, [false, true, true, true]);
});

test('over the same connection it has happened again', () => {
  const deliveries = new Deliveries();
  const found = [1, 1, 2].map((connection) => deliveries.isRepeat(recordOf(connection)));
  assert.deepEqual(found, [false, false, true]);
});

for (const [what, parts] of [
  ['the time of the device', { timestamp: AT + SECOND }],
  ['the text', { message: 'another' }],
  ['the sender', { sender: '192.0.2.2' }],
  ['the relay', { via: '192.0.2.9' }],
  ['the program', { identifier: 'nginx' }],
  ['the process', { pid: '8' }],
  ['the transport', { source: 'tls' }],
] as const) {
  test(`with another value for ${what} it is another record`, () => {
    const deliveries = new Deliveries();
    deliveries.isRepeat(recordOf(1));
    assert.equal(deliveries.isRepeat(recordOf(2, parts)), false);
  });
}

test('a record without a time of the device, or without a connection, counts each time', () => {
  const deliveries = new Deliveries();
  for (const connection of [1, 2])
    assert.equal(deliveries.isRepeat(recordOf(connection, { timestamp: -1 })), false);
  for (let time = 0; time < 2; time++) assert.equal(deliveries.isRepeat(recordOf(0)), false);
});

test('a sender that comes back an hour later is known no more', () => {
  const deliveries = new Deliveries();
  deliveries.isRepeat(recordOf(1));
  assert.equal(deliveries.isRepeat(recordOf(2, { at: AT + DELIVERY_TIME })), true);
  assert.equal(deliveries.isRepeat(recordOf(3, { at: AT + DELIVERY_TIME + 1 })), false);
  assert.equal(deliveries.takeForgotten(), 0);
});

test('what is remembered is bounded, and what is forgotten for that is counted', () => {
  const deliveries = new Deliveries();
  for (let number = 0; number < MAX_DELIVERIES + 5; number++) {
    deliveries.isRepeat(recordOf(1, { message: `failure ${number}` }));
  }
  assert.deepEqual([deliveries.takeForgotten(), deliveries.takeForgotten()], [5, 0]);
  assert.equal(deliveries.isRepeat(recordOf(2, { message: 'failure 4' })), false);
  assert.equal(deliveries.isRepeat(recordOf(2, { message: `failure ${MAX_DELIVERIES}` })), true);
  const long = { message: 'x'.repeat(MAX_DELIVERY_LENGTH) };
  for (const connection of [1, 2]) assert.equal(deliveries.isRepeat(recordOf(connection, long)), false);
});
