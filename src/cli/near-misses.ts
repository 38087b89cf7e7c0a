/** Lines that begin as some rule's lines do and then differ: a changed wording, or a rule that is almost right. */
import { modeRank, type RuleMode } from '../core/failure.ts';
import type { LogRecord } from '../core/record.ts';
import { explainRecord, type RuleOutcome } from '../match/explain.ts';
import { undecorate } from '../match/matcher.ts';
import type { CompiledFilter, CompiledRule } from '../match/rule.ts';

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

type Group = {
  readonly compiled: CompiledFilter;
  readonly record: LogRecord;
  readonly line: number;
  count: number;
};

/** Kinds of lines that are told apart, and characters by which they are. */
const MAX_GROUPS = 200;
const SHAPE_LENGTH = 200;

export class NearMisses {
  readonly #groups = new Map<string, Group>();
  readonly #rank: number;
  #count = 0;

  /** Rules of a wider mode than this are not what a line was meant for. */
  constructor(mode: RuleMode) {
    this.#rank = modeRank(mode);
  }

  /** Lines that came close, whether they can be told apart or not. */
  get count(): number {
    return this.#count;
  }

  /** Takes a record that was read by these filters, of which none found anything. */
  add(record: LogRecord, line: number, route: readonly CompiledFilter[]): void {
    const { message } = undecorate(record.message);
    for (const compiled of route) {
      const rule = compiled.rulesByPrefix.find(message).find((candidate) => this.#isNear(candidate, message));
      if (rule === undefined) continue;
      this.#count++;
      const key = `${compiled.filter.name}/${rule.rule.name} ${message.slice(0, SHAPE_LENGTH).replace(/\d+/g, '0')}`;
      const group = this.#groups.get(key);
      if (group !== undefined) group.count++;
      else if (this.#groups.size < MAX_GROUPS) this.#groups.set(key, { compiled, record, line, count: 1 });
      return;
    }
  }

  /** The most frequent ones, each with the rule that goes farthest. */
  list(most: number): NearMiss[] {
    const groups = [...this.#groups.values()].sort((left, right) => right.count - left.count);
    return groups.slice(0, most).map((group) => describeGroup(group, this.#rank));
  }

  /** A rule that any message may match is not come close to by how a message begins. */
  #isNear({ reader, rank }: CompiledRule, message: string): boolean {
    return rank <= this.#rank && reader.prefixes[0] !== '' && message.includes(reader.required);
  }
}

/** The rule that goes farthest; of several such a failure, then the first. */
function describeGroup({ compiled, record, line, count }: Group, rank: number): NearMiss {
  const common = { filter: compiled.filter.name, count, line };
  let best: NearMiss = { ...common, rule: '', text: record.message, offset: -1, reason: 'differs' };
  let bestProgress = -1;
  for (const { rule, outcome } of explainRecord([compiled], record, true)[0]?.rules ?? []) {
    const compiledRule = compiled.rules.find((candidate) => candidate.rule.name === rule);
    if (compiledRule === undefined || compiledRule.rank > rank) continue;
    const isFailure = compiledRule.rule.kind === 'failure' ? 0.5 : 0;
    const progress = progressOf(outcome) + isFailure;
    if (progress <= bestProgress) continue;
    bestProgress = progress;
    best =
      outcome.kind === 'differs'
        ? { ...common, rule, text: outcome.text, offset: outcome.offset, reason: 'differs' }
        : {
            ...common,
            rule,
            text: record.message,
            offset: 0,
            reason: outcome.kind === 'matches' ? 'session' : 'no-address',
          };
  }
  return best;
}

function progressOf(outcome: RuleOutcome): number {
  if (outcome.kind === 'differs') return outcome.offset;
  return outcome.kind === 'missing' ? -1 : Number.MAX_SAFE_INTEGER;
}
