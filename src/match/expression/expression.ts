/**
 * The expressions that rules are made of, as a syntax tree: the regular subset of ECMAScript, without assertions inside
 * a pattern, back-references and flags. The tree is what proofs about a rule are made on, and what V8's source is
 * written from.
 */
import { assert, OperationalError } from '../../core/errors.ts';

/** A pattern that cannot be used. */
export class PatternError extends OperationalError {
  /** Characters from the start of the pattern's text. */
  readonly offset: number;
  /** The key of a `json` or `access` rule whose pattern it is; '' for a pattern over the whole message. */
  readonly field: string;

  constructor(message: string, offset: number, field = '') {
    super(message, { code: 'pattern' });
    this.offset = offset;
    this.field = field;
  }
}

/** Characters 0 to 127, one more symbol for white space beyond, and one for everything else. */
export const SYMBOL_COUNT = 130;
const OTHER_SYMBOL = 128;
const OTHER_SPACE = 129;

/** What `\s` takes of the characters from 128 on. */
const SPACES: ReadonlySet<number> = new Set([
  0xa0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a,
  0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff,
]);

/** The symbol of the character at `index`. */
export function symbolOf(text: string, index: number): number {
  return symbolOfCode(text.charCodeAt(index));
}

function symbolOfCode(code: number): number {
  if (code < OTHER_SYMBOL) return code;
  return SPACES.has(code) ? OTHER_SPACE : OTHER_SYMBOL;
}

/** A character of the symbol, to be shown. */
export function characterOf(symbol: number): string {
  if (symbol === OTHER_SYMBOL) return '\u00e9';
  return symbol === OTHER_SPACE ? '\u2003' : String.fromCharCode(symbol);
}

/** One byte for each symbol: 1 where the symbol is in the set. Often shared, so never to be written to. */
export type SymbolSet = Uint8Array;

export type Expression =
  /** One character out of a set. `source` is how it was written. */
  | { readonly kind: 'set'; readonly symbols: SymbolSet; readonly source: string }
  | { readonly kind: 'sequence'; readonly items: readonly Expression[] }
  | { readonly kind: 'choice'; readonly options: readonly Expression[] }
  | {
      readonly kind: 'repeat';
      readonly body: Expression;
      readonly min: number;
      readonly max: number;
      readonly lazy: boolean;
      readonly offset: number;
    }
  | { readonly kind: 'group'; readonly index: number; readonly body: Expression };

export type ParsedExpression = {
  /** What is between `^` and `$`. */
  readonly body: Expression;
  /** Group numbers by name; a name may stand in several alternatives. */
  readonly groups: ReadonlyMap<string, readonly number[]>;
  /** The first counted repetition, or -1: the usual reason why an expression is not linear. */
  readonly countedOffset: number;
};

const MAX_EXPRESSION_LENGTH = 4_096;
const MAX_COUNT = 64;
const MAX_DEPTH = 50;

/** Reads `^...$`. Throws PatternError at the first thing that is not in the subset. */
export function parseExpression(source: string): ParsedExpression {
  if (source.length > MAX_EXPRESSION_LENGTH) {
    throw new PatternError(`the expression is longer than ${MAX_EXPRESSION_LENGTH} characters`, 0);
  }
  if (source[0] !== '^') throw new PatternError('the expression must begin with ^', 0);
  return new Parser(source).parse();
}

class Parser {
  readonly #source: string;
  #position = 1;
  #groupCount = 0;
  #countedOffset = -1;
  #depth = 0;
  readonly #groups = new Map<string, number[]>();

  constructor(source: string) {
    this.#source = source;
  }

  parse(): ParsedExpression {
    const items: Expression[] = [];
    while (this.#peek() !== '$' || this.#position < this.#source.length - 1) {
      if (this.#position >= this.#source.length) this.#fail('the expression must end with $');
      if (this.#peek() === '|') this.#fail('alternatives at the top must be in a group: ^(?:a|b)$');
      items.push(this.#term());
    }
    return {
      body: { kind: 'sequence', items },
      groups: this.#groups,
      countedOffset: this.#countedOffset,
    };
  }

  #peek(): string {
    return this.#source[this.#position] ?? '';
  }

  #fail(message: string, offset = this.#position): never {
    throw new PatternError(message, offset);
  }

  /** Alternatives up to the closing parenthesis. */
  #choice(): Expression {
    const options: Expression[] = [];
    let items: Expression[] = [];
    if (++this.#depth > MAX_DEPTH) this.#fail(`groups are nested deeper than ${MAX_DEPTH}`);
    for (;;) {
      const next = this.#peek();
      if (next === '') this.#fail('a group is not closed');
      if (next !== '|' && next !== ')') {
        items.push(this.#term());
        continue;
      }
      options.push({ kind: 'sequence', items });
      items = [];
      if (next === ')') break;
      this.#position++;
    }
    this.#depth--;
    return options.length === 1 && options[0] !== undefined ? options[0] : { kind: 'choice', options };
  }

  #term(): Expression {
    const offset = this.#position;
    const atom = this.#atom();
    const counts = this.#quantifier();
    if (counts === null) return atom;
    const lazy = this.#peek() === '?';
    if (lazy) this.#position++;
    if (/[*+?{]/.test(this.#peek())) this.#fail('a repetition cannot be repeated');
    if (counts.max > 1 && counts.max !== Number.POSITIVE_INFINITY && this.#countedOffset < 0) {
      this.#countedOffset = offset;
    }
    return { kind: 'repeat', body: atom, ...counts, lazy, offset };
  }

  #quantifier(): { min: number; max: number } | null {
    const sign = this.#peek();
    if (sign === '*' || sign === '+' || sign === '?') {
      this.#position++;
      return { min: sign === '+' ? 1 : 0, max: sign === '?' ? 1 : Number.POSITIVE_INFINITY };
    }
    if (sign !== '{') return null;
    const counts = /^\{(\d{1,5})(,(\d{1,5})?)?\}/.exec(this.#source.slice(this.#position));
    if (counts === null) this.#fail('a brace that is no repetition must be escaped: \\{');
    const min = Number(counts[1]);
    const bound = counts[3] === undefined ? Number.POSITIVE_INFINITY : Number(counts[3]);
    const max = counts[2] === undefined ? min : bound;
    if (min > MAX_COUNT || (max > MAX_COUNT && max !== Number.POSITIVE_INFINITY) || max < min) {
      this.#fail(`a repetition must be ascending and at most ${MAX_COUNT}`);
    }
    this.#position += counts[0].length;
    return { min, max };
  }

  #atom(): Expression {
    const offset = this.#position;
    const character = this.#peek();
    if (character === '(') return this.#group();
    if (character === '[') return this.#class();
    if (character === '.') {
      this.#position++;
      return { kind: 'set', symbols: FULL_SET, source: '.' };
    }
    if (character === '\\') {
      const { symbols, length } = readEscape(this.#source, offset);
      this.#position += length;
      return { kind: 'set', symbols, source: this.#source.slice(offset, this.#position) };
    }
    if (character === '^' || character === '$') this.#fail(`${character} may stand at the ends only`);
    if (/[*+?{}\])]/.test(character)) this.#fail(`${character} must be escaped: \\${character}`);
    this.#position++;
    return { kind: 'set', symbols: setOf(character), source: character };
  }

  #group(): Expression {
    const head = /^\((\?:|\?<([A-Za-z]\w*)>)?/.exec(this.#source.slice(this.#position));
    const name = head?.[2];
    if (head === null || (head[1] === undefined && this.#source[this.#position + 1] === '?')) {
      this.#fail('only (...), (?:...) and (?<name>...) groups run in linear time: no look-around, no flags');
    }
    this.#position += head[0].length;
    const index = head[1] === '?:' ? 0 : ++this.#groupCount;
    if (name !== undefined) this.#groups.set(name, [...(this.#groups.get(name) ?? []), index]);
    const body = this.#choice();
    this.#position++;
    return index === 0 ? body : { kind: 'group', index, body };
  }

  #class(): Expression {
    const offset = this.#position++;
    const negated = this.#peek() === '^';
    if (negated) this.#position++;
    const symbols = new Uint8Array(SYMBOL_COUNT);
    let last = -1;
    let isRange = false;
    let hasAllSpace = false;
    while (this.#peek() !== ']') {
      if (this.#peek() === '') this.#fail('a character class is not closed', offset);
      if (this.#peek() === '-' && last >= 0 && !isRange && this.#source[this.#position + 1] !== ']') {
        isRange = true;
        this.#position++;
        continue;
      }
      const item = this.#classItem();
      hasAllSpace ||= item.code < 0 && item.symbols[OTHER_SPACE] === 1;
      if (isRange) {
        if (item.code < last) this.#fail('a range in a character class must ascend');
        for (let code = last; code <= item.code; code++) symbols[symbolOfCode(code)] = 1;
      }
      if (item.code >= 0) symbols[symbolOfCode(item.code)] = 1;
      else
        for (let symbol = 0; symbol < SYMBOL_COUNT; symbol++) symbols[symbol] ||= item.symbols[symbol] ?? 0;
      last = isRange ? -1 : item.code;
      isRange = false;
    }
    this.#position++;
    if (negated) {
      for (let symbol = 0; symbol < OTHER_SYMBOL; symbol++) symbols[symbol] = symbols[symbol] === 1 ? 0 : 1;
      symbols[OTHER_SYMBOL] = 1;
      symbols[OTHER_SPACE] = hasAllSpace ? 0 : 1;
    }
    return { kind: 'set', symbols, source: this.#source.slice(offset, this.#position) };
  }

  /** One member of a class; `code` is -1 for a set such as \d, which cannot begin a range. */
  #classItem(): { symbols: SymbolSet; code: number } {
    const character = this.#peek();
    if (character !== '\\') {
      this.#position++;
      return { symbols: setOf(character), code: character.charCodeAt(0) };
    }
    const { symbols, code, length } = readEscape(this.#source, this.#position);
    this.#position += length;
    return { symbols, code };
  }
}

const CONTROL_ESCAPES: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, '0': 0 };

/** Reads what follows a backslash. `code` is -1 for a set of characters. */
function readEscape(source: string, offset: number): { symbols: SymbolSet; code: number; length: number } {
  const character = source[offset + 1] ?? '';
  const set = classEscape(character);
  if (set !== null) return { symbols: set, code: -1, length: 2 };
  const hex = /^\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4}))/.exec(source.slice(offset, offset + 6));
  if (hex !== null) {
    const code = Number.parseInt(hex[1] ?? hex[2] ?? '', 16);
    return { symbols: setOf(String.fromCharCode(code)), code, length: hex[0].length };
  }
  const control = CONTROL_ESCAPES[character];
  if (control !== undefined)
    return { symbols: setOf(String.fromCharCode(control)), code: control, length: 2 };
  if (character === '' || /[A-Za-z0-9]/.test(character)) {
    throw new PatternError(`\\${character} is not supported: no back-references, no boundaries`, offset);
  }
  return { symbols: setOf(character), code: character.charCodeAt(0), length: 2 };
}

function classEscape(character: string): SymbolSet | null {
  return CLASS_ESCAPES.get(character) ?? null;
}

/** The set of `\d`, `\D` and so on, found by trying every character. */
function setOfClass(character: string, test: RegExp): SymbolSet {
  const symbols = new Uint8Array(SYMBOL_COUNT);
  const wanted = character === character.toLowerCase();
  for (let code = 0; code < OTHER_SYMBOL; code++) {
    symbols[code] = test.test(String.fromCharCode(code)) === wanted ? 1 : 0;
  }
  // White space and, negated, every set has members outside ASCII.
  symbols[OTHER_SYMBOL] = wanted ? 0 : 1;
  symbols[OTHER_SPACE] = character === 's' || character === 'D' || character === 'W' ? 1 : 0;
  return symbols;
}

function setOf(character: string): SymbolSet {
  const symbol = symbolOf(character, 0);
  const symbols = SINGLE_SETS[symbol];
  assert(symbols !== undefined, 'every symbol has its set');
  return symbols;
}

/** Made once: expressions consist of these, and comparing them is most of the work of a proof. */
const FULL_SET: SymbolSet = new Uint8Array(SYMBOL_COUNT).fill(1);
const SINGLE_SETS: readonly SymbolSet[] = Array.from({ length: SYMBOL_COUNT }, (_, symbol) =>
  new Uint8Array(SYMBOL_COUNT).fill(1, symbol, symbol + 1),
);
const CLASS_ESCAPES: ReadonlyMap<string, SymbolSet> = new Map(
  [/\d/, /\w/, /\s/].flatMap((test) => {
    const name = test.source.slice(1);
    return [name, name.toUpperCase()].map((character) => [character, setOfClass(character, test)] as const);
  }),
);
