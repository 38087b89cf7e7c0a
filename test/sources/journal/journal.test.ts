import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { MAX_BATCH_BYTES, MAX_BATCH_RECORDS, MAX_MESSAGE_BYTES } from '../../../src/sources/journal/batch.ts';
import { SLOTS } from '../../../src/sources/journal/channel.ts';
import { actionsOf, wordsOf } from '../../core/warning/words.ts';
import {
  type EntryFields,
  FILE_BEGINS,
  journalFilesMissing,
  sshdEntries,
  sshdEntry,
  sshdNumber,
  temporaryDirectory,
  writeJournalFile,
} from './journal-files.ts';
import { runJournal } from './journal-run.ts';

const LATER = FILE_BEGINS + 3_600_000_000;

/** A directory with one journal file of these entries. */
function journalOf(context: TestContext, entries: readonly EntryFields[]): string {
  const directory = temporaryDirectory(context);
  writeJournalFile(join(directory, 'a.journal'), entries);
  return directory;
}

function numbersOf(run: { readonly messages: readonly string[] }): number[] {
  return run.messages.map(sshdNumber);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

describe('an entry', { skip: journalFilesMissing }, () => {
  test('becomes a record with the fields that journald stamped kept apart', async (context) => {
    const directory = journalOf(context, [sshdEntry(7)]);
    const run = await runJournal(context, { directory });
    assert.deepEqual(await run.recordsUntil(1), [
      {
        at: FILE_BEGINS,
        source: 'journal',
        sender: '',
        hostname: '',
        identifier: 'sshd',
        pid: '1007',
        facility: 4,
        severity: 6,
        message: 'Failed password for root from 203.0.113.9 port 7 ssh2',
        timestamp: -1,
        structuredData: '',
        connection: 0,
        trusted: { unit: 'ssh.service', executable: '/usr/sbin/sshd', uid: 0 },
      },
    ]);
    assert.ok((run.batches[0]?.bytes ?? 0) > 50);
    assert.equal(run.batches[0]?.source, 'journal');
  });

  test('that holds a broken line is cut at its end, or left out where it begins in the middle', async (context) => {
    const stream = { SYSLOG_IDENTIFIER: 'app', _PID: '7', _STREAM_ID: 'f'.repeat(32) };
    const directory = journalOf(context, [
      { ...stream, MESSAGE: 'login of x', _LINE_BREAK: 'nul' },
      { ...stream, MESSAGE: 'login of y from 198.51.100.66' },
      { ...stream, MESSAGE: 'whole' },
    ]);
    const run = await runJournal(context, { directory });
    await run.recordsUntil(2);
    assert.deepEqual(run.messages, ['login of x…', 'whole']);
    const rejected = run.events.filter(({ kind }) => kind === 'rejected');
    assert.deepEqual(
      rejected.map((event) => event.kind === 'rejected' && [event.reason, event.count]),
      [['broken-line', 1]],
    );
  });

  test('of a container says whose it is, and is a line: whole, or cut where the engine has broken it', async (context) => {
    // As Docker 26.1.5 and podman 5.4.2 with conmon 2.1.12 write them.
    const docker = {
      SYSLOG_IDENTIFIER: '8f3c41045e7c',
      CONTAINER_ID: '8f3c41045e7c',
      CONTAINER_TAG: '8f3c41045e7c',
      CONTAINER_NAME: 'stack-door-1',
      IMAGE_NAME: 'example/door:latest',
      PRIORITY: '6',
      _PID: '131',
      _UID: '0',
      _EXE: '/usr/sbin/dockerd',
      _SYSTEMD_UNIT: 'docker.service',
    };
    const podman = {
      SYSLOG_IDENTIFIER: 'stack-door-1',
      CONTAINER_ID: '4943c762811a',
      CONTAINER_NAME: 'stack-door-1',
      PRIORITY: '6',
      _PID: '95',
      _UID: '0',
      _EXE: '/usr/bin/conmon',
    };
    const forged = { ...podman, _UID: '1000', CONTAINER_PARTIAL_MESSAGE: 'true' };
    const directory = journalOf(context, [
      { ...docker, MESSAGE: 'of Docker' },
      { ...podman, MESSAGE: 'of podman\n' },
      { ...docker, MESSAGE: 'login of x', CONTAINER_PARTIAL_MESSAGE: 'true' },
      { ...docker, MESSAGE: 'an error', PRIORITY: '3' },
      { ...docker, MESSAGE: 'login of y from 198.51.100.66', CONTAINER_PARTIAL_MESSAGE: 'true' },
      { ...docker, MESSAGE: 'login of z from 198.51.100.66', CONTAINER_PARTIAL_LAST: 'true' },
      { ...forged, MESSAGE: 'by another' },
      { ...podman, MESSAGE: 'whole\n' },
      { ...sshdEntry(1), CONTAINER_NAME: 'a claim' },
    ]);
    const run = await runJournal(context, { directory });
    const records = await run.recordsUntil(7);
    assert.deepEqual(run.messages.slice(0, 6), [
      'of Docker',
      'of podman',
      'login of x…',
      'an error',
      'by another…',
      'whole',
    ]);
    assert.deepEqual(
      [records[0], records[1], records[6]].map((record) => record?.container),
      [
        { id: '8f3c41045e7c', name: 'stack-door-1', image: 'example/door:latest' },
        { id: '4943c762811a', name: 'stack-door-1', image: '' },
        undefined,
      ],
    );
  });

  test('of many megabytes is cut, and the journal opened anew without losing its place', async (context) => {
    const directory = journalOf(context, [
      sshdEntry(1),
      { ...sshdEntry(2), MESSAGE: 'a'.repeat(3_000_000) },
      sshdEntry(3),
      { ...sshdEntry(4), SYSLOG_IDENTIFIER: 'b'.repeat(2_000_000) },
      { ...sshdEntry(5), PRIORITY: '6'.repeat(2_000_000) },
      sshdEntry(6),
    ]);
    const run = await runJournal(context, { directory });
    const records = await run.recordsUntil(6);
    assert.deepEqual(
      records.map(({ pid, severity }) => [pid, severity]),
      [1, 2, 3, 4, 5, 6].map((number) => [`100${number}`, number === 5 ? -1 : 6]),
    );
  });

  test('may lack everything but a message', async (context) => {
    const directory = journalOf(context, [{ MESSAGE: 'bare' }, { MESSAGE: 'forwarded', SYSLOG_PID: '77' }]);
    const run = await runJournal(context, { directory });
    const [bare, forwarded] = await run.recordsUntil(2);
    assert.deepEqual(bare?.trusted, { unit: '', executable: '', uid: -1 });
    assert.deepEqual([bare?.identifier, bare?.pid, bare?.facility, bare?.severity], ['', '', -1, -1]);
    assert.equal(forwarded?.pid, '77');
  });

  test('has the pid that journald saw, not the one that its sender claims', async (context) => {
    const run = await runJournal(context, {
      directory: journalOf(context, [{ MESSAGE: 'x', _PID: '1', SYSLOG_PID: '2' }]),
    });
    assert.equal((await run.recordsUntil(1))[0]?.pid, '1');
  });

  test('may hold NUL, line feeds, equals signs and bytes that are no UTF-8', async (context) => {
    const wild = Buffer.from([0x61, 0, 0x0a, 0x3d, 0xff, 0xc3, 0x28, 0xf0, 0x9f, 0x98, 0x80, 0x1b]);
    const run = await runJournal(context, { directory: journalOf(context, [{ MESSAGE: wild }]) });
    assert.deepEqual((await run.recordsUntil(1))[0]?.message, 'a\0\n=\ufffd\ufffd(\u{1f600}\u001b');
  });

  test('is cut when its message is too long, and marked, and that is said', async (context) => {
    const exact = 'x'.repeat(MAX_MESSAGE_BYTES);
    const noise = Array.from({ length: MAX_MESSAGE_BYTES + 1 }, (_, index) =>
      String.fromCharCode(103 + ((index * 7919) % 20)),
    );
    const directory = journalOf(context, [
      { MESSAGE: exact },
      { MESSAGE: `${exact}!` },
      { MESSAGE: 'z'.repeat(5_000_000) },
      { MESSAGE: noise.join('') },
      { MESSAGE: 'after' },
    ]);
    const run = await runJournal(context, { directory });
    const messages = (await run.recordsUntil(5)).map(({ message }) => message);
    for (const message of messages.slice(0, 4)) {
      assert.equal(
        message.length,
        MAX_MESSAGE_BYTES + 1,
        'also one of just this length: it may have been longer',
      );
      assert.ok(message.endsWith('…'));
    }
    assert.equal(messages[4], 'after');
    const cut = run.eventsOf('limit');
    assert.equal(cut[0]?.limit, 'message-length');
    assert.equal(
      cut.reduce((sum, { count }) => sum + count, 0),
      3,
    );
  });

  test('that is compressed in the file is read whole', async (context) => {
    const message = `${'compress me '.repeat(2_000)}end`;
    const run = await runJournal(context, { directory: journalOf(context, [{ MESSAGE: message }]) });
    assert.equal((await run.recordsUntil(1))[0]?.message, message);
  });

  test('without a message is left out and counted', async (context) => {
    const directory = journalOf(context, [
      { PRIORITY: '3' },
      { MESSAGE: '' },
      { OTHER: 'x' },
      { MESSAGE: 'last' },
    ]);
    const run = await runJournal(context, { directory });
    await run.recordsUntil(2);
    assert.deepEqual(run.messages, ['', 'last']);
    const empty = run.eventsOf('rejected').filter(({ reason }) => reason === 'empty');
    assert.equal(
      empty.reduce((sum, { count }) => sum + count, 0),
      2,
    );
  });

  test('with several values of a field has one of them', async (context) => {
    const directory = journalOf(context, [{ MESSAGE: ['one', 'two'], SYSLOG_IDENTIFIER: ['a', 'b'] }]);
    const [record] = await (await runJournal(context, { directory })).recordsUntil(1);
    assert.match(record?.message ?? '', /^(?:one|two)$/);
    assert.match(record?.identifier ?? '', /^[ab]$/);
  });

  test('with numbers that are none or out of range has none', async (context) => {
    const wrong = ['', 'x', '-1', '99999999999', '4294967296', '1e3', '0x0', '\0'];
    const directory = journalOf(
      context,
      wrong.map((value) => ({ MESSAGE: value, PRIORITY: value, SYSLOG_FACILITY: value, _UID: value })),
    );
    for (const record of await (await runJournal(context, { directory })).recordsUntil(wrong.length)) {
      const found = [record.severity, record.facility, record.trusted?.uid];
      assert.deepEqual(found, [-1, -1, -1], JSON.stringify(record.message));
    }
  });

  test('of the kernel, which has no uid, counts as one of root', async (context) => {
    const directory = journalOf(context, [
      { MESSAGE: 'kernel', _TRANSPORT: 'kernel' },
      { MESSAGE: 'another', _TRANSPORT: 'syslog' },
      { MESSAGE: 'longer', _TRANSPORT: 'kernels' },
      { MESSAGE: 'user', _TRANSPORT: 'kernel', _UID: '1000' },
    ]);
    const records = await (await runJournal(context, { directory })).recordsUntil(4);
    assert.deepEqual(
      records.map(({ trusted }) => trusted?.uid),
      [0, -1, -1, 1000],
    );
  });

  test('whose names are too long is not taken for another', async (context) => {
    const directory = journalOf(context, [
      {
        MESSAGE: 'x',
        SYSLOG_IDENTIFIER: `sshd${'y'.repeat(10_000)}`,
        _PID: '9'.repeat(5_000),
        _EXE: '/'.repeat(9_000),
      },
    ]);
    const [record] = await (await runJournal(context, { directory })).recordsUntil(1);
    assert.equal(record?.identifier.length, 256);
    assert.equal(record?.pid.length, 256);
    assert.equal(record?.trusted?.executable.length, 4096);
  });

  test('that this daemon wrote is not read back', async (context) => {
    const directory = journalOf(context, [
      { MESSAGE: 'own', SYSLOG_IDENTIFIER: 'bailiff' },
      { MESSAGE: 'other', SYSLOG_IDENTIFIER: 'bailiwick' },
      { MESSAGE: 'seven', SYSLOG_IDENTIFIER: 'sevenof' },
    ]);
    const run = await runJournal(context, { directory });
    await run.recordsUntil(2);
    assert.deepEqual(run.messages, ['other', 'seven']);
  });
});

describe('where to start', { skip: journalFilesMissing }, () => {
  test('without a position: as far back as the look-back time', async (context) => {
    const directory = temporaryDirectory(context);
    const now = Date.now() * 1_000;
    writeJournalFile(join(directory, 'a.journal'), sshdEntries(3), now - 3_600_000_000);
    writeJournalFile(join(directory, 'b.journal'), sshdEntries(3, 3), now - 60_000_000);
    const run = await runJournal(context, { directory, lookback: 600_000_000 });
    await run.recordsUntil(3);
    assert.deepEqual(numbersOf(run), [3, 4, 5]);
  });

  test('with a position: exactly after it, also when matches leave its entry out', async (context) => {
    const directory = journalOf(context, [
      ...sshdEntries(5),
      { MESSAGE: 'cron', SYSLOG_IDENTIFIER: 'cron' },
      ...sshdEntries(5, 5),
    ]);
    const cron = await runJournal(context, { directory, matches: ['SYSLOG_IDENTIFIER=cron'] });
    await cron.recordsUntil(1);
    const run = await runJournal(context, {
      directory,
      position: cron.position,
      matches: ['SYSLOG_IDENTIFIER=sshd'],
    });
    await run.recordsUntil(5);
    assert.deepEqual(numbersOf(run), [5, 6, 7, 8, 9]);
    assert.deepEqual(run.eventsOf('journal-gap'), []);
  });

  test('with a position whose entry was vacuumed away: at the oldest entry left, and says so', async (context) => {
    const directory = journalOf(context, sshdEntries(10));
    const first = await runJournal(context, { directory });
    await first.recordsUntil(10);
    await first.source.stop();
    rmSync(join(directory, 'a.journal'));
    writeJournalFile(join(directory, 'b.journal'), sshdEntries(5, 20), LATER);
    const run = await runJournal(context, { directory, position: first.position });
    await run.recordsUntil(5);
    assert.deepEqual(numbersOf(run), [20, 21, 22, 23, 24]);
    const gaps = run.eventsOf('journal-gap');
    assert.equal(gaps.length, 1);
    assert.match(gaps[0]?.detail ?? '', /removed from the journal before they were read/);
  });

  test('with a position behind the end of the journal: at its end, and says so', async (context) => {
    const later = temporaryDirectory(context);
    writeJournalFile(join(later, 'a.journal'), sshdEntries(1), LATER);
    const first = await runJournal(context, { directory: later });
    await first.recordsUntil(1);
    const directory = journalOf(context, sshdEntries(3));
    const run = await runJournal(context, { directory, position: first.position });
    assert.match((await run.event('journal-gap')).detail, /ends before the stored position/);
    writeJournalFile(join(directory, 'a.journal'), sshdEntries(2, 3), FILE_BEGINS + 10_000);
    await run.recordsUntil(2);
    assert.deepEqual(numbersOf(run), [3, 4]);
  });

  test('with a position in a journal that is empty now: at its first entry, and says so', async (context) => {
    const first = await runJournal(context, { directory: journalOf(context, sshdEntries(1)) });
    await first.recordsUntil(1);
    const directory = temporaryDirectory(context);
    const run = await runJournal(context, { directory, position: first.position });
    await run.event('journal-gap');
    writeJournalFile(join(directory, 'a.journal'), sshdEntries(2, 3), FILE_BEGINS - 10_000_000);
    await run.recordsUntil(2);
    assert.deepEqual(numbersOf(run), [3, 4]);
    assert.equal(run.eventsOf('journal-gap').length, 1);
  });

  test('with a position that is no cursor: as without one, and says so', async (context) => {
    const run = await runJournal(context, {
      directory: journalOf(context, sshdEntries(2)),
      position: 'DROP TABLE',
    });
    await run.recordsUntil(2);
    assert.match(run.eventsOf('journal-gap')[0]?.detail ?? '', /no cursor/);
  });
});

describe('matches', { skip: journalFilesMissing }, () => {
  const entries = [
    { MESSAGE: 'a', SYSLOG_IDENTIFIER: 'sshd' },
    { MESSAGE: 'b', SYSLOG_IDENTIFIER: 'cron' },
    { MESSAGE: 'c', _SYSTEMD_UNIT: 'ssh.service' },
    { MESSAGE: 'd', SYSLOG_IDENTIFIER: 'nginx' },
  ];

  test('are alternatives', async (context) => {
    const run = await runJournal(context, {
      directory: journalOf(context, entries),
      matches: ['SYSLOG_IDENTIFIER=sshd', '_SYSTEMD_UNIT=ssh.service', 'SYSLOG_IDENTIFIER=nginx'],
    });
    await run.recordsUntil(3);
    assert.deepEqual(run.messages, ['a', 'c', 'd']);
  });

  test('can be changed while it runs, and what was passed over long ago stays so', async (context) => {
    const directory = temporaryDirectory(context);
    const now = Date.now() * 1_000;
    const file = join(directory, 'a.journal');
    writeJournalFile(file, entries, now - 7_200_000_000);
    const run = await runJournal(context, {
      directory,
      matches: ['SYSLOG_IDENTIFIER=sshd'],
      position: null,
      lookback: 10_000_000_000,
    });
    await run.recordsUntil(1);
    run.source.setMatches(['SYSLOG_IDENTIFIER=cron']);
    await run.recordsUntil(2);
    assert.deepEqual(run.messages, ['a', 'b'], 'within the look-back time it is read');
  });

  test('that are changed dig no farther than the look-back time', async (context) => {
    const directory = temporaryDirectory(context);
    const now = Date.now() * 1_000;
    const file = join(directory, 'a.journal');
    writeJournalFile(file, sshdEntries(2), now - 7_200_000_000);
    const old = await runJournal(context, { directory });
    await old.recordsUntil(2);
    const [{ position } = { position: null }] = old.batches;
    writeJournalFile(
      file,
      [{ MESSAGE: 'before', SYSLOG_IDENTIFIER: 'sshd' }, ...entries],
      now - 7_000_000_000,
    );
    const run = await runJournal(context, {
      directory,
      position,
      matches: ['SYSLOG_IDENTIFIER=sshd'],
      lookback: 60_000_000,
    });
    await run.recordsUntil(2);
    run.source.setMatches(['SYSLOG_IDENTIFIER=sshd', 'SYSLOG_IDENTIFIER=cron']);
    writeJournalFile(file, [{ MESSAGE: 'new', SYSLOG_IDENTIFIER: 'cron' }], now);
    await run.recordsUntil(3);
    assert.deepEqual(run.messages, ['before', 'a', 'new']);
  });

  test('that libsystemd refuses are reported, and better ones mend it', async (context) => {
    const run = await runJournal(context, { directory: journalOf(context, entries), matches: ['nonsense'] });
    const event = await run.event('component');
    assert.equal(event.health, 'down');
    assert.match(wordsOf(event), /sd_journal_add_match nonsense: EINVAL/);
    run.source.setMatches(['SYSLOG_IDENTIFIER=cron']);
    await run.event('component', (event) => event.health === 'up');
    await run.recordsUntil(1);
  });
});

describe('a backlog', { skip: journalFilesMissing }, () => {
  const COUNT = 40_000;

  test('is delivered once, in order and in bounded batches, with a turn for others in between', async (context) => {
    const directory = journalOf(context, sshdEntries(COUNT));
    let batchesInTurn = 0;
    let mostInTurn = 0;
    const nextTurn = () => {
      batchesInTurn = 0;
      timer = setImmediate(nextTurn);
    };
    let timer = setImmediate(nextTurn);
    context.after(() => clearImmediate(timer));
    const run = await runJournal(context, {
      directory,
      sink: () => {
        mostInTurn = Math.max(mostInTurn, ++batchesInTurn);
      },
    });
    await run.recordsUntil(COUNT);
    assert.deepEqual(numbersOf(run), range(0, COUNT));
    assert.ok(run.batches.every(({ records }) => records.length <= MAX_BATCH_RECORDS));
    assert.ok(run.batches.every(({ bytes }) => bytes <= MAX_BATCH_BYTES));
    assert.ok(mostInTurn <= SLOTS, `${mostInTurn} batches without a turn for others`);
    assert.deepEqual(run.eventsOf('journal-gap'), []);
  });

  test('is told as a lag while it is read, now and then, and once more when it is done', async (context) => {
    const begins = Date.now() * 1_000 - 3_600_000_000;
    const directory = temporaryDirectory(context);
    writeJournalFile(join(directory, 'a.journal'), sshdEntries(COUNT), begins);
    const run = await runJournal(context, { directory });
    await run.recordsUntil(COUNT);
    const lags = run.eventsOf('journal-lag').map(({ lag }) => lag);
    assert.ok(lags.length >= 2 && lags.length < 20, `${lags.length} events`);
    assert.ok((lags[0] ?? 0) > (lags.at(-1) ?? 0), 'entries are 1 ms apart, and are read faster than that');
    assert.ok((lags.at(-1) ?? 0) >= 3_600_000_000 - COUNT * 1_000);
  });
});

describe('a journal that comes and goes', { skip: journalFilesMissing }, () => {
  test('is waited for, and read from its beginning when it appears', async (context) => {
    const directory = join(temporaryDirectory(context), 'journal');
    const run = await runJournal(context, { directory });
    const down = await run.event('component');
    assert.deepEqual([down.component, down.health], ['journal', 'down']);
    assert.notEqual(actionsOf(down), '');
    mkdirSync(directory);
    await run.event('component', ({ health }) => health === 'degraded');
    writeJournalFile(join(directory, 'a.journal'), sshdEntries(3));
    await run.recordsUntil(3);
    await run.event('component', ({ health }) => health === 'up');
    assert.deepEqual(numbersOf(run), [0, 1, 2]);
    assert.equal(run.eventsOf('component').length, 3);
  });

  test('that is deleted and made anew is read on, with the gap told', async (context) => {
    const directory = journalOf(context, sshdEntries(3));
    const run = await runJournal(context, { directory });
    await run.recordsUntil(3);
    renameSync(directory, `${directory}.gone`);
    context.after(() => rmSync(`${directory}.gone`, { recursive: true }));
    await run.event('component', ({ health }) => health === 'down');
    mkdirSync(directory);
    writeJournalFile(join(directory, 'b.journal'), sshdEntries(3, 10), LATER);
    await run.recordsUntil(6);
    assert.deepEqual(numbersOf(run), [0, 1, 2, 10, 11, 12]);
    assert.equal(run.eventsOf('journal-gap').length, 1);
  });

  test('loses a file under our feet without harm to the others', async (context) => {
    const directory = journalOf(context, sshdEntries(3));
    writeJournalFile(join(directory, 'b.journal'), sshdEntries(3, 10), LATER);
    const run = await runJournal(context, { directory });
    await run.recordsUntil(6);
    rmSync(join(directory, 'b.journal'));
    writeJournalFile(join(directory, 'c.journal'), sshdEntries(3, 20), LATER + 1_000_000);
    await run.recordsUntil(9);
    assert.deepEqual(numbersOf(run), [0, 1, 2, 10, 11, 12, 20, 21, 22]);
  });

  test('with a damaged file is read without what is damaged', async (context) => {
    const directory = journalOf(context, sshdEntries(500));
    writeJournalFile(join(directory, 'b.journal'), sshdEntries(500, 1_000), LATER);
    writeFileSync(join(directory, 'c.journal'), 'LPKSHHRH and nothing that follows');
    const bytes = readFileSync(join(directory, 'a.journal'));
    for (let offset = 4_096; offset < bytes.length; offset += 997)
      bytes[offset] = (bytes[offset] ?? 0) ^ 0x55;
    writeFileSync(join(directory, 'a.journal'), bytes);
    const run = await runJournal(context, { directory });
    const last = 'Failed password for root from 203.0.113.9 port 1499 ssh2';
    await run.recordsUntil(500);
    assert.equal(run.messages.at(-1), last);
    assert.deepEqual(
      run.messages.map(sshdNumber).filter((number) => number >= 1_000),
      range(1_000, 1_500),
    );
  });
});

describe('stopping', { skip: journalFilesMissing }, () => {
  test('ends all delivery, in the middle of a backlog too', async (context) => {
    const directory = journalOf(context, sshdEntries(20_000));
    const run = await runJournal(context, { directory });
    await run.source.stop();
    const count = run.batches.length;
    assert.ok(run.records.length < 20_000);
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    assert.equal(run.batches.length, count);
  });

  test('works before anything was started', async (context) => {
    const run = await runJournal(context, { directory: temporaryDirectory(context) });
    await run.source.stop();
    await run.source.stop();
  });
});
