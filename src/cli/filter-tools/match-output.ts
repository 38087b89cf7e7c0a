/** One match as a JSON line for programs, or as text for people. Everything in it is an attacker's text. */
import type { Match } from '../../core/failure.ts';
import { printable, printableJson } from '../../core/text/printable.ts';
import { undecorate } from '../../match/matcher.ts';
import { CompiledPattern, type NamedField, type Stretch } from '../../match/pattern.ts';
import type { CompiledFilter, CompiledRule } from '../../match/rule.ts';
import type { Style } from '../render/terminal.ts';
import type { RecordId } from './line-record.ts';

/** What `bailiff match` prints for each match. */
export type MatchReport = {
  /** As in the JSON line that was read. */
  readonly id?: RecordId;
  readonly line: number;
  readonly filter: string;
  readonly rule: string;
  readonly kind: Match['kind'];
  readonly mode: Match['mode'];
  /** Whom a jail would count; null when the match is no failure. */
  readonly address: string | null;
  readonly user: string | null;
  /** The named parts of the line. */
  readonly fields: Readonly<Record<string, string>>;
};

/** Characters of a message that are shown to people. */
const MAX_SHOWN_LENGTH = 1_000;

export class MatchPrinter {
  readonly #rules = new Map<string, CompiledRule>();
  readonly #style: Style;

  constructor(filters: readonly CompiledFilter[], style: Style) {
    this.#style = style;
    for (const { filter, rules } of filters) {
      for (const rule of rules) this.#rules.set(`${filter.name}/${rule.rule.name}`, rule);
    }
  }

  json(match: Match, line: number, id: RecordId): string {
    const { filter, rule, kind, mode, address, user } = match;
    const found = this.#fields(match).filter(({ value }) => value !== '');
    const fields = Object.fromEntries(found.map(({ name, value }) => [name, value]));
    const report: MatchReport = {
      id,
      line,
      filter,
      rule,
      kind,
      mode,
      address: kind === 'failure' ? address : null,
      user: user === '' ? null : user,
      fields,
    };
    return printableJson(report);
  }

  /** The line with its named parts in colours, and below it what was found. */
  text(match: Match, line: number): string {
    const { dim, bold, red, green } = this.#style;
    const { identifier, pid } = match.record;
    const source = identifier === '' ? '' : `${identifier}${pid === '' ? '' : `[${pid}]`}: `;
    const paint = match.kind === 'failure' ? red : green;
    // What the client has chosen comes last, where nothing follows that it could imitate.
    const user = match.user === '' ? '' : `, user ${printable(match.user)}`;
    const who = match.address === '' ? '' : ` of ${match.address}`;
    return [
      `${dim(`${line}: ${printable(source, MAX_SHOWN_LENGTH)}`)}${this.#paintMessage(match)}`,
      `    ${bold(`${match.filter}/${match.rule}`)} ${paint(`${match.kind}${who}`)}${user}`,
    ].join('\n');
  }

  #fields({ filter, rule, record }: Match): NamedField[] {
    return this.#rules.get(`${filter}/${rule}`)?.reader.fields(undecorate(record.message).message) ?? [];
  }

  #paintMessage({ filter, rule, record }: Match): string {
    const inner = undecorate(record.message).message;
    const shift = record.message.indexOf(inner);
    const spans = this.#rules
      .get(`${filter}/${rule}`)
      ?.reader.parts(inner)
      .flatMap(({ pattern, text, field }) =>
        field === '' && text !== undefined && pattern instanceof CompiledPattern
          ? stretchesOf(pattern, text)
          : [],
      );
    let shown = '';
    let end = 0;
    const sorted = (spans ?? []).sort((left, right) => left.start - right.start);
    for (const span of sorted) {
      if (span.start + shift < end) continue;
      shown += cut(record.message, end, span.start + shift);
      end = span.end + shift;
      const paint = span.kind === 'address' ? this.#style.red : this.#style.yellow;
      shown += paint(cut(record.message, span.start + shift, end));
    }
    return shown + cut(record.message, end, record.message.length);
  }
}

/** A part of a message, made printable; nothing of it beyond MAX_SHOWN_LENGTH. */
function cut(message: string, start: number, end: number): string {
  if (start >= MAX_SHOWN_LENGTH) return '';
  const rest = end > MAX_SHOWN_LENGTH ? '...' : '';
  return printable(message.slice(start, Math.min(end, MAX_SHOWN_LENGTH))) + rest;
}

/** None where it could take long to find them. */
function stretchesOf(pattern: CompiledPattern, text: string): readonly Stretch[] {
  return pattern.square === null ? pattern.stretches(text) : [];
}
