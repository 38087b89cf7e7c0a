/** Lines that begin as some rule's lines do and then differ: a changed wording, or a rule that is almost right. */
import { modeRank, type RuleMode } from '../../core/failure.ts';
import type { LogRecord } from '../../core/record.ts';
import { explainRecord, type RuleOutcome } from '../../match/explain.ts';
import { undecorate } from '../../match/matcher.ts';
import { meets } from '../../match/pattern.ts';
import type { Route } from '../../match/router.ts';
import type { CompiledFilter, CompiledRule } from '../../match/rule.ts';

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
  readonly reason: 'differs' | 'no-address' | 'maybe-cut' | 'session';
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

/** Characters that a line must have in common with a rule: a bracket alone says nothing. */
const MIN_BEGINNING = 4;

/** Characters of a text that it must contain: without ` from ` it may be what the rule was written for. */
const MIN_TEXT = 7;

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

  /** Takes a record that the filters of a route have read without finding anything. */
  add(record: LogRecord, line: number, route: Route): void {
    const { message } = undecorate(record.message);
    const near = route.find(message).find(({ rule }) => this.#isNear(rule, message));
    if (near === undefined) return;
    this.#count++;
    const { compiled } = near.filter;
    const shape = message.slice(0, SHAPE_LENGTH).replace(/\d+/g, '0');
    const key = `${compiled.filter.name}/${near.rule.rule.name} ${shape}`;
    const group = this.#groups.get(key);
    if (group !== undefined) group.count++;
    else if (this.#groups.size < MAX_GROUPS) this.#groups.set(key, { compiled, record, line, count: 1 });
  }

  /** The most frequent ones, each with the rule that goes farthest. */
  list(most: number): NearMiss[] {
    const groups = [...this.#groups.values()].sort((left, right) => right.count - left.count);
    return groups.slice(0, most).map((group) => describeGroup(group, this.#rank));
  }

  #isNear({ reader, rank }: CompiledRule, message: string): boolean {
    const telling = reader.required.filter((clause) => clause.every(({ length }) => length >= MIN_TEXT));
    if (rank > this.#rank || !meets(message, telling)) return false;
    return reader.prefixes.some((prefix) => prefix.length >= MIN_BEGINNING && message.startsWith(prefix));
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
            reason: reasonOf(outcome.kind),
          };
  }
  return best;
}

function reasonOf(kind: RuleOutcome['kind']): NearMiss['reason'] {
  if (kind === 'matches') return 'session';
  return kind === 'maybe-cut' ? kind : 'no-address';
}

function progressOf(outcome: RuleOutcome): number {
  if (outcome.kind === 'differs') return outcome.offset;
  return outcome.kind === 'missing' ? -1 : Number.MAX_SAFE_INTEGER;
}
