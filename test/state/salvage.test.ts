/**
 * What a damaged state is worth: any damage is survived, by everything that a start does with the state, and what can
 * be read is in force.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { RESTORED_JAIL } from '../../src/core/ledger/decision.ts';
import { Ledger } from '../../src/core/ledger/ledger.ts';
import { formatInstant } from '../../src/core/time.ts';
import { DesiredElements } from '../../src/firewall/desired.ts';
import { batchScript } from '../../src/firewall/script.ts';
import { changesToColumns } from '../../src/state/columns.ts';
import { PAGE_BYTES } from '../../src/state/schema.ts';
import { type OpenedState, openStateFile } from '../../src/state/state-file.ts';
import { banOf, NOTHING, pointAt, START, windowsOf } from './samples.ts';

const SEED = Number(process.env.BAILIFF_FUZZ_SEED ?? 20_261_201);
const RUNS = Number(process.env.BAILIFF_FUZZ_RUNS ?? 60);
const BANS = 400;
const WINDOWS = 300;

let directory = '';
let path = '';
/** A state as a daemon leaves it. */
let whole = Buffer.alloc(0);

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'bailiff-salvage-'));
  path = join(directory, 'state.db');
  const { file } = openStateFile({ path, maxBytes: 2 ** 26 });
  const bans = Array.from({ length: BANS }, (_, index) => ({ ...banOf(index), until: START + 10 ** 12 }));
  const totals = [{ jail: 'sshd', failures: 9_000, bans: BANS }];
  file.commit(
    changesToColumns({ ...NOTHING, windows: windowsOf(0, WINDOWS), bans, totals }),
    pointAt('s=0'),
    null,
  );
  file.close();
  whole = readFileSync(path);
});
after(() => rmSync(directory, { recursive: true, force: true }));

/** Opens such a file, goes through what a start does with it, and returns what it came to. */
function start(bytes: Uint8Array, wal: Uint8Array | null = null): OpenedState {
  for (const name of readdirSync(directory)) rmSync(join(directory, name), { force: true });
  writeFileSync(path, bytes);
  if (wal !== null) writeFileSync(`${path}-wal`, wal);
  const opened = openStateFile({ path, maxBytes: 2 ** 26 });
  opened.file.close();
  enforce(opened);
  const again = openStateFile({ path, maxBytes: 2 ** 26 });
  again.file.close();
  assert.equal(again.repair, null, 'the file that was begun is sound');
  const left = readdirSync(directory).filter((name) => !/^state\.db(-wal)?(\.damaged-1(-wal)?)?$/.test(name));
  assert.deepEqual(left, []);
  return opened;
}

/** The state in force, down to the words for the kernel. */
function enforce({ content }: OpenedState): void {
  const ledger = new Ledger({ maxOffenders: 1_000, maxBans: 1_000 });
  ledger.restore(content.ledger, START + 1);
  ledger.reconfigure(
    { policies: [], limits: { maxOffenders: 1_000, maxBans: 1_000 }, protectedNetworks: [] },
    START + 1,
    [],
  );
  ledger.image();
  const desired = new DesiredElements([{ name: 'sshd', ports: null }]);
  for (const ban of ledger.bans()) {
    formatInstant(ban.since);
    formatInstant(ban.until);
    desired.observe({ kind: 'ban', ban, at: START });
  }
  for (let next = desired.next(START); next !== null; next = desired.next(START)) {
    batchScript('bailiff', next.batch);
  }
}

function changed(at: number, value: number, length = 1): Buffer {
  return Buffer.from(whole).fill(value, at, at + length);
}

describe('a damaged state', () => {
  it('with any one byte of its header changed has every ban and count, and its place', () => {
    for (let at = 0; at < 100; at += at < 24 ? 5 : 2) {
      const { content, repair } = start(changed(at, (whole[at] ?? 0) ^ 0x55));
      const { bans, windows } = content.ledger;
      assert.deepEqual([at, bans.length, windows.length], [at, BANS, WINDOWS], JSON.stringify(repair));
      assert.equal(content.journalPosition, 's=0', `${at}: ${JSON.stringify(repair)}`);
    }
  });

  it('without its first page has every ban', () => {
    const { content, repair } = start(changed(0, 0, PAGE_BYTES));
    assert.equal(content.ledger.bans.length, BANS);
    assert.ok(repair?.kind === 'damaged' && existsSync(repair.keptAs));
    assert.deepEqual([repair.bans, repair.windows, repair.hasCursor], [BANS, WINDOWS, true]);
    assert.equal(content.banLogPosition, null, 'followers get all bans anew');
  });

  it('with any one page lost has the rest', () => {
    const pages = whole.length / PAGE_BYTES;
    let kept = 0;
    for (let page = 1; page < pages; page++) {
      const { content } = start(changed(page * PAGE_BYTES, 0xa5, PAGE_BYTES));
      kept += content.ledger.bans.length;
    }
    assert.ok(kept / (pages - 1) > 0.7 * BANS, `${kept / (pages - 1)} of ${BANS} on average`);
  });

  it('with a letter changed in the name of a jail starts, and bans in the place of that jail', () => {
    const rows: number[] = [];
    for (let at = whole.indexOf('sshd10.'); at >= 0; at = whole.indexOf('sshd10.', at + 1)) rows.push(at);
    let damaged = 0;
    for (const letter of ['"', '\n', 'S', '\0', 'x']) {
      for (let row = 0; row < rows.length; row += 101) {
        const bytes = Buffer.from(whole);
        bytes.write(letter, (rows[row] ?? 0) + 2, 'latin1');
        const { content, repair } = start(bytes);
        const { bans, windows } = content.ledger;
        assert.ok(bans.length + windows.length >= BANS + WINDOWS - 1, `${letter}: ${bans.length} bans`);
        assert.ok(bans.every(({ jail }) => /^ss.d$/.test(jail) || jail === RESTORED_JAIL));
        if (repair !== null) damaged++;
      }
    }
    assert.ok(damaged > 10, 'other places hold what is no row any more');
  });

  it('that is cut off has what is left of it', () => {
    for (let length = 1; length < whole.length; length += 1_500) {
      const { repair } = start(whole.subarray(0, length));
      assert.equal(repair?.kind, 'damaged', `cut at ${length}`);
    }
    const { content } = start(whole.subarray(0, whole.length - PAGE_BYTES));
    assert.ok(content.ledger.bans.length > 0);
  });

  it('that is empty is said to be', () => {
    assert.deepEqual(start(new Uint8Array()).repair, { kind: 'empty' });
  });

  it('without a place in the journal gives up the failures that are read again', () => {
    start(whole);
    const database = new DatabaseSync(path);
    database.exec("DELETE FROM positions; UPDATE bans SET cause = 'spite' WHERE offender = '10.0.0.1'");
    database.close();
    const { content, repair } = start(readFileSync(path));
    assert.deepEqual([content.ledger.bans.length, content.ledger.windows.length], [BANS, 0]);
    assert.deepEqual([repair?.kind, repair?.kind === 'damaged' && repair.unsound], ['damaged', 1]);
    assert.equal(content.ledger.bans.find(({ offender }) => offender === '10.0.0.1')?.cause, 'restore');
  });

  const place = fc.nat(2 ** 20);
  const damage = fc.oneof(
    fc.record({ kind: fc.constant('bit' as const), at: place, by: fc.nat(7) }),
    fc.record({ kind: fc.constant('byte' as const), at: place, by: fc.nat(255) }),
    fc.record({ kind: fc.constant('cut' as const), at: place, by: fc.constant(0) }),
    fc.record({ kind: fc.constant('swap' as const), at: place, by: place }),
  );

  it(`of any kind is survived (seed ${SEED})`, () => {
    let kept = 0;
    let runs = 0;
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 6 }), (damages) => {
        let bytes: Buffer = Buffer.from(whole);
        for (const { kind, at: anywhere, by } of damages) {
          const at = anywhere % Math.max(1, bytes.length);
          if (kind === 'bit') bytes[at] = (bytes[at] ?? 0) ^ (1 << by);
          else if (kind === 'byte') bytes[at] = by;
          else if (kind === 'cut') bytes = damages.length > 1 ? bytes : bytes.subarray(0, at);
          else bytes = swapped(bytes, at, by % Math.max(1, bytes.length));
        }
        kept += start(bytes).content.ledger.bans.length;
        runs++;
      }),
      { seed: SEED, numRuns: RUNS },
    );
    assert.ok(kept / runs > 0.6 * BANS, `${kept / runs} of ${BANS} bans on average`);
  });
});

/** Two pieces of 64 bytes, in the place of each other. */
function swapped(bytes: Buffer, one: number, other: number): Buffer {
  const copy = Buffer.from(bytes);
  bytes.copy(copy, one, other, other + 64);
  bytes.copy(copy, other, one, one + 64);
  return copy;
}
