import assert from 'node:assert/strict';
import { chmodSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { TlsServerPlan } from '../../../src/config/plan.ts';
import { readCredentials, SyslogTls } from '../../../src/daemon/syslog/tls.ts';
import type { TlsCredentials } from '../../../src/sources/stream/tls-handshakes.ts';
import { PATIENCE_MILLISECONDS, waitFor } from '../../bed/waiting.ts';
import { makeDirectory } from '../../http/running-server.ts';
import { makeCertificates, makeServer } from '../../sources/stream/certificates.ts';
import { Recorder } from '../parts.ts';

const WATCH_MILLISECONDS = 15;

const certificates = await makeCertificates();

/** Files in a directory of the test, and a plan that names them. */
function setUp(t: TestContext) {
  const directory = makeDirectory(t);
  const put = (name: string, content: string): string => {
    const path = join(directory, name);
    writeFileSync(`${path}.new`, content);
    renameSync(`${path}.new`, path);
    return path;
  };
  const plan: TlsServerPlan = {
    certificate: put('server.crt', certificates.server.certificate),
    key: put('server.key', certificates.server.key),
    clientCa: put('ca.crt', certificates.authority.certificate),
    requiresClientCertificate: true,
    revoked: put('ca.crl', certificates.revocationList),
  };
  return { directory, put, plan };
}

function watch(t: TestContext) {
  const recorder = new Recorder();
  const exchanged: TlsCredentials[] = [];
  const troubles: string[] = [];
  const tls: SyslogTls = new SyslogTls({
    emit: recorder.emit,
    onCredentials: (credentials) => exchanged.push(credentials),
    onTrouble: () => troubles.push(tls.trouble()?.reason ?? ''),
    watchMilliseconds: WATCH_MILLISECONDS,
  });
  t.after(() => tls.stop());
  return { tls, recorder, exchanged, troubles };
}

test('the files are read whole, and when they end is told', (t) => {
  const { plan } = setUp(t);
  const { tls, recorder } = watch(t);
  assert.deepEqual(tls.apply(plan), {
    ...certificates.server,
    clientCa: certificates.authority.certificate,
    requiresClientCertificate: true,
    revoked: certificates.revocationList,
  });
  assert.equal(tls.trouble(), null);
  assert.match(tls.validUntil(), /^\d{4}-\d\d-\d\d$/);
  assert.deepEqual(
    recorder.of('certificate').map(({ certificate }) => certificate),
    ['syslog-server', 'syslog-client-ca'],
  );
});

test('without TLS there is no end to tell any more', (t) => {
  const { plan } = setUp(t);
  const { tls, recorder } = watch(t);
  tls.apply(null);
  assert.deepEqual(recorder.of('certificate'), []);
  tls.apply(plan);
  tls.apply(null);
  assert.deepEqual(
    recorder.of('certificate').map(({ certificate, until }) => [certificate, until === null]),
    [
      ['syslog-server', false],
      ['syslog-client-ca', false],
      ['syslog-server', true],
      ['syslog-client-ca', true],
    ],
  );
});

for (const [file, content, reason] of [
  ['server.crt', 'nonsense', /^cannot use certificate .*server\.crt: /],
  ['server.key', 'nonsense', /^cannot use key .*server\.key: /],
  ['server.key', certificates.client.key, /server\.key: it does not belong to the certificate in /],
  ['ca.crt', '', /^cannot use client_ca .*ca\.crt: it holds no certificate in PEM/],
  ['ca.crt', certificates.client.certificate, /ca\.crt: it holds a certificate that is none of an authority/],
  ['ca.crl', 'nonsense', /^cannot use revoked .*ca\.crl: /],
] as const) {
  test(`${content.slice(0, 12) || 'nothing'} in ${file} is refused with its reason`, (t) => {
    const { plan, put } = setUp(t);
    put(file, content);
    assert.throws(() => readCredentials(plan), { message: reason });
  });
}

test('without anything from before TLS is off, and says why', (t) => {
  const { plan, put } = setUp(t);
  put('server.key', 'nonsense');
  const { tls } = watch(t);
  assert.equal(tls.apply(plan), null);
  assert.match(tls.trouble()?.reason ?? '', /^TLS is off: cannot use key /);
  assert.match(tls.trouble()?.remedy ?? '', /bailiff reload/);
});

test('a reload with broken files goes on with those before', (t) => {
  const { plan, put } = setUp(t);
  const { tls } = watch(t);
  const before = tls.apply(plan);
  put('server.crt', 'nonsense');
  assert.equal(tls.apply(plan), before);
  assert.match(
    tls.trouble()?.reason ?? '',
    /^TLS goes on with what the files held before: cannot use certificate/,
  );
});

test('files that change are taken by themselves, once both belong together', async (t) => {
  const { plan, put } = setUp(t);
  const { tls, exchanged } = watch(t);
  tls.apply(plan);
  const renewed = await makeServer(certificates.authority, 'new.example.net');
  put('server.crt', renewed.certificate);
  put('server.key', renewed.key);
  await waitFor('the new certificate', PATIENCE_MILLISECONDS, () =>
    exchanged.at(-1)?.key === renewed.key ? true : null,
  );
  assert.equal(exchanged.at(-1)?.certificate, renewed.certificate);
  assert.equal(tls.trouble(), null);
});

test('a broken file that appears is told, the old stays in use, and its repair is told as well', async (t) => {
  const { plan, put } = setUp(t);
  const { tls, exchanged, troubles } = watch(t);
  tls.apply(plan);
  put('server.crt', 'nonsense');
  await waitFor('the trouble', PATIENCE_MILLISECONDS, () => (troubles.length === 1 ? true : null));
  assert.match(troubles[0] ?? '', /^TLS goes on with what the files held before/);
  assert.deepEqual(exchanged, []);
  put('server.crt', certificates.server.certificate);
  await waitFor('the repair', PATIENCE_MILLISECONDS, () => (troubles.length === 2 ? true : null));
  assert.equal(troubles[1], '');
});

test('a file that may not be read is no reason to fall', (t) => {
  const { plan } = setUp(t);
  const { tls } = watch(t);
  assert.equal(tls.apply({ ...plan, key: join(plan.certificate, 'below-a-file') }), null);
  chmodSync(plan.key, 0o600);
  assert.match(tls.trouble()?.reason ?? '', /ENOTDIR/);
});
