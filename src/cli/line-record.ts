/** From a line of a file to a record, in each of the forms that the tools read. */
import type { LogRecord } from '../core/record.ts';
import type { Microseconds } from '../core/time.ts';
import { MAX_LINE_BYTES } from '../sources/lines.ts';
import { CUT_MARK, type Origin, SyslogParser } from '../syslog/parse.ts';

/** `syslog`: as syslogd writes or sends it. `message`: nothing but the message. `jsonl`: one JSON object a line. */
export const LINE_FORMS = ['syslog', 'message', 'jsonl'] as const;
export type LineForm = (typeof LINE_FORMS)[number];

/** A record and what it was called: `id` as in a JSON line, else undefined. */
export type LineRecord = { readonly record: LogRecord; readonly id: string | number | undefined };

/** Reads lines of one form; null for a line with nothing in it, a text for one that cannot be understood. */
export type LineReader = (
  bytes: Buffer,
  start: number,
  end: number,
  isCut: boolean,
) => LineRecord | null | string;

/** Bytes of a line: a JSON text may be longer than the message that it holds. */
export const LINE_BYTES: Readonly<Record<LineForm, number>> = {
  syslog: MAX_LINE_BYTES,
  message: MAX_LINE_BYTES,
  jsonl: 8 * MAX_LINE_BYTES,
};

/** `now` is the time of every record that does not say its own. */
export function createLineReader(form: LineForm, now: Microseconds): LineReader {
  switch (form) {
    case 'syslog':
      return syslogReader(now);
    case 'message':
      return (bytes, start, end, isCut) => readMessage(bytes.toString('utf8', start, end), isCut, now);
    case 'jsonl':
      return (bytes, start, end, isCut) =>
        isCut
          ? `is longer than ${LINE_BYTES.jsonl} bytes`
          : readJson(bytes.toString('utf8', start, end), now);
  }
}

/**
 * A line's own time becomes its arrival, so that a session ends when it did; it never goes back, as no arrival does.
 */
function syslogReader(now: Microseconds): LineReader {
  const parser = new SyslogParser();
  const origin: Origin = { at: now, source: 'file', sender: '' };
  let latest: Microseconds = 0;
  return (bytes, start, end, isCut) => {
    const record = parser.parse(bytes, start, end, origin, isCut);
    if (record === null) return null;
    if (record.timestamp > latest && record.timestamp <= now) latest = record.timestamp;
    return { record: { ...record, at: latest === 0 ? now : latest }, id: undefined };
  };
}

function readMessage(text: string, isCut: boolean, now: Microseconds): LineRecord | null {
  const message = isCut ? cutMessage(text) : text.replace(/\r$/, '');
  return message === '' ? null : { record: newRecord(message, now), id: undefined };
}

/** `{ id, message, identifier, unit, sender, pid }`, all but `message` optional; null counts as absent. */
function readJson(text: string, now: Microseconds): LineRecord | null | string {
  if (text.trim() === '') return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'is no JSON';
  }
  if (typeof value !== 'object' || value === null) return 'is no JSON object';
  const { id, message, identifier, unit, sender, pid } = value as Readonly<Record<string, unknown>>;
  if (typeof message !== 'string') return 'has no "message"';
  const unitText = textOf(unit);
  const record: LogRecord = {
    ...newRecord(
      message.length > MAX_LINE_BYTES ? cutMessage(message.slice(0, MAX_LINE_BYTES)) : message,
      now,
    ),
    identifier: textOf(identifier),
    sender: textOf(sender),
    pid: textOf(pid),
    trusted: unitText === '' ? null : { unit: unitText, executable: '', uid: -1 },
  };
  return { record, id: typeof id === 'string' || typeof id === 'number' ? id : undefined };
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/**
 * The beginning of a message, marked as such; without the last word when it may be the beginning of an address, since
 * `203.0.113.77` cut to `203.0.113.7` is the address of somebody else.
 */
function cutMessage(text: string): string {
  let end = text.length;
  while (end > 0 && /[\da-f.:]/i.test(text.charAt(end - 1))) end--;
  return text.slice(0, end) + CUT_MARK;
}

function newRecord(message: string, at: Microseconds): LogRecord {
  return {
    at,
    source: 'file',
    sender: '',
    hostname: '',
    identifier: '',
    pid: '',
    facility: -1,
    severity: -1,
    message,
    timestamp: -1,
    trusted: null,
  };
}
