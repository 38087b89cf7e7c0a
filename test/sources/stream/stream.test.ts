import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { deflateSync } from 'node:zlib';
import { AF_INET, encodeInternetAddress } from '../../../src/native/socket-address.ts';
import { bindSocket, closeSocket, openSocket, SOCK_STREAM } from '../../../src/native/socket-calls.ts';
import { MAX_BATCH_RECORDS } from '../../../src/sources/listen.ts';
import { createStreamSource, type StreamOptions } from '../../../src/sources/stream/stream.ts';
import { Listening, permitting } from '../listening.ts';
import { log, noLogger, noRsyslog, startRsyslog } from './clients.ts';

function listen(changes: Partial<StreamOptions> = {}): Promise<Listening> {
  const listening = new Listening();
  const limits = { maxConnections: 20, maxConnectionsPerSender: 10 };
  return listening.start(createStreamSource({ ...listening.options(), ...limits, ...changes }));
}

/** A connection; resets and refusals are what the tests are about, so its errors are none of theirs. */
async function open(listening: Listening, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port: listening.port, host: '127.0.0.1', localAddress });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** Sends it all on a connection of its own and closes that. */
async function send(listening: Listening, bytes: string | Buffer): Promise<void> {
  (await open(listening)).end(bytes);
}

function isClosed(event: { readonly change: string }): boolean {
  return event.change === 'closed';
}

describe('a TCP listener', () => {
  it('takes lines and counted messages, also on one connection', async () => {
    await using listening = await listen();
    listening.now = 7_000_000;
    await send(listening, '<38>a[1]: one\n<38>b: two\r\n12 <38>c: three11 <38>d: x\ny\n<38>e: six\n');
    const records = await listening.received(5);
    assert.deepEqual(
      records.map(({ identifier, message }) => [identifier, message]),
      [
        ['a', 'one'],
        ['b', 'two'],
        ['c', 'three'],
        ['d', 'x\ny'],
        ['e', 'six'],
      ],
    );
    assert.deepEqual(
      records.map(({ at, source, sender }) => [at, source, sender]),
      records.map(() => [7_000_000, 'tcp', '127.0.0.1']),
    );
  });

  it('tells the connections of its records apart', async () => {
    await using listening = await listen();
    await send(listening, '<38>a: one\n<38>a: two\n');
    const [one, two] = await listening.received(2);
    await send(listening, '<38>a: three\n');
    const three = (await listening.received(3))[2];
    assert.equal(one?.connection, two?.connection);
    assert.notEqual(two?.connection, three?.connection);
  });

  it('inflates what rsyslog has compressed, and rejects what is damaged', async () => {
    await using listening = await listen();
    const compressed = Buffer.concat([Buffer.from('z'), deflateSync('<38>sshd[7]: compressed')]);
    const damaged = Buffer.concat([compressed.subarray(0, 5), Buffer.alloc(20)]);
    const bomb = Buffer.concat([Buffer.from('z'), deflateSync(Buffer.alloc(100_000))]);
    const counted = [compressed, damaged, bomb].flatMap((bytes) => [Buffer.from(`${bytes.length} `), bytes]);
    await send(listening, Buffer.concat([...counted, Buffer.from('<38>sshd[8]: plain\n')]));
    const records = await listening.received(2);
    assert.deepEqual(
      records.map(({ identifier, message }) => [identifier, message]),
      [
        ['sshd', 'compressed'],
        ['sshd', 'plain'],
      ],
    );
    const rejected = await listening.event('rejected');
    assert.deepEqual([rejected.reason, rejected.sender, rejected.count], ['malformed', '127.0.0.1', 2]);
  });

  it('inflates a connection that is compressed as a whole', async () => {
    await using listening = await listen();
    const lines = Array.from({ length: 300 }, (_, index) => `<38>sshd: ${index}\n`).join('');
    await send(listening, deflateSync(lines));
    const records = await listening.received(300);
    assert.equal(records[299]?.message, '299');
  });

  it('closes a connection whose compression is damaged', async () => {
    await using listening = await listen();
    await send(listening, Buffer.concat([Buffer.from([0x78, 0x9c]), Buffer.alloc(600, 0xff)]));
    const rejected = await listening.event('rejected');
    assert.equal(rejected.reason, 'malformed');
  });

  it('tells of a sender that ends its messages with nothing, and waits for the end of each', async () => {
    await using listening = await listen({ pauseMilliseconds: 20 });
    const socket = await open(listening);
    socket.write('<38>sshd: one');
    await listening.received(1);
    const change = await listening.event('sender-change');
    assert.deepEqual([change.change, change.sender], ['unseparated', '127.0.0.1']);
    socket.write('<38>sshd: two\n<38>sshd: smuggled');
    const records = await listening.received(2);
    assert.equal(records[1]?.message, 'two\n<38>sshd: smuggled');
    socket.destroy();
  });

  it('never makes two records of one counted message', async () => {
    await using listening = await listen();
    const message = '<38>web: user\n<38>sshd[1]: Failed password for root from 203.0.113.9';
    await send(listening, `${message.length} ${message}`);
    const [record] = await listening.received(1);
    assert.deepEqual([record?.identifier, record?.message], ['web', message.slice('<38>web: '.length)]);
    await listening.event('connection', isClosed);
    assert.equal(listening.records.length, 1);
  });

  it('hands over what a broken connection has left as cut, without a part of an address', async () => {
    await using listening = await listen();
    const socket = await open(listening);
    socket.write('<38>sshd: a\n');
    await listening.received(1);
    socket.write('<38>sshd: b\n<38>sshd: Failed password for root from 203.0.113.7');
    await listening.received(2);
    socket.resetAndDestroy();
    const records = await listening.received(3);
    assert.equal(records[2]?.message, 'Failed password for root from …');
  });

  it('cuts endless lines at the limit and serves others meanwhile', async () => {
    await using listening = await listen();
    const endless = await open(listening);
    const chunk = Buffer.alloc(65_536, 'x');
    let isOver = false;
    const pour = () => {
      while (!isOver && endless.write(chunk));
    };
    endless.on('drain', pour);
    endless.write('<38>web: ');
    pour();
    await send(listening, '<38>sshd: served\n');
    const records = await listening.received(2);
    assert.deepEqual(records.map(({ message }) => message.slice(0, 6)).sort(), ['served', 'xxxxxx']);
    isOver = true;
    endless.end('\n<38>web: next\n');
    await listening.received(3);
    assert.equal(listening.messages.at(-1), 'next');
    const limit = await listening.event('limit');
    assert.deepEqual([limit.limit, limit.count], ['message-length', 1]);
  });

  it('hands over bounded batches in order of arrival', async () => {
    await using listening = await listen();
    const messages = Array.from({ length: 5_000 }, (_, index) => `m${index}`);
    await send(listening, messages.map((message) => `<38>a: ${message}\n`).join(''));
    await listening.received(messages.length);
    assert.deepEqual(listening.messages, messages);
    assert.ok(listening.batches.every(({ records }) => records.length <= MAX_BATCH_RECORDS));
    assert.equal(
      listening.batches.reduce((total, { bytes }) => total + bytes, 0),
      messages.reduce((total, message) => total + message.length + 8, 0),
    );
  });

  it('refuses unknown senders', async () => {
    await using listening = await listen({ senders: permitting('192.0.2.0/24') });
    const socket = await open(listening);
    socket.resume();
    await once(socket, 'close');
    assert.deepEqual(await listening.event('rejected'), {
      kind: 'rejected',
      source: 'tcp',
      sender: '127.0.0.1',
      reason: 'unknown-sender',
      count: 1,
    });
    assert.deepEqual(listening.eventsOf('connection'), []);
  });

  it('refuses more connections of one sender than the limit, and takes those of others', async () => {
    await using listening = await listen({ maxConnectionsPerSender: 2 });
    const kept = [await open(listening), await open(listening)];
    for (const socket of kept) socket.write('<38>a: first\n');
    await listening.received(2);
    const refused = await open(listening);
    refused.resume();
    await once(refused, 'close');
    const limit = await listening.event('limit');
    assert.deepEqual([limit.limit, limit.count], ['connections-per-sender', 1]);
    const other = await open(listening, '127.0.0.2');
    other.write('<38>a: other\n');
    for (const socket of kept) socket.write('<38>a: kept\n');
    const records = (await listening.received(5)).slice(2);
    assert.deepEqual(records.map(({ sender }) => sender).sort(), ['127.0.0.1', '127.0.0.1', '127.0.0.2']);
    for (const socket of [...kept, other]) socket.destroy();
  });

  it('closes a silent connection for a new one beyond the limit, and tells of it', async () => {
    await using listening = await listen({ maxConnections: 1 });
    const silent = await open(listening);
    silent.resume();
    await Promise.all([once(silent, 'close'), send(listening, '<38>a: b\n')]);
    await listening.received(1);
    const limit = await listening.event('limit');
    assert.deepEqual(
      [limit.limit, limit.detail],
      ['connections', 'tcp connections closed to make room for others, of 127.0.0.1'],
    );
  });

  it('refuses more connections than the limit, and takes new ones when others have gone', async () => {
    await using listening = await listen({ maxConnections: 1 });
    const first = await open(listening);
    first.write('<38>a: first\n');
    await listening.received(1);
    const refused = await open(listening, '127.0.0.2');
    refused.resume();
    await once(refused, 'close');
    assert.equal((await listening.event('limit')).limit, 'connections');
    first.destroy();
    await listening.event('connection', isClosed);
    await send(listening, '<38>a: b\n');
    await listening.received(2);
  });

  it('closes connections that say nothing: soon before their first message, later after it', async () => {
    await using listening = await listen({
      firstMessageTimeoutMilliseconds: 30,
      idleTimeoutMilliseconds: 300,
    });
    const silent = await open(listening, '127.0.0.2');
    const idle = await open(listening);
    idle.write('<38>a: b\n');
    idle.resume();
    silent.resume();
    const order: string[] = [];
    silent.on('close', () => order.push('silent'));
    idle.on('close', () => order.push('idle'));
    await Promise.all([once(silent, 'close'), once(idle, 'close')]);
    assert.deepEqual(order, ['silent', 'idle']);
    await listening.event(
      'limit',
      ({ limit, detail }) => limit === 'idle-time' && detail.includes('127.0.0.1'),
    );
  });

  it('survives connections that are opened and abandoned, and counts each of them out', async () => {
    await using listening = await listen({ maxConnections: 1_000, maxConnectionsPerSender: 1_000 });
    for (let round = 0; round < 10; round++) {
      const sockets = await Promise.all(Array.from({ length: 100 }, () => open(listening)));
      for (const [index, socket] of sockets.entries()) {
        if (index % 2 === 0) socket.resetAndDestroy();
        else socket.destroy();
      }
    }
    await listening.event('connection', ({ change, open }) => change === 'closed' && open === 0);
    await send(listening, '<38>a: b\n');
    await listening.received(1);
    const changes = listening.eventsOf('connection').map(({ change }) => change);
    assert.ok(changes.filter((change) => change === 'opened').length > 500);
  });

  it('says why it cannot listen, and listens as soon as it can', async () => {
    const other = await listen();
    await using listening = await listen({ listen: { host: '127.0.0.1', port: other.port } });
    const [state] = listening.states;
    assert.equal(state?.health, 'down');
    assert.match(state?.advice ?? '', /ss -ltnp/);
    await other.source?.stop();
    await listening.state(({ health }) => health === 'up');
    await send(listening, '<38>a: b\n');
    await listening.received(1);
  });

  it('listens on IPv6', async () => {
    await using listening = await listen({ listen: { host: '::1', port: 0 } });
    const socket = connect(listening.port, '::1');
    socket.end('<38>a: b\n');
    const [record] = await listening.received(1);
    assert.equal(record?.sender, '::1');
  });

  it('takes over a socket that was passed to it, again and again, and leaves it open', async (t) => {
    const descriptor = openSocket(AF_INET, SOCK_STREAM);
    t.after(() => closeSocket(descriptor));
    bindSocket(descriptor, encodeInternetAddress('127.0.0.1', 0));
    const ports = new Set<number>();
    for (let round = 0; round < 2; round++) {
      await using listening = await listen({ descriptor });
      ports.add(listening.port);
      await send(listening, `<38>a: round ${round}\n`);
      await listening.received(1);
      assert.deepEqual(listening.messages, [`round ${round}`]);
    }
    assert.equal(ports.size, 1);
  });

  it('bears ten thousand connections that are opened and abandoned, in bounded memory', async () => {
    await using listening = await listen({ maxConnections: 100, maxConnectionsPerSender: 100 });
    const abandon = async (count: number): Promise<void> => {
      for (let opened = 0; opened < count; opened += 200) {
        const sockets = await Promise.all(Array.from({ length: 200 }, () => open(listening)));
        for (const [index, socket] of sockets.entries()) {
          if (index % 2 === 0) socket.resetAndDestroy();
          else socket.destroy();
        }
        await listening.event('connection', ({ change, open }) => change === 'closed' && open === 0);
        listening.events.length = 0;
      }
    };
    await abandon(2_000);
    const before = process.memoryUsage().rss;
    await abandon(8_000);
    assert.ok(process.memoryUsage().rss - before < 64 * 1024 * 1024);
    await send(listening, '<38>a: b\n');
    await listening.received(1);
  });

  it('closes one that sends a byte now and then but never a message, and keeps one that does', async () => {
    await using listening = await listen({ firstMessageTimeoutMilliseconds: 300 });
    const drip = await open(listening, '127.0.0.2');
    const honest = await open(listening);
    drip.resume();
    const timer = setInterval(() => {
      drip.write('x');
      honest.write('<38>a: b\n');
    }, 40);
    await once(drip, 'close');
    clearInterval(timer);
    assert.equal(honest.destroyed, false);
    const limit = await listening.event('limit');
    assert.deepEqual(
      [limit.limit, limit.detail],
      ['idle-time', 'tcp connections without a message closed, of 127.0.0.2'],
    );
    honest.destroy();
  });

  it('closes its connections when it stops, and hands over what they had left', async () => {
    const listening = await listen();
    const socket = await open(listening);
    socket.resume();
    const closed = once(socket, 'close');
    socket.write('<38>a: one\n');
    await listening.received(1);
    socket.write('<38>a: two\n<38>a: your');
    await listening.received(2);
    await listening.source?.stop();
    await closed;
    assert.deepEqual(listening.messages, ['one', 'two', 'your…']);
    assert.equal(listening.source?.address(), null);
  });
});

describe('over TCP', () => {
  for (const format of [
    ['--rfc3164'],
    ['--rfc5424'],
    ['--rfc5424', '--octet-count'],
    ['--rfc3164', '--octet-count'],
  ]) {
    it(`logger ${format.join(' ')} is understood`, { skip: noLogger }, async () => {
      await using listening = await listen();
      await log('Failed password for café from 2001:db8::7 port 1 ssh2', [
        ...['-n', '127.0.0.1', '-P', `${listening.port}`, '-T'],
        ...format,
      ]);
      const [record] = await listening.received(1);
      assert.equal(record?.message, 'Failed password for café from 2001:db8::7 port 1 ssh2');
      assert.equal(record?.identifier, 'sshd');
      assert.deepEqual([record?.facility, record?.severity], [4, 6]);
    });
  }

  for (const [name, parameters] of [
    ['lines', ''],
    ['octet counting', 'TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format"'],
    ['its ForwardFormat', 'template="RSYSLOG_ForwardFormat"'],
  ] as const) {
    it(`rsyslogd with ${name} is understood`, { skip: noRsyslog }, async () => {
      await using listening = await listen();
      const rsyslog = await startRsyslog(`port="${listening.port}" protocol="tcp" ${parameters}`);
      try {
        await log('Failed password for root from 203.0.113.7 port 1 ssh2', ['-u', rsyslog.socket]);
        await log('Failed password for café from 2001:db8::7 port 1 ssh2', ['-u', rsyslog.socket]);
        const records = await listening.receivedFrom('sshd', 2);
        assert.deepEqual(
          records.map(({ message }) => message),
          [
            'Failed password for root from 203.0.113.7 port 1 ssh2',
            'Failed password for café from 2001:db8::7 port 1 ssh2',
          ],
        );
      } finally {
        await rsyslog.stop();
      }
    });
  }
});
