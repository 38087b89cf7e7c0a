/**
 * What a syslog daemon sends in place of messages that it has sent before: BSD's `last message repeated 4 times`, and
 * syslog-ng's `Last message 'Failed password for ' repeated 4 times, suppressed by syslog-ng on vm`. Both say how often
 * the message before was meant, and not which it was; rsyslog's `message repeated 4 times: [ ... ]` says both, and is
 * the form that they are given.
 */
import type { LogRecord } from '../core/record.ts';

const BEGINNINGS = ['last message repeated ', "Last message '", 'message repeated '].map((text) =>
  Buffer.from(text),
);

/** Whether the text in bytes[start, end) may be one, so that it has to become a record. */
export function mayBeRepeat(bytes: Buffer, start: number, end: number): boolean {
  if (!isFirst(bytes[start])) return false;
  for (const beginning of BEGINNINGS) {
    if (end - start < beginning.length) continue;
    if (bytes.compare(beginning, 0, beginning.length, start, start + beginning.length) === 0) return true;
  }
  return false;
}

/**
 * The record that `record` stands for when it says that `last`, the one before it of the same sender, was repeated;
 * null when it says no such thing.
 */
export function repeatOf(record: LogRecord, last: LogRecord | null): LogRecord | null {
  // Two expressions for every record would cost more than all else that is done with one here.
  if (!isFirst(record.message.charCodeAt(0))) return null;
  if (last === null || last.message.startsWith('message repeated ')) return null;
  const times = timesOf(record, last);
  if (times === null) return null;
  return { ...last, at: record.at, message: `message repeated ${times} times: [ ${last.message}]` };
}

/** Whether one of BEGINNINGS begins with the character. */
function isFirst(code: number | undefined): boolean {
  return code === 0x6c || code === 0x4c || code === 0x6d;
}

function timesOf(record: LogRecord, last: LogRecord): string | null {
  const { identifier, hostname, message } = record;
  const bsd = /^(last )?message repeated (\d{1,4}) times$/.exec(message);
  if (bsd !== null) {
    // FreeBSD leaves the host name out, and "last" stands in its place.
    const isOfHost = bsd[1] === undefined ? hostname === 'last' : hostname === last.hostname;
    return identifier === '' && isOfHost ? (bsd[2] ?? null) : null;
  }
  const syslogNg =
    /^Last message '(.{0,20})' repeated (\d{1,4}) times, suppressed by syslog-ng on \S+$/s.exec(message);
  if (syslogNg === null || identifier !== last.identifier || hostname !== last.hostname) return null;
  return last.message.startsWith(syslogNg[1] ?? '') ? (syslogNg[2] ?? null) : null;
}
