/**
 * A small certificate authority (RFC 5280): its own certificate, those of servers and clients, and the list of what it
 * has revoked. Keys are ECDSA on P-256, which every TLS library of the last ten years takes, and which costs a server a
 * twentieth of what RSA does.
 */
import { createHash, createPrivateKey, webcrypto, X509Certificate } from 'node:crypto';
import * as asn1 from 'asn1js';
import * as pki from 'pkijs';
import { type Address, familyOf } from '../core/address/address.ts';
import type { Microseconds } from '../core/time.ts';

/** A certificate and the key that belongs to it, in PEM. */
export type Identity = { readonly certificate: string; readonly key: string };

/** From when until when a certificate is valid; certificates hold whole seconds. */
export type Validity = { readonly from: Microseconds; readonly until: Microseconds };

export type CertificateRequest = {
  readonly purpose: 'server' | 'client';
  /** The subject's common name. */
  readonly name: string;
  /** Names and addresses that it is valid for (subjectAltName). */
  readonly hostNames: readonly string[];
  readonly addresses: readonly Address[];
  readonly validity: Validity;
};

/** A certificate that is no longer believed. */
export type Revocation = { readonly serialNumber: string; readonly at: Microseconds };

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const HASH = 'SHA-256';

/** RFC 5280 section 4.1.2.2 allows 20, of which the first bit must not be set. */
const SERIAL_BYTES = 16;

const OID = {
  commonName: '2.5.4.3',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  crlNumber: '2.5.29.20',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuthentication: '1.3.6.1.5.5.7.3.1',
  clientAuthentication: '1.3.6.1.5.5.7.3.2',
} as const;

/** Bits of KeyUsage (RFC 5280 section 4.2.1.3), the first in the highest. */
const KEY_USAGE = { digitalSignature: 0x80, keyCertSign: 0x04, crlSign: 0x02 } as const;

/** GeneralName (RFC 5280 section 4.2.1.6). */
const DNS_NAME = 2;
const IP_ADDRESS = 7;

/** An authority that has signed itself. */
export async function createAuthority(name: string, validity: Validity): Promise<Identity> {
  const keys = await createKeys();
  const subject = subjectOf(name);
  const certificate = await begin(subject, subject, keys, validity);
  certificate.extensions = [
    extension(OID.basicConstraints, true, new pki.BasicConstraints({ cA: true, pathLenConstraint: 0 })),
    keyUsage(KEY_USAGE.keyCertSign | KEY_USAGE.crlSign),
    subjectKeyIdentifier(certificate),
  ];
  await certificate.sign(keys.privateKey, HASH);
  return finish(certificate, keys);
}

/** A certificate signed by `authority`. */
export async function issue(authority: Identity, request: CertificateRequest): Promise<Identity> {
  const issuer = parseCertificate(authority);
  const keys = await createKeys();
  const certificate = await begin(issuer.subject, subjectOf(request.name), keys, request.validity);
  const purpose = request.purpose === 'server' ? OID.serverAuthentication : OID.clientAuthentication;
  certificate.extensions = [
    extension(OID.basicConstraints, true, new pki.BasicConstraints({ cA: false })),
    keyUsage(KEY_USAGE.digitalSignature),
    extension(OID.extendedKeyUsage, false, new pki.ExtKeyUsage({ keyPurposes: [purpose] })),
    extension(OID.subjectAltName, false, new pki.GeneralNames({ names: generalNames(request) })),
    subjectKeyIdentifier(certificate),
    authorityKeyIdentifier(issuer),
  ];
  await certificate.sign(await signingKeyOf(authority), HASH);
  return finish(certificate, keys);
}

/** The list of everything that `authority` has revoked, in PEM. `number` grows from list to list. */
export async function createRevocationList(
  authority: Identity,
  revocations: readonly Revocation[],
  number: number,
  validity: Validity,
): Promise<string> {
  const issuer = parseCertificate(authority);
  const list = new pki.CertificateRevocationList({
    version: 1,
    issuer: issuer.subject,
    thisUpdate: timeOf(validity.from),
    nextUpdate: timeOf(validity.until),
    crlExtensions: new pki.Extensions({
      extensions: [
        authorityKeyIdentifier(issuer),
        encodedExtension(OID.crlNumber, false, new asn1.Integer({ value: number })),
      ],
    }),
  });
  // An empty list must be left out (RFC 5280 section 5.1.2.6).
  if (revocations.length > 0) list.revokedCertificates = revocations.map(toRevoked);
  await list.sign(await signingKeyOf(authority), HASH);
  return toPem('X509 CRL', Buffer.from(list.toSchema().toBER()));
}

/** What a list in PEM says. Throws when it is none. */
export function readRevocationList(pem: string): {
  readonly revocations: readonly Revocation[];
  readonly number: number;
} {
  const body = /-----BEGIN X509 CRL-----([^-]+)-----END X509 CRL-----/.exec(pem)?.[1] ?? '';
  const list = pki.CertificateRevocationList.fromBER(new Uint8Array(Buffer.from(body, 'base64')));
  const number = list.crlExtensions?.extensions.find(({ extnID }) => extnID === OID.crlNumber)?.parsedValue;
  return {
    revocations: (list.revokedCertificates ?? []).map(({ userCertificate, revocationDate }) => ({
      serialNumber: Buffer.from(userCertificate.valueBlock.valueHexView).toString('hex').toUpperCase(),
      at: revocationDate.value.getTime() * 1_000,
    })),
    number: number instanceof asn1.Integer ? number.valueBlock.valueDec : 0,
  };
}

async function createKeys(): Promise<webcrypto.CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
}

async function begin(
  issuer: pki.RelativeDistinguishedNames,
  subject: pki.RelativeDistinguishedNames,
  keys: webcrypto.CryptoKeyPair,
  validity: Validity,
): Promise<pki.Certificate> {
  const certificate = new pki.Certificate({
    version: 2,
    serialNumber: new asn1.Integer({ valueHex: createSerialNumber() }),
    issuer,
    subject,
    notBefore: timeOf(validity.from),
    notAfter: timeOf(validity.until),
  });
  await certificate.subjectPublicKeyInfo.importKey(keys.publicKey);
  return certificate;
}

async function finish(certificate: pki.Certificate, keys: webcrypto.CryptoKeyPair): Promise<Identity> {
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    certificate: toPem('CERTIFICATE', Buffer.from(certificate.toSchema(true).toBER())),
    key: toPem('PRIVATE KEY', Buffer.from(key)),
  };
}

function parseCertificate({ certificate }: Identity): pki.Certificate {
  return pki.Certificate.fromBER(new Uint8Array(new X509Certificate(certificate).raw));
}

/** Throws when the key is none of ours: another program's authority may have any kind of key. */
async function signingKeyOf({ key }: Identity): Promise<webcrypto.CryptoKey> {
  const pkcs8 = createPrivateKey(key).export({ type: 'pkcs8', format: 'der' });
  return (await webcrypto.subtle.importKey('pkcs8', pkcs8, CURVE, false, ['sign'])) as webcrypto.CryptoKey;
}

/** Positive, never zero, and not to be guessed before it is issued. */
function createSerialNumber(): Uint8Array<ArrayBuffer> {
  const bytes = webcrypto.getRandomValues(new Uint8Array(SERIAL_BYTES));
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes;
}

function toRevoked({ serialNumber, at }: Revocation): pki.RevokedCertificate {
  const valueHex = new Uint8Array(Buffer.from(serialNumber, 'hex'));
  return new pki.RevokedCertificate({
    userCertificate: new asn1.Integer({ valueHex }),
    revocationDate: timeOf(at),
  });
}

function subjectOf(name: string): pki.RelativeDistinguishedNames {
  const value = new asn1.Utf8String({ value: name });
  const typesAndValues = [new pki.AttributeTypeAndValue({ type: OID.commonName, value })];
  return new pki.RelativeDistinguishedNames({ typesAndValues });
}

/** Until 2049 as UTCTime, later as GeneralizedTime (RFC 5280 section 4.1.2.5), in whole seconds. */
function timeOf(at: Microseconds): pki.Time {
  const value = new Date(Math.floor(at / 1_000_000) * 1_000);
  const type = value.getUTCFullYear() < 2050 ? pki.TimeType.UTCTime : pki.TimeType.GeneralizedTime;
  return new pki.Time({ type, value });
}

function extension(extnID: string, critical: boolean, value: { toSchema(): asn1.BaseBlock }): pki.Extension {
  return encodedExtension(extnID, critical, value.toSchema());
}

function encodedExtension(extnID: string, critical: boolean, value: asn1.BaseBlock): pki.Extension {
  return new pki.Extension({ extnID, critical, extnValue: value.toBER() });
}

function keyUsage(bits: number): pki.Extension {
  let unusedBits = 0;
  while (((bits >> unusedBits) & 1) === 0) unusedBits++;
  const value = new asn1.BitString({ valueHex: new Uint8Array([bits]), unusedBits });
  return encodedExtension(OID.keyUsage, true, value);
}

function subjectKeyIdentifier(certificate: pki.Certificate): pki.Extension {
  const value = new asn1.OctetString({ valueHex: keyIdentifierOf(certificate) });
  return encodedExtension(OID.subjectKeyIdentifier, false, value);
}

function authorityKeyIdentifier(issuer: pki.Certificate): pki.Extension {
  const keyIdentifier = new asn1.OctetString({ valueHex: keyIdentifierOf(issuer) });
  return extension(OID.authorityKeyIdentifier, false, new pki.AuthorityKeyIdentifier({ keyIdentifier }));
}

/** The first of the ways in RFC 5280 section 4.2.1.2. */
function keyIdentifierOf({ subjectPublicKeyInfo }: pki.Certificate): Uint8Array<ArrayBuffer> {
  const key = subjectPublicKeyInfo.subjectPublicKey.valueBlock.valueHexView;
  return new Uint8Array(createHash('sha1').update(key).digest());
}

function generalNames({ hostNames, addresses }: CertificateRequest): pki.GeneralName[] {
  return [
    ...hostNames.map((value) => new pki.GeneralName({ type: DNS_NAME, value })),
    ...addresses.map((address) => {
      const value = new asn1.OctetString({ valueHex: bytesOf(address) });
      return new pki.GeneralName({ type: IP_ADDRESS, value });
    }),
  ];
}

function bytesOf(address: Address): Uint8Array<ArrayBuffer> {
  if (familyOf(address) === 4) return new Uint8Array(address.split('.').map(Number));
  const [head = '', tail = ''] = address.split('::');
  const [left, right] = [head, tail].map((part) => (part === '' ? [] : part.split(':')));
  const missing = 8 - (left?.length ?? 0) - (right?.length ?? 0);
  const groups = [...(left ?? []), ...Array<string>(missing).fill('0'), ...(right ?? [])];
  return new Uint8Array(
    groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]),
  );
}

/** RFC 7468. */
function toPem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
