import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import * as koffi from 'koffi';
import { readPassedDescriptors, takeActivation } from '../../src/native/activation.ts';
import { bindUdp, bindUnixDatagram } from '../../src/native/datagram-socket.ts';
import { AF_INET, AF_INET6, encodeInternetAddress } from '../../src/native/socket-address.ts';
import {
  bindSocket,
  closeSocket,
  openSocket,
  readLocalAddress,
  SOCK_STREAM,
} from '../../src/native/socket-calls.ts';
import { spawnActivated } from '../bed/services/activation.ts';

const listen = koffi.load('libc.so.6').func('listen', 'int', ['int', 'int']);

const environment = (changes: Record<string, string> = {}) => ({
  LISTEN_PID: '42',
  LISTEN_FDS: '2',
  LISTEN_FDNAMES: 'syslog:tls',
  ...changes,
});

describe('the descriptors that a service manager passes', () => {
  it('begin at 3, each with its name', () => {
    assert.deepEqual(readPassedDescriptors(environment(), 42), [
      { fd: 3, name: 'syslog' },
      { fd: 4, name: 'tls' },
    ]);
  });

  it('may lack names', () => {
    assert.deepEqual(readPassedDescriptors(environment({ LISTEN_FDNAMES: '' }), 42), [
      { fd: 3, name: '' },
      { fd: 4, name: '' },
    ]);
  });

  it('are none when the variables are missing, meant for another process, or nonsense', () => {
    assert.deepEqual(readPassedDescriptors({}, 42), []);
    assert.deepEqual(readPassedDescriptors(environment(), 43), []);
    for (const LISTEN_FDS of ['0', '-1', '', '1e3', '0x3', ' 2', '2147483648'])
      assert.deepEqual(readPassedDescriptors(environment({ LISTEN_FDS }), 42), []);
  });

  it('are no more than the limit', () => {
    assert.equal(readPassedDescriptors(environment({ LISTEN_FDS: '9999' }), 42).length, 64);
  });
});

describe('sockets that are passed', () => {
  it('are told by kind, name and address, once, and the variables are gone for whatever we start', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'bailiff-activation-'));
    const path = join(directory, 'log.sock');
    const udp = bindUdp({ host: '::1', port: 0, ipv6Only: true });
    const unix = bindUnixDatagram(path);
    const tcp = openSocket(AF_INET, SOCK_STREAM);
    bindSocket(tcp, encodeInternetAddress('127.0.0.1', 0));
    assert.equal(listen(tcp, 8), 0);
    const idle = openSocket(AF_INET6, SOCK_STREAM);
    const file = openSync('/dev/null', 'r');
    const child = spawnActivated(
      [join(import.meta.dirname, 'activation-process.ts')],
      [
        { name: 'syslog', descriptor: udp.descriptor },
        { name: 'tls', descriptor: tcp },
        { name: 'local', descriptor: unix.descriptor },
        { name: 'idle', descriptor: idle },
        { name: 'file\u001b[2J', descriptor: file },
      ],
    );
    assert.ok(child.stdout !== null);
    const told = JSON.parse(await text(child.stdout));
    const addressOf = (descriptor: number) => {
      const address = readLocalAddress(descriptor);
      return address?.family === 'internet' ? { host: address.host, port: address.port } : null;
    };
    assert.deepEqual(told.sockets, [
      { fd: 3, name: 'syslog', kind: 'udp', address: addressOf(udp.descriptor) },
      { fd: 4, name: 'tls', kind: 'tcp', address: addressOf(tcp) },
      { fd: 5, name: 'local', kind: 'unix-datagram', path },
    ]);
    assert.deepEqual(told.refused, [
      'descriptor 6 ("idle") is no UDP socket, listening TCP socket or unix datagram socket',
      'descriptor 7 ("file\\u001b[2J") cannot be used: getsockopt 3: ENOTSOCK',
    ]);
    assert.deepEqual([told.left, told.again], [[], []]);
    for (const socket of [udp, unix]) socket.close();
    for (const descriptor of [tcp, idle]) closeSocket(descriptor);
    closeSync(file);
    rmSync(directory, { recursive: true });
  });

  it('are none in a process that nobody activated', () => {
    const env = { LISTEN_PID: '1', LISTEN_FDS: '3', HOME: '/root' };
    assert.deepEqual(takeActivation(env), { sockets: [], refused: [] });
    assert.deepEqual(env, { HOME: '/root' });
  });
});
