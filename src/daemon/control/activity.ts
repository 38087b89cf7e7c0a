/** Failures and bans of the last hour by the minute, for `bailiff status`. Kept in the memory of a daemon only. */
import type { BailiffEvent } from '../../core/event.ts';
import { type Clock, MINUTE } from '../../core/time.ts';
import type { ActivityReport } from '../../http/control.ts';

/** The minute that has begun is the last of them. */
export const ACTIVITY_MINUTES = 60;

type Bucket = { failures: number; bans: number };

export class Activity {
  /** Oldest first. */
  readonly #buckets: Bucket[] = Array.from({ length: ACTIVITY_MINUTES }, newBucket);
  readonly #clock: Clock;
  #minute = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts an event when it comes, however long ago the device saw what it tells of. */
  observe(event: BailiffEvent): void {
    if (event.kind === 'failure') this.#latest().failures++;
    // A ban that is only found again in the kernel did not begin now.
    else if (event.kind === 'ban' && event.ban.cause !== 'restore') this.#latest().bans++;
  }

  /** The hour that ends now. */
  report(): ActivityReport {
    this.#latest();
    return {
      failures: this.#buckets.map(({ failures }) => failures),
      bans: this.#buckets.map(({ bans }) => bans),
    };
  }

  /** The bucket of this minute, after those of minutes that are over have moved up. */
  #latest(): Bucket {
    const minute = Math.floor(this.#clock.now() / MINUTE);
    const passed = Math.min(ACTIVITY_MINUTES, minute - this.#minute);
    for (let count = 0; count < passed; count++) {
      this.#buckets.shift();
      this.#buckets.push(newBucket());
    }
    this.#minute = Math.max(this.#minute, minute);
    return this.#buckets.at(-1) ?? newBucket();
  }
}

function newBucket(): Bucket {
  return { failures: 0, bans: 0 };
}
