import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { createAuthority, createRevocationList, issue } from '../../../src/certificates/authority.ts';
import { DAY, type Microseconds } from '../../../src/core/time.ts';
import { disbelief, isIssuedByOneOf, namesOf } from '../../../src/sources/stream/client-certificate.ts';

const NOW: Microseconds = Date.now() * 1_000;
const VALIDITY = { from: NOW - DAY, until: NOW + DAY };

const authority = await createAuthority('authority of a test', VALIDITY);
const another = await createAuthority('another authority', VALIDITY);

async function certificateOf(name: string, hostNames: readonly string[], by = authority) {
  const request = { purpose: 'client', name, hostNames, addresses: [], validity: VALIDITY } as const;
  return new X509Certificate((await issue(by, request)).certificate);
}

const fingerprintOf = (certificate: X509Certificate) => certificate.fingerprint256.toLowerCase();

test('the DNS names of a certificate are its names, in lower case and once', async () => {
  const certificate = await certificateOf('NAS1', ['NAS1.example.net', 'nas1', 'Nas1', '*.example.net']);
  assert.deepEqual(namesOf(certificate), ['nas1.example.net', 'nas1', '*.example.net']);
});

test('the CN is a name only where there is no DNS name', async () => {
  assert.deepEqual(namesOf(await certificateOf('Nas1', [])), ['nas1']);
  assert.deepEqual(namesOf(await certificateOf('nas1', ['elsewhere'])), ['elsewhere']);
});

for (const [what, name, hostNames] of [
  ['a DNS name that looks like several', 'x', ['a, DNS:nas1, DNS:b']],
  ['a DNS name with a quote', 'x', ['a", DNS:nas1, DNS:"b']],
  ['a DNS name with a NUL', 'x', ['nas1\0.example.net']],
  ['a CN with a NUL', 'nas1\0x', []],
  ['a CN with a line break', 'x\nCN=nas1', []],
  ['a CN with a letter whose small form is in ASCII', '\u212A8s', []],
  ['a CN with a control character', '\u001b[2Jnas1', []],
  ['an empty CN', '', []],
] as const) {
  test(`${what} is no name, and the fingerprint stands for it`, async () => {
    const certificate = await certificateOf(name, hostNames);
    assert.deepEqual(namesOf(certificate), [fingerprintOf(certificate)]);
  });
}

test('a certificate is disbelieved as soon as a new list has it, whoever else is on it', async () => {
  const [kept, gone] = [await certificateOf('kept', ['kept']), await certificateOf('gone', ['gone'])];
  const listOf = (...certificates: X509Certificate[]) =>
    createRevocationList(
      authority,
      certificates.map(({ serialNumber }) => ({ serialNumber, at: NOW })),
      1,
      VALIDITY,
    );
  const before = { clientCa: authority.certificate, revoked: await listOf() };
  const after = { clientCa: authority.certificate, revoked: await listOf(gone) };
  assert.deepEqual([kept, gone].map(disbelief(before, after)), [false, true]);
  assert.deepEqual([kept, gone].map(disbelief({ ...before, revoked: null }, after)), [false, true]);
  assert.deepEqual([kept, gone].map(disbelief(before, { ...before, revoked: null })), [false, false]);
  const two = { ...after, revoked: `${await listOf()}${after.revoked}` };
  assert.deepEqual([kept, gone].map(disbelief(before, two)), [false, true]);
});

test('a certificate whose serial number is negative is disbelieved as others are', async () => {
  const positive = await certificateOf('odd', ['odd']);
  const serial = Buffer.from(positive.serialNumber, 'hex');
  const { raw } = positive;
  const offset = raw.indexOf(serial);
  raw[offset] = (raw[offset] ?? 0) | 0x80;
  const negative = new X509Certificate(raw);
  assert.match(negative.serialNumber, /^-/);
  const serialNumber = raw.toString('hex', offset, offset + serial.length);
  const revoked = await createRevocationList(authority, [{ serialNumber, at: NOW }], 1, VALIDITY);
  const before = { clientCa: authority.certificate, revoked: null };
  assert.deepEqual([positive, negative].map(disbelief(before, { ...before, revoked })), [false, true]);
});

test('a certificate is disbelieved when its authority is none of ours any more', async () => {
  const [own, foreign] = [
    await certificateOf('own', ['own']),
    await certificateOf('foreign', ['foreign'], another),
  ];
  const both = { clientCa: `${another.certificate}${authority.certificate}`, revoked: null };
  const one = { clientCa: authority.certificate, revoked: null };
  assert.deepEqual([own, foreign].map(disbelief(both, one)), [false, true]);
  assert.deepEqual([own, foreign].map(disbelief(one, both)), [false, false]);
  assert.deepEqual([own, foreign].map(disbelief(both, { ...one, clientCa: null })), [false, false]);
  assert.ok(isIssuedByOneOf(foreign, both.clientCa) && !isIssuedByOneOf(foreign, one.clientCa));
});
