/**
 * Follows the journal, one bounded step at a time: opens it, finds the place to go on at, packs new entries, notices
 * what happens to its files, and starts over at the same place when something breaks. Runs in the journal's worker.
 */

import { OperationalError } from '../../core/errors.ts';
import { MILLISECOND, type Microseconds } from '../../core/time.ts';
import { raise } from '../../core/warning/catalogue.ts';
import { JournalField, JournalReader } from '../../native/journal-reader.ts';
import type { MachineClocks } from '../../native/machine-clocks.ts';
import { type BatchPacker, MAX_MESSAGE_BYTES, MAX_NAME_BYTES, MAX_PATH_BYTES } from './batch.ts';
import { BrokenLines, type LinePart } from './broken-lines.ts';
import type { JournalAssignment, JournalOrder, JournalReport } from './channel.ts';
import { containerLinePart, copyContainer, dropLineEnd, isEngineText } from './container-fields.ts';
import { entriesBetween, parseCursor } from './cursor.ts';
import { copyText, endsWith } from './field-copy.ts';
import { ShortFields } from './short-fields.ts';
import { JOURNALD_IDENTIFIER, readSuppressed } from './suppressed.ts';
import { type JournalSurvey, surveyJournal } from './survey.ts';

/** Milliseconds to sleep before the next step. A wake-up costs some 30 µs of a core, whatever one sleeps on. */
export const POLL = {
  /** While entries arrive: 2.5 % of a core, and a median of 1.1 ms from journald's receipt to delivery. */
  activeMilliseconds: 1,
  /** For this long after an entry. */
  activeForMilliseconds: 2_000,
  /** Else: some 0.2 % of a core, and 27 ms at most to the first entry. */
  quietMilliseconds: 26,
} as const;

const RETRY_MILLISECONDS = 1_000;
const LIBRARY_RETRY_MILLISECONDS = 30_000;

/** The directories are looked at so often, and as often as RETRY_MILLISECONDS while something is wrong with them. */
const SURVEY_MILLISECONDS = 2_000;

/**
 * With matches, libsystemd 252 can come to an entry that journald has written but not linked to its fields yet, find
 * nothing, and pass that file over until it grows again: one entry in five was stuck so when looked for in a tight
 * loop. Setting the matches anew makes it look again; it costs 5 to 15 µs, so not every look that finds nothing does.
 */
const LOOKS_PER_FRESH_LOOK = 8;

/** Sleeping without a free slot ends when one is given back; this is only in case that it is not. */
const NO_SLOT_MILLISECONDS = 1_000;

/** journald stamps an entry before it can be read; on a slow disk so much before. */
const APPEND_MILLISECONDS = 1_000;

/** Entries that one step reads at most, also when it leaves all of them out. */
const MAX_ENTRIES_PER_STEP = 4_096;

/** What this daemon's own entries are called: reading them would feed what we write back to us. */
const OWN_IDENTIFIER = 'bailiff';

/**
 * libsystemd 252 and 257 decompress a field that zstd has compressed whole, whatever the data threshold says, and keep
 * the memory for the next one. Any local user can write one of 768 MiB, so after one that is larger than this the
 * journal is opened anew, which gives the memory back.
 */
const LARGEST_KEPT_BYTES = 1024 * 1024;
const MAX_FACILITY = 23;
const MAX_SEVERITY = 7;

const IDENTIFIER = new JournalField('SYSLOG_IDENTIFIER');
const PID = new JournalField('_PID');
const CLAIMED_PID = new JournalField('SYSLOG_PID');
const UNIT = new JournalField('_SYSTEMD_UNIT');
const EXECUTABLE = new JournalField('_EXE');
const FACILITY = new JournalField('SYSLOG_FACILITY');
const PRIORITY = new JournalField('PRIORITY');
const MESSAGE = new JournalField('MESSAGE');
const STREAM_ID = new JournalField('_STREAM_ID');
const LINE_BREAK = new JournalField('_LINE_BREAK');

/** What it measures its own quiet by, and what journald stamps entries with. */
export type JournalClocks = Pick<MachineClocks, 'elapsed' | 'timeOfDay'>;

export class JournalFollower {
  readonly #directory: string | null;
  readonly #clocks: JournalClocks;
  readonly #report: (report: JournalReport) => void;
  readonly #fields = new ShortFields();
  #matches: readonly string[];
  #position: string | null;
  #since: Microseconds;
  #order: JournalOrder | null = null;
  #reader: JournalReader | null = null;
  #survey: JournalSurvey | null = null;
  #surveyedAt = Number.NEGATIVE_INFINITY;
  #toldSurvey: JournalSurvey | null = null;
  #toldHealth = '';
  #activeAt = Number.NEGATIVE_INFINITY;
  /** When the end was last seen, by `elapsed`; -1 while entries are waiting. */
  #endSeenAt = -1;
  /** Looks in a row that found nothing. */
  #emptyLooks = 0;
  /** Time of the last entry that was read. */
  #lastEntryAt: Microseconds = -1;
  readonly #flaws = { cut: 0, empty: 0, rest: 0, damaged: 0 };
  readonly #brokenLines = new BrokenLines();

  constructor(assignment: JournalAssignment, clocks: JournalClocks, report: (report: JournalReport) => void) {
    this.#clocks = clocks;
    this.#directory = assignment.directory;
    this.#matches = assignment.matches;
    this.#position = assignment.position;
    this.#since = assignment.since;
    this.#report = report;
  }

  /** Takes effect with the next step. */
  setOrder(order: JournalOrder): void {
    this.#order = order;
  }

  /**
   * Reads what there is into the slot of `packer`, if there is one, and reports it. Returns the milliseconds to sleep;
   * 0 when more is waiting. `slot` is only passed on.
   */
  step(slot: number, packer: BatchPacker | null): number {
    try {
      const now = this.#clocks.elapsed();
      if (this.#order !== null) this.#carryOut(this.#order);
      const reader = this.#reader ?? this.#open();
      if (reader === null) return RETRY_MILLISECONDS;
      const change = reader.refresh();
      if (this.#isSurveyDue(now, change === 'invalidate') && !this.#stillThere()) return 0;
      if (packer === null) return NO_SLOT_MILLISECONDS;
      const isBehind = this.#read(reader, packer);
      this.#endSeenAt = isBehind ? -1 : now;
      this.#tellHealth();
      this.#post(slot, packer, isBehind);
      if (packer.count > 0) this.#activeAt = now;
      if (isBehind) return 0;
      return now - this.#activeAt < POLL.activeForMilliseconds
        ? POLL.activeMilliseconds
        : POLL.quietMilliseconds;
    } catch (error) {
      return this.#fail(error);
    }
  }

  close(): void {
    this.#reader?.close();
    this.#reader = null;
  }

  #carryOut(order: JournalOrder): void {
    this.#order = null;
    this.#matches = order.matches;
    if (this.#reader === null) return;
    this.#reader.setMatches(order.matches);
    // Entries that the old matches passed over lie between the last entry and now. The new ones must not dig up all
    // of them; but no farther than to where the end was seen, or an entry written since then would be lost.
    if (this.#endSeenAt < 0 || this.#lastEntryAt < 0) return;
    const quiet = this.#clocks.elapsed() - this.#endSeenAt + APPEND_MILLISECONDS;
    const since = Math.floor(Math.min(order.since, (this.#clocks.timeOfDay() - quiet) * MILLISECOND));
    if (this.#lastEntryAt >= since) return;
    this.#startAt(this.#reader, since);
  }

  #open(): JournalReader | null {
    this.#survey = surveyJournal(this.#directory);
    this.#surveyedAt = this.#clocks.elapsed();
    if (this.#survey.health === 'down') {
      this.#tellHealth();
      return null;
    }
    const reader = JournalReader.open(this.#directory);
    this.#reader = reader;
    reader.limitFieldBytes(MESSAGE.prefixLength + MAX_MESSAGE_BYTES + 1);
    // From here on it hears of new files: none can come unseen between this and the first entry.
    reader.refresh();
    this.#endSeenAt = -1;
    if (this.#position === null) this.#startAt(reader, this.#since);
    else this.#goOnAfter(reader, this.#position);
    reader.setMatches(this.#matches);
    return reader;
  }

  #startAt(reader: JournalReader, since: Microseconds): void {
    this.#position = null;
    this.#since = since;
    reader.seekRealtime(since);
  }

  /** Without matches yet, since an entry that they would leave out does not count as gone. */
  #goOnAfter(reader: JournalReader, position: string): void {
    try {
      reader.seekCursor(position);
    } catch (error) {
      if (!(error instanceof OperationalError) || error.code !== 'EINVAL') throw error;
      this.#report({
        kind: 'gap',
        detail: 'the stored position is no cursor; going back by the look-back time',
      });
      this.#startAt(reader, this.#since);
      return;
    }
    const after = reader.next() ? reader.cursor() : null;
    if (after !== null && reader.isAt(position)) return;
    const before = parseCursor(position);
    const next = after === null ? null : parseCursor(after);
    const isSequel =
      before !== null &&
      next?.sequence === before.sequence &&
      next.boot === before.boot &&
      next.number > before.number;
    // Numbers can be used again for other entries when a power cut has undone the last ones; times can not.
    if (!isSequel) reader.seekRealtime(before === null ? this.#since : before.at + 1);
    this.#crossGap(reader, position, isSequel || reader.next());
  }

  /** The entry at `position` is gone. Goes on with the current entry, if there is a later one, else behind the last. */
  #crossGap(reader: JournalReader, position: string, hasLater: boolean): void {
    if (hasLater) {
      const lost = entriesBetween(position, reader.cursor());
      if (lost !== 0) {
        const count = lost === null ? 'entries' : `up to ${lost} entries`;
        this.#report({ kind: 'gap', detail: `${count} were removed from the journal before they were read` });
      }
      const at = reader.realtime();
      reader.seekCursor(reader.cursor());
      this.#position = null;
      this.#since = at;
      return;
    }
    this.#report({ kind: 'gap', detail: 'the journal ends before the stored position: going on at its end' });
    reader.seekTail();
    if (reader.previous()) this.#position = reader.cursor();
    else this.#startAt(reader, 0);
  }

  #isSurveyDue(now: number, isInvalidated: boolean): boolean {
    const interval =
      isInvalidated || this.#survey?.health !== 'up' ? RETRY_MILLISECONDS : SURVEY_MILLISECONDS;
    return now - this.#surveyedAt >= interval;
  }

  /** Looks at the directories; false when the journal was closed, to be opened anew. */
  #stillThere(): boolean {
    const survey = surveyJournal(this.#directory);
    this.#surveyedAt = this.#clocks.elapsed();
    if (survey.identity !== this.#survey?.identity || survey.health !== this.#survey.health) {
      this.close();
      return false;
    }
    this.#survey = survey;
    return true;
  }

  /** Packs what there is, within the limits of one step; returns whether more is waiting. */
  #read(reader: JournalReader, packer: BatchPacker): boolean {
    packer.reset();
    let entries = 0;
    let isBehind = true;
    while (!packer.isFull && entries < MAX_ENTRIES_PER_STEP && !isBloated(reader)) {
      if (!reader.next()) {
        isBehind = false;
        break;
      }
      entries++;
      this.#pack(reader, packer);
    }
    this.#emptyLooks = entries > 0 ? 0 : this.#emptyLooks + 1;
    if (entries > 0) this.#position = reader.cursor();
    if (isBloated(reader)) this.close();
    else if (entries === 0 && this.#emptyLooks % LOOKS_PER_FRESH_LOOK === 0) this.#lookAfresh(reader);
    return isBehind;
  }

  #lookAfresh(reader: JournalReader): void {
    if (this.#matches.length > 0) reader.setMatches(this.#matches);
  }

  #post(slot: number, { count, bytes }: BatchPacker, isBehind: boolean): void {
    const { cut, empty, rest, damaged } = this.#flaws;
    if (this.#position === null || count + cut + empty + rest + damaged === 0) return;
    const flaws = { cut, empty, rest, damaged };
    this.#report({ kind: 'batch', slot, count, bytes, position: this.#position, isBehind, flaws });
    this.#flaws.cut = 0;
    this.#flaws.empty = 0;
    this.#flaws.rest = 0;
    this.#flaws.damaged = 0;
  }

  #pack(reader: JournalReader, packer: BatchPacker): void {
    packer.beginRecord();
    try {
      const at = reader.realtime();
      this.#lastEntryAt = at;
      const identifierLength = copyText(reader, packer, IDENTIFIER, 'identifier', MAX_NAME_BYTES);
      if (endsWith(packer, OWN_IDENTIFIER, identifierLength)) return;
      if (endsWith(packer, JOURNALD_IDENTIFIER, identifierLength)) {
        const suppressed = readSuppressed(reader, this.#fields);
        if (suppressed !== null) this.#report({ kind: 'suppressed', ...suppressed });
      }
      if (copyText(reader, packer, PID, 'pid', MAX_NAME_BYTES) < 0) {
        copyText(reader, packer, CLAIMED_PID, 'pid', MAX_NAME_BYTES);
      }
      const unitOffset = packer.offset;
      copyText(reader, packer, UNIT, 'unit', MAX_NAME_BYTES);
      const executableOffset = packer.offset;
      copyText(reader, packer, EXECUTABLE, 'executable', MAX_PATH_BYTES);
      const isOfEngine = isEngineText(packer, unitOffset, executableOffset);
      if (isOfEngine) copyContainer(reader, packer);
      const messageLength = copyText(reader, packer, MESSAGE, 'message', MAX_MESSAGE_BYTES);
      if (isOfEngine) dropLineEnd(packer, messageLength);
      const part =
        (isOfEngine ? containerLinePart(reader, this.#fields, this.#brokenLines) : null) ??
        this.#linePart(reader);
      if (messageLength < 0 || part === 'rest') {
        this.#flaws[messageLength < 0 ? 'empty' : 'rest']++;
        return;
      }
      const uid = this.#fields.uid(reader);
      const facility = this.#fields.number(reader, FACILITY, MAX_FACILITY);
      const severity = this.#fields.number(reader, PRIORITY, MAX_SEVERITY);
      if (messageLength > MAX_MESSAGE_BYTES) this.#flaws.cut++;
      const isCut = messageLength >= MAX_MESSAGE_BYTES || part === 'beginning';
      packer.endRecord(at, uid, facility, severity, isCut);
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      this.#flaws.damaged++;
    }
  }

  /** What of a line of standard output the entry holds. */
  #linePart(reader: JournalReader): LinePart {
    const stream = this.#fields.text(reader, STREAM_ID);
    if (stream === '') return 'whole';
    return this.#brokenLines.judge(
      stream,
      this.#fields.text(reader, PID),
      this.#fields.text(reader, LINE_BREAK),
    );
  }

  /** Reports what the last survey found, once. */
  #tellHealth(): void {
    if (this.#survey === null || this.#survey === this.#toldSurvey) return;
    this.#toldSurvey = this.#survey;
    const { health, detail, warnings } = this.#survey;
    this.#tell({ kind: 'health', health, detail, warnings });
  }

  /** Reports a state of health, unless it is the same as before. */
  #tell(report: Extract<JournalReport, { kind: 'health' }>): void {
    const told = JSON.stringify(report);
    if (told === this.#toldHealth) return;
    this.#toldHealth = told;
    this.#report(report);
  }

  #fail(error: unknown): number {
    if (!(error instanceof OperationalError)) throw error;
    this.close();
    this.#tell({
      kind: 'health',
      health: 'down',
      detail: '',
      warnings: [
        raise('journal-unreadable', {
          reason: `cannot read the journal: ${error.message}`,
          remedy: error.advice === '' ? 'it is tried again every second' : error.advice,
        }),
      ],
    });
    return error.code === 'library-missing' ? LIBRARY_RETRY_MILLISECONDS : RETRY_MILLISECONDS;
  }
}

/** Whether the library holds memory for a field that was larger than any message. */
function isBloated(reader: JournalReader): boolean {
  return reader.largestFieldBytes > LARGEST_KEPT_BYTES;
}
