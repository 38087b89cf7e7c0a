import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PrefixSet } from '../../../src/core/address/prefix-set.ts';
import type { Confidence } from '../../../src/core/failure.ts';
import type { Decision } from '../../../src/core/ledger/decision.ts';
import { MAX_PENDING_CHANGES } from '../../../src/core/ledger/jail-ledger.ts';
import { Ledger } from '../../../src/core/ledger/ledger.ts';
import type { JailPolicy } from '../../../src/core/ledger/policy.ts';
import { FOREVER, HOUR, MINUTE, SECOND } from '../../../src/core/time.ts';

const START = 1_795_000_000_000_000;

const SSHD: JailPolicy = {
  name: 'sshd',
  maxRetry: 3,
  findTime: 10 * MINUTE,
  banTime: 5 * MINUTE,
  ignore: new PrefixSet(['192.0.2.0/24', '2001:db8:9::1']),
  ipv4PrefixLength: 32,
  ipv6PrefixLength: 64,
  ports: null,
};

class Court {
  readonly ledger: Ledger;
  at = START;
  constructor(
    policies: JailPolicy[] = [SSHD],
    limits = { maxOffenders: 100, maxBans: 100 },
    trust: string[] = [],
  ) {
    this.ledger = new Ledger(limits);
    this.ledger.reconfigure({ policies, limits, protectedNetworks: trust }, this.at, []);
  }
  fail(
    address: string,
    options: { jail?: string; weight?: number; seenAt?: number; confidence?: Confidence } = {},
  ): Decision[] {
    const out: Decision[] = [];
    const { jail = 'sshd', weight = 1, seenAt = this.at, confidence = 'full' } = options;
    this.ledger.observe({ jail, address, weight, seenAt, confidence }, this.at, out);
    return out;
  }
  wait(duration: number): Decision[] {
    const out: Decision[] = [];
    this.at += duration;
    this.ledger.advance(this.at, this.at, out);
    return out;
  }
  offenders(): string[] {
    return [...this.ledger.bans()].map((ban) => ban.offender);
  }
}

test('the failure that reaches max_retry within find_time bans, and the ban ends after ban_time', () => {
  const court = new Court();
  assert.deepEqual([court.fail('203.0.113.9'), court.fail('203.0.113.9')], [[], []]);
  const [decision] = court.fail('203.0.113.9');
  assert.deepEqual(decision, {
    kind: 'ban',
    at: START,
    ban: {
      jail: 'sshd',
      offender: '203.0.113.9',
      since: START,
      until: START + 5 * MINUTE,
      cause: 'offence',
      failures: 3,
    },
  });
  assert.equal(court.ledger.nextDeadline(), START + 5 * MINUTE);
  assert.deepEqual(court.wait(5 * MINUTE - 1), []);
  assert.equal(court.wait(1)[0]?.kind, 'unban');
  assert.deepEqual(court.offenders(), []);
  assert.equal(court.ledger.nextDeadline(), null);
});

test('failures spread wider than find_time do not ban', () => {
  const court = new Court();
  for (let round = 0; round < 20; round++) {
    assert.deepEqual(court.fail('203.0.113.9'), []);
    court.wait(5 * MINUTE + SECOND);
  }
});

test('a whole IPv6 /64 is one offender', () => {
  const court = new Court();
  court.fail('2001:db8::1');
  court.fail('2001:db8::2');
  court.fail('2001:db8::ffff:3');
  assert.deepEqual(court.offenders(), ['2001:db8::/64']);
});

test('next to an ignored address, an IPv6 offender stands for itself alone', () => {
  const court = new Court();
  for (let round = 0; round < 3; round++) court.fail('2001:db8:9::2');
  assert.deepEqual(court.offenders(), ['2001:db8:9::2']);
});

test('ignored and protected addresses are never counted nor banned, also not by an operator', () => {
  const court = new Court([SSHD], undefined, ['198.51.100.7']);
  for (let round = 0; round < 9; round++) {
    assert.deepEqual(court.fail('192.0.2.5'), []);
    assert.deepEqual(court.fail('198.51.100.7'), []);
  }
  const ban = { jail: 'sshd', since: START, until: FOREVER, cause: 'operator', failures: 0 } as const;
  assert.equal(court.ledger.ban({ ...ban, offender: '192.0.2.5' }, START, []), 'ignore');
  assert.equal(court.ledger.ban({ ...ban, offender: '198.51.100.0/24' }, START, []), 'protected');
  assert.deepEqual(court.offenders(), []);
  assert.equal(court.ledger.counts('sshd').totalFailures, 0);
});

test('what is no single far host is never banned', () => {
  const court = new Court([{ ...SSHD, maxRetry: 1 }]);
  for (const address of ['169.254.169.254', 'fe80::1', '224.0.0.1', '255.255.255.255']) court.fail(address);
  assert.deepEqual(court.offenders(), []);
  const ban = { jail: 'sshd', since: START, until: FOREVER, cause: 'operator', failures: 0 } as const;
  assert.equal(court.ledger.ban({ ...ban, offender: '0.0.0.0/0' }, START, []), 'unbannable');
});

test('failing on while banned extends the ban', () => {
  const court = new Court();
  for (let round = 0; round < 3; round++) court.fail('203.0.113.9');
  court.wait(MINUTE);
  court.fail('203.0.113.9');
  court.fail('203.0.113.9');
  const [decision] = court.fail('203.0.113.9');
  assert.equal(decision?.kind, 'extend');
  assert.equal(court.wait(5 * MINUTE - 1).length, 0, 'the first deadline no longer holds');
  assert.equal(court.wait(1).length, 1);
});

test('a backlog is judged by when its failures were seen', () => {
  const court = new Court();
  court.at += 60 * MINUTE;
  for (const minute of [0, 1, 2]) court.fail('203.0.113.9', { seenAt: START + minute * MINUTE });
  assert.equal([...court.ledger.bans()][0]?.until, START + 7 * MINUTE);
  assert.equal(court.wait(0)[0]?.kind, 'unban', 'it would have been over by now');
});

test('a window survives while a backlog is being worked off', () => {
  const court = new Court();
  court.at += 60 * MINUTE;
  court.fail('203.0.113.9', { seenAt: START });
  court.ledger.advance(court.at, START + MINUTE, []);
  assert.equal(court.ledger.counts('sshd').offenders, 1);
  court.ledger.advance(court.at, court.at, []);
  assert.equal(court.ledger.counts('sshd').offenders, 0);
});

test('a failure from the future counts as seen now', () => {
  const court = new Court();
  for (let round = 0; round < 3; round++) court.fail('203.0.113.9', { seenAt: START + 99 * MINUTE });
  assert.equal([...court.ledger.bans()][0]?.since, START);
});

test('weight counts as that many failures', () => {
  assert.equal(new Court().fail('203.0.113.9', { weight: 99 })[0]?.kind, 'ban');
});

test('an operator bans, extends and lifts; unban also forgets the failures', () => {
  const court = new Court();
  const out: Decision[] = [];
  const ban = { jail: 'sshd', since: START, cause: 'operator', failures: 0 } as const;
  court.ledger.ban({ ...ban, offender: '2001:db8::/64', until: START + MINUTE }, START, out);
  court.ledger.ban({ ...ban, offender: '2001:db8::/64', until: FOREVER }, START, out);
  court.ledger.ban({ ...ban, offender: '2001:db8::/64', until: START + SECOND }, START, out);
  court.fail('2001:db8::5');
  assert.deepEqual(court.ledger.unban('2001:db8::7', null, START, out), []);
  assert.deepEqual(
    out.map((decision) => decision.kind),
    ['ban', 'extend', 'unban', 'forgive'],
    'an address finds the ban of its /64',
  );
  assert.equal(court.ledger.counts('sshd').failures, 0);
});

test('an address inside the ban of a wider network lifts nothing, and tells what holds it', () => {
  const court = new Court([
    { ...SSHD, ipv4PrefixLength: 24 },
    { ...SSHD, name: 'mail', ipv6PrefixLength: 48 },
  ]);
  const ban = { since: START, until: FOREVER, cause: 'operator', failures: 0 } as const;
  for (let round = 0; round < 3; round++) court.fail('198.51.100.9');
  for (let round = 0; round < 3; round++) court.fail('2001:db8:1:2::5', { jail: 'mail' });
  court.ledger.ban({ ...ban, jail: 'mail', offender: '198.51.100.7' }, START, []);
  const before = court.offenders();
  const holders = (text: string, jail: string | null = null): string[] => {
    const out: Decision[] = [];
    const held = court.ledger.unban(text, jail, START, out);
    if (held.length > 0) assert.deepEqual(out, []);
    return held.map(({ jail: name, offender }) => `${offender} in ${name}`);
  };
  assert.deepEqual(holders('198.51.100.7'), ['198.51.100.0/24 in sshd']);
  assert.deepEqual(holders('198.51.100.128/25'), ['198.51.100.0/24 in sshd']);
  assert.deepEqual(holders('2001:db8:1:2::5'), ['2001:db8:1::/48 in mail']);
  assert.deepEqual(holders('2001:db8:1:2::/64'), ['2001:db8:1::/48 in mail']);
  assert.deepEqual(court.offenders(), before);
  assert.deepEqual(holders('198.51.100.7', 'mail'), [], 'in one jail only its own bans count');
  assert.deepEqual(holders('198.51.100.0/24'), [], 'a network is lifted by its own name');
  assert.deepEqual(holders('2001:db8:1::/48'), []);
  assert.deepEqual(court.offenders(), []);
});

test('an IPv6 address stands for its /64, unless the jail tells the addresses in it apart', () => {
  const court = new Court([{ ...SSHD, ipv6PrefixLength: 128 }]);
  const ban = { jail: 'sshd', since: START, until: FOREVER, cause: 'operator', failures: 0 } as const;
  court.ledger.ban({ ...ban, offender: '2001:db8::/64' }, START, []);
  assert.deepEqual(
    court.ledger.unban('2001:db8::7', null, START, []).map(({ offender }) => offender),
    ['2001:db8::/64'],
  );
  const settings = { policies: [SSHD], protectedNetworks: [] };
  court.ledger.reconfigure({ ...settings, limits: { maxOffenders: 100, maxBans: 100 } }, court.at, []);
  assert.deepEqual(court.ledger.unban('2001:db8::7', null, START, []), []);
  assert.deepEqual(court.offenders(), []);
});

test('bans and windows that were stored while the clock was ahead are brought back by as much', () => {
  const court = new Court();
  for (let round = 0; round < 3; round++) court.fail('203.0.113.9');
  court.fail('203.0.113.10');
  const image = court.ledger.image();
  const restored = new Ledger({ maxOffenders: 100, maxBans: 100 });
  assert.equal(restored.restore(image, START - HOUR, HOUR), false);
  assert.deepEqual(
    [...restored.bans()].map(({ since, until }) => [since, until]),
    [[START - HOUR, START - HOUR + 5 * MINUTE]],
  );
  assert.deepEqual(restored.image().windows[0]?.seenAt, [START - HOUR]);
  const { bans, windows } = restored.takeChanges();
  assert.deepEqual([bans.length, windows.length], [1, 1], 'and they are stored so');
});

test('a ban from the future lasts as long as it was made for, from now; a permanent one stays so', () => {
  const ban = { jail: 'sshd', cause: 'operator', failures: 0 } as const;
  const inTenYears = START + 3_650 * 24 * HOUR;
  const bans = [
    { ...ban, offender: '203.0.113.9', since: inTenYears, until: inTenYears + HOUR },
    { ...ban, offender: '203.0.113.10', since: inTenYears, until: FOREVER },
    { ...ban, offender: '203.0.113.11', since: START - MINUTE, until: START + MINUTE },
  ];
  const restored = new Ledger({ maxOffenders: 100, maxBans: 100 });
  assert.equal(restored.restore({ windows: [], bans, totals: [] }, START), false);
  assert.deepEqual(
    [...restored.bans()].map(({ since, until }) => [
      since - START,
      until === FOREVER ? until : until - START,
    ]),
    [
      [0, HOUR],
      [0, FOREVER],
      [-MINUTE, MINUTE],
    ],
  );
});

test('two jails ban the same offender each for itself', () => {
  const court = new Court([SSHD, { ...SSHD, name: 'mail', maxRetry: 1 }]);
  court.fail('203.0.113.9', { jail: 'mail' });
  for (let round = 0; round < 3; round++) court.fail('203.0.113.9');
  assert.equal([...court.ledger.bans()].length, 2);
  court.ledger.unban('203.0.113.9', 'mail', START, []);
  assert.deepEqual(
    [...court.ledger.bans()].map((ban) => ban.jail),
    ['sshd'],
  );
});

test('new settings lift what they forbid and keep the bans of a jail that is gone', () => {
  const court = new Court([SSHD, { ...SSHD, name: 'mail' }]);
  for (let round = 0; round < 3; round++) {
    for (const jail of ['sshd', 'mail']) {
      court.fail('203.0.113.9', { jail });
      court.fail('203.0.113.10', { jail });
    }
  }
  court.fail('203.0.113.11', { jail: 'mail' });
  const out: Decision[] = [];
  const limits = { maxOffenders: 100, maxBans: 100 };
  court.ledger.reconfigure({ policies: [SSHD], limits, protectedNetworks: ['203.0.113.9'] }, court.at, out);
  assert.deepEqual(
    out.map(
      (decision) => decision.kind === 'unban' && [decision.ban.jail, decision.ban.offender, decision.cause],
    ),
    [
      ['sshd', '203.0.113.9', 'reload'],
      ['mail', '203.0.113.9', 'reload'],
    ],
  );
  assert.deepEqual(court.offenders(), ['203.0.113.10', '203.0.113.10']);
  assert.equal(court.ledger.counts('mail').offenders, 0);
  assert.equal(court.wait(5 * MINUTE).length, 2, 'they still end by themselves');
});

test('too many offenders cost the one heard of longest ago, and it is told', () => {
  const court = new Court([SSHD], { maxOffenders: 2, maxBans: 100 });
  court.fail('203.0.113.1');
  court.fail('203.0.113.2');
  court.fail('203.0.113.1');
  court.fail('203.0.113.3');
  assert.deepEqual(
    court.ledger.image().windows.map((window) => window.offender),
    ['203.0.113.1', '203.0.113.3'],
  );
  assert.deepEqual(court.ledger.takeEvictions(), [{ jail: 'sshd', windows: 1, bans: 0 }]);
  assert.deepEqual(court.ledger.takeEvictions(), []);
});

test('too many bans cost the one that would end first, permanent ones last', () => {
  const court = new Court([SSHD], { maxOffenders: 100, maxBans: 2 });
  const ban = { jail: 'sshd', since: START, cause: 'operator', failures: 0 } as const;
  const out: Decision[] = [];
  court.ledger.ban({ ...ban, offender: '203.0.113.1', until: FOREVER }, START, out);
  court.ledger.ban({ ...ban, offender: '203.0.113.2', until: START + 9 * MINUTE }, START, out);
  court.ledger.ban({ ...ban, offender: '203.0.113.3', until: FOREVER }, START, out);
  assert.deepEqual(court.offenders(), ['203.0.113.1', '203.0.113.3']);
  court.ledger.ban({ ...ban, offender: '203.0.113.4', until: START + MINUTE }, START, out);
  assert.deepEqual(court.offenders(), ['203.0.113.3', '203.0.113.4']);
  assert.equal(
    out.filter((decision) => decision.kind === 'unban' && decision.cause === 'eviction').length,
    2,
  );
});

test('changes are given once, and again when they are handed back', () => {
  const court = new Court();
  court.fail('203.0.113.1');
  for (let round = 0; round < 3; round++) court.fail('203.0.113.2');
  const changes = court.ledger.takeChanges();
  assert.deepEqual(
    changes.windows.map((window) => window.offender),
    ['203.0.113.1'],
  );
  assert.deepEqual(changes.windowsGone, [{ jail: 'sshd', offender: '203.0.113.2' }]);
  assert.deepEqual(
    changes.bans.map((ban) => ban.offender),
    ['203.0.113.2'],
  );
  assert.deepEqual(changes.totals, [{ jail: 'sshd', failures: 4, bans: 1 }]);
  const nothing = { rewritten: [], windows: [], windowsGone: [], bans: [], bansGone: [], totals: [] };
  assert.deepEqual(court.ledger.takeChanges(), nothing);
  court.ledger.returnChanges(changes);
  assert.deepEqual(court.ledger.takeChanges(), changes);
});

test('a store that takes nothing for long is given the whole jail instead of endless changes', () => {
  const court = new Court([SSHD], { maxOffenders: 10, maxBans: 10 });
  for (let index = 0; index <= MAX_PENDING_CHANGES; index++) {
    court.fail(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`);
  }
  const changes = court.ledger.takeChanges();
  assert.deepEqual(changes.rewritten, ['sshd']);
  assert.equal(changes.windows.length, 10);
  assert.equal(changes.windowsGone.length, 0);
  court.ledger.returnChanges(changes);
  assert.deepEqual(court.ledger.takeChanges(), changes);
});

test('after a restart with the clock set back, windows from the future still take failures', () => {
  const court = new Court();
  court.fail('203.0.113.9');
  court.fail('203.0.113.9');
  const image = structuredClone(court.ledger.image());
  const limits = { maxOffenders: 100, maxBans: 100 };
  const restarted = new Ledger(limits);
  const earlier = START - 60 * MINUTE;
  restarted.restore(image, earlier);
  restarted.reconfigure({ policies: [SSHD], limits, protectedNetworks: [] }, earlier, []);
  assert.deepEqual(restarted.takeChanges().windows[0]?.seenAt, [earlier, earlier], 'and are stored so');
  const out: Decision[] = [];
  restarted.observe({ jail: 'sshd', address: '203.0.113.9', seenAt: earlier, weight: 1 }, earlier, out);
  assert.equal(out[0]?.kind, 'ban');
});

test('bans that the store should never have held are lifted by the first settings', () => {
  const restarted = new Ledger({ maxOffenders: 100, maxBans: 100 });
  const ban = { jail: 'sshd', since: START, until: FOREVER, cause: 'offence', failures: 3 } as const;
  const bans = [
    { ...ban, offender: '127.0.0.1' },
    { ...ban, offender: '203.0.113.9' },
    { ...ban, offender: '192.0.2.9' },
  ];
  restarted.restore({ windows: [], bans, totals: [] }, START);
  const limits = { maxOffenders: 100, maxBans: 100 };
  restarted.reconfigure({ policies: [SSHD], limits, protectedNetworks: [] }, START, []);
  assert.deepEqual(
    [...restarted.bans()].map(({ offender }) => offender),
    ['203.0.113.9'],
  );
});

test('settings that say the same lift nothing, and a new ignore list or trust just what it names', () => {
  const court = new Court();
  for (const address of ['203.0.113.9', '203.0.113.10', '203.0.113.11']) {
    for (let round = 0; round < 3; round++) court.fail(address);
  }
  const limits = { maxOffenders: 100, maxBans: 100 };
  const lifted = (ignore: string[], protectedNetworks: string[]): number => {
    const out: Decision[] = [];
    const policies = [{ ...SSHD, ignore: new PrefixSet(ignore) }];
    court.ledger.reconfigure({ policies, limits, protectedNetworks }, court.at, out);
    return out.length;
  };
  const ignore = ['192.0.2.0/24', '2001:db8:9::1'];
  assert.equal(lifted(ignore, []), 0);
  assert.equal(lifted(ignore, ['203.0.113.9']), 1);
  assert.equal(lifted(ignore, ['203.0.113.9']), 0);
  assert.equal(lifted([...ignore, '203.0.113.10'], []), 1);
  assert.deepEqual(court.offenders(), ['203.0.113.11']);
});

test('a ban that is extended over and over keeps one deadline that counts', () => {
  const court = new Court([{ ...SSHD, maxRetry: 1 }]);
  court.fail('203.0.113.8');
  for (let round = 0; round < 5_000; round++) {
    court.at++;
    court.fail('203.0.113.9');
  }
  assert.equal(court.ledger.nextDeadline(), START + 5 * MINUTE);
  assert.equal(court.wait(5 * MINUTE - 5_000).length, 1);
  assert.equal(court.ledger.nextDeadline(), court.at + 5_000);
  assert.equal(court.wait(5_000).length, 1);
  assert.equal(court.ledger.nextDeadline(), null);
});

test('time does not run backwards', () => {
  const court = new Court();
  court.wait(SECOND);
  assert.throws(() => court.ledger.advance(START, START, []), /backwards/);
});

test('a failure of low confidence counts, and the next one of full confidence bans', () => {
  const court = new Court();
  const address = '203.0.113.9';
  for (let count = 0; count < 100; count++)
    assert.deepEqual(court.fail(address, { confidence: 'low', weight: 9 }), []);
  assert.deepEqual(
    court.ledger.observe(
      { jail: 'sshd', address, weight: 1, seenAt: court.at, confidence: 'low' },
      court.at,
      [],
    ),
    {
      outcome: 'counted',
      offender: address,
      count: SSHD.maxRetry - 1,
    },
  );
  assert.deepEqual(
    court.fail(address).map(({ kind }) => kind),
    ['ban'],
  );
  assert.equal(court.ledger.counts('sshd').totalFailures, 902);
});

test('where one failure is an offence, one of low confidence leaves nothing behind', () => {
  const court = new Court([{ ...SSHD, maxRetry: 1 }]);
  assert.deepEqual(court.fail('203.0.113.9', { confidence: 'low' }), []);
  assert.deepEqual(court.ledger.image().windows, []);
  assert.equal(court.fail('203.0.113.9').length, 1);
});

test('it neither extends a ban nor takes what others have reported away', () => {
  const court = new Court();
  for (let count = 0; count < 3; count++) court.fail('203.0.113.9');
  court.wait(MINUTE);
  for (let count = 0; count < 5; count++)
    assert.deepEqual(court.fail('203.0.113.9', { confidence: 'low' }), []);
  court.fail('203.0.113.10');
  court.fail('203.0.113.10');
  court.fail('203.0.113.10', { confidence: 'low' });
  assert.equal(court.fail('203.0.113.10').length, 1);
});

test('what concerns an address: its failures that still count, its ban, wider ones that hold it, and who ignores it', () => {
  const court = new Court([SSHD, { ...SSHD, name: 'mail', ipv4PrefixLength: 24 }], undefined, [
    '198.51.100.0/28',
  ]);
  const about = (network: string) =>
    court.ledger
      .about(network, null, court.at)
      .map(({ jail, failures, bans, ignoredBy }) => [
        jail,
        failures,
        bans.map((ban) => ban.offender),
        ignoredBy,
      ]);
  assert.deepEqual(about('203.0.113.9'), []);
  court.fail('203.0.113.9');
  court.fail('203.0.113.9', { jail: 'mail' });
  assert.deepEqual(about('203.0.113.9'), [
    ['sshd', 1, [], []],
    ['mail', 1, [], []],
  ]);
  assert.deepEqual(about('203.0.113.77'), [['mail', 1, [], []]], 'there the whole /24 counts as one');
  court.fail('203.0.113.9', { jail: 'mail', weight: 2 });
  assert.deepEqual(about('203.0.113.77'), [['mail', 0, ['203.0.113.0/24'], []]]);
  assert.deepEqual(about('203.0.0.0/16'), [['mail', 0, ['203.0.113.0/24'], []]], 'and what lies inside');
  court.wait(11 * MINUTE);
  assert.deepEqual(about('203.0.113.9'), [], 'the window and the ban are over');
  assert.deepEqual(
    about('192.0.2.7').map(([jail, , , ignoredBy]) => [jail, ignoredBy]),
    [
      ['sshd', ['192.0.2.0/24']],
      ['mail', ['192.0.2.0/24']],
    ],
  );
  assert.deepEqual(court.ledger.protectedIn('198.51.100.0/24'), ['198.51.100.0/28']);
  assert.deepEqual(court.ledger.protectedIn('198.51.100.99'), []);
});
