/** Text that stands in every match of an expression, by which messages are sorted before any expression is run. */

import { commonPrefix } from '../prefix-tree.ts';
import type { Expression } from './expression.ts';

/**
 * Texts of which every match must begin with one, at most `limit` of them, the longest that the tree gives away.
 * [''] when nothing is known.
 */
export function literalPrefixes(body: Expression, limit: number): readonly string[] {
  const texts = extend([{ text: '', isOpen: true }], body, limit).map(({ text }) => text);
  return texts.includes('') ? [''] : [...new Set(texts)];
}

const EMPTY: Expression = { kind: 'sequence', items: [] };

/** One of these texts stands in every match. */
export type Clause = readonly string[];

/**
 * All that the tree gives away of what must stand in every match, each clause of at most `limit` texts; those that ask
 * for the most first.
 */
export function requiredClauses(body: Expression, limit: number): readonly Clause[] {
  const clauses = clausesOf(body, limit).filter((clause) => clause.length <= limit);
  clauses.sort((left, right) => worthOf(right) - worthOf(left));
  return clauses.map((clause) => clause.map(sharpen));
}

/** What lines of logs are full of, the most frequent first. */
const FREQUENT = ' eoatinsr0123c.dl-:up=m/,gfhb';
const SHARP_LENGTH = 4;

/**
 * The text from its rarest character on: looking for a text stops at every place that begins as it does (10 ns a look
 * instead of 50 where that is a blank).
 */
function sharpen(text: string): string {
  let start = 0;
  for (let index = 1; index <= text.length - SHARP_LENGTH; index++) {
    if (rarity(text.charAt(index)) > rarity(text.charAt(start))) start = index;
  }
  return text.slice(start);
}

function rarity(character: string): number {
  const rank = FREQUENT.indexOf(character);
  return rank < 0 ? FREQUENT.length : rank;
}

/** Whether the text meets the clause. */
export function containsAny(text: string, clause: Clause): boolean {
  for (const part of clause) if (text.includes(part)) return true;
  return false;
}

function bestOf(clauses: readonly Clause[], limit: number): Clause {
  let best: Clause = [];
  for (const clause of clauses) {
    if (clause.length <= limit && (best.length === 0 || worthOf(clause) > worthOf(best))) best = clause;
  }
  return best;
}

/** How much is known when one of the texts is sought: long ones are rare, and each of them must be looked for. */
function worthOf(clause: Clause): number {
  const shortest = Math.min(...clause.map((text) => text.length + (text.match(/\w/g)?.length ?? 0)));
  return shortest - 2 * (clause.length - 1);
}

function clausesOf(node: Expression, limit: number): Clause[] {
  const clauses: Clause[] = [];
  let run = '';
  for (const item of [...flatten(node), EMPTY]) {
    const text = item.kind === 'set' ? onlyCharacter(item) : '';
    if (text === '' && run !== '') clauses.push([run]);
    run = text === '' ? '' : run + text;
    if (item.kind === 'repeat' && item.min > 0) clauses.push(...clausesOf(item.body, limit));
    else if (item.kind === 'choice') clauses.push(...clauseOfChoice(item.options, limit));
  }
  return clauses;
}

/** What every option needs, all together; nothing when one of them needs nothing. */
function clauseOfChoice(options: readonly Expression[], limit: number): Clause[] {
  const clauses = options.map((option) => bestOf(clausesOf(option, limit), limit));
  if (clauses.some((clause) => clause.length === 0)) return [];
  const texts = [...new Set(clauses.flat())];
  return [texts.filter((text) => !texts.some((other) => other !== text && text.includes(other)))];
}

/** A possible beginning; open as long as what comes next is known as well. */
type Beginning = { readonly text: string; readonly isOpen: boolean };

/** Appends what `node` must begin with to each beginning that is open. */
function extend(beginnings: readonly Beginning[], node: Expression, limit: number): readonly Beginning[] {
  switch (node.kind) {
    case 'set': {
      const character = onlyCharacter(node);
      if (character === '') return close(beginnings);
      return beginnings.map((beginning) =>
        beginning.isOpen ? { text: beginning.text + character, isOpen: true } : beginning,
      );
    }
    case 'group':
      return extend(beginnings, node.body, limit);
    case 'sequence': {
      let current = beginnings;
      for (const item of node.items) {
        if (current.every(({ isOpen }) => !isOpen)) break;
        current = extend(current, item, limit);
      }
      return current;
    }
    case 'choice':
      return branch(beginnings, node.options, limit);
    case 'repeat': {
      if (node.min > 0) return close(extend(beginnings, node.body, limit));
      const isOnce = node.max === 1;
      const repeated = isOnce ? node.body : { ...node, min: 1 };
      return branch(beginnings, [repeated, EMPTY], limit);
    }
  }
}

/** Several ways on: all of them; each as far as its own ways are one, or none, when they are too many. */
function branch(
  beginnings: readonly Beginning[],
  options: readonly Expression[],
  limit: number,
): readonly Beginning[] {
  const closed = beginnings.filter(({ isOpen }) => !isOpen);
  const ways = beginnings
    .filter(({ isOpen }) => isOpen)
    .flatMap((beginning) => options.map((option) => extend([beginning], option, limit)));
  const all = distinct([...closed, ...ways.flat()]);
  if (all.length <= limit) return all;
  const joined = distinct([...closed, ...ways.map(join)]);
  return joined.length <= limit ? joined : distinct(close(beginnings));
}

/** What several beginnings have in common. */
function join(beginnings: readonly Beginning[]): Beginning {
  return { text: commonPrefix(beginnings.map(({ text }) => text)), isOpen: false };
}

/** Without the closed ones that stand there twice. */
function distinct(beginnings: readonly Beginning[]): readonly Beginning[] {
  const open = new Set(beginnings.filter(({ isOpen }) => isOpen).map(({ text }) => text));
  const closed = new Set(beginnings.filter(({ isOpen }) => !isOpen).map(({ text }) => text));
  return [
    ...[...open].map((text) => ({ text, isOpen: true })),
    ...[...closed].map((text) => ({ text, isOpen: false })),
  ];
}

function close(beginnings: readonly Beginning[]): readonly Beginning[] {
  return beginnings.map(({ text }) => ({ text, isOpen: false }));
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
