/** What the tools read: a file, standard input or the journal, as batches of records. */

import type { LogRecord } from '../core/record.ts';
import { MILLISECOND, type Microseconds } from '../core/time.ts';
import { openFile } from '../sources/file.ts';
import { LineSplitter } from '../sources/lines.ts';
import { createLineReader, LINE_BYTES, type LineForm } from './line-record.ts';
import { complainAbout, type Terminal } from './terminal.ts';

export type InputRecord = {
  readonly record: LogRecord;
  /** From 1: the number of the line, or of the journal entry among those that were read. */
  readonly line: number;
  /** As in a JSON line; undefined elsewhere. */
  readonly id: string | number | undefined;
};

export type RecordInput = {
  /** In order; to be read once. */
  readonly batches: AsyncIterable<readonly InputRecord[]>;
  /** How much of the input has been read, from 0 to 1; null when nobody can tell. */
  share(): number | null;
  /** Lines, or journal entries, read so far. */
  lines(): number;
  /** Lines that could not be understood. */
  faults(): number;
};

/** Lines that are complained of one by one. */
const MAX_COMPLAINTS = 10;

/** The lines of a file, or of standard input for `-`. Throws OperationalError when it cannot be opened. */
export async function openLines(path: string, form: LineForm, terminal: Terminal): Promise<RecordInput> {
  const file = await openFile(path);
  const read = createLineReader(form, terminal.now() * MILLISECOND);
  let line = 0;
  let faults = 0;
  let batch: InputRecord[] = [];
  const splitter = new LineSplitter((bytes, start, end, isCut) => {
    line++;
    const found = read(bytes, start, end, isCut);
    if (typeof found === 'string') {
      if (++faults <= MAX_COMPLAINTS) complainAbout(terminal, `${file.name}: line ${line} ${found}`);
    } else if (found !== null) batch.push({ record: found.record, line, id: found.id });
  }, LINE_BYTES[form]);
  const batches = async function* (): AsyncGenerator<readonly InputRecord[]> {
    for await (const chunk of file.chunks) {
      splitter.push(chunk);
      if (batch.length > 0) yield batch;
      batch = [];
    }
    splitter.end();
    if (batch.length > 0) yield batch;
  };
  return {
    batches: batches(),
    share: () => (file.totalBytes === null ? null : file.bytesRead() / Math.max(1, file.totalBytes)),
    lines: () => line,
    faults: () => faults,
  };
}

/** What the journal holds since then; `directory` null for this machine's journal. */
export function openJournal(
  directory: string | null,
  matches: readonly string[],
  since: Microseconds,
  terminal: Terminal,
): RecordInput {
  let line = 0;
  const warn = (detail: string, advice: string): void => complainAbout(terminal, detail, advice);
  const batches = async function* (): AsyncGenerator<readonly InputRecord[]> {
    const { scanJournal } = await import('../sources/journal-scan.ts');
    for await (const records of scanJournal({ directory, matches, since, warn })) {
      yield records.map((record) => ({ record, line: ++line, id: undefined }));
    }
  };
  return { batches: batches(), share: () => null, lines: () => line, faults: () => 0 };
}
