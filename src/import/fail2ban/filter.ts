/**
 * One filter of fail2ban as a filter of ours. What fail2ban searches for in a line becomes expressions for two forms of
 * the same line: the message as syslog and the journal hand it over, without host, program and PID; and the line of a
 * file, with its date.
 */
import { PatternError } from '../../match/expression/expression.ts';
import type { FilterInput } from '../../match/filter.ts';
import { CompiledPattern } from '../../match/pattern.ts';
import { prune, takeBeginning } from '../python-regex/automaton.ts';
import { withBudget } from '../python-regex/budget.ts';
import { writeRules } from '../python-regex/emit.ts';
import { ExpressionError } from '../python-regex/expression-error.ts';
import { type Part, readParts, readTree } from '../python-regex/parts.ts';
import { either, hasGroup, keepGroups, type Tree } from '../python-regex/tree.ts';
import { textsWith, textsWithPrefix } from '../python-regex/whole-line.ts';
import { ANYWHERE, type DatePlace, insertDates, parseDatePattern } from './dates.ts';
import type { Definition, FilterSource, Forms } from './definition.ts';
import { readForms } from './definition.ts';
import { type Draft, finishRules, type ImportedRule } from './drafts.ts';
import {
  inputOf,
  literalPrograms,
  programOfDaemon,
  programsWithin,
  readJournalMatch,
} from './identifiers.ts';
import type { PlacedLine, PlacedValue } from './ini.ts';
import type { Remarks } from './remark.ts';

export type ImportedFilter = {
  readonly name: string;
  /** The file that it was made from. */
  readonly source: string;
  readonly input: FilterInput;
  readonly rules: readonly ImportedRule[];
  /** Failregexes that there are, and those of them that became rules. */
  readonly expressions: { readonly all: number; readonly converted: number };
};

/** Regexes of one filter that are read. */
const MAX_EXPRESSIONS = 500;

/**
 * What translating one filter and one of its expressions may cost: a second or two. The dearest filters of fail2ban 1.1
 * take less than 30 million, their dearest expressions less than 5.
 */
const FILTER_STEPS = 60_000_000;
const EXPRESSION_STEPS = 10_000_000;

/** Null when nothing of it can be carried over; the remarks say why. Throws SettingsError and ExpressionError. */
export function importFilter(source: FilterSource, remarks: Remarks): ImportedFilter | null {
  return withBudget(FILTER_STEPS, () => translateFilter(source, remarks));
}

function translateFilter(source: FilterSource, remarks: Remarks): ImportedFilter | null {
  const { file, name } = source;
  const stem = file.replace(/^.*\/|\.conf$/g, '');
  const forms = readForms(source);
  const program = programOfDaemon(forms.file.text('_daemon'));
  const journal = readJournalMatch(forms.file.lines('journalmatch'), remarks);
  const literal = program !== undefined ? [] : literalPrograms(forms.file.lines('failregex'));
  const input = inputOf(stem, program, journal, literal);
  const known = [...(program?.samples ?? []), ...input.identifiers.map((text) => text.replace(/\*$/, ''))];
  const translator = new Translator(known, literal, remarks);
  const rules = translator.translate(forms);
  if (!rules.some(({ kind }) => kind === 'failure')) return null;
  if (source.isOfFiles !== true)
    noteInput(source, input, program !== undefined || literal.length > 0, forms.file, remarks);
  const identifiers = [...new Set([...input.identifiers, ...translator.programs])];
  return {
    name,
    source: file,
    input: { ...input, identifiers: input.identifiers.length === 0 ? [] : identifiers },
    rules,
    expressions: translator.tally,
  };
}

function noteInput(
  { file }: FilterSource,
  input: FilterInput,
  hasProgram: boolean,
  form: Definition,
  remarks: Remarks,
): void {
  const place = form.lines('_daemon')[0]?.place ?? form.lines('failregex')[0]?.place ?? { file, line: 0 };
  if (!hasProgram && form.lines('journalmatch').length === 0) {
    const names = input.identifiers.join(' or ');
    remarks.note(place, `names no program: its lines are those that are sent with the program name ${names}`);
  }
  if (input.journal.uids.length > 0) {
    remarks.note(
      place,
      'journal entries count when root writes them; name another uid or the unit where needed',
    );
  }
}

/** The expressions of a filter in one of its forms. */
type Expressions = {
  readonly prefix: Tree | null;
  readonly failure: PlacedValue;
  readonly ignore: PlacedValue;
};

class Translator {
  readonly tally = { all: 0, converted: 0 };
  /** Programs that the expressions name by themselves. */
  readonly programs = new Set<string>();
  readonly #samples: readonly string[];
  /** Those of the samples with which expressions begin, so that no host stands before them. */
  readonly #literal: readonly string[];
  readonly #remarks: Remarks;
  #hasSessions = false;

  constructor(samples: readonly string[], literal: readonly string[], remarks: Remarks) {
    this.#literal = literal;
    this.#samples = samples.length > 0 ? [...new Set(samples)] : ['service'];
    this.#remarks = remarks;
  }

  translate(forms: Forms): ImportedRule[] {
    const places = this.#datePlaces(forms.file.lines('datepattern'));
    const [files, journals, bare] = [forms.file, forms.journal, forms.bare].map((form) => this.#read(form));
    if (!files || !journals || !bare) return [];
    this.#hasSessions = files.prefix !== null && hasGroup(files.prefix, 'mlfid');
    const drafts: Draft[] = [];
    for (const kind of ['ignore', 'failure'] as const) {
      for (const [index, line] of files[kind].entries()) {
        const versions = [files, journals, bare].map(({ prefix, [kind]: lines }) => ({
          prefix,
          line: lines[index] ?? line,
        }));
        const made = this.#expression(kind, index + 1, versions, places);
        drafts.push(...made);
        if (kind === 'ignore') continue;
        this.tally.all++;
        if (made.length > 0) this.tally.converted++;
      }
    }
    return finishRules(drafts, this.#hasSessions, this.#remarks);
  }

  #read(form: Definition): Expressions | null {
    const [failure, ignore] = [form.lines('failregex'), form.lines('ignoreregex')];
    const [first] = failure;
    if (failure.length + ignore.length > MAX_EXPRESSIONS) {
      this.#remarks.refused(
        first?.place ?? { file: '', line: 0 },
        `more than ${MAX_EXPRESSIONS} expressions`,
      );
      return null;
    }
    const lines = form.lines('prefregex');
    const [line] = lines;
    if (line === undefined) return { prefix: null, failure, ignore };
    const text = lines.map((one) => one.text).join('\n');
    const prefix = this.#attempt(line, 'prefregex: ', () => readTree(text, line, this.#remarks));
    return prefix === null ? null : { prefix, failure, ignore };
  }

  #datePlaces(lines: PlacedValue): readonly DatePlace[] {
    const places = lines.flatMap(
      (line) => this.#attempt(line, 'datepattern: ', () => parseDatePattern(line.text)) ?? [],
    );
    return places.length === 0 ? [ANYWHERE] : places;
  }

  /** The rules of one expression, which is given in the three forms, each with its prefregex. */
  #expression(
    kind: 'failure' | 'ignore',
    index: number,
    versions: readonly { readonly prefix: Tree | null; readonly line: PlacedLine }[],
    places: readonly DatePlace[],
  ): Draft[] {
    const [{ line } = { line: { text: '', place: { file: '', line: 0 } } }] = versions;
    const made = this.#attempt(line, kind === 'failure' ? '' : 'ignoreregex: ', () => {
      const parts = versions.map((version) => this.#parts(kind, version.line));
      return (parts[0] ?? []).flatMap((part, position) => {
        const texts = versions.map(({ prefix }, form) =>
          this.#texts(prefix, parts[form]?.[position] ?? part),
        );
        return this.#drafts(part, texts, places, { place: line.place, index });
      });
    });
    return made ?? [];
  }

  #parts(kind: 'failure' | 'ignore', line: PlacedLine): Part[] {
    if (kind === 'failure') return readParts(line, this.#hasSessions, this.#remarks);
    return [{ kind, tree: readTree(line.text, line, this.#remarks), role: null }];
  }

  /** One part as a message and as a line; `texts` are the lines that it matches, in the three forms. */
  #drafts(
    { kind, role }: Part,
    [inFile, inJournal, bare]: readonly Tree[],
    places: readonly DatePlace[],
    about: Pick<Draft, 'place' | 'index'>,
  ): Draft[] {
    if (inFile === undefined || inJournal === undefined || bare === undefined) return [];
    const [leaves, asks] = [
      role === 'first' ? `${about.index}` : null,
      role === 'last' ? `${about.index}` : null,
    ];
    const draft = { ...about, kind, leaves, asks, isEnd: false };
    const messages = this.#messages([inFile, inJournal]);
    const drafts: Draft[] = [];
    if (messages.length > 0) {
      drafts.push(
        ...writeRules(messages.reduce(either)).map((regex) => ({
          ...draft,
          regex,
          form: 'message' as const,
        })),
      );
    }
    if (messages.length === 0 || !this.#hasSessions) {
      const dated = writeRules(insertDates(bare, places));
      drafts.push(...dated.map((regex) => ({ ...draft, regex, form: 'line' as const })));
    }
    for (const { regex } of drafts) compile(regex);
    return drafts;
  }

  /** The lines in which a part finds something, with no groups left but those of a rule. */
  #texts(prefix: Tree | null, { tree, kind, role }: Part): Tree {
    const texts = prefix === null ? textsWith(tree) : textsWithPrefix(prefix, tree);
    const kept = keepGroups(texts, (name) => /^(?:address|session|user|alt_user.*)$/.test(name));
    const mayRecall = this.#hasSessions || role !== null;
    if (kind === 'failure' && !mayRecall && !hasGroup(kept, 'address')) {
      throw new ExpressionError('it finds no address: host names and other identities are not banned');
    }
    return kept;
  }

  /** What may follow the header of a syslog line, and what may follow a program's name that is its own beginning. */
  #messages(forms: readonly Tree[]): Tree[] {
    const plain = prune(
      forms.flatMap((texts) =>
        this.#samples.flatMap((name) => {
          const take = (header: string): Tree[] => takeBeginning(texts, header);
          const withPid = take(` host ${name}[12345]: `);
          if (this.#literal.includes(name))
            return [...withPid, ...[` host ${name}: `, `${name}[12345]: `, `${name}: `].flatMap(take)];
          return withPid.length > 0 ? withPid : take(` host ${name}: `);
        }),
      ),
    );
    const more = plain.flatMap((message) =>
      programsWithin(message).flatMap((name) => {
        this.programs.add(name);
        return takeBeginning(message, `${name}: `);
      }),
    );
    return more.length === 0 ? plain : prune([...plain, ...more]);
  }

  /** Null, with a remark, when it cannot be done. */
  #attempt<Result>(line: PlacedLine, what: string, make: () => Result): Result | null {
    try {
      return withBudget(EXPRESSION_STEPS, make);
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      this.#remarks.refused(line.place, `${what}${error.message}`);
      return null;
    }
  }
}

/** Throws ExpressionError for what our matcher does not take. */
function compile(regex: string): void {
  try {
    new CompiledPattern({ form: 'regex', text: regex });
  } catch (error) {
    if (error instanceof PatternError) throw new ExpressionError(error.message);
    throw error;
  }
}
