import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BailiffEvent, EventOf } from '../../src/core/event.ts';
import { formatInstant, HOUR, MINUTE, SECOND } from '../../src/core/time.ts';
import { MAX_REFUSED_PEERS, MAX_UNCONFIGURED_SENDERS, SenderTable } from '../../src/senders/table.ts';
import { START } from '../daemon/parts.ts';
import { senderOf } from '../syslog/senders.ts';

class Desk {
  at = START;
  readonly events: BailiffEvent[] = [];
  readonly table = new SenderTable({ now: () => this.at }, (event) => this.events.push(event));

  hear(sender: string, parts: Partial<EventOf<'sender-activity'>> = {}): void {
    this.table.observe({
      kind: 'sender-activity',
      source: 'udp',
      sender,
      name: '',
      via: '',
      records: 1,
      bytes: 100,
      limited: 0,
      dialects: [{ dialect: 'rfc3164', count: 1 }],
      clockSkew: null,
      seenAt: this.at,
      ...parts,
    });
  }

  refuse(sender: string, count = 1): void {
    this.table.observe({ kind: 'rejected', source: 'udp', sender, reason: 'unknown-sender', count });
  }

  /** Ticks every second. */
  wait(duration: number, step = SECOND): void {
    for (const end = this.at + duration; this.at < end; ) {
      this.at += step;
      this.table.tick();
    }
  }

  get changes(): string[] {
    return this.events.flatMap((event) =>
      event.kind === 'sender-change' ? [`${event.name || event.sender} ${event.change}`] : [],
    );
  }
}

test('what a sender sends adds up: over which transports, in which dialects, how far its clock is off', () => {
  const desk = new Desk();
  desk.table.configure([senderOf({ name: 'nas1', networks: ['192.0.2.7'] })]);
  desk.hear('192.0.2.7', { name: 'nas1', records: 10, clockSkew: -2 * SECOND });
  desk.at += SECOND;
  const dialects = [
    { dialect: 'raw', count: 20 },
    { dialect: 'rfc3164', count: 5 },
  ];
  desk.hear('192.0.2.8', { name: 'nas1', source: 'tcp', records: 25, limited: 3, dialects });
  desk.table.observe({ kind: 'rejected', source: 'udp', sender: '192.0.2.8', reason: 'empty', count: 4 });
  const change = { sender: '192.0.2.8', name: 'nas1', change: 'unseparated', detail: '' } as const;
  desk.table.observe({ kind: 'sender-change', ...change });
  assert.deepEqual(desk.table.report().senders, [
    {
      name: 'nas1',
      sender: '192.0.2.8',
      state: 'usual',
      transports: ['udp', 'tcp'],
      relays: [],
      dialects: [
        { dialect: 'raw', count: 20 },
        { dialect: 'rfc3164', count: 6 },
      ],
      records: 35,
      bytes: 200,
      recordsPerSecond: 1.16,
      limited: 3,
      rejected: 4,
      isUnseparated: true,
      lastSeen: formatInstant(desk.at),
      clockSkewSeconds: -2,
    },
  ]);
  assert.deepEqual(desk.table.levels(), [
    { sender: 'nas1', isSilent: false, lastSeenAt: desk.at, clockSkew: -2 * SECOND },
  ]);
});

test('the rate that is shown is that of now', () => {
  const desk = new Desk();
  const rate = () => desk.table.report().senders[0]?.recordsPerSecond ?? 0;
  for (let second = 0; second < 300; second++) {
    desk.hear('192.0.2.7', { records: 50 });
    desk.at += SECOND;
  }
  assert.ok(Math.abs(rate() - 50) < 2, String(rate()));
  desk.at += 5 * MINUTE;
  assert.ok(rate() < 0.01);
});

test('configured senders come first and by name, also those that nobody has heard of', () => {
  const desk = new Desk();
  desk.hear('198.51.100.9');
  desk.hear('198.51.100.10');
  desk.table.configure([senderOf({ name: 'zeta' }), senderOf({ name: 'alpha', networks: ['198.51.100.9'] })]);
  const names = desk.table.report().senders.map(({ name, sender, state }) => `${name ?? sender} ${state}`);
  assert.deepEqual(names, ['alpha unheard', 'zeta unheard', '198.51.100.10 usual']);
});

test('a sender that stays through a reload is the same, and one that is gone is forgotten', () => {
  const desk = new Desk();
  const nas = senderOf({ name: 'nas1' });
  desk.table.configure([nas, senderOf({ name: 'old' })]);
  desk.hear('192.0.2.7', { name: 'nas1' });
  desk.table.configure([nas]);
  assert.deepEqual(
    desk.table.report().senders.map(({ name, records }) => [name, records]),
    [['nas1', 1]],
  );
});

test('who may say nothing for fifteen minutes is missed after them, once, and welcomed back', () => {
  const desk = new Desk();
  desk.table.configure([senderOf({ name: 'nas1', silence: 15 * MINUTE })]);
  desk.hear('192.0.2.7', { name: 'nas1' });
  desk.wait(14 * MINUTE);
  assert.deepEqual(desk.changes, []);
  desk.wait(HOUR);
  assert.deepEqual(desk.changes, ['nas1 silent']);
  assert.equal(desk.table.levels()[0]?.isSilent, true);
  assert.equal(desk.table.report().senders[0]?.state, 'silent');
  desk.hear('192.0.2.7', { name: 'nas1' });
  assert.deepEqual(desk.changes, ['nas1 silent'], 'an event is not told of within another');
  desk.wait(SECOND);
  assert.deepEqual(desk.changes, ['nas1 silent', 'nas1 returned']);
});

test('messages beyond the rate alone are no sign of life', () => {
  const desk = new Desk();
  desk.table.configure([senderOf({ name: 'nas1', silence: MINUTE })]);
  for (let second = 0; second < 90; second++) {
    desk.hear('192.0.2.7', { name: 'nas1', records: 0, limited: 9, dialects: [] });
    desk.wait(SECOND);
  }
  assert.deepEqual(desk.changes, ['nas1 silent']);
});

test('a million forged senders and peers cost bounded memory, and no configured sender', () => {
  const desk = new Desk();
  desk.table.configure([senderOf({ name: 'nas1' })]);
  desk.hear('192.0.2.7', { name: 'nas1' });
  const forged = 100_000;
  for (let number = 0; number < forged; number++) {
    const address = `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
    desk.hear(address);
    desk.refuse(address);
  }
  const { senders, refused } = desk.table.report();
  assert.equal(senders.length, MAX_UNCONFIGURED_SENDERS + 1);
  assert.equal(senders[0]?.name, 'nas1');
  assert.equal(refused.length, MAX_REFUSED_PEERS);
  assert.equal(refused[0]?.address, '10.1.134.159', 'the last one first');
  desk.wait(SECOND);
  const limits = desk.events.filter((event) => event.kind === 'limit');
  assert.deepEqual(
    limits.map(({ limit, count }) => [limit, count]),
    [['senders', 2 * forged - MAX_UNCONFIGURED_SENDERS - MAX_REFUSED_PEERS]],
  );
});

test('refused peers are counted, and one that is adopted is refused no more', () => {
  const desk = new Desk();
  desk.refuse('198.51.100.7', 3);
  desk.refuse('198.51.100.8');
  desk.at += SECOND;
  desk.refuse('198.51.100.7', 2);
  assert.deepEqual(desk.table.report().refused, [
    {
      address: '198.51.100.7',
      transports: ['udp'],
      reason: 'unknown-sender',
      count: 5,
      lastSeen: formatInstant(desk.at),
    },
    {
      address: '198.51.100.8',
      transports: ['udp'],
      reason: 'unknown-sender',
      count: 1,
      lastSeen: formatInstant(START),
    },
  ]);
  desk.table.configure([senderOf({ name: 'nas1', networks: ['198.51.100.7'] })]);
  assert.deepEqual(
    desk.table.report().refused.map(({ address }) => address),
    ['198.51.100.8'],
  );
});

test('many senders that are told of together are nobody, and loss is that of a listener', () => {
  const desk = new Desk();
  desk.hear('', { records: 5_000 });
  desk.refuse('', 9);
  desk.table.observe({ kind: 'kernel-loss', source: 'udp', listener: '127.0.0.1:514', count: 2 });
  desk.table.observe({ kind: 'kernel-loss', source: 'udp', listener: '127.0.0.1:514', count: 3 });
  assert.deepEqual(desk.table.report(), {
    senders: [],
    refused: [],
    lost: [{ listener: 'udp 127.0.0.1:514', count: 5 }],
  });
});

test('records that a relay hands on are those of their sender, with the relay named', () => {
  const desk = new Desk();
  desk.table.configure([senderOf({ name: 'nas1' })]);
  for (let number = 0; number < 20; number++) desk.hear('nas1', { name: 'nas1', via: `10.0.0.${number}` });
  const [report] = desk.table.report().senders;
  assert.equal(report?.records, 20);
  assert.equal(report?.relays.length, 8);
});
