/**
 * The ban log: whoever holds a copy of the bans in force outside the ledger asks it what has changed since. Every
 * change has the next serial. The bans themselves stay in the ledger; the log remembers the last changes only, and who
 * has missed more gets all bans anew.
 *
 * A position is a session and a serial, and stands for one state of the bans for ever. A session is the changes of one
 * life of the daemon, so no position is given twice, whatever a crash or a restored backup has done to the disk. The
 * stored position is the one at which the stored bans are; the next life is at it until its first change, which it
 * counts on from there in a session of its own. Whoever was there when the daemon ended therefore misses nothing, and
 * whoever had been told of more than the disk was is known by his position.
 */
import { splitNetwork } from '../address/address.ts';
import { assert } from '../errors.ts';
import type { Ban, Decision } from './decision.ts';

/** Remembered changes; the oldest gives way, and who stands before it starts anew. */
export const MAX_LOGGED_CHANGES = 16_384;

export type BanLogPosition = { readonly session: string; readonly serial: number };

/** What changes the bans in force. A ban and its extension replace the ban of that jail and offender. */
export type BanChange = Exclude<Decision, { readonly kind: 'forgive' }>;

/** What to do to a copy of the bans, so that it holds those in force at `position`. */
export type BanNews =
  /** Carry these out in their order. They count up to `position`, each one by one. */
  | { readonly kind: 'changes'; readonly position: BanLogPosition; readonly changes: readonly BanChange[] }
  /** Forget everything and take these. */
  | { readonly kind: 'reset'; readonly position: BanLogPosition; readonly bans: readonly Ban[] };

export type BanLogOptions = {
  /** Names this life of the daemon, as no other was or will be: letters, digits, `-` and `_`, at most 32 of them. */
  readonly session: string;
  /** The bans in force, of the ledger whose changes are recorded. */
  readonly bans: () => Iterable<Ban>;
  /** MAX_LOGGED_CHANGES when absent. */
  readonly capacity?: number;
};

export class BanLog {
  readonly #options: BanLogOptions;
  readonly #capacity: number;
  /** Where this life began. */
  #start: BanLogPosition;
  /** Change n of this life, counted from 0, at n modulo the capacity. */
  readonly #changes: BanChange[] = [];
  #count = 0;

  constructor(options: BanLogOptions) {
    this.#options = options;
    this.#capacity = options.capacity ?? MAX_LOGGED_CHANGES;
    this.#start = { session: options.session, serial: 0 };
  }

  /**
   * Goes on from the position that was stored with the bans, before there is any change; null when none was stored, or
   * when bans of it were left out.
   */
  resume(stored: BanLogPosition | null): void {
    assert(this.#count === 0, 'a ban log goes on from one place');
    this.#start = stored ?? this.#start;
  }

  /** Of the bans as they are. */
  get position(): BanLogPosition {
    if (this.#count === 0) return this.#start;
    return { session: this.#options.session, serial: this.#start.serial + this.#count };
  }

  /** Takes a change that the ledger has just made, before it makes another one; returns the position after it. */
  record(change: BanChange): BanLogPosition {
    this.#changes[this.#count % this.#capacity] = change;
    this.#count++;
    return this.position;
  }

  /** What whoever is at a position has missed; a null position is that of somebody who has nothing. */
  since(position: BanLogPosition | null): BanNews {
    const known = position === null ? null : this.#countAt(position);
    if (known === null || this.#count - known > this.#capacity)
      return { kind: 'reset', position: this.position, bans: [...this.#options.bans()].sort(compareRank) };
    const changes: BanChange[] = [];
    for (let count = known; count < this.#count; count++) {
      const change = this.#changes[count % this.#capacity];
      if (change !== undefined) changes.push(change);
    }
    return { kind: 'changes', position: this.position, changes };
  }

  /** How many changes of this life somebody at a position knows; null for a position that it has never had. */
  #countAt({ session, serial }: BanLogPosition): number | null {
    const count = serial - this.#start.serial;
    if (count === 0) return session === this.#start.session ? 0 : null;
    return session === this.#options.session && count > 0 && count <= this.#count ? count : null;
  }
}

/** The order in which bans matter: the latest first, of those that began together the wider first. */
export function compareRank(one: Ban, other: Ban): number {
  return (
    other.since - one.since ||
    splitNetwork(one.offender).prefixLength - splitNetwork(other.offender).prefixLength
  );
}

/** `SESSION.SERIAL`. */
export function formatPosition({ session, serial }: BanLogPosition): string {
  return `${session}.${serial}`;
}

/** Null for what is no position. */
export function parsePosition(text: string): BanLogPosition | null {
  const parts = /^([\w-]{1,32})\.(0|[1-9]\d{0,14})$/.exec(text);
  return parts === null ? null : { session: parts[1] ?? '', serial: Number(parts[2]) };
}
