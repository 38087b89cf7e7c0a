/** One message read, for tests: its record and its dialect, as of noon on 20 November 2026. */
import type { LogRecord } from '../../src/core/record.ts';
import type { Dialect } from '../../src/syslog/header.ts';
import { SyslogParser } from '../../src/syslog/parse.ts';

export const AT = Date.UTC(2026, 10, 20, 12) * 1_000;

export type Reading = LogRecord & { readonly dialect: Dialect };

/** Fails when the message is empty. The bytes around it are other messages, as in a stream. */
export function read(message: string | Buffer, { at = AT, isCut = false } = {}): Reading {
  const reading = tryRead(message, { at, isCut });
  if (reading === null) throw new Error('the message is empty');
  return reading;
}

export function tryRead(message: string | Buffer, { at = AT, isCut = false } = {}): Reading | null {
  const parser = new SyslogParser();
  const before = Buffer.from('<38>Nov 20 11:11:11 before before[1]: before 1 2 3 #012\n');
  const after = Buffer.from(' - - [x] Nov 20 22:22:22 2026 UTC: %ASA-1-2: after[2]: after\n');
  const bytes = Buffer.from(message);
  const record = parser.parse(
    Buffer.concat([before, bytes, after]),
    before.length,
    before.length + bytes.length,
    { at, source: 'tcp', sender: '192.0.2.1' },
    isCut,
  );
  return record === null ? null : { ...record, dialect: parser.dialect };
}

/** The parts of a reading that a header decides, as one line: `dialect|hostname|identifier|pid|time|message`. */
export function summary(message: string | Buffer, options = {}): string {
  const { dialect, hostname, identifier, pid, timestamp, message: text } = read(message, options);
  const time = timestamp < 0 ? '-' : new Date(timestamp / 1_000).toISOString().replace('.000Z', 'Z');
  return [dialect, hostname, identifier, pid, time, text].join('|');
}
