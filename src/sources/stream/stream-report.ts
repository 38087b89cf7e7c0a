/** What a listener for TCP or TLS tells of its peers; what can happen thousands of times a second is tallied. */
import type { Emit, RejectReason } from '../../core/event.ts';
import type { LimitName } from '../../core/limit.ts';
import type { Sender } from '../../senders/gate.ts';
import type { Tally } from '../../senders/tally.ts';
import type { HandshakeFailure } from './handshake-failure.ts';

export class StreamReport {
  readonly #kind: 'tcp' | 'tls';
  readonly #tally: Tally;
  readonly #emit: Emit;
  #open = 0;

  constructor(kind: 'tcp' | 'tls', tally: Tally, emit: Emit) {
    this.#kind = kind;
    this.#tally = tally;
    this.#emit = emit;
  }

  connection({ address }: Sender, change: 'opened' | 'closed'): void {
    this.#open += change === 'opened' ? 1 : -1;
    this.#emit({ kind: 'connection', source: this.#kind, sender: address, change, open: this.#open });
  }

  unseparated({ identity, name }: Sender): void {
    const detail =
      `ends its messages over ${this.#kind} with nothing, so that those which come together count once; ` +
      'have it end each with LF';
    this.#emit({ kind: 'sender-change', sender: identity, name, change: 'unseparated', detail });
  }

  rejected(reason: RejectReason, peer: string): void {
    this.#tally.add(reason, peer, (sender, count) => ({
      kind: 'rejected',
      source: this.#kind,
      sender,
      reason,
      count,
    }));
  }

  cut({ identity }: Sender, maxMessageBytes: number): void {
    this.limit('message-length', identity, `messages cut at ${maxMessageBytes} bytes`);
  }

  handshakeFailed(peer: string, { reason, detail, advice }: HandshakeFailure): void {
    this.#tally.add(`handshake ${reason}`, peer, (sender, count) => ({
      kind: 'handshake-failed',
      source: this.#kind,
      sender,
      reason,
      detail,
      advice,
      count,
    }));
  }

  limit(limit: LimitName, peer: string, what: string): void {
    this.#tally.add(limit, peer, (sender, count) => ({
      kind: 'limit',
      limit,
      detail: `${this.#kind} ${what}, of ${sender || 'several senders'}`,
      count,
    }));
  }
}
