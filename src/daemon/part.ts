/**
 * The life cycle that all parts of the daemon have. The daemon is a list of parts: they are prepared and started in its
 * order, stopped in the other, and given each plan by the same `apply`, be it the first one or a reload's. No part waits
 * for another that hangs, and one that fails fails alone.
 */
import type { Plan } from '../config/plan.ts';
import { OperationalError } from '../core/errors.ts';
import type { Emit } from '../core/event.ts';

/** One part of the daemon. What makes it takes what it needs and does nothing yet. */
export type Part = {
  /** For people: `journal`. */
  readonly name: string;
  /** Whether the daemon would be wrong without it: an OperationalError while it starts then ends the start. */
  readonly isVital?: boolean;
  /** Begins what takes time and needs no other part. */
  readonly prepare?: (plan: Plan) => void;
  /** Works from then on. The parts before it have started, and have the plan. */
  readonly start?: (plan: Plan) => Promise<void>;
  /** Puts a plan in force: once after `start`, and at each reload. */
  readonly apply?: (plan: Plan) => void | Promise<void>;
  /** For what time brings; called every second from its start to its stop. */
  readonly tick?: () => void;
  /** Takes back whatever the others have done, also when one of them has failed. */
  readonly stop?: () => Promise<void>;
};

export type PartListOptions = {
  readonly emit: Emit;
  /** In place of PART_TIMEOUT_MILLISECONDS. */
  readonly timeoutMilliseconds?: number;
};

/**
 * All of it takes milliseconds. A part that hangs, as on a disk that does not answer, is told and not waited for any
 * longer; whatever it still does it does late.
 */
export const PART_TIMEOUT_MILLISECONDS = 5_000;

/** The state may have to be repaired, and the table filled: nothing else may begin before. */
export const VITAL_TIMEOUT_MILLISECONDS = 60_000;

const TICK_MILLISECONDS = 1_000;

/** What is done to a part, for people. */
type Deed = 'start' | 'take the configuration' | 'stop';

export class PartList {
  readonly #parts: readonly Part[];
  readonly #options: PartListOptions;
  /** What is to be stopped, in the order of its start. */
  readonly #begun: Part[] = [];
  readonly #ticking: Part[] = [];
  readonly #started = Promise.withResolvers<void>();
  #isRunning = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: readonly Part[], options: PartListOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  /** Resolves when all have started: a reload must not meet the start half-way. */
  get whenStarted(): Promise<void> {
    return this.#started.promise;
  }

  /** Whether all have started and none is being stopped. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Throws the OperationalError of a vital part; `stop` then takes back what has been done. */
  async start(plan: Plan): Promise<void> {
    for (const part of this.#parts) {
      this.#begun.push(part);
      part.prepare?.(plan);
    }
    this.#timer = setInterval(() => this.#tick(), TICK_MILLISECONDS);
    for (const part of this.#parts) {
      await this.#attempt(part, 'start', async () => {
        await part.start?.(plan);
        await part.apply?.(plan);
      });
      if (part.tick !== undefined) this.#ticking.push(part);
    }
    this.#isRunning = true;
    this.#started.resolve();
  }

  /**
   * Gives every part the plan, in order. Those that take it at once have it before this waits for anything. Never
   * throws what the world has done to a part.
   */
  async apply(plan: Plan): Promise<void> {
    for (const part of this.#parts) {
      const applied = this.#attemptNow(part, () => part.apply?.(plan));
      if (applied !== undefined) await this.#attempt(part, 'take the configuration', () => applied, false);
    }
  }

  /** Stops every part that was begun, latest first. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#ticking.length = 0;
    for (let part = this.#begun.pop(); part !== undefined; part = this.#begun.pop()) {
      const { stop } = part;
      if (stop !== undefined) await this.#attempt(part, 'stop', stop, false);
    }
  }

  #tick(): void {
    for (const part of this.#ticking) part.tick?.();
  }

  async #attempt(
    part: Part,
    deed: Deed,
    run: () => Promise<void>,
    mayEnd = part.isVital === true,
  ): Promise<void> {
    const limit = mayEnd ? VITAL_TIMEOUT_MILLISECONDS : PART_TIMEOUT_MILLISECONDS;
    try {
      await withinTime(run(), this.#options.timeoutMilliseconds ?? limit);
    } catch (error) {
      if (mayEnd && error instanceof OperationalError && error.code === TOO_LONG) {
        const advice = 'see what it waits for: a disk that does not answer, a kernel that is busy';
        throw new OperationalError(`${part.name} does not ${deed}: ${error.message}`, {
          code: TOO_LONG,
          advice,
        });
      }
      if (mayEnd) throw error;
      this.#tell(part, deed, error);
    }
  }

  /** Runs what may be done at once; what it throws is told as what it rejects with is. */
  #attemptNow(part: Part, run: () => void | Promise<void>): Promise<void> | undefined {
    try {
      return run() ?? undefined;
    } catch (error) {
      this.#tell(part, 'take the configuration', error);
      return undefined;
    }
  }

  #tell(part: Part, deed: Deed, error: unknown): void {
    if (!(error instanceof OperationalError)) throw error;
    const { message, advice } = error;
    this.#options.emit({
      kind: 'part-failed',
      part: part.name,
      message: `cannot ${deed}: ${message}`,
      advice,
    });
  }
}

/** Several parts as one, begun and stopped at the same time. */
export function together(parts: readonly Part[]): Part {
  const all = async (deeds: readonly (void | Promise<void> | undefined)[]): Promise<void> => {
    await Promise.all(deeds);
  };
  return {
    name: parts.map(({ name }) => name).join(', '),
    prepare: (plan) => {
      for (const part of parts) part.prepare?.(plan);
    },
    start: (plan) => all(parts.map((part) => part.start?.(plan))),
    apply: (plan) => all(parts.map((part) => part.apply?.(plan))),
    tick: () => {
      for (const part of parts) part.tick?.();
    },
    stop: () => all(parts.map((part) => part.stop?.())),
  };
}

const TOO_LONG = 'part-too-slow';

async function withinTime(work: Promise<void>, milliseconds: number): Promise<void> {
  const tooLong = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const message = `it has taken more than ${milliseconds / 1_000} s`;
    tooLong.reject(
      new OperationalError(message, { code: TOO_LONG, advice: 'see the log for what it waits for' }),
    );
  }, milliseconds);
  try {
    await Promise.race([work, tooLong.promise]);
  } finally {
    clearTimeout(timer);
  }
}
