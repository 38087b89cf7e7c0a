import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_VALUE_BYTES, openJournalWriter } from '../../src/native/journal-writer.ts';
import { openBed } from '../bed/namespace.ts';
import { requirements } from '../bed/requirements.ts';
import { Journald } from '../bed/services/journald.ts';

const WRITER = new URL('../../src/native/journal-writer.ts', import.meta.url).href;
const skip = requirements('namespaces', 'journald') ?? false;

test('fields reach the journal as they are, whatever bytes they hold', { skip }, async (context) => {
  const bed = await openBed();
  context.after(() => bed.close());
  const journald = await Journald.start(bed);
  const values = {
    MESSAGE: 'ban 203.0.113.9\nPRIORITY=0\nFORGED=yes',
    MESSAGE_ID: '0123456789abcdef0123456789abcdef',
    PRIORITY: '5',
    BAILIFF_ADDRESS: '203.0.113.9',
    BAILIFF_JAIL: 'sshd',
    BAILIFF_USER: 'a\0b=c\u{1f600}\u202e',
    BAILIFF_EMPTY: '',
    BAILIFF_LONG: 'x'.repeat(MAX_VALUE_BYTES + 5),
  };
  const program = `
    import { openJournalWriter } from ${JSON.stringify(WRITER)};
    openJournalWriter('bailiff').write(${JSON.stringify(values)});`;
  await bed.run([process.execPath, '--input-type=module', '--eval', program]);
  await journald.sync();
  const entries = await journald.entries('BAILIFF_ADDRESS=203.0.113.9');
  assert.equal(entries.length, 1);
  const entry: Readonly<Record<string, unknown>> = entries[0] ?? {};
  const wanted = { ...values, SYSLOG_IDENTIFIER: 'bailiff', BAILIFF_LONG: 'x'.repeat(MAX_VALUE_BYTES) };
  for (const [name, value] of Object.entries(wanted)) assert.equal(textOf(entry[name]), value, name);
  assert.equal(entry.FORGED, undefined);
});

test('without a journald entries are dropped silently', { skip }, async (context) => {
  const bed = await openBed();
  context.after(() => bed.close());
  const program = `
    import { openJournalWriter } from ${JSON.stringify(WRITER)};
    openJournalWriter('bailiff').write({ MESSAGE: 'nobody hears this' });`;
  await bed.run(['mkdir', '-p', '/run/systemd/journal']);
  await bed.run(['mount', '-t', 'tmpfs', 'tmpfs', '/run/systemd/journal']);
  const { stderr } = await bed.run([process.execPath, '--input-type=module', '--eval', program]);
  assert.equal(stderr, '');
});

test('a field name that journald would not store is a bug', () => {
  const writer = openJournalWriter('bailiff');
  for (const name of ['', '_UID', 'message', 'A B', 'A=B', 'A\nB', '1A', 'Ä', 'A'.repeat(65)]) {
    assert.throws(
      () => writer.write({ MESSAGE: 'x', [name]: 'y' }),
      /assertion failed: journal field name/,
      name,
    );
  }
});

test('more fields than an entry should have is a bug', () => {
  const fields = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`FIELD_${index}`, 'x']));
  assert.throws(() => openJournalWriter('bailiff').write(fields), /assertion failed: 101 fields/);
});

/** journalctl shows what is not printable as a list of bytes. */
function textOf(value: unknown): string {
  return Array.isArray(value) ? Buffer.from(value as number[]).toString('utf8') : String(value);
}
