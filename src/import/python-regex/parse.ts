/**
 * Reads expressions in the syntax of Python's re module (docs.python.org/3/library/re.html), with the tags that
 * fail2ban puts into them (jail.conf(5)). Nothing is run: text becomes a tree, or an error that says what is not known.
 */
import {
  type CharacterSet,
  characterSet,
  complement,
  DIGITS,
  EVERYTHING,
  foldCase,
  LINE_FEED,
  SPACE,
  unite,
  WORD,
} from './characters.ts';
import { ExpressionError } from './expression-error.ts';
import { choice, EMPTY, group, repeat, sequence, setOf, type Tree } from './tree.ts';

const MAX_LENGTH = 65_536;
const MAX_DEPTH = 100;
const MAX_COUNT = 1_000;

/** Reads an expression. Throws ExpressionError. */
export function parsePython(source: string): Tree {
  if (source.length > MAX_LENGTH)
    throw new ExpressionError(`the expression is longer than ${MAX_LENGTH} characters`);
  return new Parser(source).parse();
}

/** Address tags, by the families that they stand for; `CIDR` and names follow their own rules. */
const ADDRESS_TAGS: ReadonlyMap<string, readonly (4 | 6)[]> = new Map([
  ['HOST', [4, 6]],
  ['ADDR', [4, 6]],
  ['F-ADDR/', [4, 6]],
  ['SUBNET', [4, 6]],
  ['F-SUBNET/', [4, 6]],
  ['IP4', [4]],
  ['F-IP4/', [4]],
  ['IP6', [6]],
  ['F-IP6/', [6]],
]);

/** Tags for which brackets around the address may be written or not. */
const BRACKETED = /^(?:HOST|(?:F-)?ADDR\/?|(?:F-)?SUBNET\/?)$/;

class Parser {
  readonly #source: string;
  #position = 0;
  #depth = 0;
  #foldsCase = false;
  #dotTakesAll = false;
  #groups = 0;

  constructor(source: string) {
    this.#source = source;
  }

  parse(): Tree {
    const tree = this.#choice('');
    if (this.#position < this.#source.length) this.#fail('a parenthesis is closed that was not opened');
    return tree;
  }

  #peek(ahead = 0): string {
    return this.#source[this.#position + ahead] ?? '';
  }

  /** Takes `text` when it comes next. */
  #take(text: string): boolean {
    if (!this.#source.startsWith(text, this.#position)) return false;
    this.#position += text.length;
    return true;
  }

  #takeMatch(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.#position;
    const match = expression.exec(this.#source);
    if (match !== null) this.#position = expression.lastIndex;
    return match;
  }

  #fail(message: string): never {
    throw new ExpressionError(`${message} (character ${this.#position + 1})`);
  }

  #choice(tag: string): Tree {
    return choice(this.#branches(tag));
  }

  /** Alternatives up to a closing parenthesis or, with a tag's name in `tag`, up to the tag's end. */
  #branches(tag: string): Tree[] {
    const { foldsCase, dotTakesAll } = { foldsCase: this.#foldsCase, dotTakesAll: this.#dotTakesAll };
    if (++this.#depth > MAX_DEPTH) this.#fail(`groups are nested deeper than ${MAX_DEPTH}`);
    const options: Tree[] = [];
    let items: Tree[] = [];
    while (this.#position < this.#source.length && this.#peek() !== ')' && !this.#endsTag(tag)) {
      if (this.#take('|')) {
        options.push(sequence(items));
        items = [];
      } else items.push(this.#term());
    }
    options.push(sequence(items));
    this.#depth--;
    this.#foldsCase = foldsCase;
    this.#dotTakesAll = dotTakesAll;
    return options;
  }

  #endsTag(tag: string): boolean {
    return tag !== '' && this.#source.startsWith(`</F-${tag}>`, this.#position);
  }

  #term(): Tree {
    let tree = this.#atom();
    for (;;) {
      const counts = this.#quantifier();
      if (counts === null) return tree;
      const lazy = this.#take('?');
      if (!lazy && this.#peek() === '+') this.#fail('a possessive repetition (+ after +, * or ?)');
      tree = repeat(tree, counts.min, counts.max, lazy);
      if (/[*+?]/.test(this.#peek())) this.#fail('a repetition of a repetition');
    }
  }

  #quantifier(): { min: number; max: number } | null {
    if (this.#take('*')) return { min: 0, max: Number.POSITIVE_INFINITY };
    if (this.#take('+')) return { min: 1, max: Number.POSITIVE_INFINITY };
    if (this.#take('?')) return { min: 0, max: 1 };
    const counts = this.#takeMatch(/\{(?:(\d{1,6})|(\d{0,6}),(\d{0,6}))\}/y);
    if (counts === null) return null;
    const min = Number(counts[1] ?? counts[2] ?? '');
    const max =
      counts[1] !== undefined ? min : counts[3] === '' ? Number.POSITIVE_INFINITY : Number(counts[3]);
    if (min > MAX_COUNT || max < min) this.#fail('a repetition that is too large or descends');
    return { min, max };
  }

  #atom(): Tree {
    const character = this.#peek();
    if (character === '(') return this.#group();
    if (character === '[') return this.#class();
    if (character === '\\') return this.#escape();
    if (character === '<') {
      const tag = this.#tag();
      if (tag !== null) return tag;
    }
    this.#position++;
    if (character === '.') return setOf(this.#dotTakesAll ? EVERYTHING : complement(LINE_FEED));
    if (character === '^') return { kind: 'start' };
    if (character === '$') return { kind: 'end', strict: false };
    if (/[*+?]/.test(character)) this.#fail(`a repetition of nothing: ${character}`);
    return this.#literal(character.charCodeAt(0));
  }

  #literal(code: number): Tree {
    return setOf(this.#folded(characterSet(code)));
  }

  #folded(set: CharacterSet): CharacterSet {
    return this.#foldsCase ? foldCase(set) : set;
  }

  /** A tag of fail2ban; null for a `<` that is just that. */
  #tag(): Tree | null {
    const tag = /<([A-Z][A-Z0-9_/-]*)>/y;
    tag.lastIndex = this.#position;
    const name = tag.exec(this.#source)?.[1];
    if (name === undefined) return null;
    const tree = this.#knownTag(name);
    if (tree !== null) {
      this.#position = tag.lastIndex;
      return tree;
    }
    if (!name.startsWith('F-') || name.endsWith('/')) return null;
    this.#position = tag.lastIndex;
    this.#groups++;
    const body = this.#choice(name.slice(2));
    if (!this.#take(`</${name}>`)) this.#fail(`<${name}> is not closed`);
    return group(groupNameOfTag(name.slice(2)), body);
  }

  #knownTag(name: string): Tree | null {
    const families = ADDRESS_TAGS.get(name);
    if (families !== undefined) {
      const address: Tree = { kind: 'address', families };
      if (!BRACKETED.test(name)) return address;
      const prefix = name.includes('SUBNET') ? repeat(sequence([oneOf('/'), digits()]), 0, 1) : EMPTY;
      return sequence([repeat(oneOf('['), 0, 1), address, prefix, repeat(oneOf(']'), 0, 1)]);
    }
    const more = setOf(complement(SPACE));
    if (name === 'CIDR' || name === 'F-CIDR/') return digits();
    if (name === 'F-PORT/') return repeat(setOf(WORD), 1, Number.POSITIVE_INFINITY);
    if (name === 'F-ID/') return group('fid', repeat(more, 1, Number.POSITIVE_INFINITY));
    if (name === 'DNS' || name === 'F-DNS/') {
      return group('dns', repeat(setOf(unite(WORD, characterSet(45, 46, 94))), 1, Number.POSITIVE_INFINITY));
    }
    return null;
  }

  #group(): Tree {
    this.#position++;
    const look = this.#takeMatch(/\?(<?)([=!])/y);
    if (look !== null) {
      const body = this.#closed();
      return { kind: 'look', behind: look[1] === '<', negated: look[2] === '!', body };
    }
    if (this.#takeMatch(/\?#[^)]*\)/y) !== null) return EMPTY;
    if (this.#take('?:')) return this.#closed();
    if (this.#take('?>')) this.#fail('an atomic group (?>...)');
    const name = this.#takeMatch(/\?P<([A-Za-z_]\w*)>/y)?.[1];
    if (name !== undefined) {
      this.#groups++;
      return group(name, this.#closed());
    }
    const reference = this.#takeMatch(/\?P=([A-Za-z_]\w*)\)/y)?.[1];
    if (reference !== undefined) return { kind: 'reference', name: reference };
    const condition = this.#takeMatch(/\?\((\w+)\)/y)?.[1];
    if (condition !== undefined) return this.#condition(condition);
    const flags = this.#takeMatch(/\?([a-zA-Z]*)(?:-([a-zA-Z]+))?([:)])/y);
    if (flags !== null) return this.#flags(flags[1] ?? '', flags[2] ?? '', flags[3] === ':');
    if (this.#peek() === '?') this.#fail('a group of a kind that is not known');
    return group(`${++this.#groups}`, this.#closed());
  }

  #closed(): Tree {
    const tree = this.#choice('');
    if (!this.#take(')')) this.#fail('a group is not closed');
    return tree;
  }

  #condition(name: string): Tree {
    const [yes = EMPTY, no = EMPTY, ...more] = this.#branches('');
    if (more.length > 0) this.#fail('a condition with more than two branches');
    if (!this.#take(')')) this.#fail('a group is not closed');
    return { kind: 'condition', name, yes, no };
  }

  /** `(?i)` holds to the end of the group that it is in, `(?i:...)` inside. */
  #flags(on: string, off: string, isScoped: boolean): Tree {
    const known = /^[aimsuL]*$/;
    if (!known.test(on) || !known.test(off)) this.#fail(`the flags (?${on}${off === '' ? '' : `-${off}`})`);
    const before = [this.#foldsCase, this.#dotTakesAll] as const;
    if (on.includes('m')) this.#fail('the flag (?m)');
    if (on.includes('i')) this.#foldsCase = true;
    if (on.includes('s')) this.#dotTakesAll = true;
    if (off.includes('i')) this.#foldsCase = false;
    if (off.includes('s')) this.#dotTakesAll = false;
    if (!isScoped) return EMPTY;
    const tree = this.#closed();
    [this.#foldsCase, this.#dotTakesAll] = before;
    return tree;
  }

  #escape(): Tree {
    const character = this.#peek(1);
    if (character === 'b' || character === 'B') {
      this.#position += 2;
      return { kind: 'boundary', negated: character === 'B' };
    }
    if (character === 'A' || character === 'Z') {
      this.#position += 2;
      return character === 'A' ? { kind: 'start' } : { kind: 'end', strict: true };
    }
    const reference = this.#takeMatch(/\\([1-9]\d?)/y)?.[1];
    if (reference !== undefined) return { kind: 'reference', name: reference };
    return setOf(this.#folded(this.#escaped().set));
  }

  /** What a backslash stands for, in a class or outside; `code` is -1 for a set such as \d. */
  #escaped(): { set: CharacterSet; code: number } {
    const hex = this.#takeMatch(/\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4}))/y);
    if (hex !== null) return single(Number.parseInt(hex[1] ?? hex[2] ?? '', 16));
    const octal = this.#takeMatch(/\\(0[0-7]{0,2})/y);
    if (octal !== null) return single(Number.parseInt(octal[1] ?? '', 8));
    const character = this.#peek(1);
    this.#position += 2;
    const set = CLASSES.get(character.toLowerCase());
    if (set !== undefined) {
      return { set: character === character.toLowerCase() ? set : complement(set), code: -1 };
    }
    const control = CONTROLS.get(character);
    if (control !== undefined) return single(control);
    if (character === '' || /[A-Za-z0-9]/.test(character)) this.#fail(`the escape \\${character}`);
    return single(character.charCodeAt(0));
  }

  #class(): Tree {
    this.#position++;
    const isNegated = this.#take('^');
    const sets: CharacterSet[] = [];
    for (let isFirst = true; isFirst || this.#peek() !== ']'; isFirst = false) {
      if (this.#position >= this.#source.length) this.#fail('a character class is not closed');
      const item = this.#classItem();
      if (item.code < 0 || this.#peek() !== '-' || this.#peek(1) === ']') {
        sets.push(item.set);
        continue;
      }
      this.#position++;
      const last = this.#classItem();
      if (last.code < item.code) this.#fail('a range in a character class that descends');
      sets.push([[item.code, last.code]]);
    }
    this.#position++;
    const set = this.#folded(unite(...sets));
    return setOf(isNegated ? complement(set) : set);
  }

  #classItem(): { set: CharacterSet; code: number } {
    if (this.#peek() === '\\') {
      if (this.#peek(1) !== 'b') return this.#escaped();
      this.#position += 2;
      return single(8);
    }
    const code = this.#peek().charCodeAt(0);
    this.#position++;
    return single(code);
  }
}

const CLASSES: ReadonlyMap<string, CharacterSet> = new Map([
  ['d', DIGITS],
  ['w', WORD],
  ['s', SPACE],
]);

const CONTROLS: ReadonlyMap<string, number> = new Map([
  ['n', 10],
  ['r', 13],
  ['t', 9],
  ['f', 12],
  ['v', 11],
  ['a', 7],
]);

function single(code: number): { set: CharacterSet; code: number } {
  return { set: characterSet(code), code };
}

function oneOf(character: string): Tree {
  return setOf(characterSet(character.charCodeAt(0)));
}

function digits(): Tree {
  return repeat(setOf(DIGITS), 1, Number.POSITIVE_INFINITY);
}

/** `<F-USER>` is the group `user`; fail2ban knows two of its tags by other names. */
function groupNameOfTag(tag: string): string {
  const name = tag.toLowerCase().replaceAll('-', '_');
  return name === 'id' ? 'fid' : name === 'port' ? 'fport' : name;
}
