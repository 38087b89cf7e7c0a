import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_PORTS, resolvePorts, servicesOf } from '../../src/config/jail-ports.ts';
import type { PortWord } from '../../src/config/schema/ports.ts';
import { fixture } from './golden.ts';

const services = servicesOf(fixture('services'));

function resolve(...words: readonly PortWord[]): readonly string[] | string {
  const resolved = resolvePorts(words, services);
  return 'ports' in resolved
    ? resolved.ports.map(({ protocol, port }) => `${protocol}/${port}`)
    : `${resolved.index}: ${resolved.message}`;
}

test('a service has the ports and the protocols of services(5), by its name or an alias', () => {
  assert.deepEqual(resolve({ protocol: null, service: 'ssh' }), ['tcp/22']);
  assert.deepEqual(resolve({ protocol: null, service: 'https' }), ['tcp/443', 'udp/443']);
  assert.deepEqual(resolve({ protocol: 'tcp', service: 'https' }), ['tcp/443']);
  assert.deepEqual(resolve({ protocol: null, service: 'www' }), ['tcp/80']);
});

test('a number or a range without a protocol is of tcp, and what is named twice counts once', () => {
  assert.deepEqual(
    resolve(
      { protocol: null, first: 80, last: 80 },
      { protocol: null, first: 80, last: 82 },
      { protocol: 'udp', first: 82, last: 82 },
      { protocol: null, service: 'http' },
    ),
    ['tcp/80', 'tcp/81', 'tcp/82', 'udp/82'],
  );
});

test('a name that is not there, or not of that protocol, is told with what was meant', () => {
  assert.equal(
    resolve({ protocol: null, first: 1, last: 1 }, { protocol: null, service: 'htpts' }),
    '1: there is no service "htpts" in /etc/services: did you mean "https"?',
  );
  assert.equal(
    resolve({ protocol: 'tcp', service: 'syslog' }),
    '0: "syslog" in /etc/services is "udp/514", and nothing of tcp',
  );
  assert.match(`${resolve({ protocol: null, service: 'sctp-only' })}`, /there is no service/);
});

test('no more elements in the kernel for one ban than a limit, whether by one range or by all together', () => {
  const most = resolve({ protocol: null, first: 1_000, last: 1_000 + MAX_PORTS - 1 });
  assert.equal(most.length, MAX_PORTS);
  assert.match(
    `${resolve({ protocol: null, first: 1, last: 65_535 })}`,
    /^0: this is a range of 65535 ports/,
  );
  const two = [
    { protocol: null, first: 1, last: MAX_PORTS },
    { protocol: 'udp', first: 1, last: 1 },
  ] as const;
  assert.match(`${resolve(...two)}`, /^null: these are 129 ports/);
});

test('where there are no services only numbers can be used, and nothing is read for them', () => {
  const missing = servicesOf(fixture('no-such-file'));
  assert.ok('ports' in resolvePorts([{ protocol: null, first: 22, last: 22 }], missing));
  const named = resolvePorts([{ protocol: null, service: 'ssh' }], missing);
  assert.match('message' in named ? named.message : '', /^"ssh" is not known: .*cannot be read/);
});
