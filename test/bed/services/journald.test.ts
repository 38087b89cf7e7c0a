import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBed } from '../namespace.ts';
import { requirements } from '../requirements.ts';
import { waitFor } from '../waiting.ts';
import { Journald } from './journald.ts';

const skip = requirements('namespaces', 'journald') ?? false;

test('an entry is stamped with the uid of root and with the executable that wrote it', { skip }, async () => {
  await using bed = await openBed();
  const journald = await Journald.start(bed);
  const before = process.hrtime.bigint();
  const written = await journald.write({ MESSAGE: 'hello\nworld', SYSLOG_IDENTIFIER: 'sshd' });
  assert.ok(written > before && written < process.hrtime.bigint());
  const [entry] = await waitFor('the entry', 2_000, () => some(journald.entries('SYSLOG_IDENTIFIER=sshd')));
  assert.equal(entry?.MESSAGE, 'hello\nworld');
  assert.equal(entry?._UID, '0');
  assert.equal(entry?._TRANSPORT, 'journal');
});

test('what programs write to /dev/log arrives', {
  skip: requirements('namespaces', 'journald', 'logger') ?? false,
}, async () => {
  await using bed = await openBed();
  const journald = await Journald.start(bed);
  await bed.run(['logger', '--tag', 'sshd', 'through the socket']);
  const [entry] = await waitFor('the entry', 2_000, () => some(journald.entries('SYSLOG_IDENTIFIER=sshd')));
  assert.equal(entry?.MESSAGE, 'through the socket');
  assert.equal(entry?._TRANSPORT, 'syslog');
});

test('ten thousand entries at once are all kept, in order', { skip }, async () => {
  await using bed = await openBed();
  const journald = await Journald.start(bed);
  const writes = Array.from({ length: 10_000 }, (_, n) =>
    journald.write({ MESSAGE: `${n}`, SYSLOG_IDENTIFIER: 'burst' }),
  );
  await Promise.all(writes);
  await journald.sync();
  const entries = await journald.entries('SYSLOG_IDENTIFIER=burst');
  assert.deepEqual(
    entries.map((entry) => entry.MESSAGE),
    writes.map((_, n) => `${n}`),
  );
});

test('rotating begins a new file, vacuuming deletes the old one and what was in it', { skip }, async () => {
  await using bed = await openBed();
  const journald = await Journald.start(bed);
  await journald.write({ MESSAGE: 'old', SYSLOG_IDENTIFIER: 'test' });
  // It may hear of the rotation before it has read the entry.
  await journald.sync();
  await journald.rotate();
  assert.equal(journald.files().length, 2);
  await journald.write({ MESSAGE: 'new', SYSLOG_IDENTIFIER: 'test' });
  await journald.vacuum();
  assert.equal(journald.files().length, 1);
  await journald.sync();
  const entries = await journald.entries('SYSLOG_IDENTIFIER=test');
  assert.deepEqual(
    entries.map((entry) => entry.MESSAGE),
    ['new'],
  );
});

test('it comes back after it was killed, with what was synced before', { skip }, async () => {
  await using bed = await openBed();
  const journald = await Journald.start(bed);
  await journald.write({ MESSAGE: 'before', SYSLOG_IDENTIFIER: 'test' });
  await journald.sync();
  await journald.kill9();
  await journald.start();
  await journald.write({ MESSAGE: 'after', SYSLOG_IDENTIFIER: 'test' });
  await journald.sync();
  const entries = await journald.entries('SYSLOG_IDENTIFIER=test');
  assert.deepEqual(
    entries.map((entry) => entry.MESSAGE),
    ['before', 'after'],
  );
});

test('a process of a unit is stamped with it, an ordinary user with the own uid', {
  skip: requirements('namespaces', 'journald', 'units') ?? false,
}, async () => {
  await using bed = await openBed();
  const journald = await Journald.start(bed);
  await journald.write({ MESSAGE: 'service', SYSLOG_IDENTIFIER: 'sshd' }, { unit: 'ssh.service' });
  await journald.write({ MESSAGE: 'forger', SYSLOG_IDENTIFIER: 'sshd' }, { uid: 65534 });
  await journald.sync();
  const entries = await journald.entries('SYSLOG_IDENTIFIER=sshd');
  assert.deepEqual(
    entries.map((entry) => [entry.MESSAGE, entry._UID, entry._SYSTEMD_UNIT]),
    [
      ['service', '0', 'ssh.service'],
      ['forger', '65534', undefined],
    ],
  );
});

test('a write to a journald that is not there is an error', { skip }, async () => {
  await using bed = await openBed();
  const journald = await Journald.start(bed);
  const writer = await journald.openWriter();
  writer.close();
  await assert.rejects(writer.write({ MESSAGE: 'lost' }), /cannot write to the journal/);
});

async function some<Item>(items: Promise<readonly Item[]>): Promise<readonly Item[] | null> {
  const found = await items;
  return found.length > 0 ? found : null;
}
