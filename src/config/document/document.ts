/**
 * A TOML file as a tree in which every key and value knows its place, and several files merged into one such tree.
 * Keys are kept in Maps, so that no key, `__proto__` included, means anything to JavaScript.
 */
import { type AST, ParseError, parseTOML } from 'toml-eslint-parser';
import { assert } from '../../core/errors.ts';
import { adviceOnFail2ban } from './fail2ban-words.ts';
import {
  compareProblems,
  type Place,
  type Problem,
  problemAt,
  problemOfFile,
  type Source,
} from './problem.ts';

export type Scalar = string | number | boolean | bigint | Date;

export type ScalarNode = {
  readonly kind: 'scalar';
  readonly value: Scalar;
  readonly place: Place;
  /** How a string was written; null for other values. */
  readonly quotes: { readonly style: 'basic' | 'literal'; readonly multiline: boolean } | null;
};
export type ArrayNode = { readonly kind: 'array'; readonly elements: DocumentNode[]; readonly place: Place };
export type TableNode = {
  readonly kind: 'table';
  readonly entries: Map<string, Entry>;
  readonly place: Place;
};
export type DocumentNode = ScalarNode | ArrayNode | TableNode;
export type Entry = { readonly key: Place; readonly value: DocumentNode };

/** From the top of a document: keys of tables and indexes of arrays. */
export type Path = readonly (string | number)[];

export type ParsedDocument = {
  /** Null when too much of the file cannot be read to say what is where. */
  readonly root: TableNode | null;
  /** What is no TOML. */
  readonly problems: readonly Problem[];
};

/** Syntax errors that are reported for one file; each costs another look at all of it. */
export const MAX_SYNTAX_PROBLEMS = 10;

/** Tables and arrays within each other; anything deeper is refused. */
export const MAX_DEPTH = 20;

const TOO_DEEP = `nested more than ${MAX_DEPTH} levels deep`;

/**
 * Parses one file. After a syntax error the line is left out and the rest is read on, as long as what follows
 * certainly begins a new statement, so that all errors show at once and none that only follows from another.
 */
export function parseDocument(source: Source): ParsedDocument {
  const { root, problems } = parseAround(source);
  return { root, problems: problems.toSorted(compareProblems) };
}

function parseAround(source: Source): ParsedDocument {
  const problems: Problem[] = [];
  let lostHeader = Number.POSITIVE_INFINITY;
  let text = source.text;
  while (problems.length < MAX_SYNTAX_PROBLEMS) {
    try {
      const program = parseTOML(text, { tomlVersion: '1.0' });
      const root = buildTree(program, source);
      return { root: lostHeader < text.length ? null : root, problems };
    } catch (error) {
      if (error instanceof RefusedError)
        return { root: null, problems: [...problems, problemAt(error.place, error.message)] };
      // The parser goes down by recursion where tables are in tables, before their depth can be looked at here.
      if (error instanceof RangeError)
        return { root: null, problems: [problemOfFile(source.file, TOO_DEEP)] };
      if (!(error instanceof ParseError)) throw error;
      if (error.message === DUPLICATE && error.index > lostHeader) break;
      const offset = placeOfError(text, error);
      problems.push(problemAt({ source, offset }, explain(error.message, text, offset)));
      const line = lineAround(text, offset);
      if (!isWholeStatement(text, line)) return { root: null, problems };
      if (/^\s*\[/.test(text.slice(line.start, line.end))) lostHeader = Math.min(lostHeader, line.start);
      text = text.slice(0, line.start) + ' '.repeat(line.end - line.start) + text.slice(line.end);
    }
  }
  return { root: null, problems };
}

/**
 * Lays `later` over `earlier`: tables merge, lists of tables such as [[sender]] add up, everything else is replaced.
 * Neither is changed.
 */
export function mergeTables(earlier: TableNode, later: TableNode): TableNode {
  const entries = new Map(earlier.entries);
  for (const [name, entry] of later.entries) {
    const before = entries.get(name);
    if (before === undefined) entries.set(name, entry);
    else entries.set(name, mergeEntries(before, entry));
  }
  return { kind: 'table', entries, place: earlier.place };
}

function mergeEntries(before: Entry, after: Entry): Entry {
  if (before.value.kind === 'table' && after.value.kind === 'table')
    return { key: before.key, value: mergeTables(before.value, after.value) };
  if (!isListOfTables(before.value) || !isListOfTables(after.value)) return after;
  const elements = [...before.value.elements, ...after.value.elements];
  return { key: before.key, value: { ...before.value, elements } };
}

function isListOfTables(node: DocumentNode): node is ArrayNode {
  return (
    node.kind === 'array' && node.elements.length > 0 && node.elements.every(({ kind }) => kind === 'table')
  );
}

/** A document with nothing in it. */
export function emptyTable(place: Place): TableNode {
  return { kind: 'table', entries: new Map(), place };
}

/** The document without what is at `path`. */
export function withoutPath(root: TableNode, path: Path): TableNode {
  const [step, ...rest] = path;
  const entry = root.entries.get(String(step));
  if (entry === undefined) return root;
  const entries = new Map(root.entries);
  if (rest.length === 0 || entry.value.kind !== 'table') entries.delete(String(step));
  else entries.set(String(step), { key: entry.key, value: withoutPath(entry.value, rest) });
  return { kind: 'table', entries, place: root.place };
}

/** What is at `path`, or null. */
export function nodeAt(root: DocumentNode, path: Path): DocumentNode | null {
  let node: DocumentNode | undefined = root;
  for (const step of path) {
    if (node?.kind === 'table') node = node.entries.get(String(step))?.value;
    else if (node?.kind === 'array' && typeof step === 'number') node = node.elements[step];
    else return null;
  }
  return node ?? null;
}

/** Where `path` begins: the value, or when it is missing, the nearest thing around it that is there. */
export function placeOf(root: DocumentNode, path: Path): Place {
  for (let length = path.length; length > 0; length--) {
    const node = nodeAt(root, path.slice(0, length));
    if (node !== null) return node.place;
  }
  return root.place;
}

/** Where the key that ends `path` is written; the place around it when that is missing. */
export function placeOfKey(root: DocumentNode, path: Path): Place {
  const parent = nodeAt(root, path.slice(0, -1));
  const entry = parent?.kind === 'table' ? parent.entries.get(String(path.at(-1))) : undefined;
  return entry?.key ?? placeOf(root, path);
}

/** The tree as plain data, in objects without a prototype. */
export function toPlain(node: DocumentNode): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'array') return node.elements.map(toPlain);
  const plain: Record<string, unknown> = Object.create(null);
  for (const [name, entry] of node.entries) plain[name] = toPlain(entry.value);
  return plain;
}

/** TOML that this program does not take. */
class RefusedError extends Error {
  readonly place: Place;

  constructor(place: Place, message: string) {
    super(message);
    this.place = place;
  }
}

function checkDepth(depth: number, place: Place): void {
  if (depth > MAX_DEPTH) throw new RefusedError(place, TOO_DEEP);
}

/** No key of ours, and the one key that JavaScript and what is written in it treat as special. */
function checkKey(key: string, place: Place): void {
  if (key === '__proto__') throw new RefusedError(place, '`__proto__` cannot be a key');
}

function buildTree(program: AST.TOMLProgram, source: Source): TableNode {
  const root = emptyTable({ source, offset: 0 });
  for (const item of program.body[0].body) {
    if (item.type === 'TOMLKeyValue') addKeyValue(root, item, source, 0);
    else {
      const table = openTable(root, item, source);
      for (const pair of item.body) addKeyValue(table, pair, source, item.resolvedKey.length);
    }
  }
  return root;
}

/** The table that a header such as `[jail.sshd]` or `[[rules]]` stands for, made where it is missing. */
function openTable(root: TableNode, header: AST.TOMLTable, source: Source): TableNode {
  const places = header.key.keys.map((key) => ({ source, offset: key.range[0] }));
  let node: DocumentNode = root;
  let depth = 0;
  let place = root.place;
  for (const [index, step] of header.resolvedKey.entries()) {
    if (typeof step === 'string') place = places[depth++] ?? place;
    checkDepth(depth, place);
    const next = header.resolvedKey[index + 1];
    node = child(node, step, place, typeof next === 'number');
  }
  assert(node.kind === 'table', 'a table header leads to a table');
  return node;
}

/** The table or array at `step` of `parent`, made where it is missing. */
function child(parent: DocumentNode, step: string | number, place: Place, wantsArray: boolean): DocumentNode {
  const made = (): DocumentNode => (wantsArray ? { kind: 'array', elements: [], place } : emptyTable(place));
  if (parent.kind === 'array') {
    assert(typeof step === 'number', 'an array is entered by an index');
    parent.elements[step] ??= made();
    return parent.elements[step];
  }
  assert(parent.kind === 'table' && typeof step === 'string', 'a table is entered by a key');
  checkKey(step, place);
  const entry = parent.entries.get(step) ?? { key: place, value: made() };
  parent.entries.set(step, entry);
  return entry.value;
}

/** Adds `a.b = value` to a table, with the tables that a dotted key implies. */
function addKeyValue(table: TableNode, pair: AST.TOMLKeyValue, source: Source, depth: number): void {
  let target = table;
  const keys = pair.key.keys.map((key) => ({
    name: key.type === 'TOMLBare' ? key.name : key.value,
    place: { source, offset: key.range[0] },
  }));
  const last = keys.pop();
  assert(last !== undefined, 'a key has at least one part');
  checkDepth(depth + keys.length, last.place);
  checkKey(last.name, last.place);
  for (const key of keys) {
    const next = child(target, key.name, key.place, false);
    assert(next.kind === 'table', 'a dotted key leads through tables');
    target = next;
  }
  const value = buildValue(pair.value, source, depth + keys.length + 1);
  target.entries.set(last.name, { key: last.place, value });
}

function buildValue(content: AST.TOMLContentNode, source: Source, depth: number): DocumentNode {
  const place = { source, offset: content.range[0] };
  checkDepth(depth, place);
  if (content.type === 'TOMLArray') {
    const elements = content.elements.map((element) => buildValue(element, source, depth + 1));
    return { kind: 'array', elements, place };
  }
  if (content.type === 'TOMLInlineTable') {
    const table = emptyTable(place);
    for (const pair of content.body) addKeyValue(table, pair, source, depth);
    return table;
  }
  const quotes = content.kind === 'string' ? { style: content.style, multiline: content.multiline } : null;
  const exact = content.kind === 'integer' && !Number.isSafeInteger(content.value);
  return { kind: 'scalar', value: exact ? content.bigint : content.value, place, quotes };
}

type Line = { readonly start: number; readonly end: number };

function lineAround(text: string, offset: number): Line {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const newline = text.indexOf('\n', start);
  return { start, end: newline < 0 ? text.length : newline };
}

/** Whether the line opens nothing that goes on below it: the next line with anything on it is a new statement. */
function isWholeStatement(text: string, line: Line): boolean {
  const content = text.slice(line.start, line.end);
  if (content.length > MAX_STATEMENT_LENGTH || /"""|'''/.test(content) || !STATEMENT.test(content))
    return false;
  const rest = text.slice(line.end).match(/^(?:[ \t\r]*(?:#[^\n]*)?\n)*/)?.[0].length ?? 0;
  const next = lineAround(text, line.end + rest);
  const following = text.slice(next.start, next.end);
  return following.trim() === '' || (following.length <= MAX_STATEMENT_LENGTH && STATEMENT.test(following));
}

/** A longer line is not looked into. */
const MAX_STATEMENT_LENGTH = 1_000;

const STATEMENT =
  /^[ \t]*(?:\[{1,2}[\w"'.\- \t]+\]{0,2}[ \t\r]*(?:#.*)?$|[\w"'.-]+[ \t]*(?:=|[\w"'.-]+[ \t]*=|[^\s,\]}]*$))/;

const DUPLICATE = 'Defining a key multiple times is invalid';

/** The parser notices some errors only at the next line: back to the end of what precedes. */
function placeOfError(text: string, error: ParseError): number {
  const before = text.slice(0, error.index);
  const isLate = /(?:^|\n)[ \t]*$/.test(before) || text.slice(error.index).trimStart() === '';
  const lacksValue = error.message === UNEXPECTED && /=\s*$/.test(before);
  return isLate && (lacksValue || LATE_ERRORS.has(error.message)) ? before.trimEnd().length : error.index;
}

const UNEXPECTED = 'Unexpected character';
const SPLIT_PAIR = 'The key, equals sign, and value must be on the same line';

const LATE_ERRORS: ReadonlySet<string> = new Set([
  SPLIT_PAIR,
  'Unspecified values are invalid',
  'Expected equal (=) token',
  'Unterminated array',
  'Unterminated inline table',
  'Unterminated table-key',
]);

/** The parser's words with what to do about it; its own where they say it all. */
const EXPLANATIONS: ReadonlyMap<string, string> = new Map([
  ['Unterminated string constant', 'this string is not closed: end it with the quote that it began with'],
  ['Unterminated table-key', 'this table name is not closed: end it with ]'],
  ['Unterminated array', 'this list is not closed: end it with ]'],
  ['Unterminated inline table', 'this inline table is not closed: end it with }'],
  ['Empty bare keys are not allowed', 'a key is missing before the ='],
  [
    'Must be a newline',
    'unexpected text after the value: write text in quotes, and each key on a line of its own',
  ],
  ['Expected equal (=) token', 'a = is missing after the key'],
  ['Unspecified values are invalid', 'a value is missing'],
  ['Expected comma (,) token', 'a comma is missing'],
  [
    'The key, equals sign, and value must be on the same line',
    'a key, its = and its value belong on one line',
  ],
  [
    'No newlines are allowed between the curly braces unless they are valid within a value',
    'an inline table belongs on one line',
  ],
  ['Underscores are allowed between digits', 'an underscore in a number must stand between digits'],
  ['Unexpected spaces', 'unexpected blank'],
  ['Unexpected invalid date', 'there is no such date'],
  ['Unexpected invalid time', 'there is no such time'],
  ['Leading zeros are not allowed', 'a number must not begin with 0'],
  ['Trailing comma is not permitted in an inline table', 'an inline table must not end with a comma'],
  ['Invalid character in escape sequence', "unknown escape: write \\\\ for a backslash, or use '...' quotes"],
  ['Consecutive dots are not permitted in keys', 'two dots in a row in a key'],
  ['Keys cannot end with a dot', 'a key must not end with a dot'],
  ['Keys cannot start with a dot', 'a key must not begin with a dot'],
  [DUPLICATE, 'this key or table is there already'],
  ['Control characters (codes < 0x1f and 0x7f) are not allowed', 'control characters are not allowed'],
]);

/** What the parser says of `bantime = 10m` and `port = ssh`. */
const UNQUOTED: ReadonlySet<string> = new Set([UNEXPECTED, 'Must be a newline']);

function explain(message: string, text: string, offset: number): string {
  const line = lineAround(text, offset);
  const before = text.slice(line.start, offset);
  if (message === SPLIT_PAIR && /^\s*\[[^\]]*$/.test(before))
    return 'this table name is not closed: end it with ]';
  const [, key = '', written = ''] = /^\s*([\w.]+)\s*=(.*)$/.exec(text.slice(line.start, line.end)) ?? [];
  const advice = UNQUOTED.has(message) ? adviceOnFail2ban(key, written) : null;
  if (advice !== null) return `not a value, and \`${key}\` is no key: ${advice}`;
  if (/=\s*$/.test(before)) {
    if (text.slice(offset, line.end).trim() === '') return 'a value is missing';
    if (message === UNEXPECTED)
      return 'not a value: write text in quotes, or a number, true, false or a [list]';
  }
  return EXPLANATIONS.get(message) ?? message.charAt(0).toLowerCase() + message.slice(1);
}
