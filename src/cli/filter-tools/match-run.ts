/** Runs the filters over an input, as the daemon would over the same records. */
import { admitsMode, type Match, type RuleMode } from '../../core/failure.ts';
import type { LogRecord } from '../../core/record.ts';
import { MILLISECOND } from '../../core/time.ts';
import { Matcher } from '../../match/matcher.ts';
import { journalMatches } from '../../match/router.ts';
import { type CompiledFilter, compileFilter } from '../../match/rule.ts';
import { formatCount } from '../render/table.ts';
import type { Terminal } from '../render/terminal.ts';
import { parseWhen } from '../render/when.ts';
import { type FilterOptions, loadChosenFilters } from './filter-choice.ts';
import type { LineForm } from './filter-tool-options.ts';
import type { RecordId } from './line-record.ts';
import { MatchPrinter } from './match-output.ts';
import { MatchSummary } from './match-summary.ts';
import { openJournal, openLines, type RecordInput } from './record-input.ts';

export type MatchOptions = FilterOptions & {
  readonly as: LineForm;
  readonly mode: RuleMode;
  /** True for this machine's journal, a directory of journal files otherwise. */
  readonly journal?: true | string;
  readonly since?: string;
  readonly json?: true;
  readonly text?: true;
  readonly summary?: true;
};

/** Milliseconds that pass before the progress is shown, and between two updates. */
const PROGRESS_AFTER = 400;
const PROGRESS_EVERY = 100;

const BAR_WIDTH = 30;

/** Prints what is found; resolves to whether there was anything. Throws OperationalError for what cannot be read. */
export async function runMatch(path: string, options: MatchOptions, terminal: Terminal): Promise<boolean> {
  const filters = loadChosenFilters(options, terminal).map(compileFilter);
  const scan = new Scan(filters, options, terminal);
  const input = await openInput(path, options, filters, terminal);
  const startedAt = terminal.now();
  let shownAt = startedAt + PROGRESS_AFTER - PROGRESS_EVERY;
  const pause = async (): Promise<boolean> => {
    scan.flush();
    const now = terminal.now();
    if (now - shownAt >= PROGRESS_EVERY) {
      shownAt = now;
      terminal.showProgress(describeProgress(input, scan.matched, now - startedAt));
    }
    return terminal.drain();
  };
  try {
    await input.read((record, line, id) => scan.take(record, line, id), pause);
  } finally {
    terminal.showProgress('');
    scan.end(input.lines, terminal.now() - startedAt);
  }
  return scan.matched > 0;
}

async function openInput(
  path: string,
  { journal, since, as }: MatchOptions,
  filters: readonly CompiledFilter[],
  terminal: Terminal,
): Promise<RecordInput> {
  if (journal === undefined) return openLines(path, as, terminal);
  const start = since === undefined ? 0 : (parseWhen(since, terminal.now() * MILLISECOND) ?? 0);
  const wanted = journalMatches(filters.map(({ filter }) => filter)) ?? [];
  return openJournal(journal === true ? null : journal, wanted, start, terminal);
}

/** The matcher, and what is done with what it finds. */
class Scan {
  /** Records with a match. */
  matched = 0;
  readonly #matcher: Matcher;
  readonly #mode: RuleMode;
  readonly #printer: MatchPrinter;
  readonly #terminal: Terminal;
  /** Null when programs read the output. */
  readonly #summary: MatchSummary | null;
  readonly #isSilent: boolean;
  readonly #found: Match[] = [];
  #lines: string[] = [];

  constructor(filters: readonly CompiledFilter[], options: MatchOptions, terminal: Terminal) {
    const isText = options.text === true || options.summary === true || (terminal.isSeen && !options.json);
    this.#matcher = new Matcher(filters);
    this.#mode = options.mode;
    this.#printer = new MatchPrinter(filters, terminal.style);
    this.#terminal = terminal;
    this.#summary = isText ? new MatchSummary(filters, options.mode, terminal.elapsed) : null;
    this.#isSilent = options.summary === true;
  }

  take(record: LogRecord, line: number, id: RecordId): void {
    const found = this.#found;
    found.length = 0;
    if (record.identifier === '') this.#matcher.matchAll(record, found);
    else this.#matcher.match(record, found);
    const isMatched = found.length > 0 && this.#tell(found, line, id);
    if (isMatched) this.matched++;
    else this.#summary?.addMiss(record, line);
  }

  /** Prints what has come together. */
  flush(): void {
    if (this.#lines.length > 0) this.#terminal.print(this.#lines.join('\n'));
    this.#lines = [];
  }

  end(lines: number, milliseconds: number): void {
    this.flush();
    if (this.#summary !== null)
      this.#terminal.print(
        this.#summary.render(lines, milliseconds, this.#matcher.takeCounters(), this.#terminal),
      );
  }

  /** Returns whether any of the matches is of a mode that counts. */
  #tell(found: readonly Match[], line: number, id: RecordId): boolean {
    let isMatched = false;
    for (const match of found) {
      if (!admitsMode(this.#mode, match.mode)) continue;
      isMatched = true;
      this.#summary?.addMatch(match);
      if (this.#isSilent) continue;
      const text =
        this.#summary === null ? this.#printer.json(match, line, id) : this.#printer.text(match, line);
      this.#lines.push(text);
    }
    return isMatched;
  }
}

/** `[=======>          ]  42 %  1,234,567 lines  1,100,000/s  312 matched`. */
function describeProgress(input: RecordInput, matched: number, milliseconds: number): string {
  const share = input.share();
  const { lines } = input;
  const speed = Math.round((lines * 1_000) / Math.max(1, milliseconds));
  const counts = `${formatCount(lines)} lines  ${formatCount(speed)}/s  ${formatCount(matched)} matched`;
  if (share === null) return counts;
  const done = Math.round(Math.min(1, share) * BAR_WIDTH);
  const bar = `${'='.repeat(done)}${done < BAR_WIDTH ? '>' : ''}`.padEnd(BAR_WIDTH);
  return `[${bar}] ${String(Math.floor(Math.min(1, share) * 100)).padStart(3)} %  ${counts}`;
}
