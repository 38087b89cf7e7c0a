/** Runs the filters over an input, as the daemon would over the same records. */
import { admitsMode, type Match } from '../core/failure.ts';
import { MILLISECOND } from '../core/time.ts';
import { Matcher } from '../match/matcher.ts';
import { journalMatches } from '../match/router.ts';
import { type CompiledFilter, compileFilter } from '../match/rule.ts';
import { loadChosenFilters } from './filter-choice.ts';
import { type MatchOptions, parseWhen } from './match.ts';
import { MatchPrinter } from './match-output.ts';
import { MatchSummary } from './match-summary.ts';
import { type InputRecord, openJournal, openLines, type RecordInput } from './record-input.ts';
import { formatCount } from './table.ts';
import type { Terminal } from './terminal.ts';

/** Milliseconds that pass before the progress is shown, and between two updates. */
const PROGRESS_AFTER = 400;
const PROGRESS_EVERY = 100;

const BAR_WIDTH = 30;

/** Prints what is found; resolves to whether there was anything. Throws OperationalError for what cannot be read. */
export async function runMatch(path: string, options: MatchOptions, terminal: Terminal): Promise<boolean> {
  const filters = loadChosenFilters(options, terminal).map(compileFilter);
  const isText = options.text === true || options.summary === true || (terminal.isSeen && !options.json);
  const scan = new Scan(filters, options, isText, terminal);
  const input = await openInput(path, options, filters, terminal);
  const startedAt = terminal.now();
  let shownAt = startedAt + PROGRESS_AFTER - PROGRESS_EVERY;
  for await (const batch of input.batches) {
    scan.take(batch);
    if (!(await terminal.drain())) break;
    const now = terminal.now();
    if (now - shownAt < PROGRESS_EVERY) continue;
    shownAt = now;
    terminal.showProgress(describeProgress(input, scan.matched, now - startedAt));
  }
  terminal.showProgress('');
  if (isText) terminal.print(scan.summary.render(input.lines(), terminal.now() - startedAt, terminal));
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
  matched = 0;
  readonly summary: MatchSummary;
  readonly #matcher: Matcher;
  readonly #options: MatchOptions;
  readonly #isText: boolean;
  readonly #printer: MatchPrinter;
  readonly #terminal: Terminal;
  readonly #found: Match[] = [];

  constructor(
    filters: readonly CompiledFilter[],
    options: MatchOptions,
    isText: boolean,
    terminal: Terminal,
  ) {
    this.#matcher = new Matcher(filters);
    this.summary = new MatchSummary(filters);
    this.#printer = new MatchPrinter(filters, terminal.style);
    this.#options = options;
    this.#isText = isText;
    this.#terminal = terminal;
  }

  take(batch: readonly InputRecord[]): void {
    const lines: string[] = [];
    for (const entry of batch) this.#takeRecord(entry, lines);
    if (lines.length > 0) this.#terminal.print(lines.join('\n'));
  }

  #takeRecord(entry: InputRecord, lines: string[]): void {
    const found = this.#found;
    found.length = 0;
    if (entry.record.identifier === '') this.#matcher.matchAll(entry.record, found);
    else this.#matcher.match(entry.record, found);
    if (this.#isText) this.summary.add(entry, found);
    if (found.length === 0) return;
    let isMatched = false;
    for (const match of found) {
      if (!admitsMode(this.#options.mode, match.mode)) continue;
      isMatched = true;
      if (!this.#isText) lines.push(this.#printer.json(entry, match));
      else if (this.#options.summary !== true) lines.push(this.#printer.text(entry, match));
    }
    if (isMatched) this.matched++;
  }
}

/** `[=======>          ]  42 %  1,234,567 lines  1,100,000/s  312 matched`. */
function describeProgress(input: RecordInput, matched: number, milliseconds: number): string {
  const share = input.share();
  const lines = input.lines();
  const speed = Math.round((lines * 1_000) / Math.max(1, milliseconds));
  const counts = `${formatCount(lines)} lines  ${formatCount(speed)}/s  ${formatCount(matched)} matched`;
  if (share === null) return counts;
  const done = Math.round(Math.min(1, share) * BAR_WIDTH);
  const bar = `${'='.repeat(done)}${done < BAR_WIDTH ? '>' : ''}`.padEnd(BAR_WIDTH);
  return `[${bar}] ${String(Math.floor(Math.min(1, share) * 100)).padStart(3)} %  ${counts}`;
}
