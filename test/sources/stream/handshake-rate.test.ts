import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MILLISECOND, SECOND } from '../../../src/core/time.ts';
import {
  FURTHER_HANDSHAKES_PER_SECOND,
  HANDSHAKES_PER_SECOND,
  HandshakeRate,
  OWN_HANDSHAKES_PER_SECOND,
} from '../../../src/sources/stream/handshake-rate.ts';

/** How many of `count` handshakes of the peers, one after the other, may begin at `at`. */
function begun(rate: HandshakeRate, peers: readonly string[], count: number, at: number): number {
  let admitted = 0;
  for (let index = 0; index < count; index++) {
    if (rate.admits(peers[index % peers.length] ?? '', at)) admitted++;
  }
  return admitted;
}

test('one peer alone has its own and what is there for those who want more', () => {
  const rate = new HandshakeRate();
  const most = OWN_HANDSHAKES_PER_SECOND.burst + FURTHER_HANDSHAKES_PER_SECOND.burst;
  assert.equal(begun(rate, ['192.0.2.1'], 5_000, SECOND), most);
});

test('one that wants all of them keeps nobody else out', () => {
  const rate = new HandshakeRate();
  for (let at = SECOND; at < 20 * SECOND; at += 100 * MILLISECOND) {
    begun(rate, ['192.0.2.1'], 500, at);
    assert.ok(rate.admits('192.0.2.2', at));
  }
});

test('an IPv6 network counts as one peer, since whoever has one address of it has them all', () => {
  const rate = new HandshakeRate();
  const peers = Array.from({ length: 5_000 }, (_, index) => `2001:db8::${(index + 1).toString(16)}`);
  const most = OWN_HANDSHAKES_PER_SECOND.burst + FURTHER_HANDSHAKES_PER_SECOND.burst;
  assert.equal(begun(rate, peers, 5_000, SECOND), most);
  assert.ok(rate.admits('2001:db8:1::1', SECOND));
});

test('whoever has a site of IPv6 networks keeps nobody else out with them', () => {
  const rate = new HandshakeRate();
  const peers = Array.from({ length: 256 }, (_, index) => `2001:db8:0:${index.toString(16)}::1`);
  for (let at = SECOND; at < 20 * SECOND; at += 100 * MILLISECOND) {
    begun(rate, peers, 2_000, at);
    assert.ok(rate.admits('192.0.2.2', at));
  }
});

test('all together begin no more than the daemon can bear', () => {
  const rate = new HandshakeRate();
  const peers = Array.from({ length: 5_000 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
  assert.equal(begun(rate, peers, 10_000, SECOND), HANDSHAKES_PER_SECOND.burst);
  assert.equal(begun(rate, peers, 10_000, 2 * SECOND), HANDSHAKES_PER_SECOND.messagesPerSecond);
});
