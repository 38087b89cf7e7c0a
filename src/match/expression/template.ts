/**
 * The template form of a pattern:
 *
 *     Failed <word:method> for [invalid user ]<user> from <address> port <port>[ ssh2]
 *
 *     text            itself, character by character
 *     <type>          a field; <type:name> gives it a name
 *     <any!"'>        text without these characters, for `any` and `user`; <any:name!"'> with a name
 *     <any!!, ip: >   text without this text, or <any!!, a: |, b: > these, whose first character must not occur again
 *     [text]          may be absent
 *     {one|two}       one of these
 *     \               takes the meaning from one of  [ ] { } | < > \
 *
 * A template stands for the whole message, from its first character to its last. Parts may be nested.
 */
import { PatternError } from './expression.ts';
import { LOOPBACK, PRIVATE, PUBLIC } from './networks.ts';

/** A template as an expression, with the numbers of the capture groups of its fields. */
export type CompiledTemplate = {
  /** `^...$`. */
  readonly source: string;
  /** Group numbers by name. A name has several groups when it stands in several alternatives. */
  readonly groups: ReadonlyMap<string, readonly number[]>;
  /** Where the `<address>` stands, -1 when there is none. */
  readonly addressOffset: number;
  /** Where the field of a capture group stands. */
  readonly offsets: ReadonlyMap<number, number>;
};

const OCTET = '\\d(?:\\d\\d?)?';
const IPV4 = `${OCTET}\\.${OCTET}\\.${OCTET}\\.${OCTET}`;
const GROUP = '[0-9A-Fa-f]+';
const IPV6 = `(?:(?:${GROUP}:)+|:)(?:(?::(?:${GROUP}:)*)?(?:${IPV4}|${GROUP})|:)(?:%[\\w.~-]+)?`;

/**
 * The types of fields. Each expression captures what the field is worth in one or more groups, of which one takes
 * part. Addresses are only roughly drawn here; what was captured must then pass parseAddress.
 *
 * A type is also a claim about who has written the text. `user`, `any`, `word`, `quoted` and `path` may come from a
 * client, and the linter forges them, a `word` even with blanks in it. The others are the service's own.
 */
const FIELD_TYPES: ReadonlyMap<string, string> = new Map([
  /** An IPv4 or IPv6 address. */
  ['address', `(${IPV4}|${IPV6})`],
  /** An address with or without a port: `192.0.2.1`, `192.0.2.1:22`, `[2001:db8::1]:22`, `2001:db8::1`. */
  ['peer', `(?:(${IPV4})(?::\\d+)?|\\[(${IPV4}|${IPV6})\\](?::\\d+)?|(${IPV6}))`],
  /** An address with its port, also IPv6 without brackets, of which the last group is then the port. */
  ['endpoint', `(?:(${IPV4})(?::\\d+)?|(${IPV6}):\\d+)`],
  /** An address that is neither private nor of the loopback network. */
  ['public', `(${PUBLIC})`],
  /** An address in a private network (RFC 1918, RFC 4193), which is not the client's. */
  ['private', `(${PRIVATE})`],
  /** An address of the loopback network, which is not the client's. */
  ['loopback', `(${LOOPBACK})`],
  /** What a client calls itself: any text, also none. */
  ['user', '(.*)'],
  /** Any text, also none. */
  ['any', '(.*)'],
  /** Text without white space. */
  ['word', '(\\S+)'],
  /** A word of the service's own, or the name of a user that exists: letters, digits and `_ . @ + - $ \\`. */
  ['name', '([\\w.@+$\\\\-]+)'],
  /** Words of the service's own: as `name`, and blanks and `/ , '` as well. */
  ['phrase', "([\\w.@+/-][\\w.@+/,' -]*)"],
  /** Words of the service's own in any language: letters of any script, blanks, `'` and `-`, and no digit. */
  ['words', "([A-Za-z\\u0080-\\uffff' -]+)"],
  /** A host name, or an address that does not matter. */
  ['host', '([\\w.:%-]+)'],
  /** Text in double quotes, in which a backslash escapes; the value is without the quotes. */
  ['quoted', '"((?:[^"\\\\]|\\\\.)*)"'],
  ['int', '(\\d+)'],
  ['number', '(-?\\d+(?:\\.\\d+)?)'],
  ['hex', '([0-9A-Fa-f]+)'],
  /** Of a key, after `SHA256:` or `MD5:`: base64, or hexadecimal with colons. */
  ['fingerprint', '([\\w+/=:]+)'],
  ['port', '(\\d+)'],
  /** Three digits, as in HTTP and SMTP. */
  ['status', '(\\d\\d\\d)'],
  /** From a slash to the next white space. */
  ['path', '(/\\S*)'],
  /** White space, one character or more. */
  ['blank', '(\\s+)'],
  /** A date and a time of day in one of the usual forms: ISO 8601, `2026/11/20 10:00:00`, `Nov 20 10:00:00 2026`. */
  [
    'time',
    '(\\d+[-/.]\\d+[-/.]\\d+[T ]\\d+:\\d+:\\d+(?:[.,]\\d+)?(?: ?(?:Z|[+-]\\d+(?::\\d*)?))?' +
      '|(?:[A-Z][a-z][a-z] )?[A-Z][a-z][a-z] +\\d+ (?:\\d+ )?\\d+:\\d+:\\d+(?:\\.\\d+)?(?: \\d+)?)',
  ],
]);

/** What may stand between < and >. */
export const FIELD_TYPE_NAMES: readonly string[] = [...FIELD_TYPES.keys()];

/** Fields whose values are the client's address, and which therefore need no other name. */
const ADDRESS_TYPES: ReadonlySet<string> = new Set(['address', 'peer', 'endpoint', 'public']);

/** Fields of any text, of which some characters can be left out. */
const TEXT_TYPES: ReadonlySet<string> = new Set(['any', 'user']);

const FIELD = /<([a-z]+)(?::([a-z][a-z0-9_]*))?(?:!((?:[^<>\\]|\\.)+))?>/y;
const SPECIAL = /[[\]{}|<>\\]/;
const MAX_TEMPLATE_LENGTH = 1_024;
const MAX_DEPTH = 8;

/** Compiles a template. Throws PatternError with the place of the first mistake. */
export function compileTemplate(text: string): CompiledTemplate {
  if (text.length > MAX_TEMPLATE_LENGTH) {
    throw new PatternError(`the template is longer than ${MAX_TEMPLATE_LENGTH} characters`, 0);
  }
  return new Compiler(text).compile();
}

/** Writes text so that a template takes it literally. */
export function escapeTemplate(text: string): string {
  return text.replace(/[[\]{}|<>\\]/g, '\\$&');
}

class Compiler {
  readonly #text: string;
  #position = 0;
  #groupCount = 0;
  #addressOffset = -1;
  readonly #groups = new Map<string, number[]>();
  readonly #offsets = new Map<number, number>();

  constructor(text: string) {
    this.#text = text;
  }

  compile(): CompiledTemplate {
    const source = `^${this.#sequence('', 0)}$`;
    return { source, groups: this.#groups, addressOffset: this.#addressOffset, offsets: this.#offsets };
  }

  /** Up to one of the characters in `ends`, or with '' to the end of the text; `opened` is where the part began. */
  #sequence(ends: string, depth: number, opened = 0): string {
    if (depth > MAX_DEPTH) this.#fail(`parts are nested deeper than ${MAX_DEPTH}`);
    let source = '';
    for (;;) {
      const character = this.#text[this.#position];
      if (character === undefined) {
        if (ends !== '') this.#fail(`${this.#text[opened]} is not closed`, opened);
        return source;
      }
      if (ends.includes(character)) return source;
      source += this.#part(character, depth);
    }
  }

  #part(character: string, depth: number): string {
    if (character === '<') return this.#field();
    if (character === '[') return this.#optional(depth);
    if (character === '{') return this.#choice(depth);
    if (character === '\\') {
      const escaped = this.#text[++this.#position] ?? '';
      if (!SPECIAL.test(escaped))
        this.#fail('a backslash may only stand before [ ] { } | < > \\', this.#position - 1);
    } else if (SPECIAL.test(character)) this.#fail(`${character} must be escaped: \\${character}`);
    return escapeLiteral(this.#text[this.#position++] ?? '');
  }

  #optional(depth: number): string {
    const body = this.#sequence(']', depth + 1, this.#position++);
    this.#position++;
    return `(?:${body})?`;
  }

  #choice(depth: number): string {
    const opened = this.#position;
    const options: string[] = [];
    do {
      this.#position++;
      options.push(this.#sequence('|}', depth + 1, opened));
    } while (this.#text[this.#position] === '|');
    this.#position++;
    return `(?:${options.join('|')})`;
  }

  #field(): string {
    FIELD.lastIndex = this.#position;
    const field = FIELD.exec(this.#text);
    if (field === null) this.#fail('a field is written <type> or <type:name>; a plain < is written \\<');
    const type = field[1] ?? '';
    const expression = this.#expressionOf(type, field[3]?.replace(/\\([<>\\])/g, '$1'));
    const name = ADDRESS_TYPES.has(type) ? 'address' : (field[2] ?? type);
    if (ADDRESS_TYPES.has(type) && field[2] !== undefined && field[2] !== 'address') {
      this.#fail(`an address that is not the client's is a <host:${field[2]}>`);
    }
    if (name === 'address' && !ADDRESS_TYPES.has(type))
      this.#fail('an address is written <address> or <peer>');
    if (name === 'address' && this.#addressOffset < 0) this.#addressOffset = this.#position;
    const offset = this.#position;
    this.#position = FIELD.lastIndex;
    return this.#number(name, expression, offset);
  }

  /** `without` are the characters that the text must not hold. */
  #expressionOf(type: string, without: string | undefined): string {
    const expression = FIELD_TYPES.get(type);
    if (expression === undefined) {
      this.#fail(`<${type}> is no type of field; there are ${FIELD_TYPE_NAMES.join(', ')}`);
    }
    if (without === undefined) return expression;
    if (!TEXT_TYPES.has(type)) this.#fail(`only <any> and <user> take characters that they are without`);
    if (without.length === 1 || !without.startsWith('!')) return `(${classWithout(without)}*)`;
    const texts = without.slice(1).split('|');
    const first = without.charAt(1);
    if (texts.some((text) => text.length < 2 || text[0] !== first || text.lastIndexOf(first) > 0)) {
      this.#fail(
        'texts to be without begin with one character, which does not occur in them again, and have one more',
      );
    }
    return `(${textWithout(texts)})`;
  }

  /** Counts the groups of a field's expression and remembers them under its name. */
  #number(name: string, expression: string, offset: number): string {
    const count = expression.match(/(?<!\\)\((?!\?)/g)?.length ?? 0;
    const groups = this.#groups.get(name) ?? [];
    for (let index = 0; index < count; index++) {
      groups.push(++this.#groupCount);
      this.#offsets.set(this.#groupCount, offset);
    }
    this.#groups.set(name, groups);
    return expression;
  }

  #fail(message: string, offset = this.#position): never {
    throw new PatternError(message, offset);
  }
}

function classWithout(characters: string): string {
  return `[^${characters.replace(/[\\[\]()^-]/g, '\\$&')}]`;
}

/** What may follow in one of several texts: the next characters, each null where a text ends. */
type Branch = ReadonlyMap<string, Branch | null>;

function branchOf(texts: readonly string[]): Branch {
  const rests = Map.groupBy(texts, (text) => text.charAt(0));
  return new Map(
    [...rests].map(([next, those]) => {
      const behind = those.map((text) => text.slice(1));
      return [next, behind.includes('') ? null : branchOf(behind)];
    }),
  );
}

/**
 * Any text that holds none of `texts`, which begin alike. Behind their first character any number of theirs may follow;
 * then it begins anew with the first, or leaves with one that is neither that nor a next one, or ends.
 */
function textWithout(texts: readonly string[]): string {
  const first = texts[0]?.charAt(0) ?? '';
  const ways = (branch: Branch, last: (nexts: string) => string): string => {
    const longer = [...branch].flatMap(([next, behind]) =>
      behind === null ? [] : [escapeLiteral(next) + ways(behind, last)],
    );
    return `(?:${[last([...branch.keys()].join('')), ...longer].join('|')})`;
  };
  const branch = branchOf(texts.map((text) => text.slice(1)));
  const open = `${escapeLiteral(first)}${ways(branch, () => escapeLiteral(first))}*`;
  const leaving = ways(branch, (nexts) => classWithout(first + nexts));
  // What stands between two of them is one run of V8, which a choice for each character is not.
  const run = `${classWithout(first)}*`;
  return `${run}(?:${open}${leaving}${run})*(?:${open}${ways(branch, () => '')})?`;
}

function escapeLiteral(character: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}
