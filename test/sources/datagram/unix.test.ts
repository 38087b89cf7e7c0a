import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { bindUnixDatagram } from '../../../src/native/datagram-socket.ts';
import { createUnixSource, type UnixOptions } from '../../../src/sources/datagram/unix.ts';
import { Listening } from '../listening.ts';
import { log, noLogger } from '../stream/clients.ts';
import { openUnixSender } from './unix-sender.ts';

const OWN_UID = process.getuid?.() ?? -1;

class Directory implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'bailiff-unix-'));
  readonly socket = join(this.path, 'log', 'log.sock');

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}

function listen(path: string, changes: Partial<UnixOptions> = {}): Promise<Listening> {
  const listening = new Listening();
  const { listen: _, senders: __, ...rest } = listening.options();
  const options = { ...rest, path, believedUids: new Set<number>() };
  return listening.start(createUnixSource({ ...options, ...changes }));
}

function send(path: string, ...messages: readonly (string | Buffer)[]): void {
  const sender = openUnixSender(path);
  for (const message of messages) sender.send(message);
  sender.close();
}

describe('a unix socket for syslog', () => {
  it('makes one record of each datagram, of this host, with what the kernel knows of its writer', async () => {
    using directory = new Directory();
    await using listening = await listen(directory.socket);
    listening.now = 7_000_000;
    send(directory.socket, '<38>Nov 20 14:13:17 nginx: one', '<38>1 - vm nginx 2 - - two\n');
    const records = await listening.received(2);
    assert.deepEqual(
      records.map(({ at, source, sender, identifier, message }) => [at, source, sender, identifier, message]),
      [
        [7_000_000, 'unix', '', 'nginx', 'one'],
        [7_000_000, 'unix', '', 'nginx', 'two'],
      ],
    );
    assert.deepEqual(
      records.map(({ trusted }) => [trusted?.uid, trusted?.executable]),
      [
        [OWN_UID, process.execPath],
        [OWN_UID, process.execPath],
      ],
    );
  });

  it('believes the users that it is told to believe, as it would a device', async () => {
    using directory = new Directory();
    await using listening = await listen(directory.socket, { believedUids: new Set([OWN_UID]) });
    send(directory.socket, '<38>nginx: one');
    const [record] = await listening.received(1);
    assert.equal(record?.trusted, null);
  });

  it('can be written to by everybody, and is gone when it stops', async () => {
    using directory = new Directory();
    const listening = await listen(directory.socket);
    const status = lstatSync(directory.socket);
    assert.equal(status.isSocket(), true);
    assert.equal(status.mode & 0o777, 0o666);
    assert.deepEqual(
      listening.states.map(({ source, listener, health }) => [source, listener, health]),
      [['unix', `unix ${directory.socket}`, 'up']],
    );
    await listening.source?.stop();
    assert.equal(existsSync(directory.socket), false);
  });

  it('hands over what has come before it stops', async () => {
    using directory = new Directory();
    const listening = await listen(directory.socket);
    send(directory.socket, '<38>nginx: last');
    await listening.source?.stop();
    assert.deepEqual(listening.messages, ['last']);
  });

  it('takes over the socket of a daemon that died', async () => {
    using directory = new Directory();
    await (await listen(directory.socket)).source?.stop();
    bindUnixDatagram(directory.socket).close();
    await using listening = await listen(directory.socket);
    send(directory.socket, '<38>nginx: one');
    await listening.received(1);
  });

  it('leaves alone a socket at which somebody else receives, and comes in when that is gone', async () => {
    using directory = new Directory();
    const other = await listen(directory.socket);
    await using listening = await listen(directory.socket);
    assert.match(
      listening.states[0]?.detail ?? '',
      /^cannot listen on unix .*: another program receives there; trying again in 1 s$/,
    );
    send(directory.socket, '<38>nginx: one');
    await other.received(1);
    await other.source?.stop();
    await listening.state(({ health }) => health === 'up');
  });

  it('removes no file that it has not made', async () => {
    using directory = new Directory();
    await (await listen(directory.socket)).source?.stop();
    for (const make of [
      () => writeFileSync(directory.socket, 'precious'),
      () => symlinkSync('/dev/log', directory.socket),
    ]) {
      make();
      const listening = await listen(directory.socket);
      assert.match(listening.states[0]?.detail ?? '', /a file of another kind is there/);
      assert.equal(listening.states[0]?.health, 'down');
      await listening.source?.stop();
      assert.ok(lstatSync(directory.socket));
      rmSync(directory.socket);
    }
    const listening = await listen(directory.socket);
    rmSync(directory.socket);
    writeFileSync(directory.socket, 'of somebody else');
    await listening.source?.stop();
    assert.equal(existsSync(directory.socket), true);
  });

  it('cuts, counts and drops as every listener does', async () => {
    using directory = new Directory();
    await using listening = await listen(directory.socket, { maxMessageBytes: 100 });
    send(directory.socket, `<38>web: ${'x'.repeat(1_000)}`, '', '\n');
    const [cut] = await listening.received(1);
    assert.equal(cut?.message, `${'x'.repeat(91)}…`);
    assert.equal((await listening.event('limit')).limit, 'message-length');
    assert.deepEqual(await listening.event('rejected'), {
      kind: 'rejected',
      source: 'unix',
      sender: '',
      reason: 'empty',
      count: 2,
    });
  });

  it('goes on with a socket that somebody else keeps, and leaves both it and what is in it', async () => {
    using directory = new Directory();
    const path = join(directory.path, 'kept.sock');
    const kept = bindUnixDatagram(path);
    const adopted = { fd: kept.descriptor };
    const first = await listen(path, { adopted });
    send(path, '<38>nginx: one');
    await first.received(1);
    await first.source?.stop();
    send(path, '<38>nginx: two');
    await using second = await listen(path, { adopted });
    await second.received(1);
    assert.deepEqual(second.messages, ['two']);
    kept.close();
  });

  it('understands logger', { skip: noLogger }, async () => {
    using directory = new Directory();
    await using listening = await listen(directory.socket);
    await log('Failed password for root from 203.0.113.7 port 1 ssh2', ['-u', directory.socket]);
    const [record] = await listening.received(1);
    assert.equal(record?.identifier, 'sshd');
    assert.equal(record?.message, 'Failed password for root from 203.0.113.7 port 1 ssh2');
    assert.equal(record?.trusted?.uid, OWN_UID);
  });
});
