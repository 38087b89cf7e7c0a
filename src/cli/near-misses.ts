/** Lines that begin as some rule's lines do and then differ: a changed wording, or a rule that is almost right. */
import type { LogRecord } from '../core/record.ts';
import { explainRecord, type RuleExplanation } from '../match/explain.ts';
import { undecorate } from '../match/matcher.ts';
import type { CompiledFilter, CompiledRule } from '../match/rule.ts';
import type { InputRecord } from './record-input.ts';

/** Lines that differ in digits only, at the same rule. */
export type NearMiss = {
  readonly filter: string;
  readonly rule: string;
  readonly count: number;
  /** The first of them. */
  readonly line: number;
  /** The message, or for a json or access rule the field that differs; `offset` is where. */
  readonly text: string;
  readonly offset: number;
  /** What keeps the line from matching, when it is not the text. */
  readonly reason: 'differs' | 'no-address' | 'session';
};

type Group = { readonly compiled: CompiledFilter; readonly entry: InputRecord; count: number };

/** Kinds of lines that are told apart, and characters by which they are. */
const MAX_GROUPS = 200;
const SHAPE_LENGTH = 200;

export class NearMisses {
  readonly #groups = new Map<string, Group>();
  #count = 0;

  /** Lines that came close, whether they can be told apart or not. */
  get count(): number {
    return this.#count;
  }

  /** Takes a record that was read by these filters, of which none found anything. */
  add(entry: InputRecord, route: readonly CompiledFilter[]): void {
    const { message } = undecorate(entry.record.message);
    for (const compiled of route) {
      const rule = compiled.rulesByPrefix.find(message).find((candidate) => hasBeginning(candidate, message));
      if (rule === undefined) continue;
      this.#count++;
      const key = `${compiled.filter.name}/${rule.rule.name} ${message.slice(0, SHAPE_LENGTH).replace(/\d+/g, '0')}`;
      const group = this.#groups.get(key);
      if (group !== undefined) group.count++;
      else if (this.#groups.size < MAX_GROUPS) this.#groups.set(key, { compiled, entry, count: 1 });
      return;
    }
  }

  /** The most frequent ones, each with the rule that goes farthest. */
  list(most: number): NearMiss[] {
    const groups = [...this.#groups.values()].sort((left, right) => right.count - left.count);
    return groups.slice(0, most).map(describeGroup);
  }
}

/** A rule that any message may match is not come close to by its beginning. */
function hasBeginning({ reader }: CompiledRule, message: string): boolean {
  return reader.prefixes[0] !== '' && message.includes(reader.required);
}

function describeGroup({ compiled, entry, count }: Group): NearMiss {
  const { record, line } = entry;
  const filter = compiled.filter.name;
  let best: NearMiss = { filter, rule: '', count, line, text: record.message, offset: -1, reason: 'differs' };
  for (const { rule, outcome } of explain(compiled, record)) {
    const found = { ...best, rule };
    if (outcome.kind === 'matches') return { ...found, offset: -1, reason: 'session' };
    if (outcome.kind === 'no-address') {
      best = { ...found, offset: Number.MAX_SAFE_INTEGER, reason: 'no-address' };
    } else if (outcome.kind === 'differs' && outcome.offset > best.offset) {
      best = { ...found, text: outcome.text, offset: outcome.offset, reason: 'differs' };
    }
  }
  return best;
}

function explain(compiled: CompiledFilter, record: LogRecord): readonly RuleExplanation[] {
  return explainRecord([compiled], record, true)[0]?.rules ?? [];
}
