import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OperationalError } from '../../../src/core/errors.ts';
import { ProtectedNetworks } from '../../../src/daemon/judgement/protected-networks.ts';
import { failureOf } from '../parts.ts';

test('trusted networks and own addresses are protected together, and change apart', () => {
  let own = ['203.0.113.9'];
  const networks = new ProtectedNetworks(['192.0.2.0/24'], () => own);
  assert.deepEqual(networks.list(), ['192.0.2.0/24', '203.0.113.9']);
  networks.setTrust([]);
  assert.deepEqual(networks.list(), ['203.0.113.9']);
  own = ['203.0.113.10'];
  assert.deepEqual(networks.list(), ['203.0.113.9'], 'the interfaces are looked at when that is asked for');
});

test('a look at the interfaces tells whether anything has changed', () => {
  let own = ['203.0.113.9'];
  const networks = new ProtectedNetworks([], () => own);
  assert.equal(networks.refresh(), false);
  own = ['203.0.113.9', '2001:db8::1'];
  assert.equal(networks.refresh(), true);
  assert.equal(networks.refresh(), false);
  assert.deepEqual(networks.list(), own);
  own = [];
  assert.equal(networks.refresh(), true);
});

test('addresses that can not be read stay protected; at the start there is no going on without them', () => {
  let failure: OperationalError | null = null;
  const read = () => {
    if (failure !== null) throw failure;
    return ['203.0.113.9'];
  };
  const networks = new ProtectedNetworks([], read);
  failure = failureOf('own-addresses');
  assert.equal(networks.refresh(), false);
  assert.deepEqual(networks.list(), ['203.0.113.9']);
  assert.throws(() => new ProtectedNetworks([], read), { code: 'own-addresses' });
});
