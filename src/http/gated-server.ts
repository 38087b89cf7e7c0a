/** An HTTP or HTTPS server whose connections are limited, and have one request at a time. */
import type { RequestListener, Server, ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Emit } from '../core/event.ts';
import { type Connection, type ConnectionLimits, Connections, peerOf } from './connections.ts';
import { createServer } from './node-http.ts';
import { RequestGate } from './request-gate.ts';
import { createTlsServer, type TlsIdentity } from './tls-server.ts';

export type GatedServerOptions = {
  /** For people, in events. */
  readonly name: string;
  readonly emit: Emit;
  readonly limits: ConnectionLimits;
  readonly readTimeoutMilliseconds?: number | undefined;
  readonly tls?: TlsIdentity;
};

/** A server that does not listen yet. */
export function createGatedServer(
  options: GatedServerOptions,
  http: ServerOptions,
  handler: RequestListener,
): Server {
  const { name, emit, limits, tls } = options;
  const connections = new Connections({ name, emit, ...limits });
  const serve: RequestListener = (request, response) => {
    (request.socket as unknown as RequestGate).begin(request, response);
    handler(request, response);
  };
  const gate = (socket: Socket, connection: Connection): RequestGate =>
    new RequestGate(socket, {
      onOccupied: (occupation) => connections.occupy(connection, occupation),
      onPipelined: () =>
        connections.report(
          'pipelined-requests',
          connection.peer,
          'requests that wait for the answer to the one before',
        ),
      onAbandoned: () =>
        connections.report('unread-answers', connection.peer, 'connections whose answers nobody read closed'),
      readTimeoutMilliseconds: options.readTimeoutMilliseconds,
    });
  const server = tls === undefined ? createServer(http, serve) : createTlsServer(tls, serve, http);
  // Node.js would refuse what it does not know by itself, and the gate would not hear of it.
  server.on('checkExpectation', serve);
  interpose(server, 'connection', (socket) => {
    const connection = connections.enter(socket, peerOf(socket));
    if (connection === null || tls !== undefined) return connection === null ? null : socket;
    return gate(socket, connection);
  });
  if (tls !== undefined) {
    interpose(server, 'secureConnection', (socket) => {
      const connection = connections.below(socket);
      return connection === null ? null : gate(socket, connection);
    });
  }
  return server;
}

/** Hands the server's own listeners what `prepare` makes of a connection; nothing when that is null. */
function interpose(server: Server, event: string, prepare: (socket: Socket) => Duplex | null): void {
  const listeners = server.listeners(event);
  server.removeAllListeners(event);
  server.on(event, (socket: Socket) => {
    const prepared = prepare(socket);
    if (prepared !== null) for (const listener of listeners) listener.call(server, prepared);
  });
}
