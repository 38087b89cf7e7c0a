/** Runs a filter's own samples through the real matcher. */
import type { Match } from '../../core/failure.ts';
import { bareRecord, type LogRecord } from '../../core/record.ts';
import { MILLISECOND } from '../../core/time.ts';
import type { Rule, Sample } from '../filter.ts';
import { Matcher } from '../matcher.ts';
import type { CompiledFilter } from '../rule.ts';
import { MESSAGE_PARAMETER, StructuredData } from '../structured-data.ts';

/** A sample that did not come out as labelled. */
export type SampleFailure = { readonly rule: string; readonly sampleIndex: number; readonly message: string };

/** Runs every sample of every rule, each in a session of its own. An empty list means that all are right. */
export function runSamples(compiled: CompiledFilter): SampleFailure[] {
  const bench = new SampleBench(compiled);
  return compiled.filter.rules.flatMap((rule) =>
    rule.samples.flatMap((sample, sampleIndex) => {
      const message = judge(rule, sample, bench.match(sample.before, sample.line));
      return message === '' ? [] : [{ rule: rule.name, sampleIndex, message }];
    }),
  );
}

/** One filter in a matcher of its own, to try lines on. */
export class SampleBench {
  readonly #matcher: Matcher;
  readonly #identifier: string;
  readonly #data: StructuredData | null;
  #lines = 0;
  #sessions = 0;

  constructor(compiled: CompiledFilter) {
    this.#matcher = new Matcher([compiled]);
    this.#data = compiled.rules.some(({ reader }) => reader.isOfStructuredData) ? new StructuredData() : null;
    this.#identifier = compiled.filter.input.identifiers[0]?.replace(/\*$/, '') ?? '';
  }

  /** What `line` gives after the lines in `before`, in a session that is new; null when no rule matches it. */
  match(before: readonly string[], line: string): Match | null {
    const pid = String(++this.#sessions);
    for (const earlier of before) this.#matcher.matchAll(this.#record(earlier, pid), []);
    const found: Match[] = [];
    this.#matcher.matchAll(this.#record(line, pid), found);
    return found[0] ?? null;
  }

  /**
   * A record such as a syslog sender of this filter's service would cause; where a rule reads STRUCTURED-DATA, what
   * begins with it has it.
   */
  #record(line: string, pid: string): LogRecord {
    const message = this.#data?.scan(line) ? (this.#data.parameter(MESSAGE_PARAMETER) ?? '') : line;
    return {
      ...bareRecord(message, ++this.#lines * MILLISECOND),
      identifier: this.#identifier,
      pid,
      structuredData: line.slice(0, line.length - message.length).trimEnd(),
    };
  }
}

/** What is wrong with a result, '' when it is as labelled. */
function judge(rule: Rule, { expect }: Sample, match: Match | null): string {
  const isMatched = match !== null && match.rule === rule.name;
  if (expect === null) return isMatched ? 'matches, but must not' : '';
  if (match === null) return 'does not match';
  if (!isMatched) return `is matched by the rule ${match.rule}`;
  if (match.address !== expect.address)
    return `gives the address "${match.address}", not "${expect.address}"`;
  if (match.user !== expect.user) return `gives the user "${match.user}", not "${expect.user}"`;
  return '';
}
