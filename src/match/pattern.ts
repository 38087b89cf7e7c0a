/**
 * Patterns, compiled: from the text of a template or an expression to something that reads a message. Everything that
 * can be decided once is decided here; what is left is one startsWith, one exec, and on a hit one strict look at the
 * address.
 */
import { type Address, parseAddress } from '../core/address/address.ts';
import { MAX_USER_LENGTH } from '../core/failure.ts';
import { type Ambiguity, findAmbiguity } from './automaton/ambiguity.ts';
import { type Automaton, buildAutomaton, differingOffset } from './automaton/automaton.ts';
import { mayOverlap } from './automaton/overlap.ts';
import { compileExpression, isLinear } from './expression/engine.ts';
import {
  type Expression,
  type ParsedExpression,
  PatternError,
  parseExpression,
} from './expression/expression.ts';
import { type Clause, containsAny, literalPrefixes, requiredClauses } from './expression/literals.ts';
import { keepGroups, writeExpression, writeMarked, writtenGroups } from './expression/source.ts';
import { compileTemplate } from './expression/template.ts';
import { MAX_FREE_TEXT, maxWholeLine } from './expression/whole-line.ts';
import type { TextPattern } from './filter.ts';

/** What a rule reads out of a message; each '' when the pattern names none. */
export type Finding = {
  readonly address: Address | '';
  readonly user: string;
  /** A field named `session`: tells apart the clients of a process that serves many. */
  readonly session: string;
};

/** A named part of a message that matched, for display: attacker's text. */
export type NamedField = { readonly name: string; readonly value: string };

type Proof = Ambiguity | null | 'unknown';

type Reading = { readonly expression: RegExp; readonly addressPlaces: readonly number[] };

/** A part of a message that anybody may have written, or the address. */
export type Stretch = { readonly kind: 'free' | 'address'; readonly start: number; readonly end: number };

/** Beginnings by which messages are sorted; a pattern with more possible beginnings is known by shorter ones. */
const MAX_PREFIXES = 16;

/** Proofs remembered; the shipped filters need a few hundred. */
const MAX_PROOFS = 4_096;

/** Of UTF-8, for a unit of UTF-16. */
const MAX_BYTES_PER_UNIT = 3;

/** Texts in one clause of what a match must contain. */
const MAX_REQUIRED = 8;

/** A pattern over one text: a whole message, or a field of one. */
export class CompiledPattern {
  /** One of these begins every match; [''] when that is not known. */
  readonly prefixes: readonly string[];
  /** What every match contains besides its beginning, what says the most first. */
  readonly required: readonly Clause[];
  readonly hasAddress: boolean;
  readonly hasUser: boolean;
  /** Where in the pattern's text the address stands, 0 when that is not known. */
  readonly addressOffset: number;
  /** Bytes of the longest whole message that it is believed to match; infinite when a cut one does not matter. */
  readonly maxWholeLine: number;
  readonly #body: Expression;
  /** With the groups that `read` takes and no others: each of the others cost a hit 15 ns. */
  readonly #expression: RegExp;
  /** Numbers of these groups in `#expression`. */
  readonly #addressPlaces: readonly number[];
  readonly #userPlaces: readonly number[];
  readonly #sessionPlaces: readonly number[];
  /** Numbers of all groups in the pattern. */
  readonly #addressGroups: readonly number[];
  readonly #groups: ReadonlyMap<string, readonly number[]>;
  /** With all groups. */
  #full: RegExp | undefined;
  #ambiguity: Proof | undefined;
  /** The greediest reading and the laziest, with positions, and the numbers that the address's groups have in each. */
  #readings: readonly Reading[] | undefined;

  /** Compiles. Throws PatternError. */
  constructor(pattern: TextPattern, maxPrefixes = MAX_PREFIXES) {
    const { parsed, groups, addressOffset } = parsePattern(pattern);
    const source = writeExpression(parsed.body, false);
    if (!isLinear(source)) {
      const reason = parsed.countedOffset < 0 ? '' : ': write this counted repetition as * or +';
      throw new PatternError(
        `the pattern cannot be matched in linear time${reason}`,
        Math.max(0, parsed.countedOffset),
      );
    }
    this.#body = parsed.body;
    this.#groups = groups;
    const { address = [], user = [], session = [] } = Object.fromEntries(groups);
    const read = keepGroups(parsed.body, [...address, ...user, ...session]);
    this.#expression = compileExpression(writeExpression(read, false));
    this.#addressPlaces = placesOf(address, read, false);
    this.#userPlaces = placesOf(user, read, false);
    this.#sessionPlaces = placesOf(session, read, false);
    this.#addressGroups = address;
    this.hasAddress = address.length > 0;
    this.hasUser = user.length > 0;
    this.addressOffset = Math.max(0, addressOffset);
    this.maxWholeLine = maxWholeLine(parsed.body, address);
    this.prefixes = literalPrefixes(parsed.body, maxPrefixes);
    this.required = requiredClauses(parsed.body, MAX_REQUIRED).filter(
      (clause) => !this.prefixes.every((prefix) => containsAny(prefix, clause)),
    );
  }

  /**
   * A text with two readings, 'unknown' when it could not be told, null when it was proved that there is none. Takes
   * some milliseconds the first time that a pattern is asked for it in this process, which is when it is linted.
   */
  get ambiguity(): Proof {
    if (this.#ambiguity === undefined) {
      this.#ambiguity = this.hasAddress ? prove(this.#body, this.#addressGroups) : null;
    }
    return this.#ambiguity;
  }

  /** Whether `text` holds what every match holds: a look that costs less than reading it. */
  mayMatch(text: string): boolean {
    return meets(text, this.required);
  }

  /** False when it was proved that nothing that matches is a text of the automaton; takes a millisecond. */
  mayMatchAnyOf(automaton: Automaton): boolean {
    return mayOverlap(automaton, buildAutomaton(this.#body, []));
  }

  /**
   * As `read`, for a whole message: null as well when it, or the user's name in it, is so long that somebody may have
   * cut the message.
   */
  readWhole(message: string): Finding | null {
    const max = this.maxWholeLine;
    if (message.length > max) return null;
    if (max === Number.POSITIVE_INFINITY) return this.read(message);
    const finding = this.#read(message, MAX_FREE_TEXT);
    const isLong = finding !== null && message.length * MAX_BYTES_PER_UNIT > max;
    return isLong && Buffer.byteLength(message) > max ? null : finding;
  }

  /** Reads `text`. Null when it does not match, when its address is none, or when it has two readings. */
  read(text: string): Finding | null {
    return this.#read(text, Number.POSITIVE_INFINITY);
  }

  #read(text: string, maxUserLength: number): Finding | null {
    const groups = this.#expression.exec(text);
    if (groups === null) return null;
    let address: Address | '' = '';
    if (this.hasAddress) {
      const candidate = firstGroup(groups, this.#addressPlaces);
      if (candidate !== '') {
        const parsed = parseAddress(candidate);
        if (parsed === null || !this.#readsAlike(text)) return null;
        address = parsed;
      }
    }
    const user = firstGroup(groups, this.#userPlaces);
    if (user.length > maxUserLength) return null;
    return {
      address,
      user: user.length > MAX_USER_LENGTH ? user.slice(0, MAX_USER_LENGTH) : user,
      session: firstGroup(groups, this.#sessionPlaces),
    };
  }

  /** Whether the text matches, leaving aside whether its address is one. */
  hasShape(text: string): boolean {
    return this.#expression.test(text);
  }

  /** The named parts of a text that `read` has matched. */
  fields(text: string): NamedField[] {
    this.#full ??= compileExpression(writeExpression(this.#body, false));
    const groups = this.#full.exec(text);
    if (groups === null) return [];
    return [...this.#groups].map(([name, indexes]) => ({ name, value: firstGroup(groups, indexes) }));
  }

  /** Where in a text that matches free text and the address stand; empty when it does not match. */
  stretches(text: string): Stretch[] {
    const { source, groups } = writeMarked(this.#body, this.#addressGroups);
    const indices = compileExpression(source, true).exec(text)?.indices;
    return groups.flatMap((kind, index) => {
      const position = indices?.[index + 1];
      return position === undefined ? [] : [{ kind, start: position[0], end: position[1] }];
    });
  }

  /** Where a text that does not match goes wrong. Slow; for people only. */
  differingOffset(text: string): number {
    return differingOffset(buildAutomaton(this.#body, []), text);
  }

  /** Whether the greediest and the laziest reading take the same stretch of the text for the address. */
  #readsAlike(text: string): boolean {
    if (this.ambiguity === null) return true;
    this.#readings ??= [false, true].map((reversed) => ({
      expression: compileExpression(writeExpression(this.#body, reversed), true),
      addressPlaces: placesOf(this.#addressGroups, this.#body, reversed),
    }));
    const positions = this.#readings.map(({ expression, addressPlaces }) =>
      addressPosition(expression.exec(text), addressPlaces),
    );
    return positions[0] === positions[1];
  }
}

/**
 * Remembers what was proved, so that neither the matcher nor a reload proves again what the linter has: of one pattern
 * up to 45 ms, and the matcher's would fall on its first hit. When there are too many, all are forgotten.
 */
function prove(body: Expression, addressGroups: readonly number[]): Proof {
  const key = `${addressGroups.join()} ${writeExpression(body, false)}`;
  let proof = proofs.get(key);
  if (proof === undefined) {
    proof = findAmbiguity(body, addressGroups);
    if (proofs.size >= MAX_PROOFS) proofs.clear();
    proofs.set(key, proof);
  }
  return proof;
}

const proofs = new Map<string, Proof>();

function parsePattern(pattern: TextPattern): {
  parsed: ParsedExpression;
  groups: ReadonlyMap<string, readonly number[]>;
  addressOffset: number;
} {
  if (pattern.form === 'template') {
    const { source, groups, addressOffset } = compileTemplate(pattern.text);
    return { parsed: parseExpression(source), groups, addressOffset };
  }
  const parsed = parseExpression(pattern.text);
  return { parsed, groups: parsed.groups, addressOffset: pattern.text.indexOf('(?<address>') };
}

/** Whether the text contains what the first of the clauses asks for; the others are left to the expression. */
export function meets(text: string, [clause]: readonly Clause[]): boolean {
  return clause === undefined || containsAny(text, clause);
}

/** The numbers that the groups have when writeExpression has written the body. */
function placesOf(groups: readonly number[], body: Expression, reversed: boolean): number[] {
  const written = writtenGroups(body, reversed);
  return groups.map((group) => written.indexOf(group) + 1);
}

/** The group that took part, out of those that stand for one field; '' when none did. */
function firstGroup(groups: RegExpExecArray, indexes: readonly number[]): string {
  for (const index of indexes) {
    const value = groups[index];
    if (value !== undefined) return value;
  }
  return '';
}

/** Start and end of the address as text, '' when the reading has none. */
function addressPosition(groups: RegExpExecArray | null, indexes: readonly number[]): string {
  for (const index of indexes) {
    const position = groups?.indices?.[index];
    if (position !== undefined) return position.join();
  }
  return '';
}
