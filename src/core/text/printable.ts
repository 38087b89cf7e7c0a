/**
 * Untrusted text made fit to be seen. Log lines, user names and host names are written by attackers: an escape sequence
 * would drive the reader's terminal, a newline would forge a log line, a bidirectional override would swap what is
 * read.
 */

/**
 * Everything that a terminal may act upon or not show: control and format characters (C0, DEL, C1, bidirectional
 * overrides, zero-width and tag characters), line and paragraph separators, lone surrogates, private and unassigned
 * code points. One class without repetition: linear in the text.
 */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

const SHORT_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\t', '\\t'],
  ['\n', '\\n'],
  ['\r', '\\r'],
]);

/**
 * The text with every invisible character written out: `\n`, `\x1b`, `\u202e`, `\u{e0041}`. All else, a backslash
 * too, stays as it is: the result is for reading, not for reading back. Longer results than `maxLength` (in UTF-16
 * units, at least 1) are cut and end in `...` where that fits.
 */
export function printable(text: string, maxLength = Number.POSITIVE_INFINITY): string {
  const head = text.length > maxLength ? text.slice(0, maxLength + 1) : text;
  const escaped = head.replace(INVISIBLE, escapeCharacter);
  if (escaped.length <= maxLength) return escaped;
  const mark = '...'.slice(0, Math.max(0, maxLength - 1));
  return dropLoneSurrogate(escaped.slice(0, maxLength - mark.length)) + mark;
}

/** As printable, but line feeds stay: for text of several lines that this program has laid out itself. */
export function printableLines(text: string): string {
  return text
    .split('\n')
    .map((line) => printable(line))
    .join('\n');
}

/**
 * The value as JSON that is safe to show on a terminal: JSON.stringify escapes C0 only, here DEL, C1, bidirectional
 * overrides and the like become `\uXXXX` as well. Still the same value to every JSON parser (RFC 8259 section 7).
 * `indent` as in JSON.stringify; line feeds come from indenting only.
 */
export function printableJson(value: unknown, indent = 0): string {
  const text: string | undefined = JSON.stringify(value, null, indent);
  return (text ?? 'null').replace(INVISIBLE, (character) =>
    character === '\n' ? character : escapeUnits(character),
  );
}

function escapeCharacter(character: string): string {
  const short = SHORT_ESCAPES.get(character);
  if (short !== undefined) return short;
  const code = character.codePointAt(0) ?? 0;
  const digits = code.toString(16);
  if (code <= 0xff) return `\\x${digits.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${digits.padStart(4, '0')}` : `\\u{${digits}}`;
}

/** Each UTF-16 unit as `\uXXXX`, the only escape for any character that JSON has. */
function escapeUnits(character: string): string {
  let escaped = '';
  for (let index = 0; index < character.length; index++) {
    escaped += `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`;
  }
  return escaped;
}

/** Cutting between the two halves of a surrogate pair would leave one that no terminal can show. */
function dropLoneSurrogate(text: string): string {
  return /[\ud800-\udbff]$/.test(text) ? text.slice(0, -1) : text;
}
