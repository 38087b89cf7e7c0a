import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { SenderGate } from '../../../src/senders/gate.ts';
import { Tally } from '../../../src/senders/tally.ts';
import {
  type Connection,
  type ConnectionLimits,
  ConnectionTable,
  newConnection,
} from '../../../src/sources/stream/connection-table.ts';
import { sendersOf } from '../listening.ts';

/** A table whose newcomers make room as a listener has it; tells which connections it has closed for others. */
class Door {
  readonly table: ConnectionTable;
  readonly closed: string[] = [];
  readonly #names = new Map<Connection, string>();
  readonly #gate: SenderGate;
  #now = 0;

  constructor(limits: ConnectionLimits, known: readonly string[] = []) {
    this.table = new ConnectionTable(limits);
    const configured = known.map((address) => ({
      name: address,
      networks: [address],
      certificates: [],
      transports: ['tcp' as const],
      isRelay: false,
      dialect: null,
      jails: null,
      confidence: null,
      rate: null,
      silence: 'off' as const,
      countsOld: true,
    }));
    const senders = sendersOf({ networks: ['0.0.0.0/0', '::/0'], configured });
    const emit = () => {};
    this.#gate = new SenderGate({ transport: 'tcp', senders, tally: new Tally(emit), emit });
  }

  /** One more connection of an address; the limit that keeps it out, or null. */
  open(address: string, name = address): string | null {
    const connection = newConnection(new Socket(), address, this.#gate.admit(address), this.#now++);
    this.#names.set(connection, name);
    const limit = this.table.enter(connection);
    if (limit === null) return null;
    const victim = this.table.victimOf(limit, connection);
    if (victim === null) return limit;
    this.closed.push(this.#names.get(victim) ?? '');
    this.table.leave(victim.raw);
    assert.equal(this.table.enter(connection), null);
    return null;
  }

  /** The latest connection of that name says something. */
  speak(name: string): void {
    const all = [...this.table].filter((connection) => this.#names.get(connection) === name);
    const connection = all.at(-1);
    assert.ok(connection);
    this.table.spoke(connection, 1, this.#now++);
  }
}

const WIDE: ConnectionLimits = { maxConnections: 100, maxConnectionsPerSender: 100 };

test('an address that speaks on as many connections as it may have gets no further one', () => {
  const door = new Door({ ...WIDE, maxConnectionsPerSender: 2 });
  for (let count = 0; count < 2; count++) {
    assert.equal(door.open('192.0.2.1'), null);
    door.speak('192.0.2.1');
  }
  assert.equal(door.open('192.0.2.1'), 'connections-per-sender');
  assert.equal(door.open('192.0.2.2'), null);
});

test('of its connections one that has said nothing makes room, the oldest first', () => {
  const door = new Door({ ...WIDE, maxConnectionsPerSender: 2 });
  door.open('192.0.2.1', 'first');
  door.open('192.0.2.1', 'second');
  assert.equal(door.open('192.0.2.1', 'third'), null);
  door.speak('third');
  assert.equal(door.open('192.0.2.1', 'fourth'), null);
  assert.deepEqual(door.closed, ['first', 'second']);
});

test('connection 17 of a /64 displaces the one that has said nothing for longest', () => {
  const door = new Door({ ...WIDE, maxConnectionsPerSender: 16 });
  for (let index = 1; index <= 16; index++) assert.equal(door.open(`2001:db8:1:2::${index}`), null);
  assert.equal(door.open('2001:db8:1:2::ffff'), null);
  assert.equal(door.open('2001:db8:1:3::1'), null);
  assert.deepEqual(door.closed, ['2001:db8:1:2::1']);
});

test('honest senders of one /64 that speak are counted by their addresses', () => {
  const door = new Door({ ...WIDE, maxConnectionsPerSender: 4 });
  for (let index = 1; index <= 20; index++) {
    assert.equal(door.open(`2001:db8:1:2::${index}`), null);
    door.speak(`2001:db8:1:2::${index}`);
  }
  assert.deepEqual(door.closed, []);
});

test('where there is no room at all, the network with most silent connections makes some', () => {
  const door = new Door({ ...WIDE, maxConnections: 5 });
  door.open('192.0.2.1');
  for (let index = 1; index <= 3; index++) door.open(`2001:db8:1:2::${index}`);
  door.open('192.0.2.2');
  assert.equal(door.open('192.0.2.3'), null);
  assert.deepEqual(door.closed, ['2001:db8:1:2::1']);
});

test('a stranger that speaks gives way when its network has more than others, and to a configured sender', () => {
  const door = new Door({ ...WIDE, maxConnections: 3 }, ['198.51.100.1']);
  for (let index = 1; index <= 3; index++) {
    door.open(`2001:db8:1:2::${index}`);
    door.speak(`2001:db8:1:2::${index}`);
  }
  for (const address of ['192.0.2.1', '192.0.2.2']) {
    assert.equal(door.open(address), null);
    door.speak(address);
  }
  assert.equal(door.open('192.0.2.3'), 'connections');
  assert.equal(door.open('198.51.100.1'), null);
  assert.deepEqual(door.closed, ['2001:db8:1:2::1', '2001:db8:1:2::2', '2001:db8:1:2::3']);
});

test('a configured sender that speaks is never closed for others', () => {
  const door = new Door({ ...WIDE, maxConnections: 2 }, ['198.51.100.1', '198.51.100.2', '198.51.100.3']);
  for (const address of ['198.51.100.1', '198.51.100.2']) {
    door.open(address);
    door.speak(address);
  }
  assert.equal(door.open('192.0.2.1'), 'connections');
  assert.equal(door.open('198.51.100.3'), 'connections');
  assert.deepEqual(door.closed, []);
});

test('silent strangers make room before silent configured senders', () => {
  const door = new Door({ ...WIDE, maxConnections: 2 }, ['198.51.100.1']);
  door.open('198.51.100.1');
  door.open('192.0.2.1');
  assert.equal(door.open('192.0.2.2'), null);
  assert.deepEqual(door.closed, ['192.0.2.1']);
});

test('what has left is counted out, once', () => {
  const door = new Door({ maxConnections: 1, maxConnectionsPerSender: 1 });
  door.open('192.0.2.1');
  door.speak('192.0.2.1');
  const [connection] = door.table;
  assert.ok(connection);
  door.table.leave(connection.raw);
  door.table.leave(connection.raw);
  assert.equal(door.open('192.0.2.1'), null);
  door.speak('192.0.2.1');
  assert.equal(door.open('192.0.2.1'), 'connections-per-sender');
});

test('new limits are for connections to come', () => {
  const door = new Door({ maxConnections: 1, maxConnectionsPerSender: 1 });
  door.open('192.0.2.1');
  door.speak('192.0.2.1');
  door.table.setLimits({ maxConnections: 2, maxConnectionsPerSender: 2 });
  assert.equal(door.open('192.0.2.1'), null);
});
