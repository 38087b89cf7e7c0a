/** Text that stands in every match of an expression, by which messages are sorted before any expression is run. */
import type { Expression } from './expression.ts';

/**
 * Texts of which every match must begin with one, at most `limit` of them, the longest that the tree gives away.
 * [''] when nothing is known.
 */
export function literalPrefixes(body: Expression, limit: number): readonly string[] {
  const texts = extend([{ text: '', isOpen: true }], body, limit).map(({ text }) => text);
  return texts.includes('') ? [''] : [...new Set(texts)];
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

/** A possible beginning; open as long as what comes next is known as well. */
type Beginning = { readonly text: string; readonly isOpen: boolean };

const EMPTY: Expression = { kind: 'sequence', items: [] };

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

/** Several ways on: all of them, or none when they are too many. */
function branch(
  beginnings: readonly Beginning[],
  options: readonly Expression[],
  limit: number,
): readonly Beginning[] {
  const open = beginnings.filter(({ isOpen }) => isOpen);
  const closed = beginnings.filter(({ isOpen }) => !isOpen);
  const extended = options.flatMap((option) => extend(open, option, limit));
  return closed.length + extended.length > limit ? close(beginnings) : [...closed, ...extended];
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
