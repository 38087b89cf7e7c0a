/** How many connections a listener has open, of whom, and whether there may be one more. */
import type { LimitName } from '../../core/limit.ts';

export type ConnectionLimits = {
  readonly maxConnections: number;
  readonly maxConnectionsPerSender: number;
};

export class ConnectionCount {
  #limits: ConnectionLimits;
  readonly #ofPeer = new Map<string, number>();
  #open = 0;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** For connections to come. */
  setLimits(limits: ConnectionLimits): void {
    this.#limits = limits;
  }

  /** Counts one more of `peer`, a canonical address; or says which limit it would exceed, the peer's own first. */
  enter(peer: string): LimitName | null {
    const ofPeer = this.#ofPeer.get(peer) ?? 0;
    if (ofPeer >= this.#limits.maxConnectionsPerSender) return 'connections-per-sender';
    if (this.#open >= this.#limits.maxConnections) return 'connections';
    this.#open++;
    this.#ofPeer.set(peer, ofPeer + 1);
    return null;
  }

  /** One that has entered is closed. */
  leave(peer: string): void {
    this.#open--;
    const left = (this.#ofPeer.get(peer) ?? 0) - 1;
    if (left > 0) this.#ofPeer.set(peer, left);
    else this.#ofPeer.delete(peer);
  }
}
