import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { OperationalError } from '../../src/core/errors.ts';
import { JournalField, JournalReader } from '../../src/native/journal-reader.ts';
import { PinnedBytes } from '../../src/native/memory.ts';
import {
  type EntryFields,
  FILE_BEGINS,
  journalFilesMissing,
  sshdEntries,
  temporaryDirectory,
  writeJournalFile,
} from '../sources/journal/journal-files.ts';

const MESSAGE = new JournalField('MESSAGE');
const MEMORY_BYTES = 256;

function open(context: TestContext, entries: readonly EntryFields[]): JournalReader {
  const directory = temporaryDirectory(context);
  writeJournalFile(join(directory, 'test.journal'), entries);
  const reader = JournalReader.open(directory);
  context.after(() => reader.close());
  reader.seekHead();
  return reader;
}

/** The message of the current entry, and the whole of what was written to memory. */
function readMessage(reader: JournalReader, limit = MEMORY_BYTES) {
  const memory = new PinnedBytes(new ArrayBuffer(MEMORY_BYTES));
  memory.bytes.fill('#');
  const length = reader.copyField(MESSAGE, memory, 0, limit);
  return { length, memory: memory.bytes, text: memory.bytes.toString('utf8', 0, Math.max(0, length)) };
}

function rest(reader: JournalReader): string[] {
  const messages: string[] = [];
  while (reader.next()) messages.push(readMessage(reader).text);
  return messages;
}

describe('a journal reader', { skip: journalFilesMissing }, () => {
  test('steps through entries and stays at the last one', (context) => {
    const reader = open(context, [{ MESSAGE: 'one' }, { MESSAGE: 'two' }]);
    assert.deepEqual(rest(reader), ['one', 'two']);
    assert.equal(reader.realtime(), FILE_BEGINS + 1_000);
    const cursor = reader.cursor();
    assert.match(cursor, /^s=[0-9a-f]{32};i=/);
    assert.equal(reader.previous(), true);
    assert.equal(reader.isAt(cursor), false);
    assert.equal(reader.next(), true);
    assert.equal(reader.isAt(cursor), true);
  });

  test('knows the largest field that it has met, whatever was copied of it', (context) => {
    const reader = open(context, [{ MESSAGE: 'm'.repeat(3_000_000) }, { MESSAGE: 'short' }]);
    assert.equal(reader.largestFieldBytes, 0);
    rest(reader);
    assert.equal(reader.largestFieldBytes, 3_000_000);
  });

  test('goes to a cursor, a time, the head and the tail', (context) => {
    const reader = open(context, [{ MESSAGE: 'one' }, { MESSAGE: 'two' }, { MESSAGE: 'three' }]);
    reader.next();
    reader.next();
    const cursor = reader.cursor();
    reader.seekHead();
    assert.deepEqual(rest(reader), ['one', 'two', 'three']);
    reader.seekCursor(cursor);
    assert.deepEqual(rest(reader), ['two', 'three']);
    reader.seekRealtime(FILE_BEGINS + 1_001);
    assert.deepEqual(rest(reader), ['three']);
    reader.seekTail();
    assert.equal(reader.previous(), true);
    assert.equal(readMessage(reader).text, 'three');
  });

  test('reads entries that match any of several fields, from where it is', (context) => {
    const reader = open(context, [
      { MESSAGE: 'a', SYSLOG_IDENTIFIER: 'sshd' },
      { MESSAGE: 'b', SYSLOG_IDENTIFIER: 'cron' },
      { MESSAGE: 'c', SYSLOG_IDENTIFIER: 'other', _SYSTEMD_UNIT: 'ssh.service' },
      { MESSAGE: 'd', SYSLOG_IDENTIFIER: 'sshd', _SYSTEMD_UNIT: 'ssh.service' },
    ]);
    reader.setMatches(['SYSLOG_IDENTIFIER=sshd', '_SYSTEMD_UNIT=ssh.service', 'SYSLOG_IDENTIFIER=sshd']);
    assert.deepEqual(rest(reader), ['a', 'c', 'd']);
    reader.setMatches([]);
    reader.seekHead();
    reader.next();
    reader.setMatches(['SYSLOG_IDENTIFIER=cron']);
    assert.deepEqual(rest(reader), ['b']);
  });

  test('never writes beyond the limit or the memory, and tells the whole length', (context) => {
    const reader = open(context, [{ MESSAGE: 'x'.repeat(1_000) }]);
    reader.next();
    const limited = readMessage(reader, 10);
    assert.equal(limited.length, 1_000);
    assert.equal(limited.memory.toString('latin1'), 'x'.repeat(10) + '#'.repeat(MEMORY_BYTES - 10));
    const memory = new PinnedBytes(new ArrayBuffer(MEMORY_BYTES));
    assert.equal(reader.copyField(MESSAGE, memory, MEMORY_BYTES - 1, 1_000_000), 1_000);
    assert.equal(memory.bytes[MEMORY_BYTES - 1], 'x'.charCodeAt(0));
    assert.equal(reader.copyField(MESSAGE, memory, MEMORY_BYTES, 1_000_000), 1_000);
    assert.equal(reader.copyField(MESSAGE, memory, MEMORY_BYTES + 50, 1_000_000), 1_000);
  });

  test('hands over any bytes as they are, and tells an empty field from a missing one', (context) => {
    const wild = Buffer.from([0, 10, 255, 254, 0xc3, 0x28, 61, 0]);
    const reader = open(context, [{ MESSAGE: wild }, { MESSAGE: '' }, { OTHER: 'x' }]);
    reader.next();
    const { length, memory } = readMessage(reader);
    assert.deepEqual(memory.subarray(0, length), wild);
    reader.next();
    assert.equal(readMessage(reader).length, 0);
    reader.next();
    assert.equal(readMessage(reader).length, -1);
  });

  test('sees entries that are added to a file that it knows at once, and a new file after a refresh', (context) => {
    const directory = temporaryDirectory(context);
    writeJournalFile(join(directory, 'a.journal'), sshdEntries(1));
    const reader = JournalReader.open(directory);
    context.after(() => reader.close());
    reader.refresh();
    reader.seekHead();
    assert.equal(rest(reader).length, 1);
    writeJournalFile(join(directory, 'a.journal'), sshdEntries(2, 1), FILE_BEGINS + 1_000_000);
    assert.equal(rest(reader).length, 2);
    writeJournalFile(join(directory, 'b.journal'), sshdEntries(3, 3), FILE_BEGINS + 2_000_000);
    assert.equal(rest(reader).length, 0);
    assert.equal(reader.refresh(), 'invalidate');
    assert.equal(rest(reader).length, 3);
    assert.equal(reader.refresh(), 'none');
  });

  test('reports failures by operation and errno', (context) => {
    const missing = join(temporaryDirectory(context), 'nothing');
    assert.throws(
      () => JournalReader.open(missing),
      (error) => {
        assert.ok(error instanceof OperationalError);
        assert.equal(error.code, 'ENOENT');
        assert.match(error.message, /^sd_journal_open_directory .*nothing: ENOENT$/);
        return true;
      },
    );
    const reader = open(context, [{ MESSAGE: 'one' }]);
    assert.throws(() => reader.seekCursor('nonsense'), { code: 'EINVAL' });
    assert.throws(() => reader.setMatches(['no equals sign']), { code: 'EINVAL' });
    assert.throws(() => reader.cursor(), { code: 'EADDRNOTAVAIL' });
  });

  test('may be closed twice', (context) => {
    const reader = open(context, [{ MESSAGE: 'one' }]);
    reader.close();
    reader.close();
  });
});
