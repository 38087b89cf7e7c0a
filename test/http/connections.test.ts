import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { type Connection, Connections } from '../../src/http/connections.ts';
import type { Occupation } from '../../src/http/request-gate.ts';

/** Lets in up to four connections, three of a peer. */
class Door {
  readonly #connections = new Connections({
    name: 'door',
    emit: () => {},
    maxConnections: 4,
    maxConnectionsPerPeer: 3,
  });
  readonly #entered = new Map<string, Connection>();

  /** False when there is no room for it. */
  open(peer: string, name: string): boolean {
    const connection = this.#connections.enter(new Socket(), peer);
    if (connection !== null) this.#entered.set(name, connection);
    return connection !== null;
  }

  occupy(name: string, occupation: Occupation): void {
    const connection = this.#entered.get(name);
    assert.ok(connection);
    this.#connections.occupy(connection, occupation);
  }

  get names(): string[] {
    return [...this.#entered].filter(([, { socket }]) => !socket.destroyed).map(([name]) => name);
  }
}

test('a peer with as many as it may have displaces its own that waits longest', () => {
  const door = new Door();
  for (const name of ['a1', 'a2', 'a3']) door.open('a', name);
  door.open('b', 'b1');
  assert.equal(door.open('a', 'a4'), true);
  assert.deepEqual(door.names, ['a2', 'a3', 'b1', 'a4']);
});

test('where there is no room the peer with most makes some', () => {
  const door = new Door();
  door.open('b', 'b1');
  for (const name of ['a1', 'a2', 'a3']) door.open('a', name);
  assert.equal(door.open('c', 'c1'), true);
  assert.deepEqual(door.names, ['b1', 'a2', 'a3', 'c1']);
});

test('who has most makes room for himself, not others for him', () => {
  const door = new Door();
  door.open('b', 'b1');
  door.open('b', 'b2');
  door.open('a', 'a1');
  door.open('a', 'a2');
  door.occupy('a1', 'answering');
  door.occupy('a2', 'answering');
  assert.equal(door.open('b', 'b3'), true);
  assert.deepEqual(door.names, ['b2', 'a1', 'a2', 'b3']);
});

test('what is being answered stays, also when there is no room left', () => {
  const door = new Door();
  for (const name of ['a1', 'a2', 'a3']) {
    door.open('a', name);
    door.occupy(name, 'answering');
  }
  assert.equal(door.open('a', 'a4'), false);
  door.open('b', 'b1');
  door.occupy('b1', 'answering');
  assert.equal(door.open('c', 'c1'), false);
  assert.deepEqual(door.names, ['a1', 'a2', 'a3', 'b1']);
});

test('an answer that nobody reads makes room when it has waited longest', () => {
  const door = new Door();
  for (const name of ['a1', 'a2', 'a3']) door.open('a', name);
  for (const name of ['a1', 'a2', 'a3']) door.occupy(name, 'answering');
  door.occupy('a2', 'unread');
  door.occupy('a1', 'waiting');
  assert.equal(door.open('a', 'a4'), true);
  assert.deepEqual(door.names, ['a1', 'a3', 'a4']);
  assert.equal(door.open('a', 'a5'), true);
  assert.deepEqual(door.names, ['a3', 'a4', 'a5']);
});

test('who has asked lately waits less long than who never has', () => {
  const door = new Door();
  for (const name of ['a1', 'a2', 'a3']) door.open('a', name);
  door.occupy('a1', 'answering');
  door.occupy('a1', 'waiting');
  door.open('a', 'a4');
  assert.deepEqual(door.names, ['a1', 'a3', 'a4']);
});

test('peers that nobody can tell apart share what there is', () => {
  const door = new Door();
  for (const name of ['1', '2', '3', '4']) assert.equal(door.open('', name), true);
  assert.equal(door.open('', '5'), true);
  assert.deepEqual(door.names, ['2', '3', '4', '5']);
});
