/** Why a record matches or does not: the slow twin of the matcher, for people. */
import type { LogRecord } from '../core/record.ts';
import { undecorate } from './matcher.ts';
import { CompiledPattern, type Finding, type NamedField } from './pattern.ts';
import { type RouteResult, routeResult } from './router.ts';
import type { CompiledFilter, CompiledRule, ReaderPart } from './rule.ts';

export type RuleOutcome =
  /** The rule reads the line. Whether it counts may depend on the session, and on rules tried before it. */
  | { readonly kind: 'matches'; readonly finding: Finding; readonly fields: readonly NamedField[] }
  /**
   * `offset` is the character that cannot stand where the rule has got to; the text's length when something is
   * missing at its end. `text` is the message or, for a json or access rule, the field named.
   */
  | { readonly kind: 'differs'; readonly field: string; readonly text: string; readonly offset: number }
  | { readonly kind: 'missing'; readonly field: string }
  /** It has the shape, but so long a text of a client that the line may have been cut (`CompiledPattern.readWhole`). */
  | { readonly kind: 'maybe-cut' }
  /** It has the shape, but the address is none, or a second reading names another one. */
  | { readonly kind: 'no-address' };

export type RuleExplanation = { readonly rule: string; readonly outcome: RuleOutcome };

export type FilterExplanation = {
  readonly filter: string;
  readonly route: RouteResult;
  /** In the order of trying; empty when the filter does not read the record. */
  readonly rules: readonly RuleExplanation[];
};

/** Explains one record filter by filter. With `everywhere`, also by filters that do not read it. */
export function explainRecord(
  filters: readonly CompiledFilter[],
  record: LogRecord,
  everywhere: boolean,
): FilterExplanation[] {
  const { message } = undecorate(record.message);
  const data = `${record.structuredData} ${record.message}`.trimStart();
  return filters.map((compiled) => {
    const route = routeResult(compiled.filter, record);
    const rules =
      route === 'read' || everywhere
        ? compiled.rules.map((rule) => explainRule(rule, rule.reader.isOfStructuredData ? data : message))
        : [];
    return { filter: compiled.filter.name, route, rules };
  });
}

function explainRule(rule: CompiledRule, message: string): RuleExplanation {
  const { reader } = rule;
  const finding = reader.read(message);
  if (finding !== null) {
    return { rule: rule.rule.name, outcome: { kind: 'matches', finding, fields: reader.fields(message) } };
  }
  for (const part of reader.parts(message)) {
    const outcome = explainPart(part);
    if (outcome !== null) return { rule: rule.rule.name, outcome };
  }
  const [part] = reader.parts(message);
  const isWhole = part?.field === '' && part.pattern instanceof CompiledPattern;
  const kind = isWhole && part.pattern.read(message) !== null ? 'maybe-cut' : 'no-address';
  return { rule: rule.rule.name, outcome: { kind } };
}

/** What keeps one part from matching, null when it does. */
function explainPart({ field, text, optional, pattern }: ReaderPart): RuleOutcome | null {
  if (text === undefined) return optional ? null : { kind: 'missing', field };
  if (!(pattern instanceof CompiledPattern)) {
    return pattern.has(text) ? null : { kind: 'differs', field, text, offset: 0 };
  }
  if (pattern.hasShape(text)) return null;
  return { kind: 'differs', field, text, offset: pattern.differingOffset(text) };
}
