/** What the certificate of a TLS client says: whose it is, and whether it is believed still. */
import { X509Certificate } from 'node:crypto';
import { readRevokedSerials } from './revocation-list.ts';

/** Whom a listener believes; contents in PEM. */
export type TrustedAuthorities = {
  /** Null when clients are asked for no certificate. */
  readonly clientCa: string | null;
  /** Lists of what they have revoked. */
  readonly revoked: string | null;
};

/**
 * The names in a certificate that has been verified, in lower case: the DNS names of subjectAltName, else the CN (RFC
 * 6125 section 6.4.4: many an authority proves the former only), else its fingerprint, so that whoever has a
 * certificate has a name. Of several CNs nobody knows which was meant.
 */
export function namesOf(certificate: X509Certificate): readonly string[] {
  const { subject, subjectaltname = '' } = certificate.toLegacyObject();
  // Node.js escapes commas within a name, so that no name can look like two.
  const dnsNames = subjectaltname.split(', ').flatMap((part) => /^DNS:(.+)$/.exec(part)?.[1] ?? []);
  const commonNames = [subject.CN].flat().filter((name) => name !== undefined);
  const candidates = dnsNames.length > 0 ? dnsNames : commonNames.length === 1 ? commonNames : [];
  const names = candidates.filter(isCertificateName).map((name) => name.toLowerCase());
  return names.length === 0 ? [certificate.fingerprint256.toLowerCase()] : [...new Set(names)];
}

/**
 * What a `[[sender]]` can be known by: a host name, or what looks like one. Asked before letters are made small, since
 * there are some beyond ASCII whose small form is in it.
 */
function isCertificateName(name: string): boolean {
  return /^[A-Za-z0-9_*][A-Za-z0-9_.*@ -]{0,252}$/.test(name);
}

/** Whether one of the authorities has signed the certificate itself. */
export function isIssuedByOneOf(certificate: X509Certificate, authorities: string): boolean {
  const known = authorities.match(PEM_CERTIFICATE) ?? [];
  return known.some((authority) => certificate.checkIssued(new X509Certificate(authority)));
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Which of the certificates that were believed under `before` are no longer under `after`: what was revoked since, and
 * when the authorities are others, what none of them has signed itself. Of a longer chain that says too much; whoever
 * is in doubt has to show its certificate again.
 */
export function disbelief(
  before: TrustedAuthorities,
  after: TrustedAuthorities,
): (certificate: X509Certificate) => boolean {
  const { clientCa, revoked } = after;
  const serials = revoked === null || revoked === before.revoked ? null : readRevokedSerials(revoked);
  const authorities = clientCa === before.clientCa ? null : clientCa;
  return (certificate) =>
    serials?.has(serialOf(certificate)) === true ||
    (authorities !== null && !isIssuedByOneOf(certificate, authorities));
}

/** RFC 5280 forbids negative ones, and wants them handled: authorities that set the first bit have issued them. */
function serialOf({ serialNumber }: X509Certificate): bigint {
  const [, sign, digits] = /^(-?)(.*)$/.exec(serialNumber) ?? [];
  const value = BigInt(`0x${digits}`);
  return sign === '-' ? -value : value;
}
