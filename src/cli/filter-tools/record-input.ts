/** What the tools read: a file, standard input or the journal, record by record. */

import type { LogRecord } from '../../core/record.ts';
import { MILLISECOND, type Microseconds } from '../../core/time.ts';
import { MACHINE_CLOCKS } from '../../native/machine-clocks.ts';
import { openFile } from '../../sources/file.ts';
import { LineSplitter } from '../../sources/lines.ts';
import { complainAbout, type Terminal } from '../render/terminal.ts';
import type { LineForm } from './filter-tool-options.ts';
import { createLineReader, LINE_BYTES, type RecordId } from './line-record.ts';

/** Takes a record. `line` is the number of its line, or of the journal entry among those read, from 1. */
export type TakeRecord = (record: LogRecord, line: number, id: RecordId) => void;

export interface RecordInput {
  /**
   * Reads everything, in order, and resolves at its end. After each part waits for `pause`; stops when that resolves to
   * false. Throws OperationalError for what cannot be read or unpacked. To be called once.
   */
  read(take: TakeRecord, pause: () => Promise<boolean>): Promise<void>;
  /** How much has been read, from 0 to 1; null when nobody can tell. */
  share(): number | null;
  /** Lines or journal entries read so far. */
  readonly lines: number;
  /** Lines that could not be understood. */
  readonly faults: number;
}

/** Lines that are complained of one by one. */
const MAX_COMPLAINTS = 10;

/** The lines of a file, or of standard input for `-`. Throws OperationalError when it cannot be opened. */
export async function openLines(path: string, form: LineForm, terminal: Terminal): Promise<RecordInput> {
  const file = await openFile(path);
  const reader = createLineReader(form, terminal.now() * MILLISECOND);
  const input = {
    lines: 0,
    faults: 0,
    share: () => (file.totalBytes === null ? null : file.bytesRead() / Math.max(1, file.totalBytes)),
    read: async (take: TakeRecord, pause: () => Promise<boolean>): Promise<void> => {
      const splitter = new LineSplitter((bytes, start, end, isCut) => {
        input.lines++;
        const record = reader.read(bytes, start, end, isCut);
        if (typeof record === 'string') complain(record);
        else if (record !== null) take(record, input.lines, reader.id);
      }, LINE_BYTES[form]);
      for await (const chunk of file.chunks) {
        splitter.push(chunk);
        if (!(await pause())) return;
      }
      splitter.end();
      await pause();
    },
  };
  const complain = (reason: string): void => {
    if (++input.faults > MAX_COMPLAINTS) return;
    const rest = input.faults === MAX_COMPLAINTS ? '; further ones are only counted' : '';
    complainAbout(terminal, `${file.name}: line ${input.lines} ${reason}${rest}`);
  };
  return input;
}

/** What the journal has since then; `directory` null for this machine's journal. */
export function openJournal(
  directory: string | null,
  matches: readonly string[],
  since: Microseconds,
  terminal: Terminal,
): RecordInput {
  const warn = (detail: string, advice: string): void => complainAbout(terminal, detail, advice);
  const input = {
    lines: 0,
    faults: 0,
    share: () => null,
    read: async (take: TakeRecord, pause: () => Promise<boolean>): Promise<void> => {
      const { scanJournal } = await import('../../sources/journal/scan.ts');
      for await (const records of scanJournal({ directory, matches, since, warn, clocks: MACHINE_CLOCKS })) {
        for (const record of records) take(record, ++input.lines, undefined);
        if (!(await pause())) return;
      }
    },
  };
  return input;
}
