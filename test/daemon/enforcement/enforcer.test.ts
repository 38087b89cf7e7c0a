import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OperationalError } from '../../../src/core/errors.ts';
import type { BailiffEvent, EventKind, EventOf } from '../../../src/core/event.ts';
import type { Ban, Cause, Decision } from '../../../src/core/ledger/decision.ts';
import { FOREVER, HOUR, MILLISECOND, MINUTE, SECOND } from '../../../src/core/time.ts';
import { raise } from '../../../src/core/warning/catalogue.ts';
import {
  CHECK_INTERVAL,
  Enforcer,
  MIN_RECONCILE_INTERVAL,
  RECONCILE_INTERVAL,
} from '../../../src/daemon/enforcement/enforcer.ts';
import { MAX_RETRY_DELAY, MIN_RETRY_DELAY } from '../../../src/daemon/enforcement/kernel-writer.ts';
import type { JailScope } from '../../../src/firewall/desired.ts';
import { FakeFirewall, ManualTime, settle } from './fake-firewall.ts';

const JAILS: readonly JailScope[] = [
  { name: 'sshd', ports: null },
  { name: 'mail', ports: null },
  { name: 'ports', ports: [{ protocol: 'tcp', port: 22 }] },
];
const A = '203.0.113.9';
const B = '203.0.113.10';

class World {
  readonly time = new ManualTime();
  readonly firewall = new FakeFirewall(this.time);
  readonly events: BailiffEvent[] = [];
  readonly adopted: Ban[] = [];
  enforcer = this.enforcerWith(null);

  enforcerWith(limitation: OperationalError | null): Enforcer {
    return new Enforcer({
      firewall: this.firewall,
      clock: this.time,
      timers: this.time,
      emit: (event) => this.events.push(event),
      jails: JAILS,
      trust: ['192.0.2.0/24'],
      adopt: (bans) => this.adopted.push(...bans),
      limitation,
    });
  }

  ban(jail: string, offender: string, duration = HOUR, cause: Cause = 'offence'): Ban {
    const since = this.time.now();
    const until = duration === FOREVER ? FOREVER : since + duration;
    return { jail, offender, since, until, cause, failures: 5 };
  }

  decide(kind: 'ban' | 'extend' | 'unban', ban: Ban): Decision {
    const at = this.time.now();
    return kind === 'unban' ? { kind, ban, cause: 'operator', at } : { kind, ban, at };
  }

  enqueue(...decisions: readonly Decision[]): void {
    this.enforcer.enqueue(decisions, this.time.now());
  }

  of<Kind extends EventKind>(kind: Kind): EventOf<Kind>[] {
    return this.events.filter((event): event is EventOf<Kind> => event.kind === kind);
  }

  held(): string[] {
    return [...this.firewall.elements.keys()].sort();
  }
}

async function started(bans: (world: World) => readonly Ban[] = () => []): Promise<World> {
  const world = new World();
  await world.enforcer.start(bans(world));
  world.events.length = 0;
  return world;
}

test('at start the table is made, the bans of the ledger go into it, and the firewall is up', async () => {
  const world = new World();
  assert.deepEqual(await world.enforcer.start([world.ban('sshd', A), world.ban('ports', A)]), []);
  assert.deepEqual(world.held(), [`ban4 ${A}`, `ban4_port ${A} . tcp . 22`]);
  assert.deepEqual(world.firewall.trust, ['192.0.2.0/24']);
  assert.ok(world.enforcer.isEnforced('sshd', A));
  assert.deepEqual(
    world.of('component').map(({ health, detail }) => [health, detail]),
    [['up', 'a fake']],
  );
  assert.deepEqual(world.of('firewall-drift'), []);
});

test('bans that a former run left in the kernel are kept, and those that nobody knows are handed over', async () => {
  const world = new World();
  world.firewall.isTable = true;
  const known = world.ban('sshd', A);
  world.firewall.elements.set(`ban4 ${A}`, { until: known.until, comment: 'sshd' });
  world.firewall.elements.set(`ban4 ${B}`, { until: FOREVER, comment: 'who' });
  const surplus = await world.enforcer.start([known]);
  assert.deepEqual(
    surplus.map(({ jail, offender, until, cause }) => [jail, offender, until, cause]),
    [['restored', B, FOREVER, 'restore']],
  );
  assert.deepEqual(world.held(), [`ban4 ${B}`, `ban4 ${A}`].sort());
  assert.deepEqual(world.firewall.batches, []);
  world.enqueue(...surplus.map((ban) => world.decide('ban', ban)));
  await settle();
  assert.deepEqual(world.firewall.batches, [], 'the ledger taking it over changes nothing in the kernel');
  world.enqueue(...surplus.map((ban) => world.decide('unban', ban)));
  await settle();
  assert.deepEqual(world.held(), [`ban4 ${A}`], 'the ledger not wanting it removes it');
});

test('a surplus element that its jail spells otherwise now is replaced in one transaction', async () => {
  const world = new World();
  world.firewall.isTable = true;
  const until = world.time.now() + HOUR;
  world.firewall.elements.set(`ban4_port ${A} . udp . 53`, { until, comment: 'ports' });
  const surplus = await world.enforcer.start([]);
  assert.deepEqual(
    surplus.map(({ jail, offender }) => [jail, offender]),
    [['ports', A]],
  );
  assert.deepEqual(world.held(), [`ban4_port ${A} . tcp . 22`]);
  assert.equal(world.firewall.batches.length, 1);
});

test('what must never be banned is not, and is taken out when somebody put it in', async () => {
  const world = new World();
  world.firewall.isTable = true;
  world.firewall.elements.set('ban6_64 fe80::', { until: FOREVER, comment: 'sshd' });
  assert.deepEqual(await world.enforcer.start([world.ban('sshd', '127.0.0.1')]), []);
  assert.deepEqual(world.held(), []);
  world.enqueue(world.decide('ban', world.ban('sshd', '169.254.169.254')));
  await settle();
  assert.deepEqual(world.held(), []);
  assert.match(world.of('firewall-error')[0]?.message ?? '', /169\.254\.169\.254: link-local/);
});

test('a ban is in the kernel, and told of, without anybody waiting', async () => {
  const world = await started();
  const ban = world.ban('sshd', A);
  world.enforcer.enqueue([world.decide('ban', ban)], world.time.now() - 3 * MILLISECOND);
  assert.equal(world.enforcer.isEnforced('sshd', A), false);
  await world.enforcer.settled(A);
  assert.equal(world.enforcer.isEnforced('sshd', A), true);
  assert.equal(world.enforcer.isEnforced('mail', A), true, 'one element bans for every jail');
  assert.deepEqual(world.firewall.elements.get(`ban4 ${A}`), { until: ban.until, comment: 'sshd' });
  assert.deepEqual(world.of('enforced'), [{ kind: 'enforced', ban, arrivalToKernel: 3 * MILLISECOND }]);
  assert.deepEqual(world.of('firewall-transaction'), [
    { kind: 'firewall-transaction', elements: 1, duration: 0 },
  ]);
});

test("an operator's ban, and one restored, are enforced without being told of as an offence", async () => {
  const world = await started();
  world.enqueue(world.decide('ban', world.ban('sshd', A, HOUR, 'operator')));
  await world.enforcer.settled(A);
  assert.deepEqual(world.of('enforced'), []);
});

test('while a transaction is under way decisions gather for the next', async () => {
  const world = await started();
  const { promise, resolve } = Promise.withResolvers<void>();
  world.firewall.gate = promise;
  world.enqueue(world.decide('ban', world.ban('sshd', A)));
  for (let index = 0; index < 50; index++) {
    world.enqueue(world.decide('ban', world.ban('sshd', `198.51.100.${index}`)));
  }
  world.enqueue(world.decide('unban', world.ban('sshd', '198.51.100.7')));
  await settle();
  assert.equal(world.firewall.batches.length, 0);
  resolve();
  await world.enforcer.flush();
  assert.deepEqual(
    world.firewall.batches.map(({ upserts, deletes }) => [upserts.length, deletes.length]),
    [
      [1, 0],
      [49, 1],
    ],
  );
  assert.equal(world.of('enforced').length, 50);
});

test('a change during its own transaction is sent again before anybody is told', async () => {
  const world = await started();
  const { promise, resolve } = Promise.withResolvers<void>();
  world.firewall.gate = promise;
  const ban = world.ban('sshd', A);
  world.enqueue(world.decide('ban', ban));
  world.enqueue(world.decide('extend', { ...ban, until: ban.until + HOUR }));
  const settled = world.enforcer.settled(A);
  resolve();
  await settled;
  assert.equal(world.firewall.batches.length, 2);
  assert.equal(world.firewall.elements.get(`ban4 ${A}`)?.until, ban.until + HOUR);
  assert.equal(world.of('enforced').length, 1);
});

test('an element that the kernel refuses is reported, and tried again when kernel and ledger are compared', async () => {
  const world = await started();
  world.firewall.refuses.add(`ban4 ${A}`);
  world.enqueue(world.decide('ban', world.ban('sshd', A)), world.decide('ban', world.ban('sshd', B)));
  await assert.rejects(world.enforcer.settled(A), { code: 'element-refused', message: /no room/ });
  assert.deepEqual(world.held(), [`ban4 ${B}`]);
  assert.equal(world.enforcer.isEnforced('sshd', A), false);
  assert.equal(world.of('firewall-error').length, 1);
  assert.deepEqual(
    world.of('enforced').map(({ ban }) => ban.offender),
    [B],
  );
  world.firewall.refuses.clear();
  await world.time.advance(RECONCILE_INTERVAL + CHECK_INTERVAL);
  assert.ok(world.enforcer.isEnforced('sshd', A));
});

test('a failed transaction is tried again, later each time, until it is in; nothing is lost and all are told', async () => {
  const world = await started();
  world.firewall.failure = new OperationalError('cannot: busy', { code: 'nft-failed', retriable: true });
  world.enqueue(world.decide('ban', world.ban('sshd', A)));
  await assert.rejects(world.enforcer.settled(A), { message: 'cannot: busy' });
  await world.time.advance(MINUTE);
  const attempts = world.of('firewall-error').length;
  assert.ok(attempts > MINUTE / MAX_RETRY_DELAY - 2 && attempts < 25, `${attempts}`);
  world.enqueue(world.decide('ban', world.ban('sshd', B)));
  world.firewall.failure = null;
  await world.time.advance(MAX_RETRY_DELAY);
  assert.deepEqual(world.held(), [`ban4 ${A}`, `ban4 ${B}`].sort());
  assert.equal(world.of('enforced').length, 2);
  assert.deepEqual(
    world.of('component').map(({ health }) => health),
    ['down', 'up'],
  );
});

test("an operator's command does not wait for the time of the next attempt", async () => {
  const world = await started();
  world.firewall.failure = new OperationalError('cannot: busy', { code: 'nft-failed', retriable: true });
  world.enqueue(world.decide('ban', world.ban('sshd', A)));
  await world.time.advance(30 * SECOND);
  world.firewall.failure = null;
  await world.enforcer.settled(A);
  assert.ok(world.enforcer.isEnforced('sshd', A));
});

test('a ruleset that somebody flushed is restored within a second, with trust and every ban', async () => {
  const world = await started();
  for (let index = 0; index < 2_500; index++) {
    world.enqueue(world.decide('ban', world.ban('sshd', `10.1.${index >> 8}.${index & 255}`)));
  }
  await world.enforcer.flush();
  world.firewall.flushRuleset();
  world.firewall.trust = [];
  assert.ok(CHECK_INTERVAL < 0.8 * SECOND, 'which leaves time for the repair');
  await world.time.advance(CHECK_INTERVAL);
  assert.equal(world.firewall.elements.size, 2_500);
  assert.deepEqual(world.firewall.trust, ['192.0.2.0/24']);
  assert.deepEqual(world.of('firewall-drift'), [
    { kind: 'firewall-drift', missing: 2_500, surplus: 0, wrongTimeout: 0, tableLost: true },
  ]);
  assert.deepEqual(world.of('firewall-error'), []);
});

test('a ban that finds the table gone makes it anew at once', async () => {
  const world = await started((before) => [before.ban('sshd', A)]);
  world.firewall.flushRuleset();
  world.enqueue(world.decide('ban', world.ban('sshd', B)));
  await settle();
  await world.time.advance(0);
  assert.deepEqual(world.held(), [`ban4 ${A}`, `ban4 ${B}`].sort());
  assert.deepEqual(world.of('firewall-error'), []);
  assert.equal(world.of('firewall-drift')[0]?.tableLost, true);
});

test('a table that cannot be made again is not tried in a tight loop', async () => {
  const world = await started();
  world.firewall.failure = new OperationalError('no table', { code: 'table-missing', retriable: true });
  world.enqueue(world.decide('ban', world.ban('sshd', A)));
  await world.time.advance(MINUTE);
  assert.ok(world.of('firewall-error').length < 25);
  world.firewall.failure = null;
  await world.time.advance(MAX_RETRY_DELAY);
  assert.deepEqual(world.held(), [`ban4 ${A}`]);
});

test('after a lost worker the table is installed again and kernel and ledger are compared', async () => {
  const world = await started((before) => [before.ban('sshd', A)]);
  world.firewall.failure = new OperationalError('lost', { code: 'worker-lost', retriable: true });
  const { installs, listings } = world.firewall;
  world.enqueue(world.decide('ban', world.ban('sshd', B)));
  await settle();
  world.firewall.failure = null;
  await world.time.advance(MIN_RETRY_DELAY + 2 * SECOND);
  assert.equal(world.firewall.installs, installs + 1);
  assert.equal(world.firewall.listings, listings + 1);
  assert.deepEqual(world.held(), [`ban4 ${A}`, `ban4 ${B}`].sort());
  assert.deepEqual(world.of('firewall-drift'), []);
});

test('drift is put right: what is missing, what ends at the wrong time, and what nobody knows', async () => {
  const world = await started((before) => [before.ban('sshd', A), before.ban('mail', B)]);
  world.firewall.elements.delete(`ban4 ${A}`);
  world.firewall.elements.set(`ban4 ${B}`, { until: world.time.now() + MINUTE, comment: 'mail' });
  world.firewall.elements.set('ban4_24 198.51.100.0', { until: FOREVER, comment: 'sshd' });
  world.firewall.nextCheck = 'touched';
  await world.time.advance(2 * CHECK_INTERVAL);
  assert.deepEqual(world.of('firewall-drift'), [
    { kind: 'firewall-drift', missing: 1, surplus: 1, wrongTimeout: 1, tableLost: false },
  ]);
  assert.equal(world.firewall.elements.size, 3);
  assert.ok((world.firewall.elements.get(`ban4 ${B}`)?.until ?? 0) > world.time.now() + 50 * MINUTE);
  assert.deepEqual(
    world.adopted.map(({ jail, offender, until }) => [jail, offender, until]),
    [['sshd', '198.51.100.0/24', FOREVER]],
  );
  world.firewall.nextCheck = 'touched';
  await world.time.advance(10 * SECOND);
  assert.equal(world.adopted.length, 1, 'an adopted ban is not found again');
});

test('an unban during a listing is not taken for drift', async () => {
  const world = await started((before) => [before.ban('sshd', A), before.ban('sshd', B)]);
  const { promise, resolve } = Promise.withResolvers<void>();
  world.firewall.gate = promise;
  world.firewall.nextCheck = 'touched';
  await world.time.advance(2 * CHECK_INTERVAL);
  world.enqueue(world.decide('unban', world.ban('sshd', A)));
  world.enqueue(world.decide('ban', world.ban('sshd', '198.51.100.1')));
  resolve();
  await world.enforcer.flush();
  await world.time.advance(CHECK_INTERVAL);
  assert.deepEqual(world.adopted, []);
  assert.deepEqual(world.of('firewall-drift'), []);
  assert.deepEqual(world.held(), [`ban4 ${B}`, 'ban4 198.51.100.1'].sort());
});

test('other programs that change the ruleset all the time do not have us list it all the time', async () => {
  const world = await started();
  const before = world.firewall.listings;
  for (let index = 0; index < 100; index++) {
    world.firewall.nextCheck = 'touched';
    await world.time.advance(SECOND / 10);
  }
  assert.ok(world.firewall.listings - before <= 1 + (10 * SECOND) / MIN_RECONCILE_INTERVAL);
});

test('dropped packets are told of by set, as they become more', async () => {
  const world = new World();
  world.firewall.dropped.set('ban4', 5);
  await world.enforcer.start([]);
  world.firewall.dropped.set('ban4', 7);
  world.firewall.dropped.set('ban6_64', 1);
  await world.time.advance(2 * RECONCILE_INTERVAL + CHECK_INTERVAL);
  assert.deepEqual(world.of('dropped'), [
    { kind: 'dropped', set: 'ban4', packets: 2, bytes: 120 },
    { kind: 'dropped', set: 'ban6_64', packets: 1, bytes: 60 },
  ]);
});

test('other trust is in the kernel when it is set, or with the next attempt', async () => {
  const world = await started();
  await world.enforcer.setTrust(['198.51.100.0/24']);
  assert.deepEqual(world.firewall.trust, ['198.51.100.0/24']);
  world.firewall.failure = new OperationalError('cannot: busy', { code: 'nft-failed', retriable: true });
  await assert.rejects(world.enforcer.setTrust([]), { message: 'cannot: busy' });
  await settle();
  world.firewall.failure = null;
  await world.time.advance(MIN_RETRY_DELAY);
  assert.deepEqual(world.firewall.trust, []);
});

test('a jail whose ports change has its bans moved', async () => {
  const world = await started((before) => [before.ban('sshd', A)]);
  world.enforcer.reconfigure([{ name: 'sshd', ports: [{ protocol: 'tcp', port: 22 }] }]);
  await world.enforcer.flush();
  assert.deepEqual(world.held(), [`ban4_port ${A} . tcp . 22`]);
  assert.equal(world.firewall.batches.length, 2);
});

test('a start without a firewall fails, and a stand-in says why it is one', async () => {
  const world = new World();
  const error = new OperationalError('cannot load it', { code: 'library-missing', advice: 'install it' });
  world.firewall.failure = error;
  await assert.rejects(world.enforcer.start([]), { code: 'library-missing' });
  assert.deepEqual(world.events, []);
  world.firewall.failure = null;
  world.enforcer = world.enforcerWith(error);
  await world.enforcer.start([]);
  assert.deepEqual(world.of('component'), [
    {
      kind: 'component',
      component: 'firewall',
      health: 'degraded',
      detail: 'a fake',
      warnings: [raise('firewall-unavailable', { reason: 'cannot load it', remedy: 'install it' })],
    },
  ]);
});

test('stopping sends what waits, keeps the bans, and does nothing afterwards', async () => {
  const world = await started();
  world.enqueue(world.decide('ban', world.ban('sshd', A)));
  await world.enforcer.stop();
  assert.deepEqual(world.held(), [`ban4 ${A}`]);
  assert.ok(world.firewall.isClosed);
  world.firewall.flushRuleset();
  await world.time.advance(MINUTE);
  assert.equal(world.firewall.installs, 1);
});

test('stopping does not wait for a firewall that fails', async () => {
  const world = await started();
  world.firewall.failure = new OperationalError('cannot: busy', { code: 'nft-failed', retriable: true });
  world.enqueue(world.decide('ban', world.ban('sshd', A)));
  await world.enforcer.stop();
  assert.ok(world.firewall.isClosed);
});
