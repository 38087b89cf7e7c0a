import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { OperationalError } from '../../../src/core/errors.ts';
import { MINUTE } from '../../../src/core/time.ts';
import {
  jailScopesOf,
  prepareFirewall,
  START_ATTEMPTS,
  startEnforcer,
} from '../../../src/daemon/enforcement/firewall-choice.ts';
import { actionsOf, wordsOf } from '../../core/warning/words.ts';
import { failureOf, planOf, policyOf, Recorder } from '../parts.ts';
import { FakeFirewall, ManualTime } from './fake-firewall.ts';

const KERNEL = planOf({ firewall: { backend: 'nft', table: 'guard' } });

/** Starts an enforcer; its first firewalls fail with `failures`, one each. */
async function start(t: TestContext, failures: readonly OperationalError[], plan = KERNEL) {
  const time = new ManualTime();
  const recorder = new Recorder();
  const opened: FakeFirewall[] = [];
  const openFirewall = (table: string) => {
    assert.equal(table, 'guard');
    const firewall = new FakeFirewall(time);
    firewall.failure = failures[opened.length] ?? null;
    opened.push(firewall);
    return firewall;
  };
  const until = time.now() + MINUTE;
  const ban = {
    jail: 'sshd',
    offender: '203.0.113.9',
    since: time.now(),
    until,
    cause: 'offence',
    failures: 3,
  } as const;
  const options = { plan, clock: time, emit: recorder.emit, bans: [ban], adopt: () => {}, openFirewall };
  const { enforcer, surplus } = await startEnforcer(options);
  t.after(() => enforcer.stop());
  return { opened, enforcer, surplus, firewall: recorder.of('component').at(-1) };
}

function transient(): OperationalError {
  return new OperationalError('busy', { code: 'nft-failed', retriable: true });
}

test('the kernel enforces where it can be had', async (t) => {
  const { opened, firewall, surplus } = await start(t, []);
  assert.deepEqual([...(opened[0]?.elements.keys() ?? [])], ['ban4 203.0.113.9']);
  assert.equal(firewall?.health, 'up');
  assert.deepEqual(surplus, []);
});

test('a firewall that was prepared is used for the first attempt only, and a dry run prepares none', async (t) => {
  const time = new ManualTime();
  const [prepared, second] = [new FakeFirewall(time), new FakeFirewall(time)];
  prepared.failure = transient();
  const options = { plan: KERNEL, clock: time, emit: new Recorder().emit, bans: [], adopt: () => {} };
  const { enforcer } = await startEnforcer({ ...options, prepared, openFirewall: () => second });
  t.after(() => enforcer.stop());
  assert.deepEqual([prepared.isClosed, second.isClosed], [true, false]);
  assert.equal(prepareFirewall(planOf()), null);
});

test('a dry run that was asked for never opens the kernel', async (t) => {
  const { opened, firewall } = await start(t, [], planOf());
  assert.equal(opened.length, 0);
  assert.match(firewall?.detail ?? '', /dry run/);
});

test('what will not go away by itself leads to a dry run at once, with the reason and the advice', async (t) => {
  const { opened, enforcer, firewall } = await start(t, [failureOf('library-missing', 'no libnftables')]);
  assert.equal(opened.length, 1);
  assert.equal(opened[0]?.isClosed, true);
  assert.notEqual(firewall?.health, 'up');
  assert.match(wordsOf(firewall), /no libnftables/);
  assert.equal(actionsOf(firewall), 'do something');
  assert.equal(enforcer.isEnforced('sshd', '203.0.113.9'), false, 'a dry run enforces nothing');
});

test('a fault of the moment is waited out: at boot others are busy with the ruleset too', async (t) => {
  const { opened, firewall } = await start(t, [transient(), transient()]);
  assert.equal(opened.length, 3);
  assert.deepEqual([...(opened[2]?.elements.keys() ?? [])], ['ban4 203.0.113.9']);
  assert.ok(opened.slice(0, 2).every(({ isClosed }) => isClosed));
  assert.equal(firewall?.health, 'up');
});

test('but not for ever', async (t) => {
  const { opened, firewall } = await start(t, [transient(), transient(), transient(), transient()]);
  assert.equal(opened.length, START_ATTEMPTS);
  assert.match(wordsOf(firewall), /busy/);
});

test('each jail bans from its own ports', () => {
  const ports = [{ protocol: 'tcp', port: 22 }] as const;
  const jails = [{ policy: policyOf({ ports }), filters: ['sshd'], mode: 'normal' }] as const;
  assert.deepEqual(
    jailScopesOf(planOf({ jails })).map(({ name, ports: scope }) => [name, scope]),
    [['sshd', ports]],
  );
});
