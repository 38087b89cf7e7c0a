import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { test } from 'node:test';
import { openNetlinkSocket } from '../../src/native/netlink.ts';

/** A message of no type that exists, which the kernel acknowledges (NLM_F_REQUEST, NLM_F_ACK): NLMSG_NOOP. */
const NOOP = Buffer.from('10000000010005002a00000000000000', 'hex');

/** Netfilter's netlink refuses whatever comes from somebody without CAP_NET_ADMIN. */
const ACKNOWLEDGEMENT = process.getuid?.() === 0 ? 0 : -constants.errno.EPERM;

test('the kernel answers while it takes a request', () => {
  const socket = openNetlinkSocket();
  socket.send(NOOP);
  const answer = Buffer.from(socket.receive());
  assert.equal(answer.readUInt16LE(4), 2, 'NLMSG_ERROR');
  assert.equal(answer.readUInt32LE(8), 42, 'the sequence of the request');
  assert.equal(answer.readInt32LE(16), ACKNOWLEDGEMENT);
  socket.close();
});

test('asking for an answer that nobody gave is an error and does not block', () => {
  const socket = openNetlinkSocket();
  assert.throws(() => socket.receive(), { name: 'OperationalError', code: 'EAGAIN', retriable: true });
  socket.close();
  assert.throws(() => socket.send(NOOP), { name: 'OperationalError', code: 'EBADF' });
});
