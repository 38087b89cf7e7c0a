/**
 * From accepted connections to TLS connections whose clients are known (RFC 5425). Anybody can begin a handshake, and
 * each costs a signature: so many are under way at once, in so much time, and begin in a second.
 */
import { constants, X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { createSecureContext, createServer, type Server, type TLSSocket } from 'node:tls';
import type { LimitName } from '../core/event.ts';
import type { Clock } from '../core/time.ts';
import { RateLimiter } from '../syslog/message-rate.ts';
import {
  CLOSED,
  explainHandshake,
  explainVerification,
  type HandshakeFailure,
  NO_CERTIFICATE,
} from './handshake-failure.ts';

/** What a listener shows, and whom it believes; contents in PEM. */
export type TlsCredentials = {
  /** With the chain that it needs. */
  readonly certificate: string;
  readonly key: string;
  /** Null when clients are asked for no certificate. */
  readonly clientCa: string | null;
  readonly requiresClientCertificate: boolean;
  readonly revoked: string | null;
};

export type HandshakesOptions = {
  readonly credentials: TlsCredentials;
  readonly clock: Clock;
  /** `names` are those of the client's certificate, in lower case; empty when it has shown none. */
  readonly onSecured: (socket: TLSSocket, raw: Socket, names: readonly string[]) => void;
  readonly onFailed: (raw: Socket, failure: HandshakeFailure) => void;
  readonly onLimit: (raw: Socket, limit: LimitName, what: string) => void;
  /** In place of HANDSHAKE_TIMEOUT_MILLISECONDS and MAX_HANDSHAKES. */
  readonly timeoutMilliseconds?: number;
  readonly maxHandshakes?: number;
};

/** An honest client on a bad line needs a second or two. */
export const HANDSHAKE_TIMEOUT_MILLISECONDS = 10_000;

/** Handshakes under way; for one more the oldest is broken off, since honest ones do not grow old. */
export const MAX_HANDSHAKES = 256;

/** Some 0.4 ms each with ECDSA, so that nobody can keep us busy with them. */
export const HANDSHAKES_PER_SECOND = { messagesPerSecond: 300, burst: 600 };

export class Handshakes {
  readonly #options: HandshakesOptions;
  readonly #rate = new RateLimiter(HANDSHAKES_PER_SECOND);
  /** By their four addresses, oldest first. */
  readonly #underWay = new Map<string, Socket>();
  #server: Server;

  /** Throws when the credentials do not go together. */
  constructor(options: HandshakesOptions) {
    this.#options = options;
    this.#server = this.#createServer(options.credentials);
  }

  /** For handshakes to come; connections that there are stay as they are. Throws as the constructor does. */
  setCredentials(credentials: TlsCredentials): void {
    this.#server = this.#createServer(credentials);
  }

  /** Ends with one of `onSecured`, `onFailed` and `onLimit`; the connection has been destroyed but for the first. */
  begin(raw: Socket): void {
    const { maxHandshakes = MAX_HANDSHAKES, clock, onLimit } = this.#options;
    const endpoints = endpointsOf(raw);
    if (!this.#rate.take(clock.now())) {
      onLimit(raw, 'handshakes', 'TLS handshakes refused');
      raw.destroy();
      return;
    }
    const [oldest] = this.#underWay;
    if (oldest !== undefined && this.#underWay.size >= maxHandshakes) {
      this.#underWay.delete(oldest[0]);
      onLimit(oldest[1], 'handshakes', 'unfinished TLS handshakes broken off');
      oldest[1].destroy();
    }
    this.#underWay.set(endpoints, raw);
    raw.once('close', () => {
      if (this.#underWay.get(endpoints) === raw) this.#fail(endpoints, CLOSED);
    });
    this.#server.emit('connection', raw);
  }

  #createServer(credentials: TlsCredentials): Server {
    const { timeoutMilliseconds = HANDSHAKE_TIMEOUT_MILLISECONDS } = this.#options;
    const asksForCertificate = credentials.clientCa !== null;
    const server = createServer({
      ...contextOptions(credentials),
      requestCert: asksForCertificate,
      // A certificate that fails is explained below; to refuse it here would lose whose it was.
      rejectUnauthorized: false,
      handshakeTimeout: timeoutMilliseconds,
    });
    server.on('secureConnection', (socket) => this.#finish(socket, credentials));
    server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      this.#fail(endpointsOf(socket), explainHandshake(error.code ?? ''));
      socket.destroy();
    });
    return server;
  }

  #finish(socket: TLSSocket, credentials: TlsCredentials): void {
    socket.on('error', () => {});
    const endpoints = endpointsOf(socket);
    const raw = this.#underWay.get(endpoints);
    if (raw === undefined) {
      socket.destroy();
      return;
    }
    const failure = credentials.clientCa === null ? null : findFailure(socket, credentials);
    if (failure !== null) {
      this.#fail(endpoints, failure);
      return;
    }
    this.#underWay.delete(endpoints);
    this.#options.onSecured(socket, raw, credentials.clientCa === null ? [] : namesOf(socket));
  }

  #fail(endpoints: string, failure: HandshakeFailure): void {
    const raw = this.#underWay.get(endpoints);
    if (raw === undefined) return;
    this.#underWay.delete(endpoints);
    this.#options.onFailed(raw, failure);
    raw.destroy();
  }
}

/** Throws the error of OpenSSL when the credentials cannot be used. */
export function tryCredentials(credentials: TlsCredentials): void {
  createSecureContext(contextOptions(credentials));
}

function contextOptions({ certificate, key, clientCa, revoked }: TlsCredentials) {
  return {
    cert: certificate,
    key,
    ...(clientCa === null ? {} : { ca: clientCa }),
    ...(clientCa === null || revoked === null ? {} : { crl: revoked }),
    minVersion: 'TLSv1.2',
    // A resumed session would be believed without looking at its certificate again, which may be revoked by then.
    secureOptions: constants.SSL_OP_NO_TICKET,
  } as const;
}

/** What is wrong with what the client showed; null when nothing is. */
function findFailure(socket: TLSSocket, credentials: TlsCredentials): HandshakeFailure | null {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return credentials.requiresClientCertificate ? NO_CERTIFICATE : null;
  if (socket.authorized) return null;
  // Node.js has the code there, whatever its types say.
  const code = String(socket.authorizationError);
  const isOurs = code !== NO_REVOCATION_LIST || isIssuedByOneOf(certificate, credentials.clientCa ?? '');
  if (isOurs) return explainVerification(code);
  const isSelfSigned = certificate.checkIssued(certificate);
  return explainVerification(isSelfSigned ? 'DEPTH_ZERO_SELF_SIGNED_CERT' : 'UNABLE_TO_GET_ISSUER_CERT');
}

/** Of a stranger's certificate OpenSSL says in the end only that there is no revocation list of its authority. */
const NO_REVOCATION_LIST = 'UNABLE_TO_GET_CRL';

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function isIssuedByOneOf(certificate: X509Certificate, authorities: string): boolean {
  const known = authorities.match(PEM_CERTIFICATE) ?? [];
  return known.some((authority) => certificate.checkIssued(new X509Certificate(authority)));
}

/**
 * The DNS names of the certificate that the client showed and its CN; its fingerprint when it has none, so that
 * whoever has a certificate has a name. Empty without a certificate.
 */
function namesOf(socket: TLSSocket): readonly string[] {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return [];
  const { subject, subjectaltname = '' } = socket.getPeerCertificate();
  const commonNames = [subject.CN].flat().filter((name) => name !== undefined);
  const dnsNames = subjectaltname.split(', ').flatMap((part) => /^DNS:(.+)$/.exec(part)?.[1] ?? []);
  const names = [...dnsNames, ...commonNames].map((name) => name.toLowerCase()).filter(isCertificateName);
  return names.length === 0 ? [certificate.fingerprint256.toLowerCase()] : [...new Set(names)];
}

/** What a `[[sender]]` can be known by: a host name, or what looks like one. Node.js quotes anything peculiar. */
function isCertificateName(name: string): boolean {
  return /^[a-z0-9_*][a-z0-9_.*@ -]{0,252}$/.test(name);
}

/** Tells connections of a listener apart; '' as a part where the peer is gone. */
function endpointsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return [remoteAddress, remotePort, localAddress, localPort].join(' ');
}
