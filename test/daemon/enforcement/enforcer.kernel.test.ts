import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BailiffEvent } from '../../../src/core/event.ts';
import type { Ban, Decision } from '../../../src/core/ledger/decision.ts';
import { HOUR, SECOND } from '../../../src/core/time.ts';
import { createSystemClock } from '../../../src/daemon/clock.ts';
import { Enforcer, SYSTEM_TIMERS } from '../../../src/daemon/enforcement/enforcer.ts';
import { ATTACKERS_IPV4, type Bed, HOST, openBed } from '../../bed/namespace.ts';
import { tryConnect } from '../../bed/reachability.ts';
import { requirements } from '../../bed/requirements.ts';
import { PATIENCE_MILLISECONDS, waitFor } from '../../bed/waiting.ts';
import { openBedFirewall } from '../../firewall/bed-firewall.ts';

const skip = requirements('namespaces', 'nft') ?? false;
const clock = createSystemClock();
const [attacker = '', other = ''] = ATTACKERS_IPV4;

const banOf = (offender: string, duration = HOUR): Ban => ({
  jail: 'sshd',
  offender,
  since: clock.now(),
  until: clock.now() + duration,
  cause: 'offence',
  failures: 5,
});
const decide = (ban: Ban): Decision => ({ kind: 'ban', ban, at: clock.now() });

type Running = {
  readonly enforcer: Enforcer;
  readonly events: BailiffEvent[];
  readonly surplus: readonly Ban[];
};

async function run(bed: Bed, bans: readonly Ban[]): Promise<Running> {
  const events: BailiffEvent[] = [];
  const enforcer = new Enforcer({
    firewall: await openBedFirewall(bed),
    clock,
    emit: (event) => events.push(event),
    timers: SYSTEM_TIMERS,
    jails: [{ name: 'sshd', ports: null }],
    trust: [],
    adopt: () => assert.fail('nothing was put into the kernel by others'),
    limitation: null,
  });
  return { enforcer, events, surplus: await enforcer.start(bans) };
}

async function isCut(bed: Bed, from: string): Promise<boolean> {
  return (await tryConnect(bed, { from, to: HOST.ipv4, port: 9, timeoutMilliseconds: 250 })) === 'dropped';
}

test('an attacker is cut off again after somebody has flushed the ruleset', {
  skip,
}, async () => {
  await using bed = await openBed();
  const { enforcer, events } = await run(bed, []);
  const crowd = Array.from({ length: 2_000 }, (_, index) => banOf(`10.1.${index >> 8}.${index & 255}`));
  enforcer.enqueue([banOf(attacker), ...crowd].map(decide), clock.now());
  await enforcer.flush();
  assert.equal(await isCut(bed, attacker), true);
  await bed.run(['nft', 'flush ruleset']);
  await waitFor(
    'the repair',
    PATIENCE_MILLISECONDS,
    () => events.find((event) => event.kind === 'firewall-drift') ?? null,
  );
  await enforcer.flush();
  assert.equal(await isCut(bed, attacker), true);
  await enforcer.stop();
});

test('one element that somebody removes is put back', { skip }, async () => {
  await using bed = await openBed();
  const { enforcer, events } = await run(bed, [banOf(attacker), banOf(other)]);
  await bed.run(['nft', `delete element inet bailiff ban4 { ${attacker} }`]);
  const drift = await waitFor(
    'the repair',
    5_000,
    () => events.find(({ kind }) => kind === 'firewall-drift') ?? null,
  );
  assert.deepEqual(drift, {
    kind: 'firewall-drift',
    missing: 1,
    surplus: 0,
    wrongTimeout: 0,
    tableLost: false,
  });
  await enforcer.flush();
  assert.equal(await isCut(bed, attacker), true);
  await enforcer.stop();
});

test('bans stay over a restart, and a run that lost its state finds them', { skip }, async () => {
  await using bed = await openBed();
  const first = await run(bed, []);
  const ban = banOf(attacker);
  first.enforcer.enqueue([decide(ban)], clock.now());
  await first.enforcer.stop();
  assert.equal(await isCut(bed, attacker), true);
  const second = await run(bed, [ban]);
  assert.deepEqual(second.surplus, []);
  assert.equal(second.events.filter(({ kind }) => kind === 'firewall-transaction').length, 0);
  await second.enforcer.stop();
  const third = await run(bed, []);
  assert.deepEqual(
    third.surplus.map(({ jail, offender, cause }) => [jail, offender, cause]),
    [['sshd', attacker, 'restore']],
  );
  assert.ok(Math.abs((third.surplus[0]?.until ?? 0) - ban.until) < 2 * SECOND);
  await third.enforcer.stop();
  assert.equal(await isCut(bed, attacker), true);
});
