import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OperationalError } from '../../src/core/errors.ts';
import type { BailiffEvent } from '../../src/core/event.ts';
import { Ledger } from '../../src/core/ledger.ts';
import { PrefixSet } from '../../src/core/prefix-set.ts';
import type { LedgerChanges } from '../../src/core/snapshot.ts';
import { MINUTE } from '../../src/core/time.ts';
import { Persister } from '../../src/daemon/persister.ts';
import type { Store } from '../../src/state/store.ts';

const LIMITS = { maxOffenders: 100, maxBans: 100 };
const READY: BailiffEvent = { kind: 'ready' };

class Disk implements Store {
  readonly commits: { changes: LedgerChanges; position: string | null }[] = [];
  full = false;
  async load() {
    return { ledger: { windows: [], bans: [], totals: [] }, journalPosition: null };
  }
  async commit(changes: LedgerChanges, position: string | null) {
    if (this.full)
      throw new OperationalError('the disk is full', { code: 'SQLITE_FULL', advice: 'make room' });
    this.commits.push({ changes, position });
  }
  async close() {}
}

function setUp() {
  const disk = new Disk();
  const events: BailiffEvent[] = [];
  const ledger = new Ledger(LIMITS);
  const policy = {
    name: 'sshd',
    maxRetry: 5,
    findTime: MINUTE,
    banTime: MINUTE,
    ignore: new PrefixSet([]),
    ipv4PrefixLength: 32,
    ipv6PrefixLength: 64,
    ports: null,
  };
  ledger.reconfigure({ policies: [policy], limits: LIMITS, protectedNetworks: [] }, 1, []);
  const emit = (event: BailiffEvent) => events.push(event);
  const persister = new Persister({
    store: disk,
    ledger,
    journalPosition: 'c0',
    clock: { now: () => 1 },
    emit,
  });
  const fail = (address: string) => ledger.observe({ jail: 'sshd', address, seenAt: 1, weight: 1 }, 1, []);
  const kinds = () => events.map((event) => event.kind);
  return { disk, events, ledger, persister, fail, kinds };
}

test('changes and the position they belong to are stored in one commit, and announced after it', async () => {
  const { disk, persister, fail, kinds } = setUp();
  fail('203.0.113.9');
  persister.advance('c1');
  persister.changed([READY]);
  fail('203.0.113.10');
  persister.advance('c2');
  persister.changed([]);
  assert.deepEqual(kinds(), []);
  await persister.flush();
  assert.equal(disk.commits.length, 1);
  assert.equal(disk.commits[0]?.position, 'c2');
  assert.equal(disk.commits[0]?.changes.windows.length, 2);
  assert.deepEqual(kinds(), ['state-commit', 'ready']);
});

test('with nothing new there is no commit', async () => {
  const { disk, persister } = setUp();
  await persister.flush();
  await persister.close();
  assert.equal(disk.commits.length, 0);
});

test('a step forward in the journal alone is stored at the latest when the daemon stops', async () => {
  const { disk, persister } = setUp();
  persister.advance('c7');
  await persister.close();
  assert.deepEqual(
    disk.commits.map((commit) => commit.position),
    ['c7'],
  );
});

test('a full disk delays the changes and loses none; what happens is announced meanwhile', async () => {
  const { disk, persister, fail, kinds, events } = setUp();
  disk.full = true;
  fail('203.0.113.9');
  persister.changed([READY]);
  await persister.flush();
  assert.deepEqual(kinds(), ['state-error', 'component', 'ready']);
  persister.changed([READY]);
  assert.equal(kinds().at(-1), 'ready', 'further announcements do not wait for the disk');
  disk.full = false;
  fail('203.0.113.10');
  await persister.flush();
  assert.deepEqual(
    disk.commits[0]?.changes.windows.map((window) => window.offender),
    ['203.0.113.9', '203.0.113.10'],
  );
  const health = events.flatMap((event) => (event.kind === 'component' ? [event.health] : []));
  assert.deepEqual(health, ['degraded', 'up']);
  await persister.close();
});
