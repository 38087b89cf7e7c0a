import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { DatagramReceiver, MAX_RECEIVED } from '../../src/native/datagram-receiver.ts';
import {
  adoptDatagramSocket,
  bindUdp,
  bindUnixDatagram,
  type DatagramSocket,
  isUnixDatagramAnswered,
} from '../../src/native/datagram-socket.ts';
import { openUnixSender } from '../sources/datagram/unix-sender.ts';

type Received = { readonly text: string; readonly sentLength: number; readonly peer: string };

function bindLoopback(host = '127.0.0.1'): { socket: DatagramSocket; port: number } {
  const socket = bindUdp({ host, port: 0, ipv6Only: false });
  const address = socket.address();
  assert.equal(address?.family, 'internet');
  return { socket, port: address.port };
}

async function send(port: number, messages: readonly (string | Buffer)[], host = '127.0.0.1'): Promise<void> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  for (const message of messages) {
    await new Promise<void>((resolve) => socket.send(message, port, host, () => resolve()));
  }
  socket.close();
}

/** On loopback a datagram is there when the call that sent it returns. */
function receiveAll(receiver: DatagramReceiver): Received[] {
  const received: Received[] = [];
  for (let count = receiver.receive(); count > 0; count = receiver.receive()) {
    for (let index = 0; index < count; index++) {
      const start = receiver.startOf(index);
      received.push({
        text: receiver.bytes.toString('latin1', start, start + receiver.lengthOf(index)),
        sentLength: receiver.sentLengthOf(index),
        peer: receiver.peerOf(index),
      });
    }
  }
  return received;
}

describe('a UDP socket', () => {
  it('gives every datagram in order, with its length and its sender, over many calls', async () => {
    const { socket, port } = bindLoopback();
    const receiver = new DatagramReceiver(socket.descriptor, 1_000);
    const messages = Array.from({ length: MAX_RECEIVED * 3 + 7 }, (_, index) => `message ${index}`);
    await send(port, messages);
    const received = receiveAll(receiver);
    assert.deepEqual(
      received,
      messages.map((text) => ({ text, sentLength: text.length, peer: '127.0.0.1' })),
    );
    assert.equal(receiver.receive(), 0);
    socket.close();
  });

  it('cuts what is too long, tells how long it was, and lets nothing run over into the next', async () => {
    const { socket, port } = bindLoopback();
    const receiver = new DatagramReceiver(socket.descriptor, 100);
    await send(port, ['a'.repeat(100), 'b'.repeat(60_000), '', 'c'.repeat(101), 'd']);
    assert.deepEqual(
      receiveAll(receiver).map(({ text, sentLength }) => [text, sentLength]),
      [
        ['a'.repeat(100), 100],
        ['b'.repeat(100), 60_000],
        ['', 0],
        ['c'.repeat(100), 101],
        ['d', 1],
      ],
    );
    socket.close();
  });

  it('takes both families on a wildcard, each peer under its own name', async () => {
    const { socket, port } = bindLoopback('::');
    const receiver = new DatagramReceiver(socket.descriptor, 100);
    await send(port, ['four']);
    await send(port, ['six'], '::1');
    assert.deepEqual(
      receiveAll(receiver).map(({ text, peer }) => [text, peer]),
      [
        ['four', '127.0.0.1'],
        ['six', '::1'],
      ],
    );
    socket.close();
  });

  it('counts what the kernel drops, to the last datagram', async () => {
    const { socket, port } = bindLoopback();
    const receiver = new DatagramReceiver(socket.descriptor, 100);
    assert.equal(socket.drops(), 0);
    const sent = Math.ceil(socket.bufferBytes() / 30_000) * 2;
    await send(
      port,
      Array.from({ length: sent }, () => Buffer.alloc(60_000)),
    );
    const drops = socket.drops();
    assert.ok(drops > 0, 'more was sent than fits');
    assert.equal(receiveAll(receiver).length + drops, sent);
    socket.close();
  });

  it('says why it cannot be bound, and leaves no descriptor behind', () => {
    const { socket, port } = bindLoopback();
    assert.throws(() => bindUdp({ host: '127.0.0.1', port, ipv6Only: false }), {
      name: 'OperationalError',
      code: 'EADDRINUSE',
    });
    assert.throws(() => bindUdp({ host: '192.0.2.1', port: 0, ipv6Only: false }), { code: 'EADDRNOTAVAIL' });
    const { descriptor } = socket;
    socket.close();
    const next = bindLoopback().socket;
    assert.equal(next.descriptor, descriptor);
    next.close();
  });

  it('wakes the event loop when something comes, not before, and not while it is paused', async () => {
    const { socket, port } = bindLoopback();
    const receiver = new DatagramReceiver(socket.descriptor, 100);
    let woken = 0;
    let wake = (): void => {};
    socket.watch(
      () => {
        woken += receiver.receive();
        wake();
      },
      (error) => assert.ifError(error),
    );
    const awoken = (): Promise<void> =>
      new Promise((resolve) => {
        wake = resolve;
      });
    const first = awoken();
    assert.equal(woken, 0);
    await send(port, ['one']);
    await first;
    assert.equal(woken, 1);
    socket.pause();
    await send(port, ['two']);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(woken, 1);
    const second = awoken();
    socket.resume();
    await second;
    assert.equal(woken, 2);
    socket.close();
    socket.close();
  });

  it('outlives those who adopt it', async () => {
    const { socket, port } = bindLoopback();
    const first = adoptDatagramSocket(socket.descriptor);
    first.close();
    await send(port, ['kept']);
    const second = adoptDatagramSocket(socket.descriptor);
    assert.deepEqual(
      receiveAll(new DatagramReceiver(second.descriptor, 100)).map(({ text }) => text),
      ['kept'],
    );
    second.close();
    socket.close();
  });
});

describe('a unix socket of datagrams', () => {
  it('tells who sent what, as the kernel knows it', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'bailiff-unix-'));
    const path = join(directory, 'log.sock');
    const socket = bindUnixDatagram(path);
    const receiver = new DatagramReceiver(socket.descriptor, 100);
    const sender = openUnixSender(path);
    sender.send('one');
    sender.send('x'.repeat(500));
    assert.equal(receiver.receive(), 2);
    assert.deepEqual(receiver.credentialsOf(0), { pid: process.pid, uid: process.getuid?.() });
    assert.equal(receiver.peerOf(0), '');
    assert.deepEqual([receiver.lengthOf(1), receiver.sentLengthOf(1)], [100, 500]);
    sender.close();
    socket.close();
    rmSync(directory, { recursive: true });
  });

  it('is answered as long as it is open, and stale afterwards', () => {
    const directory = mkdtempSync(join(tmpdir(), 'bailiff-unix-'));
    const path = join(directory, 'log.sock');
    assert.equal(isUnixDatagramAnswered(path), false);
    const socket = bindUnixDatagram(path);
    assert.equal(isUnixDatagramAnswered(path), true);
    socket.close();
    assert.equal(existsSync(path), true);
    assert.equal(isUnixDatagramAnswered(path), false);
    assert.throws(() => bindUnixDatagram(path), { code: 'EADDRINUSE' });
    rmSync(directory, { recursive: true });
  });

  it('lets nobody fill our table of descriptors by passing some along', () => {
    const directory = mkdtempSync(join(tmpdir(), 'bailiff-unix-'));
    const path = join(directory, 'log.sock');
    const socket = bindUnixDatagram(path);
    const receiver = new DatagramReceiver(socket.descriptor, 100);
    const sender = openUnixSender(path);
    const before = readdirSync('/proc/self/fd').length;
    sender.sendDescriptor('one', 1);
    assert.equal(receiver.receive(), 1);
    assert.equal(readdirSync('/proc/self/fd').length, before);
    assert.deepEqual(receiver.credentialsOf(0), { pid: process.pid, uid: process.getuid?.() });
    sender.close();
    socket.close();
    rmSync(directory, { recursive: true });
  });

  it('has no credentials to show where it did not ask for them', () => {
    const { socket } = bindLoopback();
    const receiver = new DatagramReceiver(socket.descriptor, 100);
    assert.equal(receiver.credentialsOf(0), null);
    socket.close();
  });
});
