/**
 * The connections of a listener: how many there may be, of whom, and which has to make room for a new one. Of IPv6
 * whoever has one address has a /64 of them, so connections that have said nothing are counted by that; those that
 * speak by their address, as a /64 may be a whole network of honest senders.
 */
import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { type Address, familyOf, maskAddress, type Network } from '../../core/address/address.ts';
import type { LimitName } from '../../core/limit.ts';
import type { Sender } from '../../senders/gate.ts';

export type ConnectionLimits = {
  readonly maxConnections: number;
  /** Of an address; and of those of a /64 that have said nothing. */
  readonly maxConnectionsPerSender: number;
};

export type Connection = {
  readonly raw: Socket;
  /** The peer's canonical address; '' when it has gone already. */
  readonly peer: Address | '';
  /** Its address, or its /64. */
  readonly network: Network | '';
  /** As it is since the last reload; null as long as it has not been let in. */
  sender: Sender | null;
  /** What its client has shown; null without one. */
  certificate: X509Certificate | null;
  /** When it was opened, or completed its last message: by `elapsed`. */
  since: number;
  messages: number;
};

/** RFC 6177: the least that anybody with IPv6 has. */
const INET6_NETWORK_LENGTH = 64;

/** A connection that has just been accepted. */
export function newConnection(
  raw: Socket,
  peer: Address | '',
  sender: Sender | null,
  at: number,
): Connection {
  const network = peer !== '' && familyOf(peer) === 6 ? maskAddress(peer, INET6_NETWORK_LENGTH) : peer;
  return { raw, peer, network, sender, certificate: null, since: at, messages: 0 };
}

export class ConnectionTable {
  #limits: ConnectionLimits;
  readonly #open = new Map<Socket, Connection>();
  /** Those that have said nothing, oldest first. */
  readonly #silentOnes = new Set<Connection>();
  readonly #ofPeer = new Counts();
  readonly #ofNetwork = new Counts();
  /** Of a network, those that have said nothing. */
  readonly #silent = new Counts();

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** For connections to come. */
  setLimits(limits: ConnectionLimits): void {
    this.#limits = limits;
  }

  [Symbol.iterator](): IterableIterator<Connection> {
    return this.#open.values();
  }

  /** Null for one that has been closed. */
  get(raw: Socket): Connection | null {
    return this.#open.get(raw) ?? null;
  }

  /** Takes a connection in; or says which limit it would exceed, the peer's own first. */
  enter(connection: Connection): LimitName | null {
    const { raw, peer, network } = connection;
    const { maxConnections, maxConnectionsPerSender } = this.#limits;
    const isOverOwn = Math.max(this.#ofPeer.of(peer), this.#silent.of(network)) >= maxConnectionsPerSender;
    if (isOverOwn) return 'connections-per-sender';
    if (this.#open.size >= maxConnections) return 'connections';
    this.#open.set(raw, connection);
    this.#ofPeer.add(peer, 1);
    this.#ofNetwork.add(network, 1);
    this.#silent.add(network, 1);
    this.#silentOnes.add(connection);
    return null;
  }

  /** It has completed so many messages. */
  spoke(connection: Connection, messages: number, at: number): void {
    if (messages === 0) return;
    if (this.#silentOnes.delete(connection)) this.#silent.add(connection.network, -1);
    connection.messages += messages;
    connection.since = at;
  }

  /** A connection is closed. Safe to repeat. */
  leave(raw: Socket): void {
    const connection = this.#open.get(raw);
    if (connection === undefined) return;
    this.#open.delete(raw);
    this.#ofPeer.add(connection.peer, -1);
    this.#ofNetwork.add(connection.network, -1);
    if (this.#silentOnes.delete(connection)) this.#silent.add(connection.network, -1);
  }

  /**
   * Which connection is to be closed for one that has met a limit; null when none is. First what has said nothing,
   * strangers' before those of configured senders, then what a stranger says whose network has more than that of the
   * new one, or who stands in the way of a configured sender. Of these one of the network that has most, and there the
   * one whose last word is oldest. A configured sender that speaks is left alone.
   */
  victimOf(limit: LimitName, newcomer: Connection): Connection | null {
    const candidates = this.#silentOnes.size > 0 ? this.#silentOnes : this.#open.values();
    let victim: Connection | null = null;
    let highest = 0;
    let looks = 0;
    for (const connection of candidates) {
      if (++looks > MAX_LOOKS) break;
      const rank =
        limit === 'connections' ? this.#rank(connection, newcomer) : this.#rankOfOwn(connection, newcomer);
      if (rank === 0 || rank < highest) continue;
      if (victim !== null && rank === highest && connection.since >= victim.since) continue;
      victim = connection;
      highest = rank;
    }
    return victim;
  }

  /** 0 for one that stays. */
  #rank(connection: Connection, newcomer: Connection): number {
    const held = this.#ofNetwork.of(connection.network);
    if (connection.messages === 0) return held + (isKnown(connection) ? 1 : 2) * MORE_THAN_ALL;
    if (isKnown(connection)) return 0;
    return isKnown(newcomer) || held > this.#ofNetwork.of(newcomer.network) + 1 ? held : 0;
  }

  #rankOfOwn(connection: Connection, newcomer: Connection): number {
    if (connection.messages > 0) return 0;
    const isPeerFull = this.#ofPeer.of(newcomer.peer) >= this.#limits.maxConnectionsPerSender;
    const isOwn = isPeerFull ? connection.peer === newcomer.peer : connection.network === newcomer.network;
    return isOwn ? 1 : 0;
  }
}

/** The oldest are enough to choose from: each newcomer to a listener that is full has them looked at. */
const MAX_LOOKS = 1_000;

/** Than connections that there can be. */
const MORE_THAN_ALL = 1e9;

/** Whether somebody has said who it is: the configuration, or an authority. */
function isKnown({ sender, certificate }: Connection): boolean {
  return certificate !== null || (sender !== null && sender.name !== '');
}

class Counts {
  readonly #counts = new Map<string, number>();

  of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  add(key: string, change: number): void {
    const count = this.of(key) + change;
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
  }
}
