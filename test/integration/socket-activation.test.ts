/** Sockets that a service manager keeps for the daemon: what comes while it is away waits in the kernel. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { bindUdp, bindUnixDatagram } from '../../src/native/datagram-socket.ts';
import { spawnActivated } from '../bed/services/activation.ts';
import { PATIENCE_MILLISECONDS, waitFor } from '../bed/waiting.ts';
import { openUnixSender } from '../sources/datagram/unix-sender.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');
const WHILE_AWAY = 1_000;

/** As many as the kernel holds for a unix socket on any machine (net.unix.max_dgram_qlen, which is 10 by default). */
const AT_SOCKET = 8;

class Machine implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'bailiff-activation-'));
  readonly udp = bindUdp({ host: '127.0.0.1', port: 0, ipv6Only: false });
  readonly socketPath = join(this.directory, 'log.sock');
  readonly unix = bindUnixDatagram(this.socketPath);
  #daemon: ChildProcess | null = null;

  constructor() {
    const lines = [
      '[daemon]',
      `state_dir = "${this.directory}/state"`,
      `socket = "${this.directory}/control.sock"`,
      '[journal]',
      'enabled = false',
      '[syslog]',
      `unix_users = ["${process.getuid?.()}"]`,
      '[metrics]',
      'listen = []',
      '[firewall]',
      'backend = "dry-run"',
      '[jail.sshd]',
      'max_retry = 1000',
      '',
    ];
    writeFileSync(join(this.directory, 'bailiff.toml'), lines.join('\n'));
  }

  get port(): number {
    const address = this.udp.address();
    assert.equal(address?.family, 'internet');
    return address.port;
  }

  async start(): Promise<void> {
    const passed = [
      { name: 'syslog', descriptor: this.udp.descriptor },
      { name: 'local', descriptor: this.unix.descriptor },
    ];
    this.#daemon = spawnActivated([MAIN, 'run', '--config', join(this.directory, 'bailiff.toml')], passed);
    await waitFor('the daemon', PATIENCE_MILLISECONDS, () => this.ask('/v1/ping'));
  }

  async stop(signal: NodeJS.Signals): Promise<void> {
    const daemon = this.#daemon;
    this.#daemon = null;
    if (daemon === null || daemon.exitCode !== null) return;
    const ended = new Promise((resolve) => daemon.once('exit', resolve));
    daemon.kill(signal);
    await ended;
  }

  ask(path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const sent = request({ socketPath: join(this.directory, 'control.sock'), path }, (answer) =>
        resolve(text(answer)),
      );
      sent.once('error', reject).end();
    });
  }

  /** How many failures it has counted in all its life. */
  async failures(): Promise<number> {
    return JSON.parse(await this.ask('/v1/jails/sshd')).totalFailures;
  }

  /** Resolves when that is `count`, and stays. */
  async counted(count: number): Promise<void> {
    await waitFor(`${count} failures`, PATIENCE_MILLISECONDS, async () =>
      (await this.failures()) >= count ? true : null,
    );
    assert.equal(await this.failures(), count);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('SIGKILL');
    this.udp.close();
    this.unix.close();
    rmSync(this.directory, { recursive: true });
  }
}

function failure(index: number): string {
  return `<38>sshd[${index}]: Failed password for root from 203.0.113.${index % 250} port 4711 ssh2`;
}

async function sendToPort(port: number, first: number, count: number): Promise<void> {
  const socket = createSocket('udp4');
  for (let index = first; index < first + count; index++) {
    await new Promise<void>((resolve) => socket.send(failure(index), port, '127.0.0.1', () => resolve()));
  }
  socket.close();
}

function sendToSocket(path: string, first: number, count: number): void {
  const sender = openUnixSender(path);
  for (let index = first; index < first + count; index++) sender.send(failure(index));
  sender.close();
}

describe('a daemon whose sockets a service manager keeps', () => {
  it('needs no listener in its configuration, and counts each datagram that came while it was away once', async () => {
    await using machine = new Machine();
    await machine.start();
    assert.match(
      await machine.ask('/v1/status'),
      new RegExp(`listens on [^"]*udp 127.0.0.1:${machine.port}`),
    );
    await sendToPort(machine.port, 0, 10);
    await machine.counted(10);
    await machine.stop('SIGTERM');
    await sendToPort(machine.port, 10, WHILE_AWAY);
    sendToSocket(machine.socketPath, 10 + WHILE_AWAY, AT_SOCKET);
    await machine.start();
    await machine.counted(10 + WHILE_AWAY + AT_SOCKET);
    assert.equal(machine.udp.drops(), 0);
    await sendToPort(machine.port, 5_000, 1);
    await machine.counted(10 + WHILE_AWAY + AT_SOCKET + 1);
    await machine.stop('SIGTERM');
    assert.ok(existsSync(machine.socketPath), 'the file of a socket that is not ours stays');
  });
});
