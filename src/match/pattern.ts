/**
 * Patterns, compiled: from the text of a template or an expression to something that reads a message. Everything that
 * can be decided once is decided here; what is left is one startsWith, one exec, and on a hit one strict look at the
 * address.
 */
import { type Address, parseAddress } from '../core/address/address.ts';
import { MAX_USER_LENGTH } from '../core/failure.ts';
import { type Ambiguity, findAmbiguity } from './automaton/ambiguity.ts';
import { type Automaton, buildAutomaton, differingOffset } from './automaton/automaton.ts';
import { findGrowth, type Growth } from './automaton/growth.ts';
import { findInterference, type Interference } from './automaton/interference.ts';
import { mayOverlap } from './automaton/overlap.ts';
import { isLinear, LineExpression } from './expression/engine.ts';
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
import { MAX_WEIGHT, type TextPattern } from './filter.ts';

/** What a rule reads out of a message; each '' when the pattern names none. */
export type Finding = {
  readonly address: Address | '';
  readonly user: string;
  /** A field named `session`: tells apart the clients of a process that serves many. */
  readonly session: string;
  /** A field named `attempts`: the failures that the message stands for, 1 to MAX_WEIGHT; absent for one. */
  readonly attempts?: number;
};

/** A named part of a message that matched, for display: attacker's text. */
export type NamedField = { readonly name: string; readonly value: string };

type Proof<Fault> = Fault | null | 'unknown';

type Reading = { readonly expression: LineExpression; readonly addressPlaces: readonly number[] };

/** Why a pattern takes time that grows with the square of the text. */
export type Square = {
  /** Where in the pattern's text the part stands that can begin at many places. */
  readonly offset: number;
  /** The beginning of a text that can be read in too many ways. */
  readonly text: string;
};

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
  readonly #body: Expression;
  /** With the groups that `read` takes and no others: each of the others cost a hit 15 ns. */
  readonly #expression: LineExpression;
  /** Numbers of these groups in `#expression`. */
  readonly #addressPlaces: readonly number[];
  readonly #userPlaces: readonly number[];
  readonly #sessionPlaces: readonly number[];
  readonly #attemptsPlaces: readonly number[];
  /** Numbers of all groups in the pattern. */
  readonly #addressGroups: readonly number[];
  readonly #groups: ReadonlyMap<string, readonly number[]>;
  /** Where in the pattern's text the field of a group stands, for a template. */
  readonly #offsets: ReadonlyMap<number, number>;
  /** With all groups. */
  #full: LineExpression | undefined;
  /** What `maxWholeLine` has found out, -1 before. */
  #maxWholeLine = -1;
  #ambiguity: Proof<Ambiguity> | undefined;
  #growth: Proof<Growth> | undefined;
  /** The greediest reading and the laziest, with positions, and the numbers that the address's groups have in each. */
  #readings: readonly Reading[] | undefined;

  /** Compiles. Throws PatternError. With `isProved` both proofs are taken to have been made. */
  constructor(pattern: TextPattern, isProved = false, maxPrefixes = MAX_PREFIXES) {
    const { parsed, groups, addressOffset, offsets } = parsePattern(pattern);
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
    this.#offsets = offsets;
    const { address = [], user = [], session = [], attempts = [] } = Object.fromEntries(groups);
    const read = keepGroups(parsed.body, [...address, ...user, ...session, ...attempts]);
    this.#expression = this.#compile(writeExpression(read, false));
    if (isProved) this.#ambiguity = this.#growth = null;
    const written = writtenGroups(read, false);
    this.#addressPlaces = placesOf(address, written);
    this.#userPlaces = placesOf(user, written);
    this.#sessionPlaces = placesOf(session, written);
    this.#attemptsPlaces = placesOf(attempts, written);
    this.#addressGroups = address;
    this.hasAddress = address.length > 0;
    this.hasUser = user.length > 0;
    this.addressOffset = Math.max(0, addressOffset);
    this.prefixes = literalPrefixes(parsed.body, maxPrefixes);
    this.required = requiredClauses(parsed.body, MAX_REQUIRED).filter(
      (clause) => !this.prefixes.every((prefix) => containsAny(prefix, clause)),
    );
  }

  /**
   * Bytes of the longest whole message that it is believed to match; infinite when a cut one does not matter. Found out
   * when it is first asked for: of all patterns of a start that was a fortieth of it.
   */
  get maxWholeLine(): number {
    if (this.#maxWholeLine < 0) this.#maxWholeLine = maxWholeLine(this.#body, this.#addressGroups);
    return this.#maxWholeLine;
  }

  /**
   * A text with two readings, 'unknown' when it could not be told, null when it was proved that there is none. Takes
   * some milliseconds the first time that a pattern is asked for it in this process, which is when it is linted.
   */
  get ambiguity(): Proof<Ambiguity> {
    if (this.#ambiguity === undefined) {
      const groups = this.#addressGroups;
      this.#ambiguity = this.hasAddress
        ? ambiguities.prove(`${groups.join()} ${writeExpression(this.#body, false)}`, () =>
            findAmbiguity(this.#body, groups),
          )
        : null;
    }
    return this.#ambiguity;
  }

  /**
   * Why time grows with the square of the text, 'unknown' when it could not be told, null when it was proved that it
   * grows with the text. As `ambiguity`, found out once in a process.
   */
  get square(): Proof<Square> {
    if (this.#growth === undefined) {
      this.#growth = growths.prove(writeExpression(this.#body, false), () => findGrowth(this.#body));
    }
    if (this.#growth === null || this.#growth === 'unknown') return this.#growth;
    const { text, group, offset } = this.#growth;
    return { text, offset: Math.max(0, this.#offsets.get(group) ?? offset) };
  }

  /** Whether `text` holds what every match holds: a look that costs less than reading it. */
  mayMatch(text: string): boolean {
    return meets(text, this.required);
  }

  /** False when it was proved that nothing that matches is a text of the automaton; takes a millisecond. */
  mayMatchAnyOf(automaton: Automaton): boolean {
    return mayOverlap(automaton, buildAutomaton(this.#body, []));
  }

  /** Whether a text matches both; false when it was proved that none does. */
  overlaps(other: CompiledPattern): boolean {
    return this.mayMatchAnyOf(buildAutomaton(other.#body, []));
  }

  /**
   * Two messages that `failure` matches, which differ in their clients' texts only and of which this pattern matches
   * one; null when it was proved that there are none.
   */
  interferenceWith(failure: CompiledPattern): Proof<Interference> {
    return findInterference(failure.#body, this.#body);
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
    const finding = {
      address,
      user: user.length > MAX_USER_LENGTH ? user.slice(0, MAX_USER_LENGTH) : user,
      session: firstGroup(groups, this.#sessionPlaces),
    };
    if (this.#attemptsPlaces.length === 0) return finding;
    const attempts = Number(firstGroup(groups, this.#attemptsPlaces));
    return attempts > 1 ? { ...finding, attempts: Math.min(attempts, MAX_WEIGHT) } : finding;
  }

  /** Whether the text matches, leaving aside whether its address is one. */
  hasShape(text: string): boolean {
    return this.#expression.exec(text) !== null;
  }

  #compile(source: string, positions = false): LineExpression {
    return new LineExpression(source, () => this.square === null, positions);
  }

  /** The named parts of a text that `read` has matched. */
  fields(text: string): NamedField[] {
    this.#full ??= this.#compile(writeExpression(this.#body, false));
    const groups = this.#full.exec(text);
    if (groups === null) return [];
    return [...this.#groups].map(([name, indexes]) => ({ name, value: firstGroup(groups, indexes) }));
  }

  /**
   * Where in a text that matches free text and the address stand; empty when it does not match. Of a pattern whose
   * `square` is not null this may take any time: for samples, and texts that nobody else has written.
   */
  stretches(text: string): Stretch[] {
    const { source, groups } = writeMarked(this.#body, this.#addressGroups);
    const indices = this.#compile(source, true).exec(text)?.indices;
    return groups.flatMap((kind, index) => {
      const position = indices?.[index + 1];
      return position === undefined ? [] : [{ kind, start: position[0], end: position[1] }];
    });
  }

  /** Where a text that does not match goes wrong. Slow; for people only. */
  differingOffset(text: string): number {
    return differingOffset(buildAutomaton(this.#body, []), text);
  }

  /**
   * Whether the greediest and the laziest reading take the same stretch of the text for the address; of a pattern that
   * is not proved to be linear, whose positions the linear engine does not tell, a stretch that says the same.
   */
  #readsAlike(text: string): boolean {
    if (this.ambiguity === null) return true;
    const hasPositions = this.square === null;
    this.#readings ??= [false, true].map((reversed) => ({
      expression: this.#compile(writeExpression(this.#body, reversed), hasPositions),
      addressPlaces: placesOf(this.#addressGroups, writtenGroups(this.#body, reversed)),
    }));
    const [greediest, laziest] = this.#readings.map(({ expression, addressPlaces }) => {
      const groups = expression.exec(text);
      if (groups === null) return '';
      return hasPositions ? addressPosition(groups, addressPlaces) : firstGroup(groups, addressPlaces);
    });
    return greediest === laziest;
  }
}

/**
 * Remembers what was proved, so that neither the matcher nor a reload proves again what the linter has: of one pattern
 * up to 60 ms, and the matcher's would fall on its first hit. When there are too many, all are forgotten.
 */
class Proofs<Fault> {
  readonly #known = new Map<string, Proof<Fault>>();

  prove(key: string, prove: () => Proof<Fault>): Proof<Fault> {
    let proof = this.#known.get(key);
    if (proof === undefined) {
      proof = prove();
      if (this.#known.size >= MAX_PROOFS) this.#known.clear();
      this.#known.set(key, proof);
    }
    return proof;
  }
}

const ambiguities = new Proofs<Ambiguity>();
const growths = new Proofs<Growth>();

function parsePattern(pattern: TextPattern): {
  parsed: ParsedExpression;
  groups: ReadonlyMap<string, readonly number[]>;
  addressOffset: number;
  offsets: ReadonlyMap<number, number>;
} {
  if (pattern.form === 'template') {
    const { source, groups, addressOffset, offsets } = compileTemplate(pattern.text);
    return { parsed: parseExpression(source), groups, addressOffset, offsets };
  }
  const parsed = parseExpression(pattern.text);
  return {
    parsed,
    groups: parsed.groups,
    addressOffset: pattern.text.indexOf('(?<address>'),
    offsets: new Map(),
  };
}

/** Whether the text contains what the first of the clauses asks for; the others are left to the expression. */
export function meets(text: string, [clause]: readonly Clause[]): boolean {
  return clause === undefined || containsAny(text, clause);
}

/** The numbers that the groups have among those that writeExpression has written. */
function placesOf(groups: readonly number[], written: readonly number[]): number[] {
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
function addressPosition(groups: RegExpExecArray, indexes: readonly number[]): string {
  for (const index of indexes) {
    const position = groups.indices?.[index];
    if (position !== undefined) return position.join();
  }
  return '';
}
