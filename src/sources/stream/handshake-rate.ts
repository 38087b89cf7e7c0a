/**
 * How many TLS handshakes may begin, so that nobody can keep us busy with them, and nobody by himself keeps the others
 * out: each peer has a few of its own, and whoever wants more shares half of all with those who do likewise.
 */
import { type Address, familyOf, maskAddress, type Network } from '../../core/address/address.ts';
import { RecencyMap } from '../../core/recency-map.ts';
import type { Microseconds } from '../../core/time.ts';
import { RateLimiter } from '../../senders/message-rate.ts';

/** Some 0.4 ms each with ECDSA. */
export const HANDSHAKES_PER_SECOND = { messagesPerSecond: 300, burst: 600 };

/** What one peer always has. */
export const OWN_HANDSHAKES_PER_SECOND = { messagesPerSecond: 10, burst: 20 };

/** What all who want more than that have together. */
export const FURTHER_HANDSHAKES_PER_SECOND = { messagesPerSecond: 150, burst: 300 };

/** Peers that are remembered; beyond it the one heard of longest ago begins afresh. */
const MAX_KNOWN_PEERS = 4_096;

/**
 * Of IPv6 whoever has one address has a /64 of them, and whoever has a site, even a home, up to a /48 (RFC 6177):
 * sixteen /64 with what each had of its own could use up all there is.
 */
const INET6_PEER_LENGTH = 48;

export class HandshakeRate {
  readonly #all = new RateLimiter(HANDSHAKES_PER_SECOND);
  readonly #further = new RateLimiter(FURTHER_HANDSHAKES_PER_SECOND);
  readonly #own = new RecencyMap<RateLimiter>();

  /** Whether a handshake of `peer` may begin at `at`; counts it then. */
  admits(peer: Address, at: Microseconds): boolean {
    const own = this.#ownOf(familyOf(peer) === 6 ? maskAddress(peer, INET6_PEER_LENGTH) : peer);
    return (own.take(at) || this.#further.take(at)) && this.#all.take(at);
  }

  #ownOf(peer: Network): RateLimiter {
    const own = this.#own.get(peer) ?? new RateLimiter(OWN_HANDSHAKES_PER_SECOND);
    this.#own.touch(peer, own);
    if (this.#own.size > MAX_KNOWN_PEERS) this.#own.delete(this.#own.oldestKey() ?? '');
    return own;
  }
}
