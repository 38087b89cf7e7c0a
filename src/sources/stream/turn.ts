/**
 * How long connections are read in one turn of the event loop, so that those who send most keep neither each other nor
 * the rest of the daemon waiting. libuv would take 2 MiB from each before anybody else has his turn: of lines that are
 * long and match slowly, two seconds.
 */

/** Each connection has one chunk, of at most 64 KiB, in any case. */
export const TURN_MILLISECONDS = 5;

export class Turn {
  readonly #elapsed: () => number;
  readonly #nextTurn: (run: () => void) => void;
  #begunAt: number | null = null;

  constructor(elapsed: () => number, nextTurn: (run: () => void) => void = setImmediate) {
    this.#elapsed = elapsed;
    this.#nextTurn = nextTurn;
  }

  /** Before a chunk is read. */
  begin(): void {
    if (this.#begunAt !== null) return;
    this.#begunAt = this.#elapsed();
    this.#nextTurn(() => {
      this.#begunAt = null;
    });
  }

  /** Behind a chunk: has `wait` called when it was the last one of this turn, and `goOn` in the next one. */
  end(wait: () => void, goOn: () => void): void {
    if (this.#begunAt === null || this.#elapsed() - this.#begunAt < TURN_MILLISECONDS) return;
    wait();
    this.#nextTurn(goOn);
  }
}
