/** Prints what happens as a table that grows: when, who, what, and how it ended, in the width of a small terminal. */

export type Tone = 'good' | 'bad' | 'plain';

const WIDTH = 76;
const TIME_WIDTH = 8;
const ACTOR_WIDTH = 10;

const ESCAPES = { bold: '\x1b[1m', dim: '\x1b[2m', good: '\x1b[32m', bad: '\x1b[31m', plain: '' } as const;

export class Timeline {
  readonly #write: (text: string) => void;
  readonly #colour: boolean;
  readonly #startedAt = performance.now();

  constructor(write: (text: string) => void, colour: boolean) {
    this.#write = write;
    this.#colour = colour;
  }

  /** A line above what follows. */
  heading(text: string): void {
    this.#write(`\n${this.#paint('bold', text)}\n`);
  }

  /** One happening; `outcome` stands at the right edge, led to by dots. */
  row(actor: string, what: string, outcome = '', tone: Tone = 'plain'): void {
    const seconds = ((performance.now() - this.#startedAt) / 1_000).toFixed(2);
    const left = `${this.#paint('dim', `${seconds} s`.padStart(TIME_WIDTH))}  ${actor.padEnd(ACTOR_WIDTH)}`;
    const room = WIDTH - TIME_WIDTH - 2 - ACTOR_WIDTH - what.length - outcome.length - 2;
    const dots = outcome === '' ? '' : ` ${this.#paint('dim', '.'.repeat(Math.max(2, room)))} `;
    this.#write(`${left}${what}${dots}${this.#paint(tone, outcome)}\n`);
  }

  /** Text of somebody else, set in a little. */
  quote(command: string, text: string): void {
    this.heading(`$ ${command}`);
    for (const line of text.trimEnd().split('\n')) this.#write(`${line === '' ? '' : `  ${line}`}\n`);
  }

  #paint(style: keyof typeof ESCAPES, text: string): string {
    return this.#colour && text !== '' && style !== 'plain' ? `${ESCAPES[style]}${text}\x1b[0m` : text;
  }
}
