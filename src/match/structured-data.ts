/**
 * STRUCTURED-DATA of RFC 5424 (6.3): `[origin@32473 ip="192.0.2.7" user="a\"b"][more@1 k="v"] `, with the message
 * behind it. Taken apart once for all rules that look at the same text, in one pass.
 */

/** The parameter that stands for the message. A PARAM-NAME has its SD-ID and a dot before it, so none is called so. */
export const MESSAGE_PARAMETER = 'message';

/** Parameters of one message that are looked at; those behind them are as absent. */
export const MAX_PARAMETERS = 256;

/** `[id` or `]`, or a blank and `name="value"`, where the last one ended (6.3.2, 6.3.3). */
const PIECE = /\[([^\x00-\x20="\]]{1,256})|(\])| {1,8}([^\x00-\x20="\]]{1,256})="((?:[^"\\\]]|\\.)*)"/sy;

/** The text that was taken apart last. */
export class StructuredData {
  #text = '';
  #isWhole = false;
  readonly #parameters = new Map<string, string>();

  /** Takes `text` apart, unless it is the one that was last. Returns whether it begins with STRUCTURED-DATA. */
  scan(text: string): boolean {
    if (text !== this.#text) {
      this.#text = text;
      this.#parameters.clear();
      this.#isWhole = this.#takeApart(text);
    }
    return this.#isWhole;
  }

  /** The value of `SD-ID.PARAM-NAME` without its escapes, of several the first; undefined when there is none. */
  parameter(path: string): string | undefined {
    return this.#parameters.get(path);
  }

  #takeApart(text: string): boolean {
    let id: string | null = null;
    PIECE.lastIndex = 0;
    while (PIECE.lastIndex < text.length) {
      const start = PIECE.lastIndex;
      const piece = PIECE.exec(text);
      if (piece === null) return id === null && start > 0 && this.#endAt(text, start);
      const [, opened, closed, name, value] = piece;
      if (opened !== undefined && id === null) id = opened;
      else if (closed !== undefined && id !== null) id = null;
      else if (name !== undefined && id !== null) this.#add(`${id}.${name}`, value ?? '');
      else return id === null && start > 0 && this.#endAt(text, start);
    }
    return id === null && this.#endAt(text, text.length);
  }

  #add(path: string, value: string): void {
    if (this.#parameters.size >= MAX_PARAMETERS || this.#parameters.has(path)) return;
    this.#parameters.set(path, value.replace(/\\(["\\\]])/g, '$1'));
  }

  /** What is behind the last element is the message; only a blank may stand between the two. */
  #endAt(text: string, end: number): boolean {
    if (end < text.length && text[end] !== ' ') return false;
    this.#parameters.set(MESSAGE_PARAMETER, text.slice(end + 1));
    return true;
  }
}

/** A value as a sender writes it: `"`, `\` and `]` are escaped (6.3.3). */
export function escapeParameter(value: string): string {
  return value.replace(/["\\\]]/g, '\\$&');
}
