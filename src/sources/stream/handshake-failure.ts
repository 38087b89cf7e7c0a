/** What the codes of OpenSSL say of a TLS handshake that came to nothing, in words that help whoever reads them. */
import type { HandshakeFailureReason } from '../../core/event.ts';

export type HandshakeFailure = {
  readonly reason: HandshakeFailureReason;
  /** What follows "TLS handshake of 192.0.2.7 failed: ". Nothing of it comes from the peer. */
  readonly detail: string;
  readonly advice: string;
};

export const NO_CERTIFICATE: HandshakeFailure = {
  reason: 'no-certificate',
  detail: 'it showed no certificate',
  advice: 'give it one: bailiff tls issue NAME; or set client_certificate = "optional"',
};

export const CLOSED: HandshakeFailure = {
  reason: 'closed',
  detail: 'it closed the connection in the middle',
  advice: 'see its own log: it may not believe our certificate',
};

const NOT_TLS: HandshakeFailure = {
  reason: 'not-tls',
  detail: 'it sent something that is not TLS, such as plain syslog',
  advice: 'switch TLS on in it, or have it send to a port of [syslog] tcp',
};

const OLD_PROTOCOL: HandshakeFailure = {
  reason: 'protocol-version',
  detail: 'it speaks no TLS of version 1.2 or later',
  advice: 'update it, or have it send to a port of [syslog] tcp over a network that you trust',
};

const NO_CIPHER: HandshakeFailure = {
  reason: 'no-shared-cipher',
  detail: 'it offers no cipher, curve or signature that we take',
  advice: 'update it; a certificate with an RSA key helps clients that know no ECDSA',
};

const SELF_SIGNED: HandshakeFailure = {
  reason: 'self-signed',
  detail: 'its certificate is self-signed',
  advice: 'give it one of the authority in client_ca: bailiff tls issue NAME',
};

const UNKNOWN_AUTHORITY: HandshakeFailure = {
  reason: 'unknown-authority',
  detail: 'its certificate is of an authority that is not in client_ca',
  advice: 'give it one of that authority (bailiff tls issue NAME), or add its authority to client_ca',
};

const REFUSED_BY_CLIENT: HandshakeFailure = {
  reason: 'refused-by-client',
  detail: 'it does not believe our certificate',
  advice:
    'give it the authority of our certificate (ca.crt), and reach us by a name that the certificate has',
};

const TIMEOUT: HandshakeFailure = {
  reason: 'timeout',
  detail: 'it did not come to an end in time',
  advice: 'something that waits for us to speak first is no syslog client; else see the network',
};

const EXPIRED: HandshakeFailure = {
  reason: 'expired',
  detail: 'its certificate has expired',
  advice: 'give it a new one: bailiff tls issue NAME; and see that our clock is right',
};

const NOT_YET_VALID: HandshakeFailure = {
  reason: 'not-yet-valid',
  detail: 'its certificate is not valid yet',
  advice: 'see that our clock, and that of the host that made the certificate, are right',
};

export const REVOKED: HandshakeFailure = {
  reason: 'revoked',
  detail: 'its certificate was revoked',
  advice: 'if it may send again, give it a new one: bailiff tls issue NAME',
};

const WRONG_PURPOSE: HandshakeFailure = {
  reason: 'wrong-purpose',
  detail: 'its certificate is not made for clients',
  advice: 'give it one that is: bailiff tls issue NAME',
};

const STALE_LIST: HandshakeFailure = {
  reason: 'revoked',
  detail:
    'the revocation list of its authority is missing or too old, so nobody can tell whether it was revoked',
  advice: 'bring the file of `revoked` in [syslog.tls_server] up to date',
};

/** Results of the verification, as X509_verify_cert_error_string(3) has them, without X509_V_ERR_. */
const VERIFICATION: ReadonlyMap<string, HandshakeFailure> = new Map([
  ['CERT_HAS_EXPIRED', EXPIRED],
  ['CERT_NOT_YET_VALID', NOT_YET_VALID],
  ['CERT_REVOKED', REVOKED],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', SELF_SIGNED],
  ['SELF_SIGNED_CERT_IN_CHAIN', UNKNOWN_AUTHORITY],
  ['UNABLE_TO_GET_ISSUER_CERT', UNKNOWN_AUTHORITY],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', UNKNOWN_AUTHORITY],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', UNKNOWN_AUTHORITY],
  ['CERT_SIGNATURE_FAILURE', UNKNOWN_AUTHORITY],
  ['INVALID_PURPOSE', WRONG_PURPOSE],
  ['UNABLE_TO_GET_CRL', STALE_LIST],
  ['CRL_HAS_EXPIRED', STALE_LIST],
  ['CRL_NOT_YET_VALID', STALE_LIST],
]);

/** Errors of the handshake itself: reasons of OpenSSL behind ERR_SSL_, and codes of Node.js. */
const HANDSHAKE: ReadonlyMap<string, HandshakeFailure> = new Map([
  ['WRONG_VERSION_NUMBER', NOT_TLS],
  ['HTTP_REQUEST', NOT_TLS],
  ['HTTPS_PROXY_REQUEST', NOT_TLS],
  ['PACKET_LENGTH_TOO_LONG', NOT_TLS],
  ['UNEXPECTED_MESSAGE', NOT_TLS],
  ['BAD_RECORD_TYPE', NOT_TLS],
  ['UNSUPPORTED_PROTOCOL', OLD_PROTOCOL],
  ['VERSION_TOO_LOW', OLD_PROTOCOL],
  ['INAPPROPRIATE_FALLBACK', OLD_PROTOCOL],
  ['NO_SHARED_CIPHER', NO_CIPHER],
  ['NO_SUITABLE_KEY_SHARE', NO_CIPHER],
  ['NO_SUITABLE_SIGNATURE_ALGORITHM', NO_CIPHER],
  ['NO_SHARED_SIGNATURE_ALGORITHMS', NO_CIPHER],
  ['NO_SHARED_GROUP', NO_CIPHER],
  ['PEER_DID_NOT_RETURN_A_CERTIFICATE', NO_CERTIFICATE],
]);

/** What the client said, in an alert, when it gave up (RFC 8446 section 6.2). */
const CLIENT_ALERT =
  /ALERT_(?:BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_|UNKNOWN_CA|ACCESS_DENIED)/;

/** Of a certificate that was shown and not believed; `code` is what the verification says. */
export function explainVerification(code: string): HandshakeFailure {
  return (
    VERIFICATION.get(code) ?? {
      reason: 'other',
      detail: `its certificate cannot be verified (${wordOf(code)})`,
      advice: 'give it one of the authority in client_ca: bailiff tls issue NAME',
    }
  );
}

/** Of a handshake that broke off; `code` is that of the error. */
export function explainHandshake(code: string): HandshakeFailure {
  const known = HANDSHAKE.get(code.replace(/^ERR_SSL_/, ''));
  if (known !== undefined) return known;
  if (CLIENT_ALERT.test(code)) return REFUSED_BY_CLIENT;
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return TIMEOUT;
  if (code === 'ECONNRESET' || code === 'EPIPE') return CLOSED;
  return { reason: 'other', detail: `the handshake broke off (${wordOf(code)})`, advice: '' };
}

/** Codes are words of libraries; nothing else gets into a line. */
function wordOf(code: string): string {
  return /^[\w/ .-]{1,80}$/.test(code) ? code : 'no code';
}
