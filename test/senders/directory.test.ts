import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { maskAddress } from '../../src/core/address/address.ts';
import {
  SenderDirectory,
  type SenderPlan,
  type SendersPlan,
  type Standing,
} from '../../src/senders/directory.ts';
import { senderOf } from '../syslog/senders.ts';

function directoryOf(configured: readonly SenderPlan[], parts: Partial<SendersPlan> = {}): SenderDirectory {
  return new SenderDirectory({
    networks: ['10.0.0.0/8', '::1'],
    udpConfidence: 'full',
    rate: null,
    configured,
    ...parts,
  });
}

/** `name identity`, or why not. */
function describeFound(found: Standing | string): string {
  return typeof found === 'string' ? found : `${found.plan?.name ?? '-'} ${found.identity}`;
}

const NAS = senderOf({ name: 'nas1', networks: ['192.168.1.10'], certificates: ['nas1.example'] });
const LAN = senderOf({ name: 'lan', networks: ['192.168.0.0/16', '2001:db8::/32'] });
const TLS_ONLY = senderOf({ name: 'web', networks: ['192.168.1.11'], transports: ['tls'] });
const ROAMING = senderOf({ name: 'laptop', certificates: ['laptop'] });

const DIRECTORY = directoryOf([LAN, NAS, TLS_ONLY, ROAMING]);

for (const [what, found, expected] of [
  ['a permitted network may send', DIRECTORY.find('udp', '10.1.2.3', []), '- 10.1.2.3'],
  ['everybody else may not', DIRECTORY.find('udp', '198.51.100.1', []), 'unknown-sender'],
  [
    'a verified certificate may, from anywhere',
    DIRECTORY.find('tls', '198.51.100.1', ['x']),
    '- 198.51.100.1',
  ],
  [
    'a configured network is permitted by itself',
    DIRECTORY.find('tcp', '192.168.9.9', []),
    'lan 192.168.9.9',
  ],
  ['of an IPv6 network too', DIRECTORY.find('tcp', '2001:db8::9', []), 'lan 2001:db8::9'],
  ['the longest prefix has an address', DIRECTORY.find('udp', '192.168.1.10', []), 'nas1 192.168.1.10'],
  ['a certificate goes before an address', DIRECTORY.find('tls', '192.168.9.9', ['laptop']), 'laptop laptop'],
  ['its letters have no case', DIRECTORY.find('tls', '198.51.100.1', ['x', 'LapTop']), 'laptop laptop'],
  [
    'where both say the same, the address is the identity',
    DIRECTORY.find('tls', '192.168.1.10', ['nas1.example']),
    'nas1 192.168.1.10',
  ],
  [
    'the name of a sender is no certificate',
    DIRECTORY.find('tls', '198.51.100.1', ['nas1']),
    '- 198.51.100.1',
  ],
  ['over TLS alone is over nothing else', DIRECTORY.find('udp', '192.168.1.11', []), 'wrong-transport'],
  ['and over TLS it is heard', DIRECTORY.find('tls', '192.168.1.11', []), 'web 192.168.1.11'],
] as const) {
  test(`who a peer is: ${what}`, () => assert.equal(describeFound(found), expected));
}

test('a hit is that of the longest network that holds the address, whatever the others are', () => {
  const length = fc.integer({ min: 8, max: 32 });
  const byte = fc.integer({ min: 0, max: 3 });
  const address = fc.tuple(byte, byte, byte, byte).map(([a, b, c, d]) => `10${a}.${b}.${c}.${d}`);
  fc.assert(
    fc.property(fc.array(fc.tuple(address, length), { maxLength: 20 }), address, (parts, asked) => {
      const networks = [...new Set(parts.map(([one, bits]) => maskAddress(one, bits)))];
      const senders = networks.map((network, index) => senderOf({ name: `s${index}`, networks: [network] }));
      const directory = directoryOf(senders, { networks: [] });
      const bitsOf = (network: string) => Number(network.split('/')[1] ?? 32);
      const holding = networks.filter((network) => maskAddress(asked, bitsOf(network)) === network);
      const longest = holding.toSorted((left, right) => bitsOf(right) - bitsOf(left))[0];
      const expected = longest === undefined ? 'unknown-sender' : `s${networks.indexOf(longest)} ${asked}`;
      assert.equal(describeFound(directory.find('udp', asked, [])), expected);
    }),
    { seed: 11 },
  );
});

test('a claim names a configured sender by address, name or certificate, and nobody else', () => {
  const claims = [
    '192.168.1.10',
    '192.168.3.4',
    'nas1',
    'NAS1',
    'Nas1.Example',
    '10.1.1.1',
    'x',
    '',
    '__proto__',
  ];
  assert.deepEqual(
    claims.map((claim) => DIRECTORY.claimed('udp', claim)?.identity ?? null),
    ['192.168.1.10', '192.168.3.4', 'nas1', 'nas1', 'nas1', null, null, null, null],
  );
  assert.equal(
    DIRECTORY.claimed('udp', 'web'),
    null,
    'who is heard over TLS alone is not heard through a relay over UDP',
  );
  assert.equal(DIRECTORY.claimed('tls', '192.168.1.11')?.plan.name, 'web');
});

test('a record may do what its sender may, over UDP by the confidence in UDP, and this host may do everything', () => {
  const picky = senderOf({ name: 'picky', networks: ['192.168.1.1'], jails: ['sshd'] });
  const frank = senderOf({ name: 'frank', networks: ['192.168.1.2'], confidence: 'full' });
  const shy = senderOf({ name: 'shy', certificates: ['shy'], confidence: 'low', jails: [] });
  const directory = directoryOf([picky, frank, shy], { udpConfidence: 'low' });
  const permission = (source: 'udp' | 'tcp' | 'journal' | 'unix', sender: string, via = '') => {
    const { jails, confidence } = directory.permissionOf(source, sender, via);
    return `${jails === null ? 'all' : [...jails].join() || 'none'} ${confidence}`;
  };
  assert.equal(permission('udp', '10.1.1.1'), 'all low');
  assert.equal(permission('tcp', '10.1.1.1'), 'all full');
  assert.equal(permission('udp', '192.168.1.1'), 'sshd low');
  assert.equal(permission('udp', '192.168.1.2'), 'all full');
  assert.equal(permission('tcp', 'shy'), 'none low');
  assert.equal(permission('journal', ''), 'all full');
  assert.equal(permission('unix', ''), 'all full');
  assert.equal(permission('udp', '192.168.1.2', '192.168.1.1'), 'sshd low', 'a relay lends what it has');
  assert.equal(permission('tcp', '192.168.1.2', 'shy'), 'none low');
});

test('a name that a reload has taken away may do nothing, nor does its relay lend it anything', () => {
  const directory = directoryOf([]);
  for (const [sender, via] of [
    ['laptop', ''],
    ['laptop', '10.1.1.1'],
    ['10.1.1.1', 'laptop'],
  ] as const) {
    const { jails, confidence } = directory.permissionOf('tls', sender, via);
    assert.deepEqual([jails?.size, confidence], [0, 'low']);
  }
});

test('what somebody sends over UDP in the name of a sender uses up nothing of its rate over TCP and TLS', () => {
  const directory = directoryOf([{ ...NAS, rate: { messagesPerSecond: 1, burst: 2 } }]);
  const limiterOf = (transport: 'udp' | 'tcp' | 'tls', names: readonly string[] = []) => {
    const found = directory.find(transport, '192.168.1.10', names);
    assert.ok(typeof found !== 'string' && found.limiter !== null);
    return found.limiter;
  };
  while (limiterOf('udp').take(1));
  assert.ok(limiterOf('tcp').take(1));
  assert.ok(limiterOf('tls', ['nas1.example']).take(1));
  assert.equal(limiterOf('tls').take(1), true);
  assert.equal(limiterOf('tls', ['nas1.example']).take(1), false, 'over one transport they share it');
});

test('a reload exchanges who is known, and keeps the rate that a sender has used up', () => {
  const rate = { messagesPerSecond: 1, burst: 2 };
  const directory = directoryOf([{ ...NAS, rate }]);
  const before = directory.find('udp', '192.168.1.10', []);
  assert.ok(typeof before !== 'string' && before.limiter !== null);
  before.limiter.take(1);
  before.limiter.take(1);
  directory.configure({
    networks: [],
    udpConfidence: 'full',
    rate: null,
    configured: [{ ...NAS, rate }, LAN],
  });
  assert.equal(directory.generation, 1);
  const after = directory.find('udp', '192.168.1.10', []);
  assert.ok(typeof after !== 'string' && after.limiter !== null);
  assert.equal(after.limiter.take(1), false);
  assert.equal(describeFound(directory.find('udp', '10.1.2.3', [])), 'unknown-sender');
  directory.configure({
    networks: [],
    udpConfidence: 'full',
    rate: null,
    configured: [{ ...NAS, rate: null }],
  });
  const free = directory.find('udp', '192.168.1.10', []);
  assert.ok(typeof free !== 'string' && free.limiter === null);
});
