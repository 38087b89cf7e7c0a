/**
 * The two families of errors. An OperationalError is the world's doing: it is caught, counted and shown to a
 * person, who can act on it. Everything else that is thrown is a bug and ends the process.
 */

export type OperationalErrorOptions = {
  /** A stable word for programs, such as `EACCES` or `journal-missing`. */
  readonly code: string;
  /** What a person can do about it, one sentence; empty when there is nothing to advise. */
  readonly advice?: string;
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retriable?: boolean;
  readonly cause?: unknown;
};

/** A failure of something outside this program. `message` says what was attempted and what came back. */
export class OperationalError extends Error {
  readonly code: string;
  readonly advice: string;
  readonly retriable: boolean;

  constructor(message: string, options: OperationalErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'OperationalError';
    this.code = options.code;
    this.advice = options.advice ?? '';
    this.retriable = options.retriable ?? false;
  }
}

/** Throws when `condition` does not hold: a bug in this program, never the fault of its input. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}

/** Marks a branch that the type checker has proved empty. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
