/** Text that stands in every match of an expression, by which messages are sorted before any expression is run. */
import type { Expression } from './expression.ts';

/**
 * Texts of which every match must begin with one, at most `limit` of them, the longest that the tree gives away.
 * [''] when nothing is known.
 */
export function literalPrefixes(body: Expression, limit: number): readonly string[] {
  const found = extendPrefixes([''], body, limit);
  return [...new Set(found.prefixes)];
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

/** Appends what `node` must begin with to each prefix; `open` as long as the whole of it is known. */
function extendPrefixes(
  prefixes: readonly string[],
  node: Expression,
  limit: number,
): { prefixes: readonly string[]; open: boolean } {
  switch (node.kind) {
    case 'set': {
      const character = onlyCharacter(node);
      if (character === '') return { prefixes, open: false };
      return { prefixes: prefixes.map((prefix) => prefix + character), open: true };
    }
    case 'group':
      return extendPrefixes(prefixes, node.body, limit);
    case 'sequence': {
      let current: { prefixes: readonly string[]; open: boolean } = { prefixes, open: true };
      for (const item of node.items) {
        current = extendPrefixes(current.prefixes, item, limit);
        if (!current.open) break;
      }
      return current;
    }
    case 'choice':
      return mergePrefixes(prefixes, node.options, limit);
    case 'repeat':
      if (node.min !== 0 || node.max !== 1) return { prefixes, open: false };
      return mergePrefixes(prefixes, [node.body, { kind: 'sequence', items: [] }], limit);
  }
}

/** Several ways on: all of them known to their ends, or none of them used. */
function mergePrefixes(
  prefixes: readonly string[],
  options: readonly Expression[],
  limit: number,
): { prefixes: readonly string[]; open: boolean } {
  const extended = options.map((option) => extendPrefixes(prefixes, option, limit));
  const merged = extended.flatMap((option) => option.prefixes);
  if (merged.length > limit) return { prefixes, open: false };
  return { prefixes: merged, open: extended.every((option) => option.open) };
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
