/**
 * What rules of one route look for in a message before they read it. A text that many rules need is looked for once:
 * two dozen filters read what a web server writes, and a look costs 35 ns.
 */
import { type Clause, containsAny } from './expression/literals.ts';

/** A clause, and whether the message looked at last meets it. */
export class Sought {
  readonly #clause: Clause;
  #look = 0;
  #isMet = false;

  constructor(clause: Clause) {
    this.#clause = clause;
  }

  /** `look` is another number for every message, and never 0. */
  isIn(message: string, look: number): boolean {
    if (this.#look !== look) {
      this.#look = look;
      this.#isMet = containsAny(message, this.#clause);
    }
    return this.#isMet;
  }
}

/** Shorter texts stand in too many messages to tell anything. */
const MIN_SHARED_LENGTH = 4;
/** Fewer rules do not share a text. */
const MIN_SHARING = 3;

/** Of a rule, how what it matches begins, and what it contains, best first. */
export type Requirements = { readonly prefixes: readonly string[]; readonly required: readonly Clause[] };

/** A text of this length says what a message is about. */
const MIN_TELLING_LENGTH = 6;

/** What it takes for a message to look like the lines of a rule: its beginning, what it contains, or nothing does. */
export type Nearness = 'begins' | 'contains' | 'never';

export function nearnessOf({ prefixes, required }: Requirements): Nearness {
  if (hasTellingPrefixes(prefixes)) return 'begins';
  const contained = required[0] ?? [''];
  return contained.every(({ length }) => length >= MIN_TELLING_LENGTH) ? 'contains' : 'never';
}

/** Then one look is as much as reading the message costs. */
function hasTellingPrefixes(prefixes: readonly string[]): boolean {
  return prefixes.every(({ length }) => length >= MIN_TELLING_LENGTH);
}

/**
 * What each rule looks for: first a text that many rules share, if there is one, then its own best clause. A rule whose
 * beginning says enough looks for one text at most.
 */
export function shareClauses(rules: readonly Requirements[]): (readonly Sought[])[] {
  const soughts = new Map<string, Sought>();
  const soughtFor = (clause: Clause): Sought => {
    const key = clause.join('\n');
    const sought = soughts.get(key) ?? new Sought(clause);
    soughts.set(key, sought);
    return sought;
  };
  const wanted = rules.map(({ prefixes, required }) => {
    const isTold = hasTellingPrefixes(prefixes);
    return { isTold, clauses: isTold ? required.filter(({ length }) => length === 1) : required };
  });
  const shared = sharedTexts(wanted.map(({ isTold, clauses }) => (isTold ? [] : clauses)));
  return wanted.map(({ clauses }, index) => {
    const text = shared.get(index);
    const own = clauses.slice(0, 1).map(soughtFor);
    return [...new Set(text === undefined ? own : [soughtFor([text]), ...own])];
  });
}

/** By the index of a rule, the text that it shares with the most others: greedily, the most widely shared first. */
function sharedTexts(rules: readonly (readonly Clause[])[]): ReadonlyMap<number, string> {
  const texts = rules.map((clauses) => clauses.flatMap((clause) => (clause.length === 1 ? clause : [])));
  const candidates = [...new Set(texts.flat())].filter((text) => text.length >= MIN_SHARED_LENGTH);
  let users = candidates.map((text) => ({
    text,
    rules: texts.flatMap((own, index) => (own.some((longer) => longer.includes(text)) ? [index] : [])),
  }));
  const shared = new Map<number, string>();
  for (;;) {
    users = users
      .map(({ text, rules }) => ({ text, rules: rules.filter((index) => !shared.has(index)) }))
      .filter(({ rules }) => rules.length >= MIN_SHARING);
    users.sort(
      (left, right) => right.rules.length - left.rules.length || right.text.length - left.text.length,
    );
    const [best] = users;
    if (best === undefined) return shared;
    for (const index of best.rules) shared.set(index, best.text);
  }
}
