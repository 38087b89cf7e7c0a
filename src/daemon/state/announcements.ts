/**
 * What waits to be announced, in the order of its happening. A change of the bans is told when the disk and the kernel
 * both have it, so that whoever is told can rely on it; where one of them refuses, it is told all the same and says
 * which of the two does not have it.
 */
import type { BailiffEvent, Emit, Keeper } from '../../core/event.ts';
import type { BanChange } from '../../core/ledger/ban-log.ts';

/** Announcements that wait for a slow disk or kernel; beyond this they are made at once, and say what lacks them. */
export const MAX_WAITING_ANNOUNCEMENTS = 10_000;

/** What the announcements need to know of the kernel. */
export type KernelProgress = {
  /**
   * Whether the kernel has taken everything that was decided up to now: true, or a promise of it; false when it has
   * refused something, or does not answer.
   */
  written(): boolean | Promise<boolean>;
  /** Whether it has this one. */
  hasTaken(change: BanChange): boolean;
};

/** Announcements that one transaction makes true; null for what is not known yet. */
export type Group = {
  readonly events: readonly BailiffEvent[];
  isOnDisk: boolean | null;
  isInKernel: boolean | null;
  readonly told: PromiseWithResolvers<void>;
};

export class Announcements {
  readonly #kernel: KernelProgress;
  readonly #emit: Emit;
  /** Oldest first. */
  #groups: Group[] = [];
  #ungrouped: BailiffEvent[] = [];
  #grouped = 0;

  constructor(kernel: KernelProgress, emit: Emit) {
    this.#kernel = kernel;
    this.#emit = emit;
  }

  add(events: readonly BailiffEvent[]): void {
    for (const event of events) this.#ungrouped.push(event);
    if (this.#grouped + this.#ungrouped.length <= MAX_WAITING_ANNOUNCEMENTS) return;
    this.group();
    for (const group of this.#groups.splice(0)) this.#tell(group);
  }

  /** Puts all that was added since into a group, whose `settle` is to say what the disk has done. */
  group(): Group {
    const told = Promise.withResolvers<void>();
    const group: Group = { events: this.#ungrouped, isOnDisk: null, isInKernel: null, told };
    if (group.events.length === 0) return group;
    this.#groups.push(group);
    this.#grouped += group.events.length;
    this.#ungrouped = [];
    const written = this.#kernel.written();
    if (typeof written === 'boolean') group.isInKernel = written;
    else {
      void written.then((isInKernel) => {
        group.isInKernel = isInKernel;
        this.#advance();
      });
    }
    return group;
  }

  /** The disk has the group, or has refused it. */
  settle(group: Group, isOnDisk: boolean): void {
    group.isOnDisk = isOnDisk;
    this.#advance();
  }

  /** Resolves when every group that is there now has been told. */
  async whenTold(): Promise<void> {
    await this.#groups.at(-1)?.told.promise;
  }

  #advance(): void {
    for (let first = this.#groups[0]; first !== undefined; first = this.#groups[0]) {
      if (first.isOnDisk === null || first.isInKernel === null) return;
      this.#groups.shift();
      this.#tell(first);
    }
  }

  #tell({ events, isOnDisk, isInKernel, told }: Group): void {
    this.#grouped -= events.length;
    for (const event of events) {
      if (!('lacks' in event) || (isOnDisk && isInKernel)) this.#emit(event);
      else this.#emit({ ...event, lacks: this.#keepersWithout(event, isOnDisk, isInKernel) });
    }
    told.resolve();
  }

  #keepersWithout(change: BanChange, isOnDisk: boolean | null, isInKernel: boolean | null): Keeper[] {
    const lacking: Keeper[] = [];
    if (!isInKernel && !this.#kernel.hasTaken(change)) lacking.push('kernel');
    if (!isOnDisk) lacking.push('disk');
    return lacking;
  }
}
