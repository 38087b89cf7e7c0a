/**
 * Where a line of a log file has its date. fail2ban cuts the date out before it searches; a rule sees the whole line,
 * so the date is put back into the expression, as something that may be there or not. jail.conf(5), `datepattern`.
 */

import { Automata, firstSet } from '../python-regex/automaton.ts';
import {
  characterSet,
  complement,
  hasCode,
  intersect,
  onlyCharacter,
  SPACE,
  subtract,
  unite,
  WORD,
} from '../python-regex/characters.ts';
import { ExpressionError } from '../python-regex/expression-error.ts';
import { parsePython } from '../python-regex/parse.ts';
import {
  childrenOf,
  choice,
  EMPTY,
  isEmpty,
  isNullable,
  itemsOf,
  keepGroups,
  mapChildren,
  repeat,
  sequence,
  setOf,
  type Tree,
} from '../python-regex/tree.ts';

export type DatePlace = {
  /** What stands before the date; null when it may be anywhere. */
  readonly before: Tree | null;
  /** Whether `before` was written for this filter, and is not just the beginning of a line. */
  readonly isExplicit: boolean;
  readonly date: Tree;
};

/** The forms of date that fail2ban finds by itself, a little more widely drawn. */
const USUAL_DATE = parsePython(
  [
    // 2026-11-20T10:00:00.123+0000, 20/Nov/2026:10:00:00 +0000, 11-06-2026 10:00:00, 09/16/08@05:03:30
    String.raw`<?\d{1,4}[-/.]\w{1,3}[-/.]\d{2,4}[T :@] ?\d{1,2}:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z|[+-]\d\d:?\d\d))?>?`,
    // Nov 20 10:00:00, Fri Nov 20 10:00:00.123 2026, Nov 20, 2026 10:00:00 AM, Nov-20-26 10:00:00
    String.raw`(?:[+-]\d\d:?\d\d |[A-Z]{3,5} )?(?:[A-Z][a-z]{2} )?[A-Z][a-z]{2}[ -]+\d{1,2},?(?:[ -]\d{2,4})? +\d{1,2}:\d\d:\d\d(?:\.\d+)?(?: [AP]M)?(?: \d{4})?`,
    // 261120 10:00:00, 20261120T100000
    String.raw`\d{6,8}[T ] ?\d{1,2}:?\d\d:?\d\d(?:[.,]\d+)?`,
    // Seconds since 1970, TAI64N, the time of day alone
    String.raw`\d{10,11}(?:\.\d{3,6})?`,
    '@[0-9a-f]+',
    String.raw`\d\d:\d\d:\d\d`,
  ].join('|'),
);
const EPOCH = parsePython(String.raw`\d{10,11}(?:\.\d{3,6})?`);
const TAI64N = parsePython('@[0-9a-f]+');
/** What `{^LN-BEG}` lets stand before. */
const LINE_BEGINNING = parsePython(String.raw`\W{0,2}`);

/** The place of the usual date in lines of a filter that says nothing. */
export const ANYWHERE: DatePlace = { before: null, isExplicit: false, date: USUAL_DATE };

/** Reads one line of a datepattern; null for one that cuts nothing out. Throws ExpressionError. */
export function parseDatePattern(pattern: string): DatePlace | null {
  const text = pattern.replace(/^\{UNB\}/, '');
  const isAtBeginning = text.startsWith('{^LN-BEG}');
  const rest = text.replace(/^\{\^LN-BEG\}/, '');
  const before = isAtBeginning ? LINE_BEGINNING : null;
  if (rest === '' || /^\{?DEFAULT\}?$/i.test(rest)) return { before, isExplicit: false, date: USUAL_DATE };
  if (/^\{?NONE\}?$/i.test(rest)) return null;
  if (/^\^?\{?L?EPOCH\}?$/i.test(rest)) return { before, isExplicit: false, date: EPOCH };
  if (/^\^?TAI64N$/i.test(rest)) return { before, isExplicit: false, date: TAI64N };
  return placeOf(parsePython(translateCodes(rest)), before);
}

/** A date's text where `{DATE}` stands; the characters are in no pattern of fail2ban's. */
const DATE_MARK = '\ue000';

const CODES: ReadonlyMap<string, string> = new Map([
  ['Y', String.raw`\d{4}`],
  ['y', String.raw`\d\d`],
  ['b', '[A-Za-z]{3}'],
  ['B', '[A-Za-z]+'],
  ['a', '[A-Za-z]{3}'],
  ['A', '[A-Za-z]+'],
  ['f', String.raw`\d+`],
  ['z', String.raw`(?:Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)`],
  ['Z', '[A-Z]{1,5}'],
  ['p', '[AaPp][Mm]'],
  ['j', String.raw`\d{1,3}`],
  ['s', String.raw`\d+`],
]);
const PLAIN_CODES = /^[mdHMSkIlUWwue]$/;

/** The codes of strftime(3) as expressions of their own; `%Ex...` is fail2ban's word for exact ones. */
function translateCodes(pattern: string): string {
  return pattern
    .replace(/\*\*/g, '')
    .replace(/\{DATE\}/gi, DATE_MARK)
    .replace(/\{L?EPOCH\}/gi, String.raw`\d{10,11}(?:\.\d{3,6})?`)
    .replace(/%(?:Ex)?([A-Za-z])/g, (whole, code: string) => {
      const expression = PLAIN_CODES.test(code) ? String.raw`\d{1,2}` : CODES.get(code);
      if (expression === undefined)
        throw new ExpressionError(`the date has a part that is not known: ${whole}`);
      return expression;
    });
}

/** What is cut out is the first group, or else the whole; what is before that stays in the line. */
function placeOf(tree: Tree, lineBeginning: Tree | null): DatePlace | null {
  const items = (tree.kind === 'sequence' ? tree.items : [tree]).filter((item) => item.kind !== 'start');
  const isAnchored = lineBeginning === null && tree.kind === 'sequence' && tree.items[0]?.kind === 'start';
  const index = items.findIndex((item) => item.kind === 'group' && /^\d+$/.test(item.name));
  const cut = index < 0 ? sequence(items) : (items[index] ?? EMPTY);
  const date = plainDate(cut);
  if (isNullable(date)) return null;
  const head = sequence(items.slice(0, Math.max(0, index)).map(plainDate));
  const isPlaced = isAnchored || lineBeginning !== null;
  const before = isPlaced ? sequence([lineBeginning ?? EMPTY, head]) : null;
  return { before, isExplicit: isPlaced && index > 0, date };
}

/** Without groups, and with each reference as wide as a separator. */
function plainDate(tree: Tree): Tree {
  const replace = (node: Tree): Tree => {
    if (node.kind === 'set' && onlyCharacter(node.set) === DATE_MARK) return USUAL_DATE;
    if (node.kind === 'reference') return setOf(characterSet(45, 46, 47));
    return mapChildren(node, replace);
  };
  return keepGroups(replace(tree), () => false);
}

/** Dates put into one expression, at most; each of them is long. */
const MAX_INSERTIONS = 3;

/** The expression of a line without its date, with the date back in where its place says: optional everywhere. */
export function insertDates(tree: Tree, places: readonly DatePlace[]): Tree {
  return new Inserter(places).insert(tree);
}

/** One place, with the states that its `before` is in after what was passed. */
type Tracked = { readonly place: DatePlace; readonly states: readonly number[]; readonly end: number };

type Walked = { readonly tree: Tree; readonly tracked: readonly Tracked[] };

class Inserter {
  readonly #automata = new Automata();
  readonly #begin: readonly Tracked[];
  #left = MAX_INSERTIONS;
  /** Whether a date that may be anywhere was put among blanks. */
  #isPlaced = false;

  constructor(places: readonly DatePlace[]) {
    this.#begin = places.map((place) => {
      const { start, end } = this.#automata.add(place.before ?? EMPTY);
      return { place, states: this.#automata.closure([start]), end };
    });
  }

  insert(tree: Tree): Tree {
    const open = this.#begin.filter(({ place }) => place.before === null || isNullable(place.before));
    // Dates end where a word ends: what follows one begins with something else.
    const isPossible = intersect(firstSet(tree), complement(WORD)).length > 0 && !isAddressFirst(tree);
    const head = isPossible ? this.#dates(open) : EMPTY;
    return sequence([head, this.#walk(tree, this.#begin, '').tree]);
  }

  /** Any of the dates, or none. */
  #dates(tracked: readonly Tracked[]): Tree {
    if (tracked.length === 0 || this.#left === 0) return EMPTY;
    this.#left--;
    return repeat(choice(tracked.map(({ place }) => place.date)), 0, 1);
  }

  #walk(tree: Tree, tracked: readonly Tracked[], last: string): Walked {
    switch (tree.kind) {
      case 'sequence':
        return this.#walkSequence(tree.items, tracked, last);
      case 'choice': {
        const walked = tree.options.map((option) => this.#walk(option, tracked, last));
        return {
          tree: choice(walked.map((one) => one.tree)),
          tracked: unify(
            tracked,
            walked.map((one) => one.tracked),
          ),
        };
      }
      case 'repeat': {
        if (tree.max > 1) return this.#walkBlanks(tree, tracked);
        const inside = this.#walk(tree.body, tracked, last);
        return {
          tree: repeat(inside.tree, tree.min, 1, tree.lazy),
          tracked: tree.min === 0 ? unify(tracked, [tracked, inside.tracked]) : inside.tracked,
        };
      }
      default:
        return { tree, tracked: this.#pass(tree, tracked) };
    }
  }

  /** A date that is cut out leaves the blanks on both its sides. */
  #walkBlanks(tree: Tree & { kind: 'repeat' }, tracked: readonly Tracked[]): Walked {
    const passed = this.#pass(tree, tracked);
    const isBlank = tree.body.kind === 'set' && subtract(tree.body.set, SPACE).length === 0;
    const here = passed.filter(({ place, states, end }) =>
      place.before === null ? !this.#isPlaced : states.includes(end) && place.isExplicit,
    );
    if (!isBlank || here.length === 0) return { tree, tracked: passed };
    this.#isPlaced = true;
    const date = this.#dates(here);
    if (isEmpty(date)) return { tree, tracked: passed };
    const more = repeat(tree.body, 0, Number.POSITIVE_INFINITY);
    return { tree: sequence([tree, repeat(sequence([date, more]), 0, 1)]), tracked: passed };
  }

  #walkSequence(items: readonly Tree[], tracked: readonly Tracked[], last: string): Walked {
    const out: Tree[] = [];
    let [now, character] = [tracked, last];
    for (const item of items) {
      const here = now.filter((one) => isGap(one, character, item));
      if (character !== '' && here.length > 0) out.push(this.#dates(here));
      const walked = this.#walk(item, now, character);
      out.push(walked.tree);
      now = walked.tracked;
      character = item.kind === 'set' ? onlyCharacter(item.set) : '';
    }
    return { tree: sequence(out), tracked: now };
  }

  /** The states after any text that the tree matches. */
  #pass(tree: Tree, tracked: readonly Tracked[]): readonly Tracked[] {
    const passed = new Automata();
    const { start, end } = passed.add(keepGroups(tree, () => false));
    return tracked.map((one) => {
      const after = new Set<number>();
      const queue = one.states.flatMap((state) =>
        passed.closure([start]).map((other) => [state, other] as const),
      );
      const seen = new Set(queue.map(String));
      for (const [state, other] of queue) {
        if (other === end) after.add(state);
        for (const left of this.#automata.moves(state)) {
          for (const right of passed.moves(other)) {
            if (intersect(left.set, right.set).length === 0) continue;
            for (const next of this.#automata.closure([left.target])) {
              for (const target of passed.closure([right.target])) {
                const pair = [next, target] as const;
                if (seen.has(String(pair))) continue;
                seen.add(String(pair));
                queue.push(pair);
              }
            }
          }
        }
      }
      return { ...one, states: [...after] };
    });
  }
}

/** Whether a date may have been cut out between the character `last` and what comes next. */
function isGap({ place, states, end }: Tracked, last: string, next: Tree): boolean {
  const isBracket = /[[(<"]/.test(last);
  if (place.before === null) {
    return isBracket && next.kind === 'set' && /[\]):>"]/.test(onlyCharacter(next.set));
  }
  return states.includes(end) && (isBracket || !isNullable(place.before)) && !startsWithDigit(next);
}

/** Whether every text begins with an address, in brackets or not. */
function isAddressFirst(tree: Tree): boolean {
  const required = itemsOf(tree).find((item) => !isNullable(item));
  return required !== undefined && isAddress(required) && subtract(firstSet(tree), NEAR_ADDRESS).length === 0;
}

function isAddress(tree: Tree): boolean {
  if (tree.kind === 'choice') return tree.options.every((option) => isAddress(itemsOf(option)[0] ?? option));
  return tree.kind === 'group' && tree.name === 'address';
}

/** Hexadecimal digits, `.`, `:` and the opening bracket. */
const NEAR_ADDRESS = unite(characterSet(46, 91), [
  [48, 58],
  [65, 70],
  [97, 102],
]);

function startsWithDigit(tree: Tree): boolean {
  return (
    childrenOf(tree).length === 0 && tree.kind === 'set' && hasCode(tree.set, 48) && !hasCode(tree.set, 32)
  );
}

function unify(before: readonly Tracked[], after: readonly (readonly Tracked[])[]): readonly Tracked[] {
  return before.map((one, index) => ({
    ...one,
    states: [...new Set(after.flatMap((tracked) => tracked[index]?.states ?? []))],
  }));
}
