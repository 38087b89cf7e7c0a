/** A filter, compiled: its rules in the order in which they are tried, each with something that reads a message. */
import { parseAddress } from '../core/address/address.ts';
import { assert } from '../core/errors.ts';
import { MAX_USER_LENGTH, modeRank } from '../core/failure.ts';
import { ACCESS_FIELDS, ACCESS_LINES, AccessLine } from './access.ts';
import { PatternError } from './expression/expression.ts';
import type { Clause } from './expression/literals.ts';
import type { FieldTest, Filter, Rule } from './filter.ts';
import { JsonMessage } from './json.ts';
import { CompiledPattern, type Finding, type NamedField } from './pattern.ts';
import { PrefixTree } from './prefix-tree.ts';
import { otherSpellings } from './request-path.ts';
import { StructuredData } from './structured-data.ts';

/** What a rule makes of a message. */
export interface Reader {
  /** One of these begins every message that matches; [''] when that is not known. */
  readonly prefixes: readonly string[];
  /** What every message that matches contains besides its beginning, what says the most first. */
  readonly required: readonly Clause[];
  readonly hasAddress: boolean;
  /** Of a reader of access logs, the status codes of the lines that it may match, null for any. */
  readonly statuses?: ReadonlySet<number> | null;
  /** Whether it reads STRUCTURED-DATA and what is behind it, and no text that merely looks so. */
  readonly isOfStructuredData: boolean;
  /** Whether it may match a line of an access log. */
  mayReadAccess(): boolean;
  /** Null when the message does not match. */
  read(message: string): Finding | null;
  /** The named parts of a message that matches. */
  fields(message: string): NamedField[];
  /** The texts that are matched, each with the pattern that it must match; undefined for a text that is missing. */
  parts(message: string): ReaderPart[];
}

/** `field` is '' for a pattern over the whole message. */
export type ReaderPart = {
  readonly field: string;
  readonly text: string | undefined;
  readonly optional: boolean;
  readonly pattern: CompiledPattern | ReadonlySet<string>;
};

export type CompiledRule = {
  readonly rule: Rule;
  /** 0 normal, 1 extra, 2 aggressive. */
  readonly rank: number;
  readonly reader: Reader;
  /** The bit of a rule with `remember`, else 0. */
  readonly mark: number;
  /** The bits of the rules named in `after`, else 0. */
  readonly after: number;
  /** Whether its hits depend on the session, or change it. */
  readonly usesSession: boolean;
};

export type CompiledFilter = {
  readonly filter: Filter;
  /**
   * The rules in the order of trying. Narrower modes come first, so that a jail never loses a match to a rule that it
   * has not switched on; within a mode `ignore` rules come first, then the order in the file decides.
   */
  readonly rules: readonly CompiledRule[];
};

/** Rules of a filter with `remember`: each has a bit in its sessions' marks. */
export const MAX_REMEMBERING_RULES = 30;

/** Compiles a filter that the linter has passed. Throws PatternError for the first rule that cannot be compiled. */
export function compileFilter(filter: Filter): CompiledFilter {
  const remembering = filter.rules.filter((rule) => rule.remember).map((rule) => rule.name);
  assert(remembering.length <= MAX_REMEMBERING_RULES, 'the linter has counted the rules that remember');
  const markOf = (name: string): number => {
    const index = remembering.indexOf(name);
    return index < 0 ? 0 : 1 << index;
  };
  const compiled = filter.rules.map((rule) => ({ rule, reader: compileReader(rule, filter.isProved) }));
  const hasSessions = compiled.some(({ rule, reader }) => needsSession(rule, reader));
  const rules = compiled.map(({ rule, reader }): CompiledRule => {
    return {
      rule,
      rank: modeRank(rule.mode),
      reader,
      mark: rule.remember ? markOf(rule.name) : 0,
      after: rule.after.reduce((bits, name) => bits | markOf(name), 0),
      usesSession: needsSession(rule, reader) || (hasSessions && rule.kind === 'success'),
    };
  });
  rules.sort((left, right) => tryOrder(left) - tryOrder(right));
  return { filter, rules };
}

/** Compiles what a rule reads with. Throws PatternError; its `field` names the key of a json or access rule. */
export function compileReader({ pattern }: Rule, isProved = false): Reader {
  if (!('fields' in pattern)) return new TextReader(new CompiledPattern(pattern, isProved));
  const tests = pattern.fields.map((test) => compileTest(test, isProved));
  if (pattern.form === 'structured_data') return new StructuredDataReader(tests);
  return pattern.form === 'json' ? new JsonReader(tests) : new AccessReader(tests);
}

function needsSession(rule: Rule, reader: Reader): boolean {
  const recalls = rule.kind === 'failure' && !reader.hasAddress;
  return rule.attempt !== null || rule.remember || rule.after.length > 0 || recalls;
}

function tryOrder({ rule, rank }: CompiledRule): number {
  return rank * 2 + (rule.kind === 'ignore' ? 0 : 1);
}

class TextReader implements Reader {
  readonly isOfStructuredData = false;
  readonly prefixes: readonly string[];
  readonly required: readonly Clause[];
  readonly hasAddress: boolean;
  readonly #pattern: CompiledPattern;
  #mayReadAccess: boolean | undefined;

  constructor(pattern: CompiledPattern) {
    this.#pattern = pattern;
    this.prefixes = pattern.prefixes;
    this.required = pattern.required;
    this.hasAddress = pattern.hasAddress;
  }

  read(message: string): Finding | null {
    return this.#pattern.readWhole(message);
  }

  fields(message: string): NamedField[] {
    return this.#pattern.fields(message);
  }

  mayReadAccess(): boolean {
    this.#mayReadAccess ??= this.#pattern.mayMatchAnyOf(ACCESS_LINES);
    return this.#mayReadAccess;
  }

  parts(message: string): ReaderPart[] {
    return [{ field: '', text: message, optional: false, pattern: this.#pattern }];
  }
}

type CompiledTest = {
  readonly field: string;
  /** In ACCESS_FIELDS, -1 for a name that is none of them. */
  readonly place: number;
  readonly optional: boolean;
  readonly pattern: CompiledPattern | ReadonlySet<string>;
  /** How a text that the pattern matches begins; null when that is not known. */
  readonly beginnings: PrefixTree<CompiledPattern> | null;
  /** Whether it is the path of a request, which its client may have written in another way. */
  readonly isPath: boolean;
};

/**
 * Beginnings of what a field may be. Lists of browsers and paths have hundreds, and asking a tree costs 50 ns where
 * the expression takes 200.
 */
const MAX_FIELD_PREFIXES = 512;

const fieldNames: readonly string[] = ACCESS_FIELDS;

function compileTest(test: FieldTest, isProved: boolean): CompiledTest {
  const { field, optional, pattern } = test;
  const place = fieldNames.indexOf(field);
  const common = { field, place, optional, isPath: field === 'path' || field.endsWith('.path') };
  try {
    if (pattern.form === 'values') {
      return { ...common, pattern: new Set(pattern.values.map(String)), beginnings: null };
    }
    const compiled = new CompiledPattern(pattern, isProved, MAX_FIELD_PREFIXES);
    const isKnown = !compiled.prefixes.includes('');
    const beginnings = isKnown ? new PrefixTree([compiled], ({ prefixes }) => prefixes) : null;
    return { ...common, pattern: compiled, beginnings };
  } catch (error) {
    if (error instanceof PatternError) throw new PatternError(error.message, error.offset, field);
    throw error;
  }
}

/** Values are compared first: it costs less than an expression, and most lines fail it. */
function costOf({ pattern, beginnings }: CompiledTest): number {
  if (!(pattern instanceof CompiledPattern)) return 0;
  return beginnings === null ? 2 : 1;
}

/** What is common to messages that are made of fields. */
abstract class FieldsReader implements Reader {
  abstract readonly prefixes: readonly string[];
  abstract readonly hasAddress: boolean;
  readonly isOfStructuredData: boolean = false;
  readonly required: readonly Clause[] = [];
  readonly tests: readonly CompiledTest[];

  constructor(tests: readonly CompiledTest[]) {
    const addressed = tests.filter(({ pattern }) => pattern instanceof CompiledPattern && pattern.hasAddress);
    if (addressed.length > 1) throw new PatternError('two fields hold an address', 0, addressed[1]?.field);
    this.tests = [...tests].sort((left, right) => costOf(left) - costOf(right));
  }

  /** Whether the message has this structure at all; then `textOf` reads from it. */
  abstract scan(message: string): boolean;
  abstract textOf(test: CompiledTest): string | undefined;
  abstract read(message: string): Finding | null;

  /** What the tests find, null when one of them fails. */
  readTests(): Finding | null {
    let address: Finding['address'] = '';
    let user = '';
    let session = '';
    let attempts = 1;
    for (const test of this.tests) {
      const text = this.textOf(test);
      if (text === undefined) {
        if (!test.optional) return null;
        continue;
      }
      const finding = readField(test, text) ?? (test.isPath ? readSpellings(test, text) : null);
      if (finding === null) return null;
      address ||= finding.address;
      user ||= finding.user;
      session ||= finding.session;
      attempts = Math.max(attempts, finding.attempts ?? 1);
    }
    return attempts > 1 ? { address, user, session, attempts } : { address, user, session };
  }

  fields(message: string): NamedField[] {
    return this.parts(message).map(({ field, text }) => ({ name: field, value: text ?? '' }));
  }

  mayReadAccess(): boolean {
    return true;
  }

  parts(message: string): ReaderPart[] {
    const isReadable = this.scan(message);
    return this.tests.map((test) => {
      const text = isReadable ? this.textOf(test) : undefined;
      const other =
        text === undefined || !test.isPath || readField(test, text) !== null ? [] : otherSpellings(text);
      return { ...test, text: other.find((spelling) => readField(test, spelling) !== null) ?? text };
    });
  }
}

const NOTHING: Finding = { address: '', user: '', session: '' };

/** What a test finds in the text of its field, null when it fails. */
function readField({ pattern, beginnings }: CompiledTest, text: string): Finding | null {
  if (!(pattern instanceof CompiledPattern)) return pattern.has(text) ? NOTHING : null;
  if (beginnings !== null && beginnings.find(text).length === 0) return null;
  return pattern.mayMatch(text) ? pattern.read(text) : null;
}

/** A path as its server understands it; the one that was looked at last is known. */
function readSpellings(test: CompiledTest, path: string): Finding | null {
  if (path !== lastPath) {
    lastPath = path;
    lastSpellings = otherSpellings(path);
  }
  for (const spelling of lastSpellings) {
    const finding = readField(test, spelling);
    if (finding !== null) return finding;
  }
  return null;
}

let lastPath = '';
let lastSpellings: readonly string[] = [];

/** Shared by all rules, so that a message is taken apart once. */
const CLIENT = ACCESS_FIELDS.indexOf('client');
const USER = ACCESS_FIELDS.indexOf('user');
const jsonMessage = new JsonMessage();
const accessLine = new AccessLine();
const structuredData = new StructuredData();

/** Of a message that is no line of an access log. */
export const NO_STATUS = -1;

/** The status code in the line of an access log that the message is, or NO_STATUS. */
export function accessStatus(message: string): number {
  return accessLine.scan(message) ? accessLine.status : NO_STATUS;
}

class JsonReader extends FieldsReader {
  readonly prefixes = ['{', '@cee:'];
  readonly hasAddress: boolean;

  constructor(tests: readonly CompiledTest[]) {
    super(tests);
    this.hasAddress = tests.some(({ pattern }) => pattern instanceof CompiledPattern && pattern.hasAddress);
  }

  scan(message: string): boolean {
    return jsonMessage.scan(message);
  }

  textOf({ field }: CompiledTest): string | undefined {
    return jsonMessage.field(field);
  }

  read(message: string): Finding | null {
    return jsonMessage.scan(message) ? this.readTests() : null;
  }
}

class StructuredDataReader extends FieldsReader {
  readonly prefixes = ['['];
  override readonly isOfStructuredData = true;
  readonly hasAddress: boolean;

  constructor(tests: readonly CompiledTest[]) {
    super(tests);
    this.hasAddress = tests.some(({ pattern }) => pattern instanceof CompiledPattern && pattern.hasAddress);
  }

  override mayReadAccess(): boolean {
    return false;
  }

  scan(message: string): boolean {
    return structuredData.scan(message);
  }

  textOf({ field }: CompiledTest): string | undefined {
    return structuredData.parameter(field);
  }

  read(message: string): Finding | null {
    return structuredData.scan(message) ? this.readTests() : null;
  }
}

class AccessReader extends FieldsReader {
  readonly prefixes = [''];
  readonly hasAddress = true;
  readonly statuses: ReadonlySet<number> | null;

  constructor(tests: readonly CompiledTest[]) {
    super(tests);
    const statuses = tests.find(
      ({ field, pattern }) => field === 'status' && pattern instanceof Set,
    )?.pattern;
    this.statuses = statuses instanceof Set ? new Set([...statuses].map(Number)) : null;
    for (const { field, place, pattern } of tests) {
      if (place < 0) {
        throw new PatternError(
          `an access log has no field ${field}; it has ${ACCESS_FIELDS.join(', ')}`,
          0,
          field,
        );
      }
      if (pattern instanceof CompiledPattern && pattern.hasAddress) {
        throw new PatternError('the address of an access log is always its client', 0, field);
      }
    }
  }

  scan(message: string): boolean {
    return accessLine.scan(message);
  }

  textOf({ place }: CompiledTest): string | undefined {
    return accessLine.field(place);
  }

  read(message: string): Finding | null {
    if (!accessLine.scan(message)) return null;
    const finding = this.readTests();
    if (finding === null) return null;
    const address = parseAddress(accessLine.field(CLIENT) ?? '');
    if (address === null) return null;
    const user = finding.user || (accessLine.field(USER) ?? '');
    return { ...finding, address, user: user.slice(0, MAX_USER_LENGTH) };
  }
}
