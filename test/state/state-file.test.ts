import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { PrefixSet } from '../../src/core/address/prefix-set.ts';
import type { Decision } from '../../src/core/ledger/decision.ts';
import { Ledger } from '../../src/core/ledger/ledger.ts';
import type { JailPolicy } from '../../src/core/ledger/policy.ts';
import type { LedgerChanges, LedgerImage } from '../../src/core/ledger/snapshot.ts';
import { FOREVER } from '../../src/core/time.ts';
import { changesToColumns } from '../../src/state/columns.ts';
import { MAX_QUARANTINED_FILES } from '../../src/state/file-place.ts';
import { MIGRATIONS } from '../../src/state/schema.ts';
import { openStateFile, type Repair, type StateFileOptions } from '../../src/state/state-file.ts';
import {
  addressOf,
  banOf,
  CLOCK,
  NOTHING,
  nthCommit,
  POSITION,
  pointAt,
  START,
  windowOf,
  windowsOf,
} from './samples.ts';

const SEED = 20_261_121;
const MEBIBYTE = 1_024 * 1_024;

let directory = '';
let path = '';
let options: StateFileOptions;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bailiff-state-'));
  path = join(directory, 'state.db');
  options = { path, maxBytes: 64 * MEBIBYTE };
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Opens the file, commits each of the changes, and closes it. */
function write(...commits: readonly LedgerChanges[]): void {
  const { file } = openStateFile(options);
  for (const changes of commits) file.commit(changesToColumns(changes), pointAt(null), null);
  file.close();
}

/** Opens the file as a daemon would at its start; closes it again. */
function reopen(): ReturnType<typeof openStateFile> {
  const opened = openStateFile(options);
  opened.file.close();
  return opened;
}

describe('the state file', () => {
  it('is made with its directory, for its owner alone', () => {
    options = { ...options, path: join(directory, 'lib', 'bailiff', 'state.db') };
    const { file, content, repair } = openStateFile(options);
    file.commit(changesToColumns({ ...NOTHING, windows: [windowOf(1)] }), pointAt('cursor'), null);
    assert.deepEqual(content, {
      ledger: { windows: [], bans: [], totals: [] },
      journalPosition: null,
      banLogPosition: null,
      clock: null,
      sessions: [],
    });
    assert.equal(repair, null);
    assert.equal(statSync(join(directory, 'lib', 'bailiff')).mode & 0o777, 0o700);
    for (const suffix of ['', '-wal']) assert.equal(statSync(options.path + suffix).mode & 0o777, 0o600);
    file.close();
  });

  it('is closed to others when it was open to them', () => {
    writeFileSync(path, '', { mode: 0o644 });
    reopen();
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  it('gives back windows, bans, totals and the position', () => {
    const ipv6 = { jail: 'nginx', offender: '2001:db8::/64', seenAt: [START, START, START + 1] };
    const ban = { ...banOf(2), until: FOREVER };
    const totals = [{ jail: 'sshd', failures: 7, bans: 1 }];
    const { file } = openStateFile(options);
    file.commit(
      changesToColumns({ ...NOTHING, windows: [windowOf(1), ipv6], bans: [ban], totals }),
      pointAt('cursor'),
      null,
    );
    file.close();
    const { content } = reopen();
    assert.deepEqual(content.ledger, { windows: [windowOf(1), ipv6], bans: [ban], totals });
    const { journalPosition, banLogPosition, clock } = content;
    assert.deepEqual([journalPosition, banLogPosition, clock], ['cursor', POSITION, CLOCK]);
  });

  it('keeps the position when a commit brings none', () => {
    const { file } = openStateFile(options);
    file.commit(changesToColumns(NOTHING), pointAt('cursor'), null);
    file.commit(changesToColumns({ ...NOTHING, windows: [windowOf(1)] }), pointAt(null), null);
    file.close();
    assert.equal(reopen().content.journalPosition, 'cursor');
  });

  it('forgets what is gone, and everything of a rewritten jail but what is given with it', () => {
    write({
      ...NOTHING,
      windows: [windowOf(1), windowOf(2), windowOf(3, 'nginx')],
      bans: [banOf(4), banOf(5)],
    });
    write({ ...NOTHING, windowsGone: [windowOf(2)], bansGone: [banOf(4)] });
    assert.deepEqual(reopen().content.ledger.windows, [windowOf(1), windowOf(3, 'nginx')]);
    assert.deepEqual(reopen().content.ledger.bans, [banOf(5)]);
    write({ ...NOTHING, rewritten: ['sshd'], windows: [windowOf(6)], bans: [banOf(5)] });
    assert.deepEqual(reopen().content.ledger.windows, [windowOf(3, 'nginx'), windowOf(6)]);
    assert.deepEqual(reopen().content.ledger.bans, [banOf(5)]);
  });

  it('stores a commit whole or not at all', () => {
    const { file } = openStateFile({ ...options, maxBytes: 128 * 1_024 });
    file.commit(changesToColumns(nthCommit(1).changes), pointAt(nthCommit(1).position), null);
    const tooMuch = {
      ...NOTHING,
      windows: windowsOf(0, 5_000),
      totals: [{ jail: 'sshd', failures: 9, bans: 9 }],
    };
    assert.throws(() => file.commit(changesToColumns(tooMuch), pointAt('later'), null), { errcode: 13 });
    file.commit(changesToColumns(nthCommit(2).changes), pointAt(nthCommit(2).position), null);
    file.close();
    const { ledger, journalPosition } = reopen().content;
    assert.deepEqual(ledger.windows, [windowOf(1), windowOf(2)]);
    assert.deepEqual([ledger.totals[0]?.failures, journalPosition], [2, nthCommit(2).position]);
  });

  it('of an earlier version is migrated, and one of a later version is refused and left as it is', () => {
    write(nthCommit(1).changes);
    const next = { name: 'next', statements: `ALTER TABLE totals ADD COLUMN note TEXT NOT NULL DEFAULT '';` };
    const later = { ...options, migrations: [...MIGRATIONS, next] };
    const { file, content } = openStateFile(later);
    file.close();
    assert.deepEqual(content.ledger.windows, [windowOf(1)]);
    const before = readFileSync(path);
    assert.throws(() => openStateFile(options), { code: 'state-version', retriable: false });
    assert.deepEqual(readFileSync(path), before);
    assert.deepEqual(readdirSync(directory), ['state.db']);
  });

  it('holds at every point of a write that was cut off what some commit has left', () => {
    const { file } = openStateFile(options);
    const last = 20;
    for (let number = 1; number <= last; number++) {
      const { changes, position } = nthCommit(number);
      file.commit(changesToColumns(changes), pointAt(position), null);
    }
    const wal = readFileSync(`${path}-wal`);
    const seen = new Set<number>();
    for (let step = 0; step <= 48; step++) {
      const copy = join(directory, `copy-${step}.db`);
      cpSync(path, copy);
      const length = Math.floor((wal.length * step) / 48);
      writeFileSync(`${copy}-wal`, wal.subarray(0, length));
      const opened = openStateFile({ ...options, path: copy });
      opened.file.close();
      assert.equal(opened.repair, null);
      seen.add(checkNthState(opened.content));
    }
    file.close();
    assert.ok(seen.has(0) && seen.has(last) && seen.size > last / 2, `saw ${[...seen].join(' ')}`);
  });

  it('stays as large as the most that it held, and its WAL bounded, however much comes and goes', () => {
    const { file } = openStateFile(options);
    const room = 4_000;
    const sizes: number[] = [];
    for (let round = 0; round < 60; round++) {
      const gone = round === 0 ? [] : windowsOf((round - 1) * room, round * room);
      const windows = windowsOf(round * room, (round + 1) * room);
      file.commit(changesToColumns({ ...NOTHING, windows, windowsGone: gone }), pointAt(`i=${round}`), null);
      sizes.push(statSync(path).size + statSync(`${path}-wal`).size);
    }
    file.close();
    const [early, late] = [Math.max(...sizes.slice(0, 30)), Math.max(...sizes)];
    assert.ok(late <= early * 1.1 && late < 8 * MEBIBYTE, `grew from ${early} to ${late} bytes`);
    assert.equal(reopen().content.ledger.windows.length, room);
  });
});

describe(`the state file and the ledger (seed ${SEED})`, () => {
  const jails = ['sshd', 'nginx'];
  const input = fc.record({
    kind: fc.constantFrom('failure', 'failure', 'failure', 'advance', 'ban', 'unban', 'commit', 'restart'),
    jail: fc.constantFrom(...jails),
    number: fc.nat(40),
    step: fc.nat(300_000_000),
  });

  it('agree after any inputs, commits and restarts', () => {
    fc.assert(
      fc.property(fc.array(input, { minLength: 1, maxLength: 80 }), (inputs) => {
        rmSync(path, { force: true });
        rmSync(`${path}-wal`, { force: true });
        let { file, content } = openStateFile(options);
        let ledger = newLedger(content.ledger, START);
        let at = START;
        const commit = () => {
          file.commit(changesToColumns(ledger.takeChanges()), pointAt(`i=${at}`), null);
        };
        for (const { kind, jail, number, step } of inputs) {
          at += step;
          const offender = addressOf(number);
          const out: Decision[] = [];
          if (kind === 'failure') ledger.observe({ jail, address: offender, seenAt: at, weight: 1 }, at, out);
          else if (kind === 'advance') ledger.advance(at, at, out);
          else if (kind === 'unban') ledger.unban(offender, jail, at, out);
          else if (kind === 'ban') {
            const ban = {
              jail,
              offender,
              since: at,
              until: at + 1_000_000,
              cause: 'operator',
              failures: 0,
            } as const;
            ledger.ban(ban, at, out);
          } else commit();
          if (kind !== 'restart') continue;
          file.close();
          ({ file, content } = openStateFile(options));
          assert.deepEqual(sorted(content.ledger), sorted(ledger.image()));
          assert.equal(content.journalPosition, `i=${at}`);
          ledger = newLedger(content.ledger, at);
        }
        commit();
        assert.deepEqual(sorted(file.read().ledger), sorted(ledger.image()));
        file.close();
      }),
      { seed: SEED, numRuns: 30 },
    );
  });

  function newLedger(image: LedgerImage, at: number): Ledger {
    const limits = { maxOffenders: 16, maxBans: 8 };
    const made = new Ledger(limits);
    made.restore(image, at);
    made.reconfigure({ policies: jails.map(policyOf), limits, protectedNetworks: [] }, at, []);
    return made;
  }

  /** Windows keep their order, jail by jail, since the ledger needs it; bans and totals are sorted for comparing. */
  function sorted({ windows, bans, totals }: LedgerImage): LedgerImage {
    const byText = (a: unknown, b: unknown) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
    return {
      windows: jails.flatMap((jail) => windows.filter((window) => window.jail === jail)),
      bans: [...bans].sort(byText),
      totals: totals.filter(({ failures, bans: count }) => failures + count > 0).sort(byText),
    };
  }
});

describe('a damaged state file', () => {
  it('is set aside, and a new one begun', () => {
    writeFileSync(path, 'no database at all '.repeat(500));
    const { content, repair } = reopen();
    assert.equal(keptAs(repair), `${path}.damaged-1`);
    assert.deepEqual(content.ledger, { windows: [], bans: [], totals: [] });
    assert.match(readFileSync(`${path}.damaged-1`, 'latin1'), /^no database at all/);
    write(nthCommit(1).changes);
    assert.deepEqual(reopen().content.ledger.windows, [windowOf(1)]);
  });

  it('is found out although its first page is sound', () => {
    write({ ...NOTHING, windows: windowsOf(0, 2_000) });
    const bytes = readFileSync(path);
    bytes.fill(0xa5, 8 * 4_096, 12 * 4_096);
    writeFileSync(path, bytes);
    assert.equal(keptAs(reopen().repair), `${path}.damaged-1`);
  });

  it('may be the database of another program, or have lost a table', () => {
    const foreign = new DatabaseSync(path);
    foreign.exec('CREATE TABLE notes (text TEXT)');
    foreign.close();
    assert.equal(keptAs(reopen().repair), `${path}.damaged-1`);
    const ours = new DatabaseSync(path);
    ours.exec('DROP TABLE bans');
    ours.close();
    assert.equal(keptAs(reopen().repair), `${path}.damaged-2`);
    assert.equal(reopen().repair, null);
  });

  it('is kept with the last of its kind only', () => {
    for (let round = 0; round < MAX_QUARANTINED_FILES + 2; round++) {
      writeFileSync(path, 'rubbish');
      reopen();
    }
    const kept = readdirSync(directory).filter((name) => name.includes('damaged'));
    assert.deepEqual(kept.sort(), ['state.db.damaged-3', 'state.db.damaged-4', 'state.db.damaged-5']);
  });

  it('gives all rows but those that make no sense', () => {
    write({ ...NOTHING, windows: [windowOf(1)], bans: [banOf(2)] });
    const database = new DatabaseSync(path);
    database.exec(`INSERT INTO windows VALUES ('sshd', 'an attacker''s word', zeroblob(8), 7),
        ('sshd', '010.0.0.1', zeroblob(8), 8),
        ('sshd', '10.9.9.9', zeroblob(7), 9),
        ('sshd', '10.9.9.8', x'000000000000f87f', 10);
      INSERT INTO bans VALUES ('sshd', '10.9.9.9', 1, 2, 'spite', 5, 11), ('sshd', '10.9.9.8', -1, 2, 'offence', 5, 12)`);
    database.close();
    const { content, repair } = reopen();
    assert.deepEqual(
      content.ledger.windows,
      [],
      'nobody knows which entries of the journal they have counted',
    );
    const restored = { ...banOf(2), cause: 'restore' } as const;
    assert.deepEqual(content.ledger.bans, [
      banOf(2),
      { ...restored, offender: '10.9.9.9', since: 1, until: 2 },
      { ...banOf(2), offender: '10.9.9.8', since: 0, until: 2 },
    ]);
    assert.deepEqual([repair?.kind, repair?.kind === 'damaged' && repair.unsound], ['damaged', 6]);
    assert.equal(content.banLogPosition, null, 'since bans of that position are missing');
  });
});

function keptAs(repair: Repair | null): string | null {
  return repair?.kind === 'damaged' ? repair.keptAs : null;
}

function policyOf(name: string): JailPolicy {
  return {
    name,
    maxRetry: 3,
    findTime: 600_000_000,
    banTime: 600_000_000,
    ignore: new PrefixSet([]),
    ipv4PrefixLength: 32,
    ipv6PrefixLength: 64,
    ports: null,
  };
}

/** Asserts that windows, totals and position tell of the same number of commits, and returns it. */
function checkNthState(content: ReturnType<typeof reopen>['content']): number {
  const { windows, totals } = content.ledger;
  const number = windows.length;
  assert.deepEqual(windows, windowsOf(1, number + 1));
  assert.equal(totals[0]?.failures ?? 0, number);
  assert.equal(content.journalPosition, number === 0 ? null : nthCommit(number).position);
  return number;
}
