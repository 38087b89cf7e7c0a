/** Real journal files with any fields, trusted ones too, made by systemd-journal-remote from the export format. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A field's value as text or bytes; a list has the field several times. */
export type FieldValue = string | Buffer | readonly (string | Buffer)[];
export type EntryFields = Readonly<Record<string, FieldValue>>;

/** When the first entry of a file was received, unless its fields say otherwise; one entry a millisecond follows. */
export const FILE_BEGINS = 1_790_000_000_000_000;

const JOURNAL_REMOTE = ['/usr/lib/systemd/systemd-journal-remote', '/lib/systemd/systemd-journal-remote'];

/** A reason to skip, or false. */
export const journalFilesMissing: string | false =
  findRemote() === null ? 'needs systemd-journal-remote: apt-get install systemd-journal-remote' : false;

/** A directory that goes with the test. */
export function temporaryDirectory(context: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'bailiff-journal-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Adds entries to the journal file at `path`, which is made when it is not there. */
export function writeJournalFile(path: string, entries: readonly EntryFields[], begins = FILE_BEGINS): void {
  const input = Buffer.concat(entries.map((fields, index) => exportEntry(fields, begins + index * 1_000)));
  const remote = findRemote();
  if (remote === null) throw new Error('systemd-journal-remote is not installed');
  const result = spawnSync(remote, ['--output', path, '-'], { input, maxBuffer: 64 * 1024 * 1024 });
  if (result.status !== 0) throw new Error(`systemd-journal-remote: ${result.stderr}`);
}

/** What sshd would write, as the system's journal has it; `number` is in the message. */
export function sshdEntry(number: number): EntryFields {
  return {
    PRIORITY: '6',
    SYSLOG_FACILITY: '4',
    SYSLOG_IDENTIFIER: 'sshd',
    _PID: `${1_000 + (number % 30_000)}`,
    _UID: '0',
    _EXE: '/usr/sbin/sshd',
    _SYSTEMD_UNIT: 'ssh.service',
    MESSAGE: `Failed password for root from 203.0.113.9 port ${number} ssh2`,
  };
}

/** The number of an sshdEntry. */
export function sshdNumber(message: string): number {
  return Number(/port (\d+) ssh2$/.exec(message)?.[1] ?? Number.NaN);
}

/** `count` of them, numbered from `from` on. */
export function sshdEntries(count: number, from = 0): EntryFields[] {
  return Array.from({ length: count }, (_, index) => sshdEntry(from + index));
}

function findRemote(): string | null {
  return JOURNAL_REMOTE.find((path) => existsSync(path)) ?? null;
}

/** https://systemd.io/JOURNAL_EXPORT_FORMATS: values in the binary form, which holds anything but nothing. */
function exportEntry(fields: EntryFields, at: number): Uint8Array {
  const stamps = {
    __REALTIME_TIMESTAMP: `${at}`,
    __MONOTONIC_TIMESTAMP: `${at - FILE_BEGINS + 1_000_000_000}`,
    _BOOT_ID: '11111111111111111111111111111111',
    _MACHINE_ID: '22222222222222222222222222222222',
  };
  const parts: Uint8Array[] = Object.entries(stamps).map(([name, value]) =>
    Buffer.from(`${name}=${value}\n`),
  );
  for (const [name, value] of Object.entries(fields)) {
    for (const one of Array.isArray(value) ? value : [value]) parts.push(binaryField(name, Buffer.from(one)));
  }
  return Buffer.concat([...parts, Buffer.from('\n')]);
}

function binaryField(name: string, value: Buffer): Uint8Array {
  if (value.length === 0) return Buffer.from(`${name}=\n`);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(value.length));
  return Buffer.concat([Buffer.from(`${name}\n`), length, value, Buffer.from('\n')]);
}
