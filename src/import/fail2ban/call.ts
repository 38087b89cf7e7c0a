/** How a jail names its filter and its actions: `name[option=value, other="..."][more=...]`, jail.conf(5). */
import type { FilePlace, PlacedValue } from './ini.ts';

export type Call = {
  readonly name: string;
  /** Values by option, in lower case. */
  readonly options: ReadonlyMap<string, string>;
};

/** Calls in one value. */
const MAX_CALLS = 100;
/** Characters of a value that is taken apart. */
const MAX_LENGTH = 65_536;

/** The calls in a value, one after the other; null for what is not of this form. */
export function readCalls(text: string): Call[] | null {
  if (text.length > MAX_LENGTH) return null;
  const calls: Call[] = [];
  const reader = new Reader(text);
  while (!reader.isAtEnd()) {
    const call = reader.call();
    if (call === null || calls.length === MAX_CALLS) return null;
    calls.push(call);
  }
  return calls;
}

class Reader {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  isAtEnd(): boolean {
    this.#take(/\s*/y);
    return this.#position >= this.#text.length;
  }

  call(): Call | null {
    const name = this.#take(/[^\s[\],]+/y);
    if (name === null) return null;
    const options = new Map<string, string>();
    while (this.#take(/\s*\[/y) !== null) {
      while (this.#take(/[\s,]*\]/y) === null) if (!this.#option(options)) return null;
    }
    return { name: name[0], options };
  }

  #option(options: Map<string, string>): boolean {
    const key = this.#take(/[\s,]*([\w.-]+)\s*=/y)?.[1];
    if (key === undefined) return false;
    const value = this.#take(/\s*(?:"([^"]*)"|'([^']*)'|([^,\]]*))/y);
    options.set(key.toLowerCase(), (value?.[1] ?? value?.[2] ?? value?.[3] ?? '').trim());
    return true;
  }

  #take(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.#position;
    const match = expression.exec(this.#text);
    if (match !== null) this.#position = expression.lastIndex;
    return match;
  }
}

/** The options as settings that stand before those of a file. */
export function asOverrides(
  options: ReadonlyMap<string, string>,
  place: FilePlace,
): Map<string, PlacedValue> {
  return new Map(
    [...options].map(([option, text]) => [
      option,
      text.split('\n').map((line) => ({ text: line.trim(), place })),
    ]),
  );
}
