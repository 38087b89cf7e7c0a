/**
 * From accepted connections to TLS connections whose clients are known (RFC 5425). Anybody can begin a handshake, and
 * each costs a signature: so many are under way at once, in so much time, and begin in a second (handshake-rate.ts).
 */
import { constants, type X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { createSecureContext, createServer, type Server, type TLSSocket } from 'node:tls';
import type { Address } from '../../core/address/address.ts';
import type { LimitName } from '../../core/limit.ts';
import type { Clock } from '../../core/time.ts';
import { disbelief, isIssuedByOneOf, type TrustedAuthorities } from './client-certificate.ts';
import {
  CLOSED,
  explainHandshake,
  explainVerification,
  type HandshakeFailure,
  NO_CERTIFICATE,
  REVOKED,
} from './handshake-failure.ts';
import { HandshakeRate } from './handshake-rate.ts';

/** What a listener shows, and whom it believes; contents in PEM. */
export type TlsCredentials = TrustedAuthorities & {
  /** With the chain that it needs. */
  readonly certificate: string;
  readonly key: string;
  readonly requiresClientCertificate: boolean;
};

export type HandshakesOptions = {
  readonly credentials: TlsCredentials;
  readonly clock: Clock;
  /** `certificate` is what the client has shown, and has been verified; null when it has shown none. */
  readonly onSecured: (socket: TLSSocket, raw: Socket, certificate: X509Certificate | null) => void;
  readonly onFailed: (raw: Socket, failure: HandshakeFailure) => void;
  readonly onLimit: (raw: Socket, limit: LimitName, what: string) => void;
  /** In place of HANDSHAKE_TIMEOUT_MILLISECONDS and MAX_HANDSHAKES. */
  readonly timeoutMilliseconds?: number;
  readonly maxHandshakes?: number;
};

/** A handshake that has begun. */
export type UnderWay = { readonly raw: Socket; readonly peer: Address };

/** An honest client on a bad line needs a second or two. */
export const HANDSHAKE_TIMEOUT_MILLISECONDS = 10_000;

/** Handshakes under way; for one more the oldest is broken off, since honest ones do not grow old. */
export const MAX_HANDSHAKES = 256;

export class Handshakes {
  readonly #options: HandshakesOptions;
  readonly #rate = new HandshakeRate();
  /** By their four addresses, oldest first. */
  readonly #underWay = new Map<string, UnderWay>();
  #credentials: TlsCredentials;
  #server: Server;

  /** Throws when the credentials do not go together. */
  constructor(options: HandshakesOptions) {
    this.#options = options;
    this.#credentials = options.credentials;
    this.#server = this.#createServer(options.credentials);
  }

  /** For handshakes to come; those under way end by whom is believed then. Throws as the constructor does. */
  setCredentials(credentials: TlsCredentials): void {
    this.#server = this.#createServer(credentials);
    this.#credentials = credentials;
  }

  /** Whether a handshake of `peer` may begin now, which is counted; ask before `begin`. '' is one that has gone. */
  admits(peer: Address | ''): boolean {
    return peer === '' || this.#rate.admits(peer, this.#options.clock.now());
  }

  /**
   * Ends with one of `onSecured`, `onFailed` and `onLimit`; the connection has been destroyed but for the first. `peer`
   * is '' when it has gone already.
   */
  begin(raw: Socket, peer: Address | ''): void {
    const { maxHandshakes = MAX_HANDSHAKES, onFailed } = this.#options;
    const endpoints = endpointsOf(raw);
    if (peer === '') {
      onFailed(raw, CLOSED);
      raw.destroy();
      return;
    }
    if (this.#underWay.size >= maxHandshakes) this.breakOffOldest(null);
    this.#underWay.set(endpoints, { raw, peer });
    raw.once('close', () => {
      if (this.#underWay.get(endpoints)?.raw === raw) this.#fail(endpoints, CLOSED);
    });
    this.#server.emit('connection', raw);
  }

  /** Breaks off the oldest handshake, that of `peer` unless it is null, and returns it; null when there is none. */
  breakOffOldest(peer: Address | null): UnderWay | null {
    for (const [endpoints, handshake] of this.#underWay) {
      if (peer === null || handshake.peer === peer) return this.#breakOff(endpoints, handshake);
    }
    return null;
  }

  #breakOff(endpoints: string, handshake: UnderWay): UnderWay {
    this.#underWay.delete(endpoints);
    this.#options.onLimit(handshake.raw, 'handshakes', 'unfinished TLS handshakes broken off');
    handshake.raw.destroy();
    return handshake;
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
    const raw = this.#underWay.get(endpoints)?.raw;
    if (raw === undefined) {
      socket.destroy();
      return;
    }
    const certificate = credentials.clientCa === null ? undefined : socket.getPeerX509Certificate();
    const failure =
      findFailure(socket, certificate, credentials) ?? this.#findChange(certificate, credentials);
    if (failure !== null) {
      this.#fail(endpoints, failure);
      return;
    }
    this.#underWay.delete(endpoints);
    this.#options.onSecured(socket, raw, certificate ?? null);
  }

  /** What is wrong by now with what was in order under the credentials that the handshake began with. */
  #findChange(certificate: X509Certificate | undefined, before: TlsCredentials): HandshakeFailure | null {
    const after = this.#credentials;
    if (certificate === undefined) return after.requiresClientCertificate ? NO_CERTIFICATE : null;
    return disbelief(before, after)(certificate) ? REVOKED : null;
  }

  #fail(endpoints: string, failure: HandshakeFailure): void {
    const raw = this.#underWay.get(endpoints)?.raw;
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
function findFailure(
  socket: TLSSocket,
  certificate: X509Certificate | undefined,
  credentials: TlsCredentials,
): HandshakeFailure | null {
  if (certificate === undefined || socket.authorized) return null;
  // Node.js has the code there, whatever its types say.
  const code = String(socket.authorizationError);
  const isOurs = code !== NO_REVOCATION_LIST || isIssuedByOneOf(certificate, credentials.clientCa ?? '');
  if (isOurs) return explainVerification(code);
  const isSelfSigned = certificate.checkIssued(certificate);
  return explainVerification(isSelfSigned ? 'DEPTH_ZERO_SELF_SIGNED_CERT' : 'UNABLE_TO_GET_ISSUER_CERT');
}

/** Of a stranger's certificate OpenSSL says in the end only that there is no revocation list of its authority. */
const NO_REVOCATION_LIST = 'UNABLE_TO_GET_CRL';

/** Tells connections of a listener apart; '' as a part where the peer is gone. */
function endpointsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return [remoteAddress, remotePort, localAddress, localPort].join(' ');
}
