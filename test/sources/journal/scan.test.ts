import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { LogRecord } from '../../../src/core/record.ts';
import { MACHINE_CLOCKS } from '../../../src/native/machine-clocks.ts';
import { type JournalScanOptions, scanJournal } from '../../../src/sources/journal/scan.ts';
import {
  FILE_BEGINS,
  journalFilesMissing as skip,
  sshdEntries,
  sshdNumber,
  temporaryDirectory,
  writeJournalFile,
} from './journal-files.ts';

async function scan(directory: string, changes: Partial<JournalScanOptions> = {}): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  const warn = (detail: string): void => assert.fail(detail);
  const options = { directory, matches: [], since: 0, warn, clocks: MACHINE_CLOCKS, ...changes };
  for await (const batch of scanJournal(options)) records.push(...batch);
  return records;
}

test('every entry of the journal is read once, oldest first, and then it ends', { skip }, async (t) => {
  const directory = temporaryDirectory(t);
  writeJournalFile(join(directory, 'one.journal'), sshdEntries(3_000));
  const records = await scan(directory);
  assert.deepEqual(
    records.map(({ message }) => sshdNumber(message)),
    Array.from({ length: 3_000 }, (_, index) => index),
  );
  assert.deepEqual(records[0]?.trusted, { unit: 'ssh.service', executable: '/usr/sbin/sshd', uid: 0 });
});

test('only what is asked for is read: by time and by fields', { skip }, async (t) => {
  const directory = temporaryDirectory(t);
  const others = sshdEntries(5).map((entry) => ({ ...entry, SYSLOG_IDENTIFIER: 'cron' }));
  writeJournalFile(join(directory, 'one.journal'), [...sshdEntries(10), ...others]);
  assert.equal((await scan(directory, { since: FILE_BEGINS + 4_000 })).length, 11);
  const matches = ['SYSLOG_IDENTIFIER=sshd'];
  assert.equal((await scan(directory, { matches })).length, 10);
  assert.equal((await scan(directory, { matches, since: FILE_BEGINS + 4_000 })).length, 6);
});

test('a directory without a journal is an error with advice', async (t) => {
  const directory = join(temporaryDirectory(t), 'none');
  await assert.rejects(scan(directory), { code: 'journal-unreadable', message: /no directory/ });
});

test('a file that is no journal is passed over', { skip }, async (t) => {
  const directory = temporaryDirectory(t);
  writeJournalFile(join(directory, 'one.journal'), sshdEntries(3));
  writeFileSync(join(directory, 'two.journal'), 'LPKSHHRH but no more than that');
  assert.equal((await scan(directory)).length, 3);
});
