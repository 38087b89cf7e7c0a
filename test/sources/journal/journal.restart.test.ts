import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openBed } from '../../bed/namespace.ts';
import { requirements } from '../../bed/requirements.ts';
import { Journald } from '../../bed/services/journald.ts';
import { PATIENCE_MILLISECONDS, waitFor } from '../../bed/waiting.ts';
import { actionsOf, wordsOf } from '../../core/warning/words.ts';
import {
  journalFilesMissing,
  sshdEntries,
  sshdNumber,
  temporaryDirectory,
  writeJournalFile,
} from './journal-files.ts';
import { runJournal } from './journal-run.ts';

const READER = fileURLToPath(new URL('./journal-reader-process.ts', import.meta.url));

/** What a process that was killed had made durable: whole lines, each with a position and what it counts. */
type Commit = {
  readonly position: string;
  readonly numbers: readonly number[];
  readonly megabytes: number;
};

/** Reads on from a position in a process of its own, kills it after `commits` of them, and returns those. */
async function readAndKill(directory: string, position: string | null, commits: number): Promise<Commit[]> {
  const child: ChildProcess = spawn(process.execPath, [READER, directory, position ?? ''], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { stdout } = child;
  if (stdout === null) throw new Error('the child has no output');
  const done: Commit[] = [];
  const ended = new Promise((resolve) => child.once('close', resolve));
  for await (const line of createInterface({ input: stdout })) {
    if (done.length < commits) done.push(JSON.parse(line) as Commit);
    if (done.length === commits) child.kill('SIGKILL');
  }
  await ended;
  return done;
}

describe('across a restart', { skip: journalFilesMissing, timeout: PATIENCE_MILLISECONDS }, () => {
  test('every entry is counted once, though the process was killed at random points', async (context) => {
    const COUNT = 20_000;
    const seed = Number(process.env.SEED ?? Date.now() % 100_000);
    context.diagnostic(`seed ${seed}`);
    const directory = temporaryDirectory(context);
    writeJournalFile(join(directory, 'a.journal'), sshdEntries(COUNT));
    const counted: number[] = [];
    let position: string | null = null;
    let state = seed;
    for (let kills = 0; kills < 6; kills++) {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      for (const commit of await readAndKill(directory, position, 1 + (state % 6))) {
        counted.push(...commit.numbers);
        position = commit.position;
      }
    }
    assert.ok(counted.length > 0 && counted.length < COUNT);
    const run = await runJournal(context, { directory, position });
    await run.recordsUntil(COUNT - counted.length);
    counted.push(...run.messages.map(sshdNumber));
    assert.deepEqual(counted, [...Array(COUNT).keys()]);
  });
});

describe('a backlog of large messages', { skip: journalFilesMissing, timeout: PATIENCE_MILLISECONDS }, () => {
  test('takes no more memory than its slots and what the collector has not come to yet', async (context) => {
    const COUNT = 3_000;
    const directory = temporaryDirectory(context);
    const text = 'm'.repeat(60_000);
    const entries = Array.from({ length: COUNT }, (_, number) => ({
      MESSAGE: `${text} port ${number} ssh2`,
    }));
    writeJournalFile(join(directory, 'a.journal'), entries);
    // Some 17 entries of this size fill a batch, so that there are a few more.
    const commits = await readAndKill(directory, null, 170);
    const megabytes = commits.map((commit) => commit.megabytes);
    const growth = Math.max(...megabytes) - (megabytes[0] ?? 0);
    context.diagnostic(`${growth.toFixed(0)} MB more for 170 MB of messages`);
    assert.ok(commits.length === 170, `${commits.length} batches`);
    assert.ok(growth < 100, `${growth} MB`);
  });
});

describe('a worker', { skip: journalFilesMissing, timeout: PATIENCE_MILLISECONDS }, () => {
  const workerThat = (code: string) => new URL(`data:text/javascript,${encodeURIComponent(code)}`);

  test('that ends is reported and started again', async (context) => {
    const run = await runJournal(context, {
      directory: temporaryDirectory(context),
      workerFile: workerThat('process.exit(7)'),
    });
    const first = await run.event('component');
    assert.deepEqual(
      [first.health, wordsOf(first)],
      ['down', 'cannot read the journal: its worker ended (status 7)'],
    );
    assert.match(actionsOf(first), /started again in 1 s/);
    await waitFor('the second end', PATIENCE_MILLISECONDS, () =>
      run.eventsOf('component').length >= 2 ? true : null,
    );
    assert.match(actionsOf(run.eventsOf('component')[1]), /started again in 2 s/);
  });

  test('that runs out of memory is started again', async (context) => {
    const run = await runJournal(context, {
      directory: temporaryDirectory(context),
      workerFile: workerThat(
        'const all = []; setInterval(() => { for (let n = 0; n < 1e4; n++) all.push({ all: [1, 2, 3] }); }, 0)',
      ),
    });
    assert.match(wordsOf(await run.event('component')), /its worker ended for want of memory/);
  });

  test('with a bug ends the process', async (context) => {
    const program = `
      import { createJournalSource } from ${JSON.stringify(new URL('../../../src/sources/journal/journal.ts', import.meta.url))};
      createJournalSource({
        directory: null, matches: [], position: null, lookback: 0, clock: { now: () => 0 }, emit() {}, sink() {},
        workerFile: new URL(${JSON.stringify(workerThat('throw new TypeError("a bug")'))}),
      }).start();`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let problem = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      problem += text;
    });
    context.after(() => child.kill('SIGKILL'));
    const status = await new Promise((resolve) => child.once('close', resolve));
    assert.equal(status, 1);
    assert.match(problem, /TypeError.*: a bug/);
  });
});

const journaldMissing = requirements('namespaces', 'journald') ?? false;

describe('with a journald that writes', { skip: journaldMissing, timeout: PATIENCE_MILLISECONDS }, () => {
  async function openJournal(context: TestContext) {
    const bed = await openBed();
    context.after(() => bed.close());
    return Journald.start(bed);
  }

  const ssh = (number: number) => ({ SYSLOG_IDENTIFIER: 'sshd', MESSAGE: `probe port ${number} ssh2` });
  const matches = ['SYSLOG_IDENTIFIER=sshd'];

  test('each entry is delivered once, through rotation, vacuum and a crash of journald', async (context) => {
    const journald = await openJournal(context);
    await journald.write(ssh(0));
    const run = await runJournal(context, { directory: journald.directory, matches });
    const upheavals = [
      () => journald.rotate(),
      () => journald.vacuum(),
      async () => {
        await journald.sync();
        await journald.kill9();
        await journald.start();
      },
      () => journald.rotate(),
    ];
    let number = 1;
    for (const upheaval of upheavals) {
      for (let count = 0; count < 25; count++) await journald.write(ssh(number++));
      await run.recordsUntil(number);
      await upheaval();
      for (let count = 0; count < 25; count++) await journald.write(ssh(number++));
    }
    await run.recordsUntil(number);
    assert.deepEqual(run.messages.map(sshdNumber), [...Array(number).keys()]);
    assert.deepEqual(run.eventsOf('journal-gap'), []);
  });

  test('a position whose file was vacuumed away, with nothing lost, is no gap', async (context) => {
    const journald = await openJournal(context);
    for (let number = 0; number < 3; number++) await journald.write(ssh(number));
    const first = await runJournal(context, { directory: journald.directory });
    await waitFor('the last entry', PATIENCE_MILLISECONDS, () =>
      first.messages.includes('probe port 2 ssh2') ? true : null,
    );
    // Journald writes about the rotation into the journal itself: whatever it writes before is read as well.
    await journald.rotate();
    await journald.write(ssh(3));
    await waitFor('the entry after', PATIENCE_MILLISECONDS, () =>
      first.messages.includes('probe port 3 ssh2') ? true : null,
    );
    await first.source.stop();
    const kept = first.batches.findLast(({ records }) =>
      records.some(({ message }) => message.includes('port 2 ')),
    );
    await journald.vacuum();
    const run = await runJournal(context, {
      directory: journald.directory,
      position: kept?.position ?? null,
      matches,
    });
    await run.recordsUntil(1);
    assert.deepEqual(run.messages.map(sshdNumber), [3]);
    assert.deepEqual(run.eventsOf('journal-gap'), []);
  });

  test('a gap is told with the number of entries', async (context) => {
    const journald = await openJournal(context);
    await journald.write(ssh(0));
    const first = await runJournal(context, { directory: journald.directory, matches });
    await first.recordsUntil(1);
    await first.source.stop();
    for (let number = 1; number < 11; number++) await journald.write(ssh(number));
    await journald.rotate();
    await journald.vacuum();
    await journald.write(ssh(11));
    const run = await runJournal(context, {
      directory: journald.directory,
      matches,
      position: first.position,
    });
    await run.recordsUntil(1);
    assert.deepEqual(run.messages.map(sshdNumber), [11]);
    const lost = /^up to (\d+) entries were removed/.exec(run.eventsOf('journal-gap')[0]?.detail ?? '')?.[1];
    assert.ok(Number(lost) >= 10, `${lost} entries`);
  });

  test('entries arrive within milliseconds, and the first after a quiet time hardly later', async (context) => {
    const journald = await openJournal(context);
    const arrivals = new Map<number, bigint>();
    const run = await runJournal(context, {
      directory: journald.directory,
      matches,
      sink: ({ records }) => {
        for (const { message } of records) arrivals.set(sshdNumber(message), process.hrtime.bigint());
      },
    });
    const delays: number[] = [];
    const deliver = async (number: number) => {
      const handedOver = await journald.write(ssh(number));
      await run.recordsUntil(number + 1);
      delays.push(Number((arrivals.get(number) ?? 0n) - handedOver) / 1e6);
    };
    for (let number = 0; number < 50; number++) await deliver(number);
    const busy = delays
      .splice(0)
      .slice(1)
      .sort((a, b) => a - b);
    // No event tells that the source has calmed down: that nothing happens is the point.
    await pause(2_500);
    await deliver(50);
    context.diagnostic(`median ${busy[25]?.toFixed(2)} ms, after a quiet time ${delays[0]?.toFixed(2)} ms`);
    assert.ok((busy[25] ?? Number.NaN) < 20, `median ${busy[25]} ms`);
    assert.ok((delays[0] ?? Number.NaN) < 200, `after a quiet time ${delays[0]} ms`);
  });
});
