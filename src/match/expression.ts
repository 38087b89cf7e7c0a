/**
 * The expressions that rules are made of, as a syntax tree: the regular subset of ECMAScript, without assertions inside
 * a pattern, back-references and flags. The tree is what proofs about a rule are made on, and from it the source that
 * V8 runs is written again, also with every preference reversed.
 */
import { OperationalError } from '../core/errors.ts';

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

/** Characters 0 to 127, and one more symbol for everything else. */
export const SYMBOL_COUNT = 129;
const OTHER_SYMBOL = 128;

/** The symbol of the character at `index`. */
export function symbolOf(text: string, index: number): number {
  return Math.min(text.charCodeAt(index), OTHER_SYMBOL);
}

/** One byte for each symbol: 1 where the symbol is in the set. */
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

/**
 * Writes the expression for V8, anchored, without names. `reversed` prefers the fewest repetitions where the original
 * prefers the most, and the last alternative where it prefers the first: of all ways to read a text, the opposite one.
 */
export function writeExpression(body: Expression, reversed: boolean): string {
  return `^(?:${write(body, reversed)})$`;
}

/**
 * Writes the expression with a group around each stretch of free text and each address, and lists which they are: the
 * places where a forger can write, and where the true address stands.
 */
export function writeMarked(
  body: Expression,
  addressGroups: readonly number[],
): { readonly source: string; readonly groups: readonly ('free' | 'address')[] } {
  const groups: ('free' | 'address')[] = [];
  const mark = (node: Expression): string => {
    if (node.kind === 'set') return node.source;
    if (node.kind === 'sequence') return node.items.map(mark).join('');
    if (node.kind === 'choice') return `(?:${node.options.map(mark).join('|')})`;
    if (node.kind === 'group') {
      if (!addressGroups.includes(node.index)) return mark(node.body);
      groups.push('address');
      return `(${write(plain(node.body), false)})`;
    }
    if (node.max === Number.POSITIVE_INFINITY && freedom(node.body) >= FREE_SYMBOLS) {
      groups.push('free');
      return `(${write(plain(node), false)})`;
    }
    return `(?:${mark(node.body)})${writeCounts(node.min, node.max)}${node.lazy ? '?' : ''}`;
  };
  const source = `^(?:${mark(body)})$`;
  return { source, groups };
}

/**
 * Repeated sets of at least this many symbols count as free text: \S and [^"] do, the letters, digits and marks that
 * names of hosts and users of this machine are made of do not.
 */
const FREE_SYMBOLS = 90;

/** How many symbols the expression may contain anywhere. */
function freedom(node: Expression): number {
  switch (node.kind) {
    case 'set':
      return node.symbols.reduce((sum, symbol) => sum + symbol, 0);
    case 'sequence':
      return Math.max(0, ...node.items.map(freedom));
    case 'choice':
      return Math.max(0, ...node.options.map(freedom));
    default:
      return freedom(node.body);
  }
}

/** The same expression without capture groups. */
function plain(node: Expression): Expression {
  switch (node.kind) {
    case 'set':
      return node;
    case 'sequence':
      return { kind: 'sequence', items: node.items.map(plain) };
    case 'choice':
      return { kind: 'choice', options: node.options.map(plain) };
    case 'group':
      return plain(node.body);
    case 'repeat':
      return { ...node, body: plain(node.body) };
  }
}

/**
 * Texts of which every match must begin with one, at most `limit` of them, the longest that the tree gives away.
 * [''] when nothing is known.
 */
export function literalPrefixes(body: Expression, limit: number): readonly string[] {
  const found = extendPrefixes([''], body, limit);
  return [...new Set(found.prefixes)];
}

/** The longest text that stands in every match, '' when there is none. */
export function requiredLiteral(body: Expression): string {
  let longest = '';
  let run = '';
  for (const item of flatten(body)) {
    const text = item.kind === 'set' ? onlyCharacter(item) : '';
    run = text === '' ? '' : run + text;
    if (run.length > longest.length) longest = run;
  }
  return longest;
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
      return { kind: 'set', symbols: fullSet(), source: '.' };
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
    while (this.#peek() !== ']') {
      if (this.#peek() === '') this.#fail('a character class is not closed', offset);
      if (this.#peek() === '-' && last >= 0 && !isRange && this.#source[this.#position + 1] !== ']') {
        isRange = true;
        this.#position++;
        continue;
      }
      const item = this.#classItem();
      if (isRange) {
        if (item.code < last) this.#fail('a range in a character class must ascend');
        for (let code = last; code <= item.code; code++) symbols[Math.min(code, OTHER_SYMBOL)] = 1;
      }
      for (let symbol = 0; symbol < SYMBOL_COUNT; symbol++) symbols[symbol] ||= item.symbols[symbol] ?? 0;
      last = isRange ? -1 : item.code;
      isRange = false;
    }
    this.#position++;
    if (negated) {
      for (let symbol = 0; symbol < OTHER_SYMBOL; symbol++) symbols[symbol] = symbols[symbol] === 1 ? 0 : 1;
      symbols[OTHER_SYMBOL] = 1;
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
  const tests: Readonly<Record<string, RegExp>> = { d: /\d/, w: /\w/, s: /\s/ };
  const test = tests[character.toLowerCase()];
  if (test === undefined) return null;
  const symbols = new Uint8Array(SYMBOL_COUNT);
  const wanted = character === character.toLowerCase();
  for (let code = 0; code < OTHER_SYMBOL; code++) {
    symbols[code] = test.test(String.fromCharCode(code)) === wanted ? 1 : 0;
  }
  // White space and, negated, every set has members outside ASCII.
  symbols[OTHER_SYMBOL] = character === 'd' || character === 'w' ? 0 : 1;
  return symbols;
}

function setOf(character: string): SymbolSet {
  const symbols = new Uint8Array(SYMBOL_COUNT);
  symbols[symbolOf(character, 0)] = 1;
  return symbols;
}

function fullSet(): SymbolSet {
  return new Uint8Array(SYMBOL_COUNT).fill(1);
}

function write(node: Expression, reversed: boolean): string {
  switch (node.kind) {
    case 'set':
      return node.source;
    case 'sequence':
      return node.items.map((item) => write(item, reversed)).join('');
    case 'choice': {
      const options = node.options.map((option) => write(option, reversed));
      return `(?:${(reversed ? options.reverse() : options).join('|')})`;
    }
    case 'group':
      return `(${write(node.body, reversed)})`;
    case 'repeat': {
      const body = write(node.body, reversed);
      const atom = node.body.kind === 'sequence' ? `(?:${body})` : body;
      return `${atom}${writeCounts(node.min, node.max)}${node.lazy !== reversed ? '?' : ''}`;
    }
  }
}

function writeCounts(min: number, max: number): string {
  if (max === Number.POSITIVE_INFINITY) return min === 0 ? '*' : min === 1 ? '+' : `{${min},}`;
  if (min === 0 && max === 1) return '?';
  return min === max ? `{${min}}` : `{${min},${max}}`;
}

/** Appends what `node` must begin with to each prefix; `open` as long as the whole of it is known. */
function extendPrefixes(
  prefixes: readonly string[],
  node: Expression,
  limit: number,
): { prefixes: readonly string[]; open: boolean } {
  switch (node.kind) {
    case 'set': {
      const character = onlyCharacter(node);
      if (character === '') return { prefixes, open: false };
      return { prefixes: prefixes.map((prefix) => prefix + character), open: true };
    }
    case 'group':
      return extendPrefixes(prefixes, node.body, limit);
    case 'sequence': {
      let current: { prefixes: readonly string[]; open: boolean } = { prefixes, open: true };
      for (const item of node.items) {
        current = extendPrefixes(current.prefixes, item, limit);
        if (!current.open) break;
      }
      return current;
    }
    case 'choice':
      return mergePrefixes(prefixes, node.options, limit);
    case 'repeat':
      if (node.min !== 0 || node.max !== 1) return { prefixes, open: false };
      return mergePrefixes(prefixes, [node.body, { kind: 'sequence', items: [] }], limit);
  }
}

/** Several ways on: all of them known to their ends, or none of them used. */
function mergePrefixes(
  prefixes: readonly string[],
  options: readonly Expression[],
  limit: number,
): { prefixes: readonly string[]; open: boolean } {
  const extended = options.map((option) => extendPrefixes(prefixes, option, limit));
  const merged = extended.flatMap((option) => option.prefixes);
  if (merged.length > limit) return { prefixes, open: false };
  return { prefixes: merged, open: extended.every((option) => option.open) };
}

/** The sequence's items with groups and single repetitions opened up, everything else as a break. */
function* flatten(node: Expression): Generator<Expression> {
  if (node.kind === 'sequence') for (const item of node.items) yield* flatten(item);
  else if (node.kind === 'group') yield* flatten(node.body);
  else yield node;
}

/** The one character of a set that was written as such, or ''. */
function onlyCharacter(node: Expression & { kind: 'set' }): string {
  const { source } = node;
  if (source.length === 1 && source !== '.') return source;
  if (source.length === 2 && source[0] === '\\' && /[^A-Za-z0-9]/.test(source[1] ?? ''))
    return source[1] ?? '';
  return '';
}
