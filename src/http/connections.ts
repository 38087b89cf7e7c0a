/**
 * The connections of one HTTP server: how many there may be, in all and of one peer, and which has to make room for a
 * new one. That is the one that has waited longest for its client to send a request or to read an answer; one whose
 * answer is being made stays.
 */
import type { Socket } from 'node:net';
import { familyOf, maskAddress, parseAddress } from '../core/address/address.ts';
import type { Emit } from '../core/event.ts';
import type { LimitName } from '../core/limit.ts';
import { readPeerUser } from '../native/socket-calls.ts';
import { Tally } from '../senders/tally.ts';
import type { Occupation } from './request-gate.ts';

export type ConnectionLimits = {
  readonly maxConnections: number;
  /** Of an address, of IPv6 a /64; on a unix socket of a user. */
  readonly maxConnectionsPerPeer: number;
};

/** For a server on TCP. Prometheus and supervisors have one each. */
export const TCP_LIMITS: ConnectionLimits = { maxConnections: 64, maxConnectionsPerPeer: 16 };

/** For the control socket. Scripts of one user may ask at the same time; something is left for the others. */
export const SOCKET_LIMITS: ConnectionLimits = { maxConnections: 64, maxConnectionsPerPeer: 48 };

/** Of IPv6 whoever has one address has a /64 of them (RFC 6177). */
const INET6_PEER_LENGTH = 64;

export type ConnectionsOptions = ConnectionLimits & {
  /** For people, in events: `the control socket`. */
  readonly name: string;
  readonly emit: Emit;
};

export type Connection = {
  readonly socket: Socket;
  /** Its four addresses, as a connection over TLS has them too. */
  readonly endpoints: string;
  /** Who it is; '' when that cannot be known. */
  readonly peer: string;
  occupation: Occupation;
};

export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #tally: Tally;
  /** Those that have done longest what they do come first. */
  readonly #open = new Set<Connection>();

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#tally = new Tally(options.emit);
  }

  /** Takes a connection of a peer in, if need be in place of another one; null when it had to be closed. */
  enter(socket: Socket, peer: string): Connection | null {
    if (!this.#makeRoom(peer)) {
      socket.destroy();
      return null;
    }
    const connection: Connection = { socket, endpoints: endpointsOf(socket), peer, occupation: 'waiting' };
    this.#open.add(connection);
    socket.once('close', () => this.#open.delete(connection));
    return connection;
  }

  /** The connection that carries a TLS connection; null when it had to make room meanwhile. */
  below(secured: Socket): Connection | null {
    const endpoints = endpointsOf(secured);
    for (const connection of this.#open) if (connection.endpoints === endpoints) return connection;
    return null;
  }

  occupy(connection: Connection, occupation: Occupation): void {
    connection.occupation = occupation;
    if (this.#open.delete(connection)) this.#open.add(connection);
  }

  closeAll(): void {
    for (const { socket } of this.#open) socket.destroy();
  }

  /** Tells of a limit that a connection has met. */
  report(limit: LimitName, peer: string, what: string): void {
    this.#tally.add(limit, peer, (who, count) => ({
      kind: 'limit',
      limit,
      detail: `${this.#options.name}: ${what}, of ${who || 'several clients'}`,
      count,
    }));
  }

  /** False when there is no room for one more of this peer. */
  #makeRoom(peer: string): boolean {
    const { maxConnections, maxConnectionsPerPeer } = this.#options;
    const counts = this.#counts();
    const own = counts.get(peer) ?? 0;
    const isOverOwn = peer !== '' && own >= maxConnectionsPerPeer;
    if (!isOverOwn && this.#open.size < maxConnections) return true;
    const limit = isOverOwn ? 'http-connections-per-peer' : 'http-connections';
    const victim = this.#findVictim(counts, isOverOwn ? peer : null, own);
    if (victim === null) {
      this.report(limit, peer, 'connections refused');
      return false;
    }
    this.#open.delete(victim);
    victim.socket.destroy();
    this.report(limit, victim.peer, 'connections closed to make room');
    return true;
  }

  /** Of the peer that holds most; of `peer` alone unless it is null, else of those with no fewer than `own`. */
  #findVictim(counts: ReadonlyMap<string, number>, peer: string | null, own: number): Connection | null {
    const heldBy = (whose: string): number => counts.get(whose) ?? 0;
    let victim: Connection | null = null;
    for (const connection of this.#open) {
      if (connection.occupation === 'answering') continue;
      if (peer === null ? heldBy(connection.peer) < own : connection.peer !== peer) continue;
      if (victim === null || heldBy(connection.peer) > heldBy(victim.peer)) victim = connection;
    }
    return victim;
  }

  #counts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { peer } of this.#open) counts.set(peer, (counts.get(peer) ?? 0) + 1);
    return counts;
  }
}

/** Who is on the other end: an address, of IPv6 its network, or the user of a unix socket; '' when nobody knows. */
export function peerOf(socket: Socket): string {
  const address = parseAddress(socket.remoteAddress ?? '');
  if (address !== null) return familyOf(address) === 6 ? maskAddress(address, INET6_PEER_LENGTH) : address;
  const user = readPeerUser(descriptorOf(socket));
  return user === null ? '' : `user ${user}`;
}

function endpointsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return [remoteAddress, remotePort, localAddress, localPort].join(' ');
}

/** Node.js keeps it to itself; -1 when the connection has gone. */
function descriptorOf(socket: Socket): number {
  return (socket as unknown as { readonly _handle?: { readonly fd?: number } | null })._handle?.fd ?? -1;
}
