import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PrefixSet } from '../../../src/core/address/prefix-set.ts';
import type { BailiffEvent } from '../../../src/core/event.ts';
import type { Match } from '../../../src/core/failure.ts';
import type { Decision } from '../../../src/core/ledger/decision.ts';
import { Ledger } from '../../../src/core/ledger/ledger.ts';
import type { JailPolicy } from '../../../src/core/ledger/policy.ts';
import type { LogRecord } from '../../../src/core/record.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../../src/core/time.ts';
import {
  BACKLOG_AGE,
  BACKLOG_PATIENCE,
  type JailRoute,
  MAX_ENDED_AT_ONCE,
  Pipeline,
} from '../../../src/daemon/judgement/pipeline.ts';
import type { MatcherCounters } from '../../../src/match/matcher.ts';
import { SenderDirectory } from '../../../src/senders/directory.ts';
import type { RecordBatch } from '../../../src/sources/source.ts';
import { senderOf } from '../../syslog/senders.ts';
import {
  banLogOf,
  describeDecision,
  LIMITS,
  policyOf,
  Recorder,
  recordAt,
  START,
  sendersOf,
} from '../parts.ts';

const A = '203.0.113.9';
const B = '203.0.113.10';

/** What a matcher counts that has met nothing. */
const NOTHING: MatcherCounters = {
  untrusted: 0,
  refusals: [],
  refusalsDropped: 0,
  sessionsDropped: 0,
  filters: [],
};

/** Finds in a message like `sshd failure normal 203.0.113.9 2` what it says, the weight at the end. */
const MATCHER = {
  counters: NOTHING,
  match(record: LogRecord, out: Match[]): void {
    if (record.message === '') return;
    const [filter = '', kind, mode, address = '', weight = '1'] = record.message.split(' ');
    out.push({
      filter,
      rule: 'a-rule',
      kind: kind as Match['kind'],
      mode: mode as Match['mode'],
      address,
      user: 'root',
      weight: Number(weight),
      record,
    });
  },
  mayMatch: (identifier: string) => identifier !== 'noise',
  takeCounters() {
    const counters = this.counters;
    this.counters = NOTHING;
    return counters;
  },
};

class Court {
  at = START;
  readonly recorder = new Recorder();
  readonly ledger = new Ledger(LIMITS);
  readonly enforced: { readonly what: string; readonly arrivalAt: number }[] = [];
  readonly announced: BailiffEvent[][] = [];
  readonly positions: string[] = [];
  readonly senders = new SenderDirectory(sendersOf());
  readonly pipeline: Pipeline;

  constructor(
    routes: Record<string, readonly JailRoute[]> | null = null,
    policies = [policyOf()],
    limits = LIMITS,
  ) {
    this.ledger.reconfigure({ policies, limits, protectedNetworks: ['198.51.100.7'] }, this.at, []);
    const all = routes ?? { sshd: policies.map(routeOf) };
    const rules = { matcher: MATCHER, routes: new Map(Object.entries(all)) };
    this.pipeline = new Pipeline(
      {
        ledger: this.ledger,
        banLog: banLogOf(this.ledger),
        enforcer: { enqueue: (decisions, arrivalAt) => this.#enqueue(decisions, arrivalAt) },
        persister: {
          advance: (position) => this.positions.push(position),
          stir: () => {},
          changed: (announcements) => this.announced.push([...announcements]),
        },
        senders: this.senders,
        clock: { now: () => this.at },
        emit: this.recorder.emit,
      },
      rules,
    );
  }

  #enqueue(decisions: readonly Decision[], arrivalAt: number): void {
    for (const decision of decisions) this.enforced.push({ what: describeDecision(decision), arrivalAt });
  }

  udp(...messages: readonly string[]): void {
    const records = messages.map((message) => recordAt(this.at, { source: 'udp', message }));
    this.pipeline.accept({ source: 'udp', records, bytes: 10, position: null });
  }

  /** Entries by their age, in order: `[60, 'sshd failure normal 203.0.113.9']`. */
  journal(position: string, ...entries: readonly (readonly [ageSeconds: number, message: string])[]): void {
    const records = entries.map(([age, message]) => recordAt(this.at - age * SECOND, { message }));
    this.pipeline.accept({ source: 'journal', records, bytes: 10, position } satisfies RecordBatch);
  }

  bans(): string[] {
    return [...this.ledger.bans()].map((ban) => `${ban.jail} ${ban.offender}`);
  }
}

function routeOf({ name, maxRetry }: JailPolicy): JailRoute {
  return { jail: name, mode: 'normal', maxRetry };
}

const fail = (address: string): string => `sshd failure normal ${address}`;

test('a record that comes over a second connection of its sender counts once', () => {
  const court = new Court();
  const timestamp = court.at;
  const over = (connection: number) =>
    recordAt(court.at, { source: 'tcp', sender: '192.0.2.1', message: fail(A), timestamp, connection });
  const records = [over(1), over(2), over(3), over(4)];
  court.pipeline.accept({ source: 'tcp', records, bytes: 10, position: null });
  assert.equal(court.ledger.counts('sshd').failures, 1);
  assert.deepEqual(
    court.recorder.of('ignored').map(({ reason }) => reason),
    ['repeat', 'repeat', 'repeat'],
  );
});

test('a failure that is days old by the clock of its sender counts, unless its sender says otherwise', () => {
  for (const [countsOld, failures] of [
    [true, 2],
    [false, 1],
  ] as const) {
    const court = new Court();
    const plan = senderOf({ name: 'nas1', networks: ['192.0.2.1'], countsOld });
    court.senders.configure({ ...sendersOf(), configured: [plan] });
    const records = [2 * DAY, HOUR].map((age) =>
      recordAt(court.at, { source: 'tcp', sender: '192.0.2.1', message: fail(A), timestamp: court.at - age }),
    );
    court.pipeline.accept({ source: 'tcp', records, bytes: 10, position: null });
    assert.equal(court.ledger.counts('sshd').failures, failures);
    assert.equal(court.recorder.of('ignored').filter(({ reason }) => reason === 'old').length, 2 - failures);
  }
});

test('a failure is counted; an offence is enforced at once and told after its commit', () => {
  const court = new Court();
  court.udp(fail(A), fail(A));
  assert.deepEqual(court.recorder.kinds(), ['matched', 'failure', 'matched', 'failure', 'records']);
  court.at += SECOND;
  court.recorder.events.length = 0;
  court.udp(fail(A));
  assert.deepEqual(court.enforced, [{ what: `ban ${A}`, arrivalAt: court.at }]);
  assert.deepEqual(court.recorder.kinds(), ['matched', 'failure', 'records'], 'the ban waits for its commit');
  assert.deepEqual(
    court.announced.map((events) => events.map((event) => event.kind)),
    [[], ['ban']],
    'each batch is one change',
  );
  const [failure] = court.recorder.of('failure');
  assert.deepEqual(failure, {
    kind: 'failure',
    jail: 'sshd',
    filter: 'sshd',
    address: A,
    offender: A,
    user: 'root',
    seenAt: court.at,
    weight: 1,
    count: 3,
    maxRetry: 3,
    isOffence: true,
  });
});

test('what leads to nothing changes nothing: other kinds, no address, no jail that it feeds', () => {
  const court = new Court();
  court.udp(
    '',
    'sshd success normal 203.0.113.9',
    'sshd note normal 203.0.113.9',
    'sshd failure normal',
    'web failure normal 203.0.113.9',
  );
  assert.equal(court.recorder.of('matched').length, 4, 'they are told all the same');
  assert.deepEqual(court.announced, []);
  assert.deepEqual(court.enforced, []);
});

test('a jail takes what its mode admits, and each jail judges for itself', () => {
  const policies = [policyOf({ maxRetry: 1 }), policyOf({ name: 'strict', maxRetry: 1 })];
  const routes = {
    sshd: [
      { jail: 'sshd', mode: 'normal', maxRetry: 1 },
      { jail: 'strict', mode: 'extra', maxRetry: 1 },
    ],
  } as const;
  const court = new Court(routes, policies);
  court.udp(`sshd failure aggressive ${A}`);
  assert.deepEqual(court.bans(), []);
  court.udp(`sshd failure extra ${A}`);
  assert.deepEqual(court.bans(), [`strict ${A}`]);
  court.udp(fail(B));
  assert.deepEqual(court.bans(), [`sshd ${B}`, `strict ${A}`, `strict ${B}`]);
});

test('the ignored, the protected and the unbannable are told with the reason and never counted', () => {
  const court = new Court(null, [policyOf({ maxRetry: 1, ignore: new PrefixSet(['192.0.2.0/24']) })]);
  court.udp(fail('192.0.2.1'), fail('198.51.100.7'), fail('127.0.0.1'));
  assert.deepEqual(
    court.recorder.of('ignored').map(({ address, reason }) => `${address} ${reason}`),
    ['192.0.2.1 ignore', '198.51.100.7 protected', '127.0.0.1 unbannable'],
  );
  assert.deepEqual(court.announced, []);
  assert.deepEqual(court.bans(), []);
});

test('the position goes to the store after its entries have been judged, in the same commit', () => {
  const court = new Court();
  court.journal('c1', [1, fail(A)]);
  court.journal('c2', [1, 'sshd note normal']);
  assert.deepEqual(court.positions, ['c1', 'c2']);
  assert.equal(court.announced.length, 1);
});

test('an entry of the journal counts as seen when journald got it, and never in the future', () => {
  const court = new Court();
  court.journal('c1', [60, fail(A)], [-60, fail(B)]);
  assert.deepEqual(
    court.recorder.of('failure').map(({ seenAt }) => seenAt),
    [START - 60 * SECOND, START],
  );
});

test('a tick ends the bans whose time has come', () => {
  const court = new Court();
  court.udp(fail(A), fail(A), fail(A));
  court.at += 5 * MINUTE;
  court.pipeline.tick();
  assert.deepEqual(
    court.enforced.map(({ what }) => what),
    [`ban ${A}`, `unban ${A} expiry`],
  );
  assert.deepEqual(
    court.announced.flat().map((event) => event.kind),
    ['ban', 'unban'],
  );
});

test('very many bans that are over at once are ended in several ticks', () => {
  const limits = { maxOffenders: 100, maxBans: 100_000 };
  const court = new Court(null, [policyOf({ maxRetry: 1 })], limits);
  const addresses = Array.from({ length: MAX_ENDED_AT_ONCE + 5 }, (_, n) => `10.0.${n >> 8}.${n & 255}`);
  court.udp(...addresses.map(fail));
  court.at += 5 * MINUTE;
  court.pipeline.tick();
  assert.equal(court.bans().length, 5);
  court.pipeline.tick();
  assert.equal(court.bans().length, 0);
});

test('a tick drops the windows that are over, some seconds late', () => {
  const court = new Court();
  court.at += BACKLOG_PATIENCE;
  court.udp(fail(A));
  court.at += 10 * MINUTE;
  court.pipeline.tick();
  assert.equal(court.ledger.counts('sshd').offenders, 1);
  court.at += BACKLOG_AGE;
  court.pipeline.tick();
  assert.equal(court.ledger.counts('sshd').offenders, 0);
});

test('a tick tells what limits have cost, and what the matcher has turned away', () => {
  const court = new Court(null, [policyOf()], { maxOffenders: 1, maxBans: 1 });
  court.udp(fail(A), fail(B), fail(B), fail(B));
  court.udp(fail(A), fail(A), fail(A));
  const refusal = {
    reason: 'untrusted',
    filter: 'sshd',
    identifier: 'sshd',
    from: 'a.service',
    container: '',
    count: 3,
  } as const;
  MATCHER.counters = {
    ...NOTHING,
    untrusted: 4,
    refusals: [refusal],
    refusalsDropped: 1,
    sessionsDropped: 5,
  };
  court.pipeline.tick();
  court.pipeline.tick();
  assert.deepEqual(
    court.recorder.of('limit').map(({ limit, count }) => `${limit} ${count}`),
    ['refusals 1', 'sessions 5', 'offenders 1', 'bans 1'],
  );
  assert.deepEqual(
    court.recorder.of('rejected').map(({ source, reason, count }) => `${source} ${reason} ${count}`),
    ['journal untrusted 4'],
  );
  assert.deepEqual(court.recorder.of('refused'), [{ kind: 'refused', ...refusal }]);
});

test('decisions made elsewhere are enforced and told just so', () => {
  const court = new Court();
  const out: Decision[] = [];
  const ban = {
    jail: 'sshd',
    offender: A,
    since: START,
    until: START + HOUR,
    cause: 'operator',
    failures: 0,
  } as const;
  court.ledger.ban(ban, START, out);
  court.pipeline.carryOut(out);
  assert.deepEqual(court.enforced, [{ what: `ban ${A}`, arrivalAt: START }]);
  assert.deepEqual(court.announced, [
    [{ kind: 'ban', ban, at: START, position: { session: 'life', serial: 1 }, lacks: [] }],
  ]);
  court.pipeline.carryOut([]);
  assert.equal(court.announced.length, 1);
});

test('other rules hold from the next record on', () => {
  const court = new Court();
  court.udp(fail(A));
  court.pipeline.setRules({ matcher: MATCHER, routes: new Map() });
  court.udp(fail(A));
  assert.equal(court.recorder.of('failure').length, 1);
});

test('a backlog is judged as if it had been read when it was written, however it is cut into batches', () => {
  const attack = (minutesAgo: number) => [minutesAgo * 60, fail(A)] as const;
  const whole = new Court();
  whole.journal('c', attack(60), attack(52), attack(51), [1, '']);
  const inBatches = new Court();
  inBatches.journal('a', attack(60));
  // The entry at the end of the batch is more than find_time after the failure in the window.
  inBatches.journal('b', attack(52), attack(51), [1, '']);
  for (const court of [whole, inBatches]) {
    assert.deepEqual(
      court.recorder.of('failure').map(({ count }) => count),
      [1, 2, 3],
    );
    assert.equal(court.announced.flat()[0]?.kind, 'ban');
  }
});

test('while a backlog is read, neither ticks nor other sources make its windows end', () => {
  const court = new Court();
  court.journal('a', [HOUR / SECOND, fail(A)]);
  court.at += SECOND;
  court.pipeline.tick();
  court.udp(fail(B));
  court.at += BACKLOG_PATIENCE - 2 * SECOND;
  court.pipeline.tick();
  assert.equal(court.ledger.counts('sshd').offenders, 2);
  court.at += SECOND;
  court.pipeline.tick();
  assert.equal(court.ledger.counts('sshd').offenders, 1, 'no more of it has come');
});

test('after the start a backlog may come for some seconds, so restored windows stay that long', () => {
  const image = { windows: [{ jail: 'sshd', offender: A, seenAt: [START - HOUR] }], bans: [], totals: [] };
  const ledger = new Ledger(LIMITS);
  ledger.restore(image, START);
  ledger.reconfigure({ policies: [policyOf()], limits: LIMITS, protectedNetworks: [] }, START, []);
  let at = START;
  const nobody = { enqueue: () => {}, advance: () => {}, changed: () => {}, stir: () => {} };
  const senders = new SenderDirectory(sendersOf());
  const parts = {
    ledger,
    banLog: banLogOf(ledger),
    enforcer: nobody,
    persister: nobody,
    senders,
    clock: { now: () => at },
    emit: () => {},
  };
  const pipeline = new Pipeline(parts, { matcher: MATCHER, routes: new Map() });
  at += BACKLOG_PATIENCE - 1;
  pipeline.tick();
  assert.equal(ledger.counts('sshd').offenders, 1);
  at += 1;
  pipeline.tick();
  assert.equal(ledger.counts('sshd').offenders, 0);
});

test('the records of a sender feed the jails that it may feed, and what others say is told', () => {
  const court = new Court(null, [
    policyOf({ name: 'sshd', maxRetry: 1 }),
    policyOf({ name: 'mail', maxRetry: 1 }),
  ]);
  const nas = senderOf({ name: 'nas1', networks: ['192.0.2.7'], jails: ['mail'] });
  court.senders.configure(sendersOf({ configured: [nas] }));
  const record = (sender: string) =>
    recordAt(court.at, { source: 'udp', sender, message: 'sshd failure normal 203.0.113.9' });
  court.pipeline.accept({ source: 'udp', records: [record('192.0.2.7')], bytes: 1, position: null });
  assert.deepEqual(
    [...court.ledger.bans()].map(({ jail }) => jail),
    ['mail'],
  );
  assert.deepEqual(
    court.recorder.of('ignored').map(({ jail, reason }) => [jail, reason]),
    [['sshd', 'sender-jails']],
  );
  court.pipeline.accept({ source: 'udp', records: [record('192.0.2.8')], bytes: 1, position: null });
  assert.equal([...court.ledger.bans()].length, 2);
});

test('a failure of low confidence, over UDP, waits for one that came by other ways', () => {
  const court = new Court(null, [policyOf({ maxRetry: 2 })]);
  court.senders.configure(sendersOf({ udpConfidence: 'low' }));
  const accept = (source: 'udp' | 'tcp' | 'journal') => {
    const sender = source === 'journal' ? '' : '192.0.2.7';
    const records = [recordAt(court.at, { source, sender, message: 'sshd failure normal 203.0.113.9' })];
    court.pipeline.accept({ source, records, bytes: 1, position: null });
    return [...court.ledger.bans()].length;
  };
  for (let count = 0; count < 10; count++) assert.equal(accept('udp'), 0);
  assert.equal(accept('journal'), 1);
});

test('a relay lends what it may do itself, and no more', () => {
  const jails = [policyOf({ name: 'sshd', maxRetry: 1 }), policyOf({ name: 'mail', maxRetry: 1 })];
  const court = new Court(null, jails);
  const nas = senderOf({ name: 'nas1' });
  const relay = senderOf({ name: 'relay', networks: ['192.0.2.2'], isRelay: true, jails: ['mail'] });
  court.senders.configure(sendersOf({ configured: [nas, relay] }));
  const message = 'sshd failure normal 203.0.113.9';
  const records = [recordAt(court.at, { source: 'tcp', sender: 'nas1', via: '192.0.2.2', message })];
  court.pipeline.accept({ source: 'tcp', records, bytes: 1, position: null });
  assert.deepEqual(
    [...court.ledger.bans()].map(({ jail }) => jail),
    ['mail'],
  );
});

test('what filters cost and nearly matched is told every second, and by old rules before new ones take their place', () => {
  const court = new Court();
  const filters = [{ filter: 'sshd', nearMisses: 3, busyMicroseconds: 12.5 }];
  const report = { ...NOTHING, filters };
  MATCHER.counters = report;
  court.pipeline.tick();
  court.pipeline.tick();
  assert.deepEqual(court.recorder.of('filter-activity'), [{ kind: 'filter-activity', filters }]);
  MATCHER.counters = report;
  court.pipeline.setRules({ matcher: MATCHER, routes: new Map() });
  assert.equal(court.recorder.of('filter-activity').length, 2);
});
