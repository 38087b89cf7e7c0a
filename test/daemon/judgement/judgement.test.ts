import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Plan } from '../../../src/config/plan.ts';
import { PrefixSet } from '../../../src/core/address/prefix-set.ts';
import type { Decision } from '../../../src/core/ledger/decision.ts';
import { Ledger } from '../../../src/core/ledger/ledger.ts';
import { MINUTE } from '../../../src/core/time.ts';
import { Judgement, TICKS_BETWEEN_ADDRESS_CHECKS } from '../../../src/daemon/judgement/judgement.ts';
import { ProtectedNetworks } from '../../../src/daemon/judgement/protected-networks.ts';
import { describeDecision, planOf, policyOf, START } from '../parts.ts';

async function setUp(plan: Plan = planOf()) {
  const ledger = new Ledger(plan.limits);
  const did: string[] = [];
  const world = { own: ['198.51.100.9'] };
  const judgement = new Judgement({
    ledger,
    pipeline: {
      setRules: ({ routes }) => did.push(`rules for ${[...routes.keys()].join(' ')}`),
      carryOut: (decisions: readonly Decision[]) => did.push(...decisions.map(describeDecision)),
      tick: () => did.push('tick'),
    },
    senders: { configure: () => did.push('senders') },
    clock: { now: () => START, elapsed: () => 0 },
    protect: ({ trust }) => new ProtectedNetworks(trust, () => world.own),
  });
  judgement.prepare(plan);
  await judgement.start(plan);
  judgement.apply(plan);
  did.length = 0;
  const ban = (offender: string) =>
    ledger.ban(
      { jail: 'sshd', offender, since: START, until: START + MINUTE, cause: 'operator', failures: 0 },
      START,
      [],
    );
  return { judgement, ledger, did, world, ban };
}

test('senders, rules and the ledger have a plan at once: no record meets a jail that only some of them know', async () => {
  const { judgement, ledger, did } = await setUp();
  const jails = ['sshd', 'mail'].map((name) => ({
    policy: policyOf({ name }),
    filters: ['sshd'],
    mode: 'normal' as const,
  }));
  assert.equal(judgement.apply(planOf({ jails, trust: ['192.0.2.0/24'] })), undefined);
  assert.deepEqual(did, ['senders', 'rules for sshd']);
  const failure = { jail: 'mail', address: '192.0.2.7', seenAt: START, weight: 1 };
  assert.deepEqual(ledger.observe(failure, START, []), { outcome: 'ignored', reason: 'protected' });
});

test('what is newly trusted or ignored is set free', async () => {
  const { judgement, did, ban } = await setUp();
  ban('192.0.2.7');
  ban('203.0.113.9');
  ban('203.0.113.10');
  const policy = policyOf({ ignore: new PrefixSet(['203.0.113.9']) });
  judgement.apply(
    planOf({ jails: [{ policy, filters: ['sshd'], mode: 'normal' }], trust: ['192.0.2.0/24'] }),
  );
  assert.deepEqual(
    did.filter((deed) => deed.startsWith('unban')),
    ['unban 192.0.2.7 reload', 'unban 203.0.113.9 reload'],
  );
});

test('an address that this host has got since is set free without a reload', async () => {
  const { judgement, world, did, ban } = await setUp();
  ban('203.0.113.9');
  ban('203.0.113.10');
  world.own = ['203.0.113.9'];
  for (let tick = 1; tick < TICKS_BETWEEN_ADDRESS_CHECKS; tick++) judgement.tick();
  assert.deepEqual(new Set(did), new Set(['tick']));
  judgement.tick();
  assert.deepEqual(did.slice(-2), ['tick', 'unban 203.0.113.9 reload']);
});
