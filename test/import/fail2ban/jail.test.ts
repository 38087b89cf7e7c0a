import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCalls } from '../../../src/import/fail2ban/call.ts';
import { readTime } from '../../../src/import/fail2ban/jail.ts';
import { readPorts } from '../../../src/import/fail2ban/ports.ts';

test('times are seconds, sums of units, or products', () => {
  for (const [text, seconds] of [
    ['600', 600],
    ['10m', 600],
    ['1h 30m', 5_400],
    ['1d12h', 129_600],
    ['2 weeks', 1_209_600],
    ['0.5h', 1_800],
    ['60*60', 3_600],
    ['-1', -1],
    ['100y', 315_360_000],
    ['soon', null],
    ['10q', null],
    ['', null],
  ] as const) {
    assert.equal(readTime(text), seconds, text);
  }
});

test('ports are numbers, names and short ranges; all ports are no list', () => {
  assert.deepEqual(readPorts('ssh,2222', 'tcp'), ['tcp/22', 'tcp/2222']);
  assert.deepEqual(readPorts('5060:5061', 'udp,tcp'), ['udp/5060', 'udp/5061', 'tcp/5060', 'tcp/5061']);
  assert.deepEqual(readPorts('0:65535', 'tcp'), []);
  assert.deepEqual(readPorts('ssh', 'all'), []);
  for (const ports of ['', 'no-such-service', '1:1000', '5:3', '70000', 'ssh:http:x']) {
    assert.equal(readPorts(ports, 'tcp'), null, ports);
  }
  assert.equal(readPorts('ssh', 'icmp'), null);
});

test('filters and actions are called with options in brackets, quoted or not', () => {
  const calls = readCalls('a[x=1, y="two, [2]"][Z=\'3\']\n  b\nc-d[]');
  assert.deepEqual(
    calls?.map(({ name, options }) => [name, Object.fromEntries(options)]),
    [
      ['a', { x: '1', y: 'two, [2]', z: '3' }],
      ['b', {}],
      ['c-d', {}],
    ],
  );
  for (const text of ['a[', 'a[x]', 'a[x="1', '[x=1]', 'a '.repeat(200)])
    assert.equal(readCalls(text), null, text);
});
