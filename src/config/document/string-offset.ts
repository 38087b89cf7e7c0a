/** From a character of a TOML string's value back to the place in the file where that character is written. */
import type { ScalarNode } from './document.ts';
import type { Place } from './problem.ts';

/**
 * Where the UTF-16 unit at `index` of a string's value stands in its file; the start of the string for a value that
 * is no string. Escapes and folded line ends as in TOML 1.0, section String.
 */
export function placeInString(node: ScalarNode, index: number): Place {
  const { source, offset } = node.place;
  if (node.quotes === null) return node.place;
  const { text } = source;
  let at = offset + (node.quotes.multiline ? 3 : 1);
  if (node.quotes.multiline) at += lineBreakLength(text, at);
  for (let units = 0; at < text.length; ) {
    const unit = node.quotes.style === 'basic' && text[at] === '\\' ? readEscape(text, at) : PLAIN;
    if (units + unit.units > index) break;
    units += unit.units;
    at += unit.length;
  }
  return { source, offset: at };
}

type Escape = {
  /** Characters in the file. */
  readonly length: number;
  /** Characters in the value. */
  readonly units: number;
};

const PLAIN: Escape = { length: 1, units: 1 };

function readEscape(text: string, at: number): Escape {
  const folded = /^\\[ \t]*\r?\n\s*/.exec(text.slice(at, at + MAX_FOLDED));
  if (folded !== null) return { length: folded[0].length, units: 0 };
  if (text[at + 1] === 'u') return { length: 6, units: 1 };
  if (text[at + 1] === 'U') {
    return { length: 10, units: Number.parseInt(text.slice(at + 2, at + 10), 16) > 0xffff ? 2 : 1 };
  }
  return { length: 2, units: 1 };
}

/** White space after a folded line end that is looked through at once. */
const MAX_FOLDED = 4_096;

function lineBreakLength(text: string, at: number): number {
  if (text[at] === '\n') return 1;
  return text.startsWith('\r\n', at) ? 2 : 0;
}
