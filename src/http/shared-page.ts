/** A page that is made once for all who ask for it within a second, and kept as the bytes that every answer sends. */
import { type Clock, type Microseconds, SECOND } from '../core/time.ts';

/** So long a page is handed out after it was asked for first. */
export const PAGE_LIFETIME: Microseconds = SECOND;

export class SharedPage {
  readonly #render: () => string | Promise<string>;
  readonly #clock: Clock;
  #page: Promise<Buffer> | null = null;
  #renderedAt: Microseconds = 0;

  constructor(render: () => string | Promise<string>, clock: Clock) {
    this.#render = render;
    this.#clock = clock;
  }

  /** Rejects with what the rendering rejected with; the next one who asks has it tried again. */
  read(): Promise<Buffer> {
    const now = this.#clock.now();
    if (this.#page !== null && now - this.#renderedAt < PAGE_LIFETIME) return this.#page;
    const page = this.#make();
    this.#page = page;
    this.#renderedAt = now;
    page.catch(() => {
      if (this.#page === page) this.#page = null;
    });
    return page;
  }

  async #make(): Promise<Buffer> {
    return Buffer.from(await this.#render());
  }
}
