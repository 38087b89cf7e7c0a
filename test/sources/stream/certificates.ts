/** Certificates for tests of TLS: an authority of ours, one that nobody knows, and what they have issued. */
import { X509Certificate } from 'node:crypto';
import {
  createAuthority,
  createRevocationList,
  type Identity,
  issue,
} from '../../../src/certificates/authority.ts';
import { DAY, type Microseconds } from '../../../src/core/time.ts';
import type { TlsCredentials } from '../../../src/sources/stream/tls-handshakes.ts';

export type TestCertificates = {
  readonly authority: Identity;
  readonly server: Identity;
  readonly client: Identity;
  readonly revoked: Identity;
  readonly expired: Identity;
  readonly early: Identity;
  readonly stranger: Identity;
  readonly selfSigned: Identity;
  /** Names `revoked` only. */
  readonly revocationList: string;
};

const NOW: Microseconds = Date.now() * 1_000;

export async function makeCertificates(): Promise<TestCertificates> {
  const valid = { from: NOW - DAY, until: NOW + 30 * DAY };
  const authority = await createAuthority('authority of a test', valid);
  const strangers = await createAuthority('authority of strangers', valid);
  const clientOf = (name: string, by = authority, validity = valid) =>
    issue(by, { purpose: 'client', name, hostNames: [name], addresses: [], validity });
  const revoked = await clientOf('revoked');
  const { serialNumber } = new X509Certificate(revoked.certificate);
  return {
    authority,
    server: await makeServer(authority, 'log.example.net'),
    client: await clientOf('nas1'),
    revoked,
    expired: await clientOf('expired', authority, { from: NOW - 3 * DAY, until: NOW - DAY }),
    early: await clientOf('early', authority, { from: NOW + DAY, until: NOW + 3 * DAY }),
    stranger: await clientOf('stranger', strangers),
    selfSigned: await createAuthority('self-signed', valid),
    revocationList: await createRevocationList(authority, [{ serialNumber, at: NOW }], 1, valid),
  };
}

export function makeServer(authority: Identity, name: string, days = 30): Promise<Identity> {
  return issue(authority, {
    purpose: 'server',
    name,
    hostNames: [name, 'localhost'],
    addresses: ['127.0.0.1', '::1'],
    validity: { from: NOW - DAY, until: NOW + days * DAY },
  });
}

/** A listener's, which wants certificates of the authority; changes say more. */
export function credentialsOf(
  { server, authority, revocationList }: TestCertificates,
  changes: Partial<TlsCredentials> = {},
): TlsCredentials {
  return {
    ...server,
    clientCa: authority.certificate,
    requiresClientCertificate: true,
    revoked: revocationList,
    ...changes,
  };
}
