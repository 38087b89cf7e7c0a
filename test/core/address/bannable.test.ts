import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isBannable, unbannableReason } from '../../../src/core/address/bannable.ts';

test('hosts and networks of the internet and of private networks can be banned', () => {
  for (const network of [
    '203.0.113.9',
    '198.51.100.0/24',
    '10.0.0.0/8',
    '192.168.1.77',
    '2001:db8::/64',
    '2001:db8::1',
    '2a00::/19',
    'fd00:1::/64',
    '64:ff9b::cb00:7109',
  ]) {
    assert.equal(unbannableReason(network), null, network);
  }
});

test('what keeps a host on its network cannot be banned, whoever asks', () => {
  for (const [network, reason] of [
    ['0.0.0.0', 'unspecified'],
    ['::', 'unspecified'],
    ['::/64', 'unspecified'],
    ['127.0.0.1', 'loopback'],
    ['127.8.0.0/16', 'loopback'],
    ['::1', 'loopback'],
    ['169.254.169.254', 'link-local'],
    ['fe80::/64', 'link-local'],
    ['fe80::1', 'link-local'],
    ['febf::/32', 'link-local'],
    ['224.0.0.251', 'multicast'],
    ['ff02::1', 'multicast'],
    ['255.255.255.255', 'reserved'],
    ['240.0.0.0/8', 'reserved'],
  ] as const) {
    assert.equal(unbannableReason(network), reason, network);
    assert.equal(isBannable(network), false, network);
  }
});

test('a network that contains what cannot be banned cannot be banned either', () => {
  assert.equal(unbannableReason('168.0.0.0/7'), 'too-wide');
  assert.equal(unbannableReason('169.0.0.0/8'), 'link-local');
  assert.equal(unbannableReason('fe00::/19'), null);
  assert.equal(unbannableReason('fe80::/19'), 'link-local');
});

test('a slip of the pen does not ban half the internet', () => {
  assert.equal(unbannableReason('0.0.0.0/0'), 'too-wide');
  assert.equal(unbannableReason('::/0'), 'too-wide');
  assert.equal(unbannableReason('203.0.0.0/7'), 'too-wide');
  assert.equal(unbannableReason('2000::/3'), 'too-wide');
});

test('the /64 of a NAT64 prefix, which holds all of IPv4, cannot be banned; one host behind it can', () => {
  assert.equal(unbannableReason('64:ff9b::/64'), 'translation');
  assert.equal(unbannableReason('64:ff9b:1:7::/64'), 'translation');
  assert.equal(unbannableReason('64:ff9b::c000:201'), null);
});
