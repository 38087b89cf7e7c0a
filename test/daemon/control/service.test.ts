import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { JailPlan, Plan } from '../../../src/config/plan.ts';
import { PrefixSet } from '../../../src/core/address/prefix-set.ts';
import type { Decision } from '../../../src/core/ledger/decision.ts';
import { Ledger } from '../../../src/core/ledger/ledger.ts';
import { formatInstant, HOUR, MINUTE, SECOND } from '../../../src/core/time.ts';
import { VERSION } from '../../../src/core/version.ts';
import { ControlService, MAX_BANS_OF_ADDRESS } from '../../../src/daemon/control/service.ts';
import { Enforcer } from '../../../src/daemon/enforcement/enforcer.ts';
import { Health } from '../../../src/daemon/health.ts';
import { Pipeline } from '../../../src/daemon/judgement/pipeline.ts';
import { rulesOf } from '../../../src/daemon/judgement/rules.ts';
import { Persister } from '../../../src/daemon/state/persister.ts';
import type { BanReport, BanReports, ControlError } from '../../../src/http/control.ts';
import { SenderDirectory } from '../../../src/senders/directory.ts';
import { FakeFirewall, ManualTime } from '../enforcement/fake-firewall.ts';
import { banLogOf, FakeStore, failureOf, planOf, policyOf, Recorder } from '../parts.ts';

const PLAN = planOf({
  trust: ['198.51.100.7', '2001:db8:9::1'],
  jails: [
    { policy: policyOf({ ignore: new PrefixSet(['192.0.2.0/24']) }), filters: ['sshd'], mode: 'normal' },
    { policy: policyOf({ name: 'mail', ipv6PrefixLength: 56 }), filters: ['imap'], mode: 'normal' },
  ],
  refusedJails: [{ name: 'shop', problems: ['shop.toml:1:1: no'] }],
});

const SENDERS = { senders: [], refused: [], lost: [{ listener: 'udp 127.0.0.1:514', count: 3 }] };
const ACTIVITY = { failures: [0, 2], bans: [1, 0] };

function reportsOf(reports: BanReports): readonly BanReport[] {
  return reports.slice(0, reports.length);
}

async function setUp(t: TestContext, limits = PLAN.limits) {
  const time = new ManualTime();
  const recorder = new Recorder();
  const firewall = new FakeFirewall(time);
  const store = new FakeStore();
  const ledger = new Ledger(limits);
  let plan: Plan = { ...PLAN, limits };
  const reconfigure = () => {
    const policies = plan.jails.map(({ policy }) => policy);
    ledger.reconfigure({ policies, limits: plan.limits, protectedNetworks: plan.trust }, time.now(), []);
  };
  reconfigure();
  const banLog = banLogOf(ledger);
  const parts = { clock: time, emit: recorder.emit };
  const jails = plan.jails.map(({ policy }) => policy);
  const enforcer = new Enforcer({
    ...parts,
    firewall,
    timers: time,
    jails,
    trust: [],
    adopt: () => {},
    limitation: null,
  });
  const persister = new Persister({
    ...parts,
    store,
    ledger,
    banLog,
    kernel: enforcer,
    sessions: { takeSessions: () => [], returnSessions: () => {}, restoreSessions: () => {} },
    journalPosition: null,
  });
  await enforcer.start([]);
  t.after(() => enforcer.stop());
  const senders = new SenderDirectory(plan.senders);
  const pipeline = new Pipeline(
    { ...parts, ledger, banLog, enforcer, persister, senders },
    rulesOf(plan, () => 0),
  );
  const service = new ControlService({
    ...parts,
    ledger,
    banLog,
    enforcer,
    persister,
    pipeline,
    health: new Health(time, recorder.emit),
    activity: { report: () => ACTIVITY },
    senderTable: { report: () => SENDERS },
    startedAt: time.now(),
    configPath: '/etc/bailiff/bailiff.toml',
    plan: () => plan,
    reload: async () => ({ applied: true, problems: [], jails: [] }),
  });
  const retire = (name: string) => {
    plan = { ...plan, jails: plan.jails.filter(({ policy }) => policy.name !== name) };
    reconfigure();
  };
  const adopt = (jail: JailPlan) => {
    plan = { ...plan, jails: [...plan.jails, jail] };
    reconfigure();
  };
  const ban = (address: string, jail = 'sshd', duration?: string) =>
    service.ban(duration === undefined ? { address, jail } : { address, jail, for: duration });
  const fail = (address: string, jail = 'sshd') =>
    ledger.observe({ jail, address, seenAt: time.now(), weight: 1 }, time.now(), []);
  const elements = () => [...firewall.elements.keys()].sort();
  return {
    time,
    recorder,
    firewall,
    store,
    ledger,
    banLog,
    pipeline,
    service,
    retire,
    adopt,
    ban,
    fail,
    elements,
  };
}

test('a ban is in the kernel and on the disk when it is answered, and lasts as long as the jail says', async (t) => {
  const { ban, time, elements, store, recorder } = await setUp(t);
  const report = await ban('203.0.113.9');
  assert.deepEqual(report, {
    offender: '203.0.113.9',
    jail: 'sshd',
    since: formatInstant(time.now()),
    until: formatInstant(time.now() + 5 * MINUTE),
    remainingSeconds: 300,
    cause: 'operator',
    failures: 0,
    enforced: true,
  });
  assert.deepEqual(elements(), ['ban4 203.0.113.9']);
  assert.equal(store.commits.at(-1)?.changes.bans[0]?.offender, '203.0.113.9');
  assert.deepEqual(recorder.of('ban').length, 1);
});

test('a ban that names no jail is in the jail of bans by hand, and where there is none that is said', async (t) => {
  const { service, adopt } = await setUp(t);
  await assert.rejects(service.ban({ address: '203.0.113.9' }), (error: ControlError) => {
    assert.equal(error.code, 'no-such-jail');
    assert.match(error.message, /no jail "manual", for bans by hand \(is it off in your configuration\?\)/);
    return true;
  });
  adopt({ policy: policyOf({ name: 'manual', banTime: HOUR }), filters: [], mode: 'normal' });
  const { jail, remainingSeconds } = await service.ban({ address: '203.0.113.9' });
  assert.deepEqual([jail, remainingSeconds], ['manual', 3_600]);
});

test('an address is told with its bans, who trusts it, and only in the jails that know of it', async (t) => {
  const { service, ban, fail } = await setUp(t);
  await ban('203.0.113.0/24', 'mail');
  fail('203.0.113.9');
  const { address, protectedBy, jails } = service.address('203.0.113.9', null);
  assert.deepEqual([address, protectedBy], ['203.0.113.9', []]);
  assert.deepEqual(
    jails.map(({ jail, failures, bans }) => [jail, failures, bans.map(({ offender }) => offender)]),
    [
      ['sshd', 1, []],
      ['mail', 0, ['203.0.113.0/24']],
    ],
  );
  assert.deepEqual(service.address('198.51.100.7', 'sshd'), {
    address: '198.51.100.7',
    protectedBy: [{ by: 'trust', network: '198.51.100.7' }],
    jails: [],
  });
  assert.throws(() => service.address('203.0.113.9', 'shop'), { code: 'no-such-jail' });
});

test('of the bans in a network only so many are told, its own among them, and how many there are besides', async (t) => {
  const { service, ban } = await setUp(t, { ...PLAN.limits, maxBans: 2 * MAX_BANS_OF_ADDRESS });
  await ban('203.0.0.0/16', 'mail');
  for (let index = 0; index <= MAX_BANS_OF_ADDRESS; index++)
    await ban(`203.0.${index >> 8}.${index & 255}`, 'mail');
  const [{ bans = [], furtherBans = 0 } = {}] = service.address('203.0.0.0/16', null).jails;
  assert.deepEqual([bans.length, furtherBans], [MAX_BANS_OF_ADDRESS, 2]);
  assert.equal(bans.at(-1)?.offender, '203.0.0.0/16');
});

test('a ban can be said to last, also forever', async (t) => {
  const { ban } = await setUp(t);
  assert.equal((await ban('203.0.113.9', 'sshd', '1d12h')).remainingSeconds, 36 * 3_600);
  const forever = await ban('203.0.113.10', 'sshd', 'forever');
  assert.deepEqual([forever.until, forever.remainingSeconds], ['forever', null]);
  assert.equal((await ban('203.0.113.10', 'sshd', '1m')).until, 'forever', 'a ban is never cut short');
});

test('a network is banned as it is, an address as its jail counts it', async (t) => {
  const { ban, elements } = await setUp(t);
  assert.equal((await ban('203.0.113.77/24')).offender, '203.0.113.0/24');
  assert.equal((await ban('2001:db8:1:2::9')).offender, '2001:db8:1:2::/64');
  assert.equal((await ban('2001:db8:1:2ff::9', 'mail')).offender, '2001:db8:1:200::/56');
  assert.equal((await ban('::ffff:203.0.112.9')).offender, '203.0.112.9');
  assert.equal(elements().length, 4);
});

test('an IPv6 address next to one that must not be banned is banned alone', async (t) => {
  const { ban, service } = await setUp(t);
  assert.equal((await ban('2001:db8:9::2')).offender, '2001:db8:9::2');
  assert.equal((await service.unban('2001:db8:9::2', null)).lifted.length, 1);
});

for (const [address, code] of [
  ['192.0.2.5', 'ignore'],
  ['192.0.0.0/16', 'ignore'],
  ['198.51.100.7', 'protected'],
  ['198.51.100.0/24', 'protected'],
  ['127.0.0.1', 'unbannable'],
  ['0.0.0.0/0', 'unbannable'],
  ['fe80::1', 'unbannable'],
] as const) {
  test(`${address} is not banned: ${code}`, async (t) => {
    const { ban, elements, service } = await setUp(t);
    await assert.rejects(ban(address), { status: 409, code, message: /is not banned: it is/ });
    assert.deepEqual(elements(), []);
    assert.equal(service.bans(null).length, 0);
  });
}

test('what makes no sense is refused with what would', async (t) => {
  const { ban, service } = await setUp(t);
  await assert.rejects(ban('203.0.113.256'), {
    status: 400,
    code: 'bad-address',
    message: /write 203\.0\.113\.9/,
  });
  await assert.rejects(ban('203.0.113.9', 'sshd', 'soon'), {
    status: 400,
    code: 'bad-duration',
    message: /"soon"/,
  });
  await assert.rejects(ban('203.0.113.9', 'sshd', '0'), { code: 'bad-duration' });
  await assert.rejects(ban('203.0.113.9', 'shop'), {
    status: 404,
    code: 'no-such-jail',
    message: 'there is no jail "shop"; the active ones are: sshd, mail',
  });
  await assert.rejects(service.unban('nobody', null), { code: 'bad-address' });
  assert.throws(() => service.jail('shop'), { code: 'no-such-jail' });
  await assert.rejects(service.unban('203.0.113.9', 'shop'), { code: 'no-such-jail' });
  await assert.rejects(service.unbanAll('shop'), { code: 'no-such-jail' });
});

test('a kernel that refuses is told, and the ban waits for its next chance', async (t) => {
  const { ban, firewall, service, time, elements } = await setUp(t);
  firewall.failure = failureOf('nft-failed');
  await assert.rejects(ban('203.0.113.9'), { code: 'nft-failed' });
  assert.deepEqual(
    reportsOf(service.bans(null)).map(({ offender, enforced }) => [offender, enforced]),
    [['203.0.113.9', false]],
  );
  firewall.failure = null;
  await time.advance(10 * SECOND);
  assert.deepEqual(elements(), ['ban4 203.0.113.9']);
  assert.equal(reportsOf(service.bans(null))[0]?.enforced, true);
});

test('unban lifts in every jail, or in one, and tells what it lifted', async (t) => {
  const { ban, service, elements } = await setUp(t);
  await ban('203.0.113.9');
  await ban('203.0.113.9', 'mail');
  const { lifted: one } = await service.unban('203.0.113.9', 'mail');
  assert.deepEqual(
    one.map(({ jail }) => jail),
    ['mail'],
  );
  assert.deepEqual(elements(), ['ban4 203.0.113.9'], 'the other jail still wants it');
  await ban('203.0.113.9', 'mail');
  assert.equal((await service.unban('203.0.113.9', null)).lifted.length, 2);
  assert.deepEqual(elements(), []);
  assert.deepEqual(await service.unban('203.0.113.9', null), { changed: false, lifted: [] });
});

test('unban of an address inside the ban of a network lifts nothing, and says how to let it through', async (t) => {
  const { ban, service, elements } = await setUp(t);
  await ban('2001:db8:1:2::9');
  await ban('203.0.113.0/24');
  await ban('203.0.113.9', 'mail');
  assert.equal(
    (await service.unban('2001:db8:1:2:ffff::1', null)).lifted.length,
    1,
    'its /64 is the address itself',
  );
  await assert.rejects(service.unban('203.0.113.9', null), (error: ControlError) => {
    assert.deepEqual([error.status, error.code], [409, 'held-by-network']);
    assert.match(error.message, /inside the ban of 203\.0\.113\.0\/24 in sshd, so nothing was lifted/);
    assert.match(error.message, /\[trust\].*ignore.*bailiff reload.*bailiff unban 203\.0\.113\.0\/24$/);
    assert.deepEqual(
      error.heldBy?.map(({ offender, jail }) => [offender, jail]),
      [['203.0.113.0/24', 'sshd']],
    );
    return true;
  });
  assert.deepEqual(elements(), ['ban4 203.0.113.9', 'ban4_24 203.0.113.0']);
  assert.equal((await service.unban('203.0.113.0/24', null)).lifted.length, 1, 'a network means itself');
  assert.equal((await service.unban('203.0.113.9', null)).lifted.length, 1);
  assert.deepEqual(elements(), []);
});

test('unban forgets the failures that were counted', async (t) => {
  const { fail, service, ledger, recorder } = await setUp(t);
  fail('203.0.113.9');
  fail('203.0.113.10');
  assert.deepEqual(await service.unban('203.0.113.9', null), { changed: true, lifted: [] });
  assert.equal(ledger.counts('sshd').failures, 1);
  assert.deepEqual(
    recorder.of('forgive').map(({ offender }) => offender),
    ['203.0.113.9'],
  );
});

test('unban of all lifts all bans, in all jails or in one, and keeps what is being counted', async (t) => {
  const { ban, fail, service, ledger, elements } = await setUp(t);
  await ban('203.0.113.9');
  await ban('203.0.113.10');
  await ban('203.0.113.9', 'mail');
  fail('203.0.113.11');
  assert.equal((await service.unbanAll('mail')).lifted.length, 1);
  assert.equal((await service.unbanAll(null)).lifted.length, 2);
  assert.deepEqual(elements(), []);
  assert.equal(ledger.counts('sshd').failures, 1);
  assert.deepEqual(await service.unbanAll(null), { changed: false, lifted: [] });
});

test('the bans of a jail that is gone can be seen and lifted, its status can not', async (t) => {
  const { ban, service, retire } = await setUp(t);
  await ban('2001:db8:1:2::9', 'mail');
  await ban('203.0.113.9', 'mail');
  retire('mail');
  assert.equal(service.bans(null).length, 2);
  assert.equal(service.bans('mail').length, 2);
  assert.throws(() => service.jail('mail'), { code: 'no-such-jail' });
  await assert.rejects(ban('203.0.113.10', 'mail'), { code: 'no-such-jail' });
  assert.equal((await service.unban('2001:db8:1::/56', null)).lifted.length, 1);
  assert.equal((await service.unbanAll('mail')).lifted.length, 1);
  await assert.rejects(service.unbanAll('mail'), { code: 'no-such-jail' });
});

test('the latest ban comes first', async (t) => {
  const { ban, service, time } = await setUp(t);
  for (const address of ['203.0.113.2', '203.0.113.3', '203.0.113.1']) {
    await ban(address);
    await time.advance(SECOND);
  }
  const expected = ['203.0.113.1', '203.0.113.3', '203.0.113.2'];
  assert.deepEqual(
    reportsOf(service.bans(null)).map(({ offender }) => offender),
    expected,
  );
  assert.deepEqual(
    reportsOf(service.jail('sshd').bans).map(({ offender }) => offender),
    expected,
  );
  assert.deepEqual(
    reportsOf(service.bans(null)).map(({ remainingSeconds }) => remainingSeconds),
    [299, 298, 297],
  );
});

test('what has changed since a position is told in the order of its happening', async (t) => {
  const { ban, service, time } = await setUp(t);
  const position = service.banPosition();
  assert.equal(position, 'life.0');
  await ban('203.0.113.9');
  await ban('203.0.113.10', 'mail');
  await ban('203.0.113.9', 'sshd', '1h');
  await service.unban('203.0.113.9', null);
  assert.equal(service.banPosition(), 'life.4');
  const { since, until } = {
    since: formatInstant(time.now()),
    until: formatInstant(time.now() + 5 * MINUTE),
  };
  const news = await service.bansSince({ session: 'life', serial: 0 }, null);
  assert.ok('changes' in news);
  assert.deepEqual(
    news.changes.map(({ kind, position, ban }) => `${kind} ${position} ${ban.jail}`),
    ['ban life.1 sshd', 'ban life.2 mail', 'extend life.3 sshd', 'unban life.4 sshd'],
  );
  assert.deepEqual(news.changes[0], {
    kind: 'ban',
    position: 'life.1',
    at: since,
    ban: { offender: '203.0.113.9', jail: 'sshd', since, until, cause: 'operator', failures: 0 },
  });
  assert.equal(news.changes[3]?.cause, 'operator');
  assert.deepEqual(await service.bansSince({ session: 'life', serial: 0 }, 'mail'), {
    position: 'life.4',
    changes: [news.changes[1]],
  });
});

test('who comes from elsewhere is told all bans, of one jail or of all', async (t) => {
  const { ban, service } = await setUp(t);
  await ban('203.0.113.9');
  await ban('203.0.113.10', 'mail');
  const news = await service.bansSince({ session: 'before', serial: 1 }, null);
  assert.ok('reset' in news);
  assert.equal(news.position, 'life.2');
  assert.deepEqual(reportsOf(news.bans), reportsOf(service.bans(null)));
  const ofMail = await service.bansSince({ session: 'before', serial: 1 }, 'mail');
  assert.ok('reset' in ofMail);
  assert.equal(ofMail.position, 'life.2');
  assert.deepEqual(reportsOf(ofMail.bans), reportsOf(service.jail('mail').bans));
});

test('a change is told when it is on the disk', async (t) => {
  const { ledger, banLog, service, store, time, pipeline } = await setUp(t);
  const gate = Promise.withResolvers<void>();
  store.gate = gate.promise;
  const decisions: Decision[] = [];
  const offender = '203.0.113.9';
  const at = time.now();
  ledger.ban(
    { jail: 'sshd', offender, since: at, until: at + HOUR, cause: 'operator', failures: 0 },
    at,
    decisions,
  );
  pipeline.carryOut(decisions);
  assert.deepEqual(banLog.position, { session: 'life', serial: 1 });
  let isTold = false;
  const news = service.bansSince({ session: 'life', serial: 0 }, null).then((answer) => {
    isTold = true;
    return answer;
  });
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  assert.equal(isTold, false);
  gate.resolve();
  assert.equal((await news).position, 'life.1');
  assert.deepEqual(store.commits.at(-1)?.point.banLogPosition, { session: 'life', serial: 1 });
});

test('the status has the numbers of every active jail, and what stays out', async (t) => {
  const { ban, fail, service } = await setUp(t);
  fail('203.0.113.9');
  fail('203.0.113.9');
  await ban('203.0.113.10');
  const status = service.status();
  assert.deepEqual([status.version, status.pid, status.dryRun], [VERSION, process.pid, false]);
  assert.equal(status.configuration, '/etc/bailiff/bailiff.toml');
  assert.deepEqual(status.refusedJails, PLAN.refusedJails);
  assert.deepEqual(status.activity, ACTIVITY);
  assert.deepEqual(status.jails[0], {
    name: 'sshd',
    filters: ['sshd'],
    maxRetry: 3,
    findTime: '10m',
    banTime: '5m',
    currentOffenders: 1,
    currentFailures: 2,
    totalFailures: 2,
    currentBans: 1,
    totalBans: 1,
  });
  assert.deepEqual(
    { ...service.jail('sshd'), bans: [] },
    { ...status.jails[0], ignore: ['192.0.2.0/24'], findTimeSeconds: 600, banTimeSeconds: 300, bans: [] },
  );
  assert.equal(status.jails[1]?.currentBans, 0);
});

test('who sends what is what the table of senders knows', async (t) => {
  const { service } = await setUp(t);
  assert.equal(service.senders(), SENDERS);
});
