import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  createAuthority,
  createRevocationList,
  issue,
  readRevocationList,
} from '../../src/certificates/authority.ts';
import { createPkcs12 } from '../../src/certificates/pkcs12.ts';
import { DAY, type Microseconds } from '../../src/core/time.ts';
import { missingOpenssl } from '../http/certificate.ts';
import { makeDirectory } from '../http/running-server.ts';

const NOW: Microseconds = Math.floor(Date.now() / 1_000) * 1_000_000;
const VALIDITY = { from: NOW - DAY, until: NOW + 30 * DAY };

const authority = await createAuthority('authority of a test', VALIDITY);
const server = await issue(authority, {
  purpose: 'server',
  name: 'log.example.net',
  hostNames: ['log.example.net', 'log'],
  addresses: ['192.0.2.1', '2001:db8::1', '::1', '::', 'fd00:1:2:3:4:5:6:7'],
  validity: VALIDITY,
});
const client = await issue(authority, {
  purpose: 'client',
  name: 'nas1',
  hostNames: ['nas1'],
  addresses: [],
  validity: VALIDITY,
});

test('an authority signs itself and may sign nothing but end certificates', () => {
  const certificate = new X509Certificate(authority.certificate);
  assert.ok(certificate.ca && certificate.verify(certificate.publicKey));
  assert.equal(certificate.subject, 'CN=authority of a test');
  assert.ok(certificate.checkPrivateKey(createPrivateKey(authority.key)));
});

test('what it issues is signed by it, ends when it is to, and has its names', () => {
  const issuer = new X509Certificate(authority.certificate);
  const certificate = new X509Certificate(server.certificate);
  assert.ok(certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey) && !certificate.ca);
  assert.ok(certificate.checkPrivateKey(createPrivateKey(server.key)));
  assert.equal(certificate.validToDate.getTime() * 1_000, VALIDITY.until);
  assert.equal(certificate.checkHost('log.example.net'), 'log.example.net');
  for (const address of ['192.0.2.1', '2001:db8::1', '::1', '::', 'fd00:1:2:3:4:5:6:7'])
    assert.equal(certificate.checkIP(address), address);
  assert.equal(certificate.checkIP('192.0.2.2'), undefined);
});

test('serial numbers are positive, and no two are the same', async () => {
  const request = {
    purpose: 'client',
    name: 'a',
    hostNames: ['a'],
    addresses: [],
    validity: VALIDITY,
  } as const;
  const made = await Promise.all(Array.from({ length: 20 }, () => issue(authority, request)));
  const numbers = made.map(({ certificate }) => new X509Certificate(certificate).serialNumber);
  assert.equal(new Set(numbers).size, 20);
  assert.ok(numbers.every((number) => /^[4-7][0-9A-F]{31}$/.test(number)));
});

test('a certificate that ends after 2049 ends when it is to', async () => {
  const until = Date.UTC(2055, 5, 1) * 1_000;
  const { certificate } = await createAuthority('far', { from: NOW, until });
  assert.equal(new X509Certificate(certificate).validToDate.getTime() * 1_000, until);
});

test('a revocation list gives back what is on it', async () => {
  const { serialNumber } = new X509Certificate(client.certificate);
  const revocations = [
    { serialNumber, at: NOW },
    { serialNumber: '00FF01', at: NOW - DAY },
  ];
  const list = readRevocationList(await createRevocationList(authority, revocations, 7, VALIDITY));
  assert.equal(list.number, 7);
  assert.deepEqual(list.revocations[0], revocations[0]);
  assert.equal(list.revocations[1]?.serialNumber.replace(/^0+/, ''), 'FF01');
  const empty = readRevocationList(await createRevocationList(authority, [], 1, VALIDITY));
  assert.deepEqual(empty, { revocations: [], number: 1 });
});

test('openssl agrees', { skip: missingOpenssl() ?? false }, async (t) => {
  const directory = makeDirectory(t);
  const put = (name: string, content: string | Buffer): string => {
    writeFileSync(join(directory, name), content);
    return join(directory, name);
  };
  const openssl = (words: string): string => {
    const { stdout, stderr } = spawnSync('openssl', words.split(' '), { encoding: 'utf8' });
    return stdout + stderr;
  };
  const ca = put('ca.crt', authority.certificate);
  const serverPath = put('server.crt', server.certificate);
  const clientPath = put('client.crt', client.certificate);
  const { serialNumber } = new X509Certificate(client.certificate);
  const list = put('ca.crl', await createRevocationList(authority, [{ serialNumber, at: NOW }], 1, VALIDITY));
  const verify = `verify -x509_strict -CAfile ${ca}`;
  assert.match(openssl(`${verify} -purpose sslserver ${serverPath}`), /: OK/);
  assert.match(openssl(`${verify} -purpose sslclient ${clientPath}`), /: OK/);
  assert.match(openssl(`${verify} -purpose sslclient ${serverPath}`), /unsuitable certificate purpose/);
  assert.match(openssl(`${verify} -CRLfile ${list} -crl_check ${serverPath}`), /: OK/);
  assert.match(openssl(`${verify} -CRLfile ${list} -crl_check ${clientPath}`), /certificate revoked/);
  const bundle = put('nas1.p12', await createPkcs12(client, authority.certificate, 'nas1', 'secret'));
  const shown = openssl(`pkcs12 -in ${bundle} -passin pass:secret -nodes -info`);
  assert.match(shown, /friendlyName: nas1/);
  assert.equal(shown.match(/BEGIN CERTIFICATE/g)?.length, 2);
  assert.ok(shown.includes('BEGIN PRIVATE KEY'));
  assert.match(openssl(`pkcs12 -in ${bundle} -passin pass:wrong -nodes`), /invalid password/);
});
