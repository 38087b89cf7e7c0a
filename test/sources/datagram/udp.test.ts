import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { describe, it } from 'node:test';
import { deflateSync } from 'node:zlib';
import type { LogRecord } from '../../../src/core/record.ts';
import { bindUdp } from '../../../src/native/datagram-socket.ts';
import { createUdpSource, type UdpOptions } from '../../../src/sources/datagram/udp.ts';
import { MAX_BATCH_RECORDS } from '../../../src/sources/listen.ts';
import { PATIENCE_MILLISECONDS, waitFor } from '../../bed/waiting.ts';
import { Listening, permitting } from '../listening.ts';
import { log, noLogger, noRsyslog, startRsyslog } from '../stream/clients.ts';

function listen(changes: Partial<UdpOptions> = {}): Promise<Listening> {
  const listening = new Listening();
  return listening.start(createUdpSource({ ...listening.options(), ...changes }));
}

/** Sends datagrams in order from one socket, and resolves when the kernel has taken them all. */
async function send(port: number, messages: readonly (string | Buffer)[], host = '127.0.0.1'): Promise<void> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  for (const message of messages) {
    await new Promise<void>((resolve, reject) => {
      socket.send(message, port, host, (error) => (error === null ? resolve() : reject(error)));
    });
  }
  socket.close();
}

/** Another process sends while this one stands still: what is too much for the receive buffer is lost. */
function sendSynchronously(port: number, count: number, padding = 500): number {
  const script = `
    const socket = require('node:dgram').createSocket('udp4');
    const padding = 'x'.repeat(${padding});
    let sent = 0;
    const next = () => sent < ${count}
      ? socket.send('<38>a[' + ++sent + ']: ' + padding, ${port}, '127.0.0.1', next)
      : socket.close();
    next();`;
  const sender = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
  assert.equal(sender.status, 0, sender.stderr);
  return count;
}

function lostBy(listening: Listening): number {
  return listening.eventsOf('kernel-loss').reduce((sum, { count }) => sum + count, 0);
}

/** The messages are numbered by their PIDs. */
function assertAscending(records: readonly LogRecord[]): void {
  const numbers = records.map(({ pid }) => Number(pid));
  assert.ok(numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? 0)));
}

describe('a UDP listener', () => {
  it('makes one record of each datagram, stamped with the time of its arrival', async () => {
    await using listening = await listen();
    listening.now = 7_000_000;
    await send(listening.port, ['<38>sshd[1]: one', '<38>1 - vm sshd 2 - - two\n']);
    const records = await listening.received(2);
    assert.deepEqual(
      records.map(({ at, source, sender, identifier, pid, message }) => [
        at,
        source,
        sender,
        identifier,
        pid,
        message,
      ]),
      [
        [7_000_000, 'udp', '127.0.0.1', 'sshd', '1', 'one'],
        [7_000_000, 'udp', '127.0.0.1', 'sshd', '2', 'two'],
      ],
    );
    assert.equal(
      listening.batches.reduce((total, { bytes }) => total + bytes, 0),
      16 + 26,
    );
  });

  it('keeps a datagram one record, whatever line feeds and counts are in it', async () => {
    await using listening = await listen();
    await send(listening.port, ['<38>web: a\n<38>sshd[1]: Failed\n', '9 <38>web: b']);
    const records = await listening.received(2);
    assert.deepEqual(
      records.map(({ identifier, message }) => [identifier, message]),
      [
        ['web', 'a\n<38>sshd[1]: Failed'],
        ['', '9 <38>web: b'],
      ],
    );
  });

  it('keeps what is more than it can read at once, and reads it in order', async () => {
    await using listening = await listen({ lossIntervalMilliseconds: 20 });
    const count = sendSynchronously(listening.port, 12_000, 1);
    listening.now = 9_000_000;
    const records = await waitFor('all that the kernel could hold', PATIENCE_MILLISECONDS, () =>
      listening.records.length + lostBy(listening) === count ? listening.records : null,
    );
    assertAscending(records);
    assert.ok(records.every(({ at }) => at === 9_000_000));
  });

  it('reads what it has kept when it stops', async () => {
    const listening = await listen();
    const count = sendSynchronously(listening.port, 12_000, 1);
    await listening.received(1);
    await listening[Symbol.asyncDispose]();
    assert.equal(listening.records.length + lostBy(listening), count);
    assertAscending(listening.records);
  });

  it('folds IPv4 peers of an IPv6 socket, and takes IPv6 peers', async () => {
    await using listening = await listen({ listen: { host: '::', port: 0 } });
    await send(listening.port, ['<38>a: four']);
    await listening.received(1);
    await send(listening.port, ['<38>a: six'], '::1');
    const records = await listening.received(2);
    assert.deepEqual(
      records.map(({ sender }) => sender),
      ['127.0.0.1', '::1'],
    );
  });

  it('leaves IPv4 to another listener where it is told to', async () => {
    await using four = await listen({ listen: { host: '0.0.0.0', port: 0 } });
    await using six = await listen({ listen: { host: '::', port: four.port }, ipv6Only: true });
    assert.equal(six.port, four.port);
    await send(four.port, ['<38>a: four']);
    await send(four.port, ['<38>a: six'], '::1');
    await Promise.all([four.received(1), six.received(1)]);
    assert.deepEqual([four.messages, six.messages], [['four'], ['six']]);
  });

  it('counts and drops what unknown senders send, with one event for many datagrams', async () => {
    await using listening = await listen({ senders: permitting('192.0.2.0/24') });
    await send(
      listening.port,
      Array.from({ length: 50 }, () => '<38>a: b'),
    );
    await listening.event('rejected');
    await listening.source?.stop();
    const rejected = listening.eventsOf('rejected');
    assert.equal(
      rejected.reduce((total, { count }) => total + count, 0),
      50,
    );
    assert.ok(rejected.length < 10);
    assert.deepEqual(rejected[0], {
      ...rejected[0],
      source: 'udp',
      sender: '127.0.0.1',
      reason: 'unknown-sender',
    });
    assert.deepEqual(listening.records, []);
  });

  it('inflates what rsyslog has compressed, and rejects what is damaged or too long', async () => {
    await using listening = await listen();
    const compress = (text: string) => Buffer.concat([Buffer.from('z'), deflateSync(text)]);
    await send(listening.port, [
      compress('<38>sshd: one'),
      Buffer.from('zx damaged'),
      compress('y'.repeat(2_000)),
    ]);
    const [record] = await listening.received(1);
    assert.deepEqual([record?.identifier, record?.message], ['sshd', 'one']);
    const rejected = await listening.event('rejected');
    assert.deepEqual([rejected.reason, rejected.count], ['malformed', 2]);
  });

  it('counts empty datagrams', async () => {
    await using listening = await listen();
    await send(listening.port, ['', '\n', '<38>a: b']);
    assert.deepEqual(await listening.event('rejected', ({ reason }) => reason === 'empty'), {
      kind: 'rejected',
      source: 'udp',
      sender: '127.0.0.1',
      reason: 'empty',
      count: 2,
    });
  });

  it('cuts a datagram at the length limit, and says so', async () => {
    await using listening = await listen({ maxMessageBytes: 100 });
    await send(listening.port, [`<38>web: ${'x'.repeat(1_000)}`, '<38>web: y']);
    const [cut, whole] = await listening.received(2);
    assert.equal(cut?.message, `${'x'.repeat(91)}…`);
    assert.equal(whole?.message, 'y');
    const limit = await listening.event('limit');
    assert.deepEqual([limit.limit, limit.count], ['message-length', 1]);
  });

  it('takes a datagram of a length at which others cut for a cut one', async () => {
    await using listening = await listen();
    const head = '<38>sshd: Failed password for ';
    const tail = ' from 198.51.100.66';
    const lengths = [479, 480, 1_024];
    const datagrams = lengths.map((length) => head + 'a'.repeat(length - head.length - tail.length) + tail);
    await send(listening.port, datagrams);
    const records = await listening.received(3);
    assert.deepEqual(
      records.map(({ message }) => message.slice(-8)),
      ['1.100.66', 'a from …', 'a from …'],
    );
  });

  it('hands over bounded batches in order of arrival', async () => {
    await using listening = await listen();
    const messages = Array.from({ length: 2_000 }, (_, index) => `m${index}`);
    await send(
      listening.port,
      messages.map((message) => `<38>a: ${message}`),
    );
    await listening.received(messages.length);
    assert.deepEqual(listening.messages, messages);
    assert.ok(listening.batches.every(({ records }) => records.length <= MAX_BATCH_RECORDS));
  });

  it('loses nothing silently: what the kernel drops is counted to the last datagram', async () => {
    await using listening = await listen({ lossIntervalMilliseconds: 50 });
    const sent = sendSynchronously(listening.port, 60_000);
    const loss = await listening.event('kernel-loss');
    assert.equal(loss.listener, `127.0.0.1:${listening.port}`);
    await listening.received(sent - loss.count);
    await listening.state(({ health }) => health === 'degraded');
    await listening.source?.stop();
    const lost = listening.eventsOf('kernel-loss').reduce((total, { count }) => total + count, 0);
    assert.equal(listening.records.length + lost, sent);
  });

  it('keeps up with a stream of single datagrams, and is quick again when it is over', async () => {
    await using listening = await listen();
    const socket = createSocket('udp4');
    const sendOne = (message: string): Promise<void> =>
      new Promise((resolve) => socket.send(message, listening.port, '127.0.0.1', () => resolve()));
    const messages = Array.from({ length: 3_000 }, (_, index) => `m${index}`);
    for (const message of messages) {
      await sendOne(`<38>a: ${message}`);
      if (Number(message.slice(1)) % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await listening.received(messages.length);
    assert.deepEqual(listening.messages, messages);
    await new Promise((resolve) => setTimeout(resolve, 20));
    for (const message of ['alone', 'alone again']) {
      const before = listening.batches.length;
      await sendOne(`<38>a: ${message}`);
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
      assert.equal(listening.batches.length, before + 1, 'within a few turns of the event loop');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    socket.close();
  });

  it('hands over what has come before it stops', async () => {
    const listening = await listen();
    const sent = sendSynchronously(listening.port, 1_000);
    await listening.source?.stop();
    assert.equal(listening.records.length, sent);
  });

  it('tells the losses of a socket that is kept for it once, however often it is taken over', async () => {
    const kept = bindUdp({ host: '127.0.0.1', port: 0, ipv6Only: false });
    const bound = kept.address();
    assert.equal(bound?.family, 'internet');
    const adopted = { fd: kept.descriptor, loss: { told: 0 } };
    const address = { host: bound.host, port: bound.port };
    const sent = sendSynchronously(bound.port, 60_000);
    const first = await listen({ listen: address, adopted, lossIntervalMilliseconds: 50 });
    const { count } = await first.event('kernel-loss');
    await first.received(sent - count);
    await first.source?.stop();
    assert.equal(kept.drops(), count);
    await using second = await listen({ listen: address, adopted, lossIntervalMilliseconds: 50 });
    await send(bound.port, ['<38>a: b']);
    await second.received(1);
    await second.source?.stop();
    assert.deepEqual(second.eventsOf('kernel-loss'), []);
    kept.close();
  });

  it('says why it cannot listen, and listens as soon as it can', async () => {
    const other = await listen();
    const address = { host: '127.0.0.1', port: other.port };
    await using listening = await listen({ listen: address });
    const [state] = listening.states;
    assert.equal(state?.health, 'down');
    assert.match(state?.detail ?? '', /cannot listen on udp 127\.0\.0\.1:\d+: another program listens there/);
    assert.match(state?.advice ?? '', /ss -lunp/);
    assert.equal(listening.source?.address(), null);
    await other.source?.stop();
    await listening.state(({ health }) => health === 'up');
    await send(address.port, ['<38>a: b']);
    await listening.received(1);
  });

  it('hands over nothing after it has stopped', async () => {
    const listening = await listen();
    await send(listening.port, ['<38>a: b']);
    await listening.source?.stop();
    const { length } = listening.batches;
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(listening.batches.length, length);
  });
});

describe('over UDP', () => {
  for (const format of [[], ['--rfc3164'], ['--rfc5424'], ['--rfc5424=notime,nohost,notq']]) {
    it(`logger ${format.join(' ')} is understood`, { skip: noLogger }, async () => {
      await using listening = await listen();
      await log('Failed password for café from 2001:db8::7 port 1 ssh2', [
        ...['-n', '127.0.0.1', '-P', `${listening.port}`, '-d'],
        ...format,
      ]);
      const [record] = await listening.received(1);
      assert.equal(record?.message, 'Failed password for café from 2001:db8::7 port 1 ssh2');
      assert.equal(record?.identifier, 'sshd');
      assert.match(record?.pid ?? '', /^\d+$/);
      assert.deepEqual([record?.facility, record?.severity], [4, 6]);
    });
  }

  it('rsyslogd is understood', { skip: noRsyslog }, async () => {
    await using listening = await listen();
    const rsyslog = await startRsyslog(`port="${listening.port}" protocol="udp"`);
    try {
      await log('Failed password for root from 203.0.113.7 port 1 ssh2', ['-u', rsyslog.socket]);
      const [record] = await listening.receivedFrom('sshd', 1);
      assert.equal(record?.message, 'Failed password for root from 203.0.113.7 port 1 ssh2');
    } finally {
      await rsyslog.stop();
    }
  });
});
