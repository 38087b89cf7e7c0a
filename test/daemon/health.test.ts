import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ComponentHealth, ComponentName } from '../../src/core/event.ts';
import { Health } from '../../src/daemon/health.ts';

function tell(health: Health, component: ComponentName, state: ComponentHealth, detail = ''): void {
  health.observe({ kind: 'component', component, health: state, detail, advice: '' });
}

test('nothing is known before a component speaks', () => {
  const health = new Health();
  health.observe({ kind: 'ready' });
  assert.deepEqual(health.components(), []);
  assert.equal(health.summary(), 'all is well');
});

test('the last word of each component counts, in the order of the house', () => {
  const health = new Health();
  tell(health, 'control', 'up');
  tell(health, 'firewall', 'down', 'no library');
  tell(health, 'configuration', 'up');
  tell(health, 'firewall', 'up', 'nftables');
  assert.deepEqual(
    health.components().map(({ component, health: state, detail }) => `${component} ${state} ${detail}`),
    ['configuration up ', 'firewall up nftables', 'control up '],
  );
});

test('the summary names who ails and with what; one that is off does not', () => {
  const health = new Health();
  tell(health, 'journal', 'off', 'not wanted');
  assert.equal(health.summary(), 'all is well');
  tell(health, 'state', 'degraded', 'the disk is full');
  tell(health, 'journal', 'down', 'no journal');
  assert.equal(health.summary(), 'journal down: no journal; state degraded: the disk is full');
});
