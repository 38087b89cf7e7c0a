/** Expressions written as source for V8: as they are, with every preference reversed, or with marks for a forger. */
import { type Expression, SYMBOL_COUNT, type SymbolSet } from './expression.ts';

/**
 * Writes the expression for V8, anchored, without names. `reversed` prefers the fewest repetitions where the original
 * prefers the most, and the last alternative where it prefers the first: of all ways to read a text, the opposite one.
 */
export function writeExpression(body: Expression, reversed: boolean): string {
  return `^(?:${write(body, reversed)})$`;
}

/** The numbers of the groups in the order in which writeExpression writes them: reversed alternatives change it. */
export function writtenGroups(body: Expression, reversed: boolean): number[] {
  switch (body.kind) {
    case 'set':
      return [];
    case 'sequence':
      return body.items.flatMap((item) => writtenGroups(item, reversed));
    case 'choice': {
      const options = body.options.map((option) => writtenGroups(option, reversed));
      return (reversed ? options.reverse() : options).flat();
    }
    case 'group':
      return [body.index, ...writtenGroups(body.body, reversed)];
    case 'repeat':
      return writtenGroups(body.body, reversed);
  }
}

/** The same expression with no other capture groups than the `kept` ones, which keep their numbers. */
export function keepGroups(node: Expression, kept: readonly number[]): Expression {
  switch (node.kind) {
    case 'set':
      return node;
    case 'sequence':
      return { kind: 'sequence', items: node.items.map((item) => keepGroups(item, kept)) };
    case 'choice':
      return { kind: 'choice', options: node.options.map((option) => keepGroups(option, kept)) };
    case 'group': {
      const body = keepGroups(node.body, kept);
      return kept.includes(node.index) ? { ...node, body } : body;
    }
    case 'repeat':
      return { ...node, body: keepGroups(node.body, kept) };
  }
}

/**
 * Writes the expression with a group around each stretch of free text and each address, and lists which they are: the
 * places where a forger can write, and where the true address stands.
 */
export function writeMarked(
  body: Expression,
  addressGroups: readonly number[],
): { readonly source: string; readonly groups: readonly ('free' | 'address')[] } {
  const groups: ('free' | 'address')[] = [];
  const mark = (node: Expression): string => {
    if (node.kind === 'set') return node.source;
    if (node.kind === 'sequence') return node.items.map(mark).join('');
    if (node.kind === 'choice') return `(?:${node.options.map(mark).join('|')})`;
    if (node.kind === 'group') {
      if (!addressGroups.includes(node.index)) return mark(node.body);
      groups.push('address');
      return `(${write(keepGroups(node.body, []), false)})`;
    }
    if (node.max === Number.POSITIVE_INFINITY && freedom(node.body) >= FREE_SYMBOLS) {
      groups.push('free');
      return `(${write(keepGroups(node, []), false)})`;
    }
    return `(?:${mark(node.body)})${writeCounts(node.min, node.max)}${node.lazy ? '?' : ''}`;
  };
  const source = `^(?:${mark(body)})$`;
  return { source, groups };
}

/**
 * Repeated sets of at least this many symbols count as free text: \S and [^"] do, the letters, digits and marks that
 * names of hosts and users of this machine are made of do not.
 */
export const FREE_SYMBOLS = 90;

/** How many symbols the expression may contain anywhere. */
export function freedom(node: Expression): number {
  switch (node.kind) {
    case 'set':
      return node.symbols.reduce((sum, symbol) => sum + symbol, 0);
    case 'sequence':
      return Math.max(0, ...node.items.map(freedom));
    case 'choice':
      return Math.max(0, ...node.options.map(freedom));
    default:
      return freedom(node.body);
  }
}

/** The symbols that may stand in a text of the expression. */
export function alphabetOf(node: Expression): SymbolSet {
  if (node.kind === 'set') return node.symbols;
  const alphabet = new Uint8Array(SYMBOL_COUNT);
  const parts = node.kind === 'sequence' ? node.items : node.kind === 'choice' ? node.options : [node.body];
  for (const part of parts) {
    const symbols = alphabetOf(part);
    for (let symbol = 0; symbol < SYMBOL_COUNT; symbol++) alphabet[symbol] ||= symbols[symbol] ?? 0;
  }
  return alphabet;
}

function write(node: Expression, reversed: boolean): string {
  switch (node.kind) {
    case 'set':
      return node.source;
    case 'sequence':
      return node.items.map((item) => write(item, reversed)).join('');
    case 'choice': {
      const options = node.options.map((option) => write(option, reversed));
      return `(?:${(reversed ? options.reverse() : options).join('|')})`;
    }
    case 'group':
      return `(${write(node.body, reversed)})`;
    case 'repeat': {
      const body = write(node.body, reversed);
      const isAtom = node.body.kind !== 'sequence' && node.body.kind !== 'repeat';
      const atom = isAtom ? body : `(?:${body})`;
      return `${atom}${writeCounts(node.min, node.max)}${node.lazy !== reversed ? '?' : ''}`;
    }
  }
}

function writeCounts(min: number, max: number): string {
  if (max === Number.POSITIVE_INFINITY) return min === 0 ? '*' : min === 1 ? '+' : `{${min},}`;
  if (min === 0 && max === 1) return '?';
  return min === max ? `{${min}}` : `{${min},${max}}`;
}
