import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import fc from 'fast-check';
import type { BailiffEvent, EventOf } from '../../src/core/event.ts';
import type { LogRecord } from '../../src/core/record.ts';
import type { SenderDirectory, SenderPlan } from '../../src/senders/directory.ts';
import { MAX_REPORTED_SENDERS, SenderGate } from '../../src/senders/gate.ts';
import { Tally } from '../../src/senders/tally.ts';
import { permitting, sendersOf } from '../sources/listening.ts';
import { senderOf } from '../syslog/senders.ts';

const AT = 1_795_185_275_000_000;

function setUp(senders: SenderDirectory, transport: 'udp' | 'tcp' | 'tls' = 'udp') {
  const events: BailiffEvent[] = [];
  const emit = (event: BailiffEvent) => events.push(event);
  const tally = new Tally(emit);
  const gate = new SenderGate({ transport, senders, tally, emit });
  /** What has been counted up to now. */
  const told = () => {
    gate.report();
    tally.report();
    return events.splice(0);
  };
  const activity = () =>
    told().filter((event): event is EventOf<'sender-activity'> => event.kind === 'sender-activity');
  return { gate, told, activity };
}

function configured(...senders: (Partial<SenderPlan> & { name: string })[]): SenderDirectory {
  return sendersOf({ networks: ['10.0.0.0/8'], configured: senders.map(senderOf) });
}

function recordOf(parts: Partial<LogRecord> = {}): LogRecord {
  return {
    at: AT,
    source: 'udp',
    sender: '',
    hostname: '',
    identifier: '',
    pid: '',
    facility: -1,
    severity: -1,
    message: 'hello',
    timestamp: -1,
    structuredData: '',
    connection: 0,
    trusted: null,
    ...parts,
  };
}

test('a sender is known by its canonical address, however the socket writes it', () => {
  const { gate, told } = setUp(permitting('192.0.2.0/24', 'fe80::/10'));
  for (let round = 0; round < 2; round++) {
    assert.equal(gate.admit('192.0.2.7')?.address, '192.0.2.7');
    assert.equal(gate.admit('::ffff:192.0.2.7')?.identity, '192.0.2.7');
    assert.equal(gate.admit('fe80::1%eth0')?.address, 'fe80::1');
    assert.equal(gate.admit('198.51.100.1'), null);
    assert.equal(gate.admit('::ffff:198.51.100.1'), null);
    assert.equal(gate.admit(''), null);
  }
  const refused = told().map((event) => (event.kind === 'rejected' ? [event.sender, event.count] : event));
  assert.deepEqual(refused, [
    ['198.51.100.1', 4],
    ['', 2],
  ]);
});

test('forged addresses do not make the gate forget who may send', () => {
  const { gate } = setUp(permitting('192.0.2.7'));
  for (let number = 0; number < 20_000; number++)
    assert.equal(gate.admit(`10.0.${number >> 8}.${number & 255}`), null);
  assert.equal(gate.admit('192.0.2.7')?.address, '192.0.2.7');
});

test('one event a second tells what a configured sender has sent, from however many addresses', (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const events: BailiffEvent[] = [];
  const emit = (event: BailiffEvent) => events.push(event);
  const senders = configured({ name: 'lan', networks: ['10.1.0.0/16'] });
  const gate = new SenderGate({ transport: 'udp', senders, tally: new Tally(emit), emit });
  for (const peer of ['10.1.0.1', '10.1.0.2', '10.1.0.1']) {
    const record = recordOf({ timestamp: AT - 2_000_000 });
    assert.equal(gate.admit(peer)?.take(record, 100, 'rfc3164'), record);
  }
  gate.admit('10.1.0.1')?.take(recordOf({ timestamp: AT - 500_000 }), 50, 'raw');
  assert.deepEqual(events, []);
  mock.timers.tick(1_000);
  assert.deepEqual(events, [
    {
      kind: 'sender-activity',
      source: 'udp',
      sender: '10.1.0.1',
      name: 'lan',
      via: '',
      records: 4,
      bytes: 350,
      limited: 0,
      dialects: [
        { dialect: 'rfc3164', count: 3 },
        { dialect: 'raw', count: 1 },
      ],
      clockSkew: -500_000,
      seenAt: AT,
    },
  ]);
  mock.timers.tick(10_000);
  assert.equal(events.length, 1, 'silence is told by nobody');
});

test('forged senders are told of together beyond a limit, and configured ones by themselves all the same', () => {
  const { gate, activity } = setUp(configured({ name: 'nas1', networks: ['10.0.0.9'] }));
  for (let number = 0; number < 10_000; number++)
    gate.admit(`10.9.${number >> 8}.${number & 255}`)?.take(recordOf(), 1, 'raw');
  gate.admit('10.0.0.9')?.take(recordOf(), 7, 'raw');
  const events = activity();
  assert.equal(events.length, MAX_REPORTED_SENDERS + 2);
  assert.equal(events.find(({ sender }) => sender === '')?.records, 10_000 - MAX_REPORTED_SENDERS);
  assert.equal(events.find(({ name }) => name === 'nas1')?.bytes, 7);
  assert.deepEqual(activity(), []);
});

test('what comes after a report is in the next one', () => {
  const { gate, activity } = setUp(configured());
  const sender = gate.admit('10.0.0.1');
  for (let round = 1; round < 4; round++) {
    for (let count = 0; count < round; count++) sender?.take(recordOf(), 1, 'raw');
    assert.deepEqual(
      activity().map(({ records }) => records),
      [round],
    );
  }
});

test('messages beyond the rate of a sender are counted and told', () => {
  const rate = { messagesPerSecond: 10, burst: 5 };
  const { gate, told } = setUp(configured({ name: 'nas1', networks: ['10.0.0.0/24'], rate }));
  const [one, other] = [gate.admit('10.0.0.1'), gate.admit('10.0.0.2')];
  let admitted = 0;
  for (let count = 0; count < 10; count++)
    if ((count % 2 === 0 ? one : other)?.admits(AT) === true) admitted++;
  assert.equal(admitted, 5, 'its addresses share the rate');
  assert.equal(one?.admits(AT + 100_000), true);
  const events = told();
  const activity = events.find((event) => event.kind === 'sender-activity');
  assert.deepEqual([activity?.limited, activity?.records], [5, 0]);
  const limit = events.find((event) => event.kind === 'limit');
  assert.deepEqual(
    [limit?.limit, limit?.detail],
    ['sender-rate', 'udp messages of nas1 dropped beyond their rate'],
  );
});

test('a relay hands on what others sent, and lends its own name to those that nobody knows', () => {
  const senders = configured(
    { name: 'relay', networks: ['10.0.0.2'], isRelay: true },
    { name: 'nas1', networks: ['10.0.0.9'], certificates: ['nas1.example'] },
  );
  const { gate, activity } = setUp(senders);
  const relay = gate.admit('10.0.0.2');
  const identityOf = (hostname: string) => {
    const record = relay?.take(recordOf({ sender: '10.0.0.2', hostname }), 10, 'rfc5424');
    return [record?.sender, record?.via];
  };
  assert.deepEqual(identityOf('10.0.0.9'), ['10.0.0.9', '10.0.0.2']);
  assert.deepEqual(identityOf('nas1'), ['nas1', '10.0.0.2']);
  assert.deepEqual(identityOf('NAS1.example'), ['nas1', '10.0.0.2']);
  assert.deepEqual(identityOf('elsewhere'), ['10.0.0.2', undefined]);
  assert.deepEqual(identityOf('10.0.0.77'), ['10.0.0.2', undefined]);
  assert.deepEqual(identityOf('relay'), ['10.0.0.2', undefined]);
  assert.deepEqual(
    activity().map(({ name, via, records }) => [name, via, records]),
    [
      ['nas1', '10.0.0.2', 3],
      ['relay', '', 3],
    ],
  );
  const plain = gate.admit('10.0.0.9');
  const record = recordOf({ sender: '10.0.0.9', hostname: 'relay' });
  assert.equal(plain?.take(record, 1, 'raw'), record, 'whoever is no relay speaks for itself alone');
});

test('a connection learns of a reload: who it is now, or that it may no longer send', () => {
  const senders = configured();
  const { gate } = setUp(senders, 'tls');
  const sender = gate.admit('10.0.0.9');
  const stranger = gate.admit('198.51.100.1', ['somebody']);
  assert.ok(sender && stranger);
  assert.equal(gate.renew(sender), sender);
  senders.configure({
    networks: [],
    udpConfidence: 'full',
    rate: null,
    configured: [senderOf({ name: 'nas1', networks: ['10.0.0.9'] })],
  });
  assert.equal(gate.renew(sender)?.name, 'nas1');
  assert.equal(gate.renew(stranger), null);
  assert.equal(gate.renew(stranger, ['somebody'])?.name, '', 'its certificate still lets it in');
});

test('names in certificates cannot be mixed up with those of another peer', () => {
  const { gate } = setUp(configured({ name: 'nas1', certificates: ['nas1'] }), 'tls');
  assert.equal(gate.admit('198.51.100.1', ['x\nnas1'])?.name, '');
  assert.equal(gate.admit('198.51.100.1', ['x', 'nas1'])?.name, 'nas1');
  assert.equal(gate.admit('198.51.100.1', ['x', 'nas1'])?.identity, 'nas1');
  assert.equal(gate.admit('198.51.100.1\n["nas1"]'), null);
  assert.equal(gate.admit('198.51.100.1'), null);
});

test('every message is counted once, whatever forged addresses, relays, rates and reloads there are', () => {
  const step = fc.record({
    kind: fc.constantFrom('send', 'send', 'send', 'send', 'report', 'reload'),
    peer: fc.nat(400).map((number) => `10.0.${number >> 7}.${number & 127}`),
    hostname: fc.constantFrom('', 'nas1', '10.0.0.9', 'elsewhere'),
    wait: fc.nat(200_000),
  });
  const sendersAfter = (reloads: number) => [
    senderOf({ name: 'relay', networks: ['10.0.0.2'], isRelay: true }),
    senderOf({
      name: reloads % 2 === 0 ? 'nas1' : 'nas2',
      networks: ['10.0.0.9', '10.0.1.0/24'],
      rate: { messagesPerSecond: 5, burst: 3 },
      transports: reloads % 3 === 0 ? ['udp', 'tls'] : ['tcp'],
    }),
  ];
  const property = fc.property(fc.array(step, { minLength: 1_000, maxLength: 1_500 }), (steps) => {
    const senders = sendersOf({ networks: ['10.0.0.0/8'], configured: sendersAfter(0) });
    const { gate, told } = setUp(senders);
    const events: BailiffEvent[] = [];
    const counted = { sent: 0, taken: 0 };
    let [at, reloads] = [AT, 0];
    for (const { kind, peer, hostname, wait } of steps) {
      at += wait;
      if (kind === 'report') events.push(...told());
      else if (kind === 'reload') {
        const configured = sendersAfter(++reloads);
        senders.configure({ networks: ['10.0.0.0/8'], udpConfidence: 'full', rate: null, configured });
      } else {
        counted.sent++;
        const sender = gate.admit(peer);
        if (sender?.admits(at) !== true) continue;
        counted.taken++;
        const record = sender.take(recordOf({ at, sender: sender.identity, hostname }), 10, 'raw');
        assert.ok(record.via === undefined || (record.via === '10.0.0.2' && peer === '10.0.0.2'));
      }
    }
    events.push(...told());
    const sumOf = (amountOf: (event: BailiffEvent) => number) =>
      events.reduce((sum, event) => sum + amountOf(event), 0);
    const activity = (key: 'records' | 'bytes' | 'limited') =>
      sumOf((event) => (event.kind === 'sender-activity' ? event[key] : 0));
    const rejected = sumOf((event) => (event.kind === 'rejected' ? event.count : 0));
    assert.equal(activity('records'), counted.taken);
    assert.equal(activity('bytes'), 10 * counted.taken);
    assert.equal(activity('records') + activity('limited') + rejected, counted.sent);
    assert.equal(
      sumOf((event) => (event.kind === 'limit' ? event.count : 0)),
      activity('limited'),
    );
  });
  fc.assert(property, { seed: 4, numRuns: 30 });
});
