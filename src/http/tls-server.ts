/** An HTTPS server that can be stopped while clients are still shaking hands, and that answers none which cannot. */
import type { RequestListener, ServerOptions } from 'node:http';
import { Server } from 'node:https';
import type { Socket } from 'node:net';

/** In PEM: the certificate with its chain, and the key that belongs to it. */
export type TlsIdentity = { readonly certificate: string; readonly key: string };

/** How long a client may take to shake hands. Node.js gives it two minutes. */
const HANDSHAKE_TIMEOUT_MILLISECONDS = 5_000;

/** A server that does not listen yet. Throws the system's error when the two do not go together. */
export function createTlsServer(
  identity: TlsIdentity,
  handler: RequestListener,
  limits: ServerOptions,
): Server {
  return new TlsServer(identity, handler, limits);
}

class TlsServer extends Server {
  readonly #sockets = new Set<Socket>();

  constructor({ certificate, key }: TlsIdentity, handler: RequestListener, limits: ServerOptions) {
    super(
      {
        ...limits,
        cert: certificate,
        key,
        minVersion: 'TLSv1.2',
        handshakeTimeout: HANDSHAKE_TIMEOUT_MILLISECONDS,
      },
      handler,
    );
    this.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    // Node.js would hand the failure of a handshake on as a bad request, and an answer to that waits for ever.
    this.removeAllListeners('tlsClientError');
    this.on('tlsClientError', (_error, socket) => socket.destroy());
  }

  /** Those too that have not shaken hands, which Node.js does not count among its connections. */
  override closeAllConnections(): void {
    super.closeAllConnections();
    for (const socket of this.#sockets) socket.destroy();
  }
}
