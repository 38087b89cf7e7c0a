/**
 * Who wants to know when elements are in the kernel: bans whose arrival is to be told, and commands that wait. Bounded
 * by the elements that wait for the kernel, and by the requests that are open.
 */

import { OperationalError } from '../../core/errors.ts';
import type { Ban } from '../../core/ledger/decision.ts';
import type { Microseconds } from '../../core/time.ts';

/** A ban that is in the kernel, and when the record came in that led to it. */
export type Tell = (ban: Ban, arrivalAt: Microseconds) => void;

type Announcement = { readonly ban: Ban; readonly arrivalAt: Microseconds; waiting: number };

type Waiter = {
  readonly ids: Set<string>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
};

export class Confirmations {
  readonly #tell: Tell;
  readonly #announcements = new Map<string, readonly Announcement[]>();
  readonly #waiters = new Set<Waiter>();

  constructor(tell: Tell) {
    this.#tell = tell;
  }

  /** Tells of the ban once all `ids`, its elements that are not in the kernel yet, have been confirmed. */
  announce(ban: Ban, arrivalAt: Microseconds, ids: readonly string[]): void {
    if (ids.length === 0) this.#tell(ban, arrivalAt);
    const announcement: Announcement = { ban, arrivalAt, waiting: ids.length };
    for (const id of ids) {
      const others = (this.#announcements.get(id) ?? []).filter((other) => other.ban.jail !== ban.jail);
      this.#announcements.set(id, [...others, announcement]);
    }
  }

  /** Nothing is told any more of a jail's ban that consists of these elements. */
  retract(jail: string, ids: readonly string[]): void {
    for (const id of ids) {
      const left = (this.#announcements.get(id) ?? []).filter(
        (announcement) => announcement.ban.jail !== jail,
      );
      if (left.length === 0) this.#announcements.delete(id);
      else this.#announcements.set(id, left);
    }
  }

  /** Resolves once all elements have been confirmed; throws OperationalError when one is refused, or by failAll. */
  wait(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.add({ ids: new Set(ids), resolve, reject });
    });
  }

  /** The kernel has taken the element in, or holds it no longer, as was wanted. */
  confirm(id: string): void {
    for (const announcement of this.#takeAnnouncements(id)) {
      announcement.waiting--;
      if (announcement.waiting === 0) this.#tell(announcement.ban, announcement.arrivalAt);
    }
    for (const waiter of this.#waiters) {
      if (!waiter.ids.delete(id) || waiter.ids.size > 0) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }

  /** The kernel has refused the element. */
  refuse(id: string, reason: string): void {
    this.#takeAnnouncements(id);
    for (const waiter of this.#waiters) {
      if (!waiter.ids.has(id)) continue;
      this.#waiters.delete(waiter);
      const message = `the kernel refused ${id}: ${reason}`;
      waiter.reject(new OperationalError(message, { code: 'element-refused' }));
    }
  }

  /** Nobody waits for the next attempt; bans are still told of when it succeeds. */
  failAll(error: OperationalError): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) waiter.reject(error);
  }

  #takeAnnouncements(id: string): readonly Announcement[] {
    const announcements = this.#announcements.get(id) ?? [];
    this.#announcements.delete(id);
    return announcements;
  }
}
