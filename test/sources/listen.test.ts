import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeFailure, formatEndpoint } from '../../src/sources/listen.ts';

test('a listener that may not listen says what to do', () => {
  const error = Object.assign(new Error('bind EACCES'), { code: 'EACCES' });
  assert.deepEqual(describeFailure('udp', { host: '::1', port: 514 }, error, 1_000), {
    source: 'udp',
    listener: 'udp [::1]:514',
    health: 'down',
    detail: 'cannot listen on udp [::1]:514: no permission; trying again in 1 s',
    advice:
      'ports below 1024 need CAP_NET_BIND_SERVICE: run as root, or listen on a higher port such as 5514',
  });
  assert.match(describeFailure('tcp', { host: 'x', port: 1 }, new Error('strange'), 1_000).detail, /strange/);
  assert.equal(formatEndpoint('127.0.0.1', 514), '127.0.0.1:514');
});
