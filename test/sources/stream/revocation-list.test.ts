import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createAuthority, createRevocationList } from '../../../src/certificates/authority.ts';
import { DAY, type Microseconds } from '../../../src/core/time.ts';
import { readRevokedSerials } from '../../../src/sources/stream/revocation-list.ts';

const AT: Microseconds = 1_795_000_000_000_000;
const VALIDITY = { from: AT - DAY, until: AT + DAY };

const authority = await createAuthority('authority of a test', VALIDITY);

function listOf(serialNumbers: readonly string[]): Promise<string> {
  const revocations = serialNumbers.map((serialNumber) => ({ serialNumber, at: AT }));
  return createRevocationList(authority, revocations, 1, VALIDITY);
}

test('every serial number of a list is found, however many and however long', async () => {
  const serial = fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => {
    bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
    return Buffer.from(bytes).toString('hex');
  });
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(serial, { maxLength: 300 }), async (serials) => {
      const read = readRevokedSerials(await listOf(serials));
      assert.deepEqual(
        [...read],
        serials.map((one) => BigInt(`0x${one}`)),
      );
    }),
    { seed: 5280, numRuns: 30 },
  );
});

test('a serial number whose first bit is set has a byte before it, and is the same', async () => {
  assert.deepEqual([...readRevokedSerials(await listOf(['00f1']))], [0xf1n]);
});

test('a serial number whose first bit is set without one is negative', async () => {
  assert.deepEqual([...readRevokedSerials(await listOf(['f1', '80']))], [-15n, -128n]);
});

test('whatever a file holds, it is read without an error', () => {
  const pem = (bytes: Uint8Array) =>
    `-----BEGIN X509 CRL-----\n${Buffer.from(bytes).toString('base64')}\n-----END X509 CRL-----\n`;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      readRevokedSerials(pem(bytes));
    }),
    { seed: 690 },
  );
  assert.equal(readRevokedSerials('').size, 0);
  assert.equal(readRevokedSerials(pem(new Uint8Array([0x30, 0x84, 0xff, 0xff, 0xff, 0xff]))).size, 0);
});

test('a list that was damaged anywhere is read without an error', async () => {
  const der = Buffer.from((await listOf(['41', '4242'])).replace(/-----[^-]+-----/g, ''), 'base64');
  fc.assert(
    fc.property(fc.nat(der.length - 1), fc.nat(255), (position, byte) => {
      const damaged = Buffer.from(der);
      damaged[position] = byte;
      const body = damaged.toString('base64');
      assert.ok(readRevokedSerials(`-----BEGIN X509 CRL-----${body}-----END X509 CRL-----`).size <= 40);
    }),
    { seed: 691, numRuns: 2_000 },
  );
});
