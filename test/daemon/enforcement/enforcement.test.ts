import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Ban } from '../../../src/core/ledger/decision.ts';
import { MINUTE } from '../../../src/core/time.ts';
import { Enforcement } from '../../../src/daemon/enforcement/enforcement.ts';
import { failureOf, planOf, Recorder } from '../parts.ts';
import { FakeFirewall, ManualTime } from './fake-firewall.ts';

const KERNEL = planOf({ firewall: { backend: 'nft', table: 'guard' } });

function setUp(t: TestContext, ours: readonly string[] = []) {
  const time = new ManualTime();
  const recorder = new Recorder();
  const firewall = new FakeFirewall(time);
  const adopted: string[] = [];
  const banOf = (offender: string): Ban => ({
    jail: 'sshd',
    offender,
    since: time.now(),
    until: time.now() + MINUTE,
    cause: 'offence',
    failures: 3,
  });
  const enforcement = new Enforcement({
    ledger: { bans: () => ours.map(banOf).values() },
    clock: time,
    emit: recorder.emit,
    adopt: (bans) => adopted.push(...bans.map(({ offender }) => offender)),
    prepare: () => firewall,
  });
  t.after(enforcement.stop);
  return { time, recorder, firewall, adopted, banOf, enforcement };
}

test('what is decided before the start waits for it; what was lifted so is not taken back from the kernel', async (t) => {
  const { time, firewall, adopted, banOf, enforcement } = setUp(t, ['203.0.113.9']);
  for (const address of ['203.0.113.10', '203.0.113.11']) {
    firewall.elements.set(`ban4 ${address}`, { until: time.now() + MINUTE, comment: 'sshd' });
  }
  firewall.isTable = true;
  const ban = banOf('203.0.113.11');
  enforcement.enqueue([{ kind: 'unban', ban, cause: 'reload', at: time.now() }], time.now());
  enforcement.prepare(KERNEL);
  await enforcement.start(KERNEL);
  await enforcement.flush();
  assert.deepEqual(adopted, ['203.0.113.10']);
  assert.equal(enforcement.isEnforced('sshd', '203.0.113.9'), true);
  assert.deepEqual([...firewall.elements.keys()].sort(), ['ban4 203.0.113.10', 'ban4 203.0.113.9']);
});

test('the plan that it started with costs nothing more; another one brings its trusted networks', async (t) => {
  const { firewall, enforcement } = setUp(t);
  enforcement.prepare(KERNEL);
  await enforcement.start(KERNEL);
  const { installs } = firewall;
  await enforcement.apply(KERNEL);
  assert.equal(firewall.installs, installs);
  await enforcement.apply({ ...KERNEL, trust: ['192.0.2.0/24'] });
  assert.deepEqual(firewall.trust, ['192.0.2.0/24']);
  await enforcement.apply(KERNEL);
  assert.deepEqual(firewall.trust, [], 'also the first one again');
});

test('a firewall that does not take the trusted networks is told', async (t) => {
  const { firewall, recorder, enforcement } = setUp(t);
  enforcement.prepare(KERNEL);
  await enforcement.start(KERNEL);
  firewall.failure = failureOf('nft-failed', 'no such table');
  await enforcement.apply({ ...KERNEL, trust: ['192.0.2.0/24'] });
  assert.equal(
    recorder.of('firewall-error').map(({ message }) => message)[0],
    'trusted networks are not set: no such table',
  );
});
