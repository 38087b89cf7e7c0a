/** From a line of a file to a record, in each of the forms that the tools read. */
import { bareRecord, type LogRecord, markCut } from '../../core/record.ts';
import type { Microseconds } from '../../core/time.ts';
import { MAX_LINE_BYTES } from '../../sources/lines.ts';
import { type Origin, SyslogParser } from '../../syslog/parse.ts';
import type { LineForm } from './filter-tool-options.ts';
import { type ContainerLine, JsonFileReader } from './json-file.ts';

/** What a JSON line calls its record; undefined elsewhere. */
export type RecordId = string | number | undefined;

/** Reads lines of one form, one after the other. */
export interface LineReader {
  /**
   * The record of the line in bytes[start, end); null when there is nothing in it; or a text: why it is not
   * understood.
   */
  read(bytes: Buffer, start: number, end: number, isCut: boolean): LogRecord | null | string;
  /** Of the record read last. */
  readonly id: RecordId;
}

/** Bytes of a line: a JSON text may be longer than the message that it holds. */
export const LINE_BYTES: Readonly<Record<LineForm, number>> = {
  syslog: MAX_LINE_BYTES,
  message: MAX_LINE_BYTES,
  jsonl: 8 * MAX_LINE_BYTES,
};

/** `now` is the time of every record that does not say its own. Of every form, Docker's json-file is understood too. */
export function createLineReader(form: LineForm, now: Microseconds): LineReader {
  return new ContainerLines(createPlainReader(form, now), now);
}

function createPlainReader(form: LineForm, now: Microseconds): LineReader {
  switch (form) {
    case 'syslog':
      return new SyslogLines(now);
    case 'message':
      return new MessageLines(now);
    case 'jsonl':
      return new JsonLines(now);
  }
}

/**
 * A line's own time becomes its arrival, so that sessions end when they did; like every arrival it never goes back, and
 * it is not in the future.
 */
class SyslogLines implements LineReader {
  readonly id = undefined;
  readonly #parser = new SyslogParser();
  readonly #origin: Origin;
  readonly #now: Microseconds;
  #hasTime = false;

  constructor(now: Microseconds) {
    this.#now = now;
    this.#origin = { at: now, source: 'file', sender: '' };
  }

  read(bytes: Buffer, start: number, end: number, isCut: boolean): LogRecord | null {
    const origin = this.#origin;
    const record = this.#parser.parse(bytes, start, end, origin, isCut);
    if (record === null) return null;
    const { timestamp } = record;
    if (timestamp < 0 || timestamp > this.#now || (this.#hasTime && timestamp <= origin.at)) return record;
    this.#hasTime = true;
    origin.at = timestamp;
    return { ...record, at: timestamp };
  }
}

/** Takes off what Docker has put around a line, be it a line of its file or the message in one of another form. */
class ContainerLines implements LineReader {
  id: RecordId;
  readonly #inner: LineReader;
  readonly #file = new JsonFileReader();
  readonly #now: Microseconds;
  #at: Microseconds = -1;

  constructor(inner: LineReader, now: Microseconds) {
    this.#inner = inner;
    this.#now = now;
  }

  read(bytes: Buffer, start: number, end: number, isCut: boolean): LogRecord | null | string {
    this.id = undefined;
    const line = isCut || bytes[start] !== BRACE ? null : this.#file.read(bytes.toString('utf8', start, end));
    if (line !== null) return this.#unwrap(bareRecord('', this.#now), line);
    const record = this.#inner.read(bytes, start, end, isCut);
    this.id = this.#inner.id;
    if (typeof record !== 'object' || record === null) return record;
    const inner = this.#file.read(record.message);
    return inner === null ? record : this.#unwrap(record, inner);
  }

  #unwrap(record: LogRecord, { tag, message, time }: ContainerLine): LogRecord | null {
    if (message === null || message === '') return null;
    if (time <= this.#now) this.#at = Math.max(this.#at, time);
    const at = this.#at < 0 ? record.at : this.#at;
    return { ...record, at, message, identifier: record.identifier || tag };
  }
}

const BRACE = 0x7b;

class MessageLines implements LineReader {
  readonly id = undefined;
  readonly #now: Microseconds;

  constructor(now: Microseconds) {
    this.#now = now;
  }

  read(bytes: Buffer, start: number, end: number, isCut: boolean): LogRecord | null {
    const text = bytes.toString('utf8', start, end);
    const message = isCut ? markCut(text) : text.replace(/\r$/, '');
    return message === '' ? null : bareRecord(message, this.#now);
  }
}

/**
 * `{ id, message, identifier, sender, pid, unit, executable, uid, container, image }`, all but `message` optional; null
 * counts as absent.
 */
class JsonLines implements LineReader {
  id: RecordId;
  readonly #now: Microseconds;

  constructor(now: Microseconds) {
    this.#now = now;
  }

  read(bytes: Buffer, start: number, end: number, isCut: boolean): LogRecord | null | string {
    if (isCut) return `is longer than ${LINE_BYTES.jsonl} bytes`;
    const text = bytes.toString('utf8', start, end);
    if (text.trim() === '') return null;
    const value = parseJson(text);
    if (typeof value !== 'object' || value === null) return 'is no JSON object';
    const { id, message, identifier, sender, pid, ...trust } = value as Readonly<Record<string, unknown>>;
    if (typeof message !== 'string') return 'has no text as "message"';
    this.id = typeof id === 'string' || typeof id === 'number' ? id : undefined;
    const isLong = message.length > MAX_LINE_BYTES;
    return {
      ...bareRecord(isLong ? markCut(message.slice(0, MAX_LINE_BYTES)) : message, this.#now),
      identifier: textOf(identifier),
      sender: textOf(sender),
      pid: textOf(pid),
      ...readTrust(trust),
    };
  }
}

/** What the journal would say of the record; nothing where the line does not either. */
function readTrust(line: Readonly<Record<string, unknown>>): Pick<LogRecord, 'trusted' | 'container'> {
  const [unit, executable] = [textOf(line.unit), textOf(line.executable)];
  const [name, image] = [textOf(line.container), textOf(line.image)];
  const uid = Number.isInteger(line.uid) ? Number(line.uid) : -1;
  const isTrusted = unit !== '' || executable !== '' || uid >= 0;
  const trusted = isTrusted ? { unit, executable, uid } : null;
  return name === '' && image === '' ? { trusted } : { trusted, container: { id: '', name, image } };
}

/** Undefined for what is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
