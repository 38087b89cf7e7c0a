/**
 * Access logs in the Common Log Format and the combined one, as Apache, nginx, lighttpd and most others write them:
 *
 *     [vhost[:port] ]client - user [time] "method target protocol" status bytes[ "referer" "agent"[ anything]]
 *
 * All of these servers escape a double quote that comes from a client, so the first one in the line opens the request.
 * What stands before it is the user's name, and the client's address stands before anything that a client writes.
 */
import { buildAutomaton } from './automaton/automaton.ts';
import { parseExpression } from './expression/expression.ts';

/** The names that a rule may use as keys of `access = { ... }`. */
export const ACCESS_FIELDS = [
  'host',
  'client',
  'user',
  'request',
  'method',
  'target',
  'path',
  'query',
  'protocol',
  'status',
  'bytes',
  'referer',
  'agent',
] as const;

export type AccessField = (typeof ACCESS_FIELDS)[number];

/** Every line that AccessLine takes apart is a text of it; so are others. */
export const ACCESS_LINES = buildAutomaton(
  parseExpression(
    String.raw`^(?:[\w.:-]+ )?(?:[\d.]+|[^ ]*:[^ ]*:[^ ]*) - [^"]*\[[^"]*\] "[^]*" \d\d\d [^]*$`,
  ).body,
  [],
);

const REQUEST = ACCESS_FIELDS.indexOf('request');
const QUOTE = 34;
const BACKSLASH = 92;
const SPACE = 32;

/**
 * One line taken apart. It is made once and reused; a field is cut out when the first rule asks for it, and kept for
 * the others, since a dozen filters look at the agent or the path of the same line.
 */
export class AccessLine {
  /** In the order of ACCESS_FIELDS; null until it is asked for. */
  readonly #fields = new Array<string | undefined | null>(ACCESS_FIELDS.length).fill(null);
  #text = '';
  #isAccess = false;
  #clientStart = 0;
  #clientEnd = 0;
  #userEnd = 0;
  #requestStart = 0;
  #requestEnd = 0;
  #status = 0;
  #bytesEnd = 0;

  /** Takes `text` apart, unless it is the one that was taken apart last. Returns whether it is an access log line. */
  scan(text: string): boolean {
    if (text === this.#text) return this.#isAccess;
    this.#text = text;
    this.#fields.fill(null);
    this.#isAccess = this.#scanClient() && this.#scanRequest() && this.#scanStatus();
    return this.#isAccess;
  }

  /** The status code of the line scanned last. */
  get status(): number {
    return this.#status;
  }

  /**
   * A field of the line scanned last, by its place in ACCESS_FIELDS; undefined when it is absent, which is written `-`
   * but for the request.
   */
  field(index: number): string | undefined {
    const known = this.#fields[index];
    if (known !== null) return known;
    const name = ACCESS_FIELDS[index];
    const value = name === undefined ? undefined : this.#value(name);
    const field = value === '-' && name !== 'request' ? undefined : value;
    this.#fields[index] = field;
    return field;
  }

  #value(name: AccessField): string | undefined {
    const text = this.#text;
    switch (name) {
      case 'host':
        return this.#clientStart === 0 ? undefined : text.slice(0, this.#clientStart - 1);
      case 'client':
        return text.slice(this.#clientStart, this.#clientEnd);
      case 'user':
        return text.slice(this.#clientEnd + 3, this.#userEnd);
      case 'request':
        return text.slice(this.#requestStart, this.#requestEnd);
      case 'status':
        return String(this.#status);
      case 'bytes':
        return text.slice(this.#requestEnd + 6, this.#bytesEnd);
      case 'referer':
        return this.#quoted(0);
      case 'agent':
        return this.#quoted(1);
      default:
        return this.#requestPart(name);
    }
  }

  /** `method`, `target` and so on; undefined for a request that is no HTTP. */
  #requestPart(name: 'method' | 'target' | 'path' | 'query' | 'protocol'): string | undefined {
    const request = this.field(REQUEST) ?? '';
    const methodEnd = request.indexOf(' ');
    if (methodEnd <= 0) return undefined;
    if (name === 'method') return request.slice(0, methodEnd);
    const protocolStart = request.lastIndexOf(' HTTP/');
    const targetEnd = protocolStart < methodEnd ? request.length : protocolStart;
    if (name === 'protocol') return protocolStart < methodEnd ? undefined : request.slice(protocolStart + 1);
    const target = request.slice(methodEnd + 1, targetEnd);
    const mark = target.indexOf('?');
    if (name === 'path') return mark < 0 ? target : target.slice(0, mark);
    if (name === 'query') return mark < 0 ? undefined : target.slice(mark + 1);
    return target;
  }

  /** The quoted text number `index` after the byte count. */
  #quoted(index: number): string | undefined {
    let start = this.#bytesEnd;
    for (let count = 0; ; count++) {
      if (this.#text.charCodeAt(start) !== SPACE || this.#text.charCodeAt(start + 1) !== QUOTE)
        return undefined;
      const end = closingQuote(this.#text, start + 2);
      if (end < 0) return undefined;
      if (count === index) return this.#text.slice(start + 2, end);
      start = end + 1;
    }
  }

  /** The client is the first word, or the second one after a virtual host; `-` for identd must follow. */
  #scanClient(): boolean {
    const text = this.#text;
    this.#clientStart = 0;
    this.#clientEnd = text.indexOf(' ');
    if (!looksLikeAddress(text, 0, this.#clientEnd)) {
      if (!looksLikeHost(text, this.#clientEnd)) return false;
      this.#clientStart = this.#clientEnd + 1;
      this.#clientEnd = text.indexOf(' ', this.#clientStart);
      if (!looksLikeAddress(text, this.#clientStart, this.#clientEnd)) return false;
    }
    return text.startsWith(' - ', this.#clientEnd);
  }

  #scanRequest(): boolean {
    const text = this.#text;
    this.#requestStart = text.indexOf('"', this.#clientEnd) + 1;
    if (this.#requestStart === 0 || !text.startsWith('] ', this.#requestStart - 3)) return false;
    this.#userEnd = text.lastIndexOf(' [', this.#requestStart - 3);
    if (this.#userEnd < this.#clientEnd + 3) return false;
    this.#requestEnd = closingQuote(text, this.#requestStart);
    return this.#requestEnd >= 0;
  }

  #scanStatus(): boolean {
    const text = this.#text;
    const start = this.#requestEnd + 2;
    this.#status = 0;
    for (let index = start; index < start + 3; index++) {
      const digit = text.charCodeAt(index) - 48;
      if (!(digit >= 0 && digit <= 9)) return false;
      this.#status = this.#status * 10 + digit;
    }
    if (text.charCodeAt(start - 1) !== SPACE || text.charCodeAt(start + 3) !== SPACE) return false;
    const end = text.indexOf(' ', start + 4);
    this.#bytesEnd = end < 0 ? text.length : end;
    return true;
  }
}

/** Four groups of digits, or hexadecimal with two colons: enough to tell an address from a virtual host. */
function looksLikeAddress(text: string, start: number, end: number): boolean {
  let dots = 0;
  let colons = 0;
  let letters = 0;
  for (let index = start; index < end; index++) {
    const code = text.charCodeAt(index);
    if (code === 46) dots++;
    else if (code === 58) colons++;
    else if (code < 48 || code > 57) letters++;
  }
  return end > start && (colons >= 2 || (dots === 3 && colons === 0 && letters === 0));
}

/** Letters, digits and `. : - _`. */
function looksLikeHost(text: string, end: number): boolean {
  for (let index = 0; index < end; index++) {
    const code = text.charCodeAt(index);
    const isLetter = (code | 32) >= 97 && (code | 32) <= 122;
    if (!isLetter && !(code >= 45 && code <= 58 && code !== 47) && code !== 95) return false;
  }
  return end > 0;
}

/** The next double quote that no backslash escapes, or -1. */
function closingQuote(text: string, start: number): number {
  let quote = text.indexOf('"', start);
  while (quote >= 0) {
    let first = quote;
    while (first > start && text.charCodeAt(first - 1) === BACKSLASH) first--;
    if ((quote - first) % 2 === 0) return quote;
    quote = text.indexOf('"', quote + 1);
  }
  return -1;
}
