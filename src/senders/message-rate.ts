/** How many messages a sender may send: a token bucket, with time as an argument. */
import { type Microseconds, SECOND } from '../core/time.ts';

export type MessageRate = {
  readonly messagesPerSecond: number;
  /** Messages that may come at once, after a time with fewer. At least 1. */
  readonly burst: number;
};

export class RateLimiter {
  readonly rate: MessageRate;
  #tokens: number;
  #at: Microseconds = 0;

  constructor(rate: MessageRate) {
    this.rate = rate;
    this.#tokens = rate.burst;
  }

  /** Whether a message that comes at `at` is within the rate. A time before the last one counts as that. */
  take(at: Microseconds): boolean {
    if (at > this.#at) {
      const { messagesPerSecond, burst } = this.rate;
      this.#tokens = Math.min(burst, this.#tokens + ((at - this.#at) / SECOND) * messagesPerSecond);
      this.#at = at;
    }
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
