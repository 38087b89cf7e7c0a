/** A host for the simulator: journal, kernel and disk, which outlive the daemon, and the parts of the daemon. */

import { PrefixSet } from '../../src/core/address/prefix-set.ts';
import { OperationalError } from '../../src/core/errors.ts';
import type { BailiffEvent } from '../../src/core/event.ts';
import type { Match } from '../../src/core/failure.ts';
import { BanLog, type BanLogPosition } from '../../src/core/ledger/ban-log.ts';
import type { ClockReading } from '../../src/core/ledger/clock-reading.ts';
import type { Ban, Decision } from '../../src/core/ledger/decision.ts';
import { Ledger, type LedgerLimits } from '../../src/core/ledger/ledger.ts';
import type { JailPolicy } from '../../src/core/ledger/policy.ts';
import type { FailureWindow, JailTotals, LedgerChanges } from '../../src/core/ledger/snapshot.ts';
import type { LogRecord } from '../../src/core/record.ts';
import { MINUTE, SECOND } from '../../src/core/time.ts';
import { BACKLOG_PATIENCE, Pipeline } from '../../src/daemon/judgement/pipeline.ts';
import { Persister } from '../../src/daemon/state/persister.ts';
import { SenderDirectory } from '../../src/senders/directory.ts';
import type { StatePoint, Store, StoredState } from '../../src/state/store.ts';
import type { Follower } from './follower.ts';

export const LIMITS: LedgerLimits = { maxOffenders: 100_000, maxBans: 100_000 };

/** `sshd` hears the journal, `web` the datagrams. */
export const POLICIES: readonly JailPolicy[] = ['sshd', 'web'].map((name) => ({
  name,
  maxRetry: 3,
  findTime: 10 * MINUTE,
  banTime: 15 * MINUTE,
  ignore: new PrefixSet([]),
  ipv4PrefixLength: 32,
  ipv6PrefixLength: 64,
  ports: null,
}));

export type Entry = { readonly at: number; readonly address: string };

/** What the next commit runs into: `damaged` loses all that was stored. */
export type Trouble = 'none' | 'slow' | 'full' | 'damaged';

/** What survives the process. */
export class Disk {
  trouble: Trouble = 'none';
  refusals = 0;
  position: string | null = null;
  banLogPosition: BanLogPosition | null = null;
  clock: ClockReading | null = null;
  readonly #windows = new Map<string, FailureWindow>();
  readonly #bans = new Map<string, Ban>();
  readonly #totals = new Map<string, JailTotals>();

  holds(ban: Ban): boolean {
    return (this.#bans.get(keyOf(ban))?.until ?? 0) >= ban.until;
  }

  read(): StoredState {
    const ledger = {
      windows: [...this.#windows.values()],
      bans: [...this.#bans.values()],
      totals: [...this.#totals.values()],
    };
    const { position: journalPosition, banLogPosition, clock } = this;
    return structuredClone({ ledger, journalPosition, banLogPosition, clock, sessions: [] });
  }

  write(changes: LedgerChanges, { journalPosition, banLogPosition, clock }: StatePoint): void {
    for (const jail of changes.rewritten) {
      for (const rows of [this.#windows, this.#bans]) {
        for (const key of [...rows.keys()]) if (key.startsWith(`${jail} `)) rows.delete(key);
      }
    }
    for (const key of changes.windowsGone) this.#windows.delete(keyOf(key));
    for (const key of changes.bansGone) this.#bans.delete(keyOf(key));
    for (const window of changes.windows) {
      // A window that is written again becomes the newest.
      this.#windows.delete(keyOf(window));
      this.#windows.set(keyOf(window), window);
    }
    for (const ban of changes.bans) this.#bans.set(keyOf(ban), ban);
    for (const totals of changes.totals) this.#totals.set(totals.jail, totals);
    this.position = journalPosition ?? this.position;
    this.banLogPosition = banLogPosition;
    this.clock = clock;
  }

  lose(): void {
    for (const rows of [this.#windows, this.#bans, this.#totals]) rows.clear();
    this.position = null;
    this.banLogPosition = null;
    this.clock = null;
  }
}

/** The store of one life: after its end nothing of it reaches the disk any more. */
class LifeStore implements Store {
  readonly #disk: Disk;
  #isAlive = true;
  /** A commit on its way. */
  #underWay: { readonly write: () => void; readonly done: () => void } | null = null;
  /** Whether the disk holds less than it was told, until the next commit. */
  isDamaged = false;
  isRefusing = false;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  async load(): Promise<StoredState> {
    return this.#disk.read();
  }

  commit(changes: LedgerChanges, point: StatePoint): Promise<void> {
    if (!this.#isAlive) return new Promise(() => {});
    const copy = structuredClone(changes);
    const write = (): void => this.#disk.write(copy, point);
    switch (this.#disk.trouble) {
      case 'full':
        return this.#refuse('state-full');
      case 'damaged':
        this.#disk.trouble = 'none';
        this.#disk.lose();
        this.isDamaged = true;
        return this.#refuse('state-damaged');
      case 'slow':
        return new Promise((resolve) => {
          this.#underWay = { write, done: resolve };
        });
      case 'none':
        write();
        this.isDamaged = false;
        this.isRefusing = false;
        return Promise.resolve();
    }
  }

  /** Lets the commit under way come to its end. */
  goOn(): void {
    const commit = this.#underWay;
    this.#underWay = null;
    commit?.write();
    if (commit !== null) {
      this.isDamaged = false;
      this.isRefusing = false;
    }
    commit?.done();
  }

  /** The end of the process. What was under way may have reached the disk, unheard. */
  die(hasReached: boolean): void {
    if (hasReached) this.#underWay?.write();
    this.#underWay = null;
    this.#isAlive = false;
  }

  async close(): Promise<void> {}

  #refuse(code: string): Promise<never> {
    this.#disk.refusals++;
    this.isRefusing = true;
    return Promise.reject(new OperationalError('the disk refuses', { code, retriable: true }));
  }
}

/** Finds the address that a message is, for the jail of its source. */
const NO_SENDERS = new SenderDirectory({ networks: [], udpConfidence: 'full', rate: null, configured: [] });

const MATCHER = {
  match(record: LogRecord, out: Match[]): void {
    const filter = record.source === 'journal' ? 'sshd' : 'web';
    const found = { filter, rule: 'any', kind: 'failure', mode: 'normal', user: '', weight: 1 } as const;
    out.push({ ...found, address: record.message, record });
  },
  mayMatch: () => true,
  takeCounters: () => ({ untrusted: 0, refusals: [], refusalsDropped: 0, sessionsDropped: 0, filters: [] }),
};

const RULES = {
  matcher: MATCHER,
  routes: new Map(
    POLICIES.map(({ name, maxRetry }) => [name, [{ jail: name, mode: 'normal', maxRetry } as const]]),
  ),
};

type Life = {
  readonly store: LifeStore;
  readonly ledger: Ledger;
  readonly banLog: BanLog;
  readonly persister: Persister;
  readonly pipeline: Pipeline;
};

export class Host {
  readonly disk: Disk;
  readonly journal: Entry[] = [];
  /** By jail and offender: bans as the kernel has them. */
  readonly #kernel = new Map<string, Ban>();
  at = 1_795_000_000_000_000;
  /** Datagrams that came in. */
  heard = 0;
  kills = 0;
  /** Entries that were read again by a later life. */
  reread = 0;
  #next = 0;
  #lives = 0;
  #life: Life;

  constructor(disk: Disk) {
    this.disk = disk;
    this.#life = this.#start();
  }

  /** What a follower of the bans asks at any moment. */
  ask(follower: Follower): void {
    follower.take(this.#life.banLog.since(follower.position));
  }

  get ledger(): Ledger {
    return this.#life.ledger;
  }

  /** Bans of a jail in the kernel, as `ADDRESS until INSTANT`, sorted. */
  kernelBans(jail: string): string[] {
    return [...this.#kernel.values()]
      .filter((ban) => ban.jail === jail && ban.until > this.at)
      .map(({ offender, until }) => `${offender} until ${until}`)
      .sort();
  }

  /** Somebody fails to log in. */
  log(address: string): void {
    this.journal.push({ at: this.at, address });
  }

  /** The daemon reads so many entries at the most. */
  read(limit: number): void {
    const entries = this.journal.slice(this.#next, this.#next + limit);
    if (entries.length === 0) return;
    this.#next += entries.length;
    const records = entries.map(({ at, address }) => recordOf('journal', at, address));
    this.#life.pipeline.accept({ source: 'journal', records, bytes: 0, position: String(this.#next - 1) });
  }

  readAll(): void {
    while (this.#next < this.journal.length) this.read(20);
  }

  /** A datagram comes in. */
  hear(address: string): void {
    this.heard++;
    const records = [recordOf('udp', this.at, address)];
    this.#life.pipeline.accept({ source: 'udp', records, bytes: 0, position: null });
  }

  tick(): void {
    this.#life.pipeline.tick();
  }

  /** A reload that says the same. */
  reload(): void {
    const { ledger, pipeline } = this.#life;
    const decisions: Decision[] = [];
    pipeline.setRules(RULES);
    ledger.reconfigure({ policies: POLICIES, limits: LIMITS, protectedNetworks: [] }, this.at, decisions);
    pipeline.carryOut(decisions);
  }

  /** One turn of the event loop, in which a commit under way may come to its end. */
  async turn(goesOn: boolean): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (goesOn) this.#life.store.goOn();
  }

  /** Lets the disk do what it can. */
  async settle(): Promise<void> {
    const flushed = this.#life.persister.flush();
    for (let turn = 0; turn < 4; turn++) await this.turn(true);
    await flushed;
  }

  /**
   * kill -9, and a new start after `meanwhile`. When the disk has just lost its file the new one is waited for: without
   * either of them nobody could know anything.
   */
  async kill(hasReached: boolean, meanwhile: () => void): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#life.store.isDamaged) {
      this.disk.trouble = 'none';
      await this.settle();
    }
    this.kills++;
    this.#life.store.die(hasReached);
    const before = this.#next;
    meanwhile();
    this.#life = this.#start();
    this.reread += before - this.#next;
  }

  /** Stops in good order, is away for a while, and starts again. */
  async restart(meanwhile: () => void): Promise<void> {
    await this.settle();
    await this.kill(true, meanwhile);
  }

  /** Reads all that there is, some while after it was written. */
  async catchUp(): Promise<void> {
    this.readAll();
    this.at += BACKLOG_PATIENCE + SECOND;
    this.tick();
    await this.settle();
  }

  #start(): Life {
    const { ledger: image, journalPosition, banLogPosition } = this.disk.read();
    this.#next = journalPosition === null ? 0 : Number(journalPosition) + 1;
    const ledger = new Ledger(LIMITS);
    ledger.restore(image, this.at);
    const decisions: Decision[] = [];
    ledger.reconfigure({ policies: POLICIES, limits: LIMITS, protectedNetworks: [] }, this.at, decisions);
    const session = `life-${this.#lives++}`;
    const banLog = new BanLog({ session, bans: () => ledger.bans(), capacity: 64 });
    banLog.resume(banLogPosition);
    const store = new LifeStore(this.disk);
    const clock = {
      now: () => this.at,
      reading: () => ({ at: this.at, boot: 'boot', steady: this.at }),
    };
    const emit = (event: BailiffEvent): void => this.#check(event, store);
    const sessions = { takeSessions: () => [], returnSessions: () => {}, restoreSessions: () => {} };
    const kernel = { written: () => true, hasTaken: () => true };
    const persister = new Persister({
      store,
      ledger,
      banLog,
      sessions,
      kernel,
      journalPosition,
      clock,
      emit,
    });
    const enforcer = { enqueue: (all: readonly Decision[]) => this.#enforce(all) };
    const pipeline = new Pipeline(
      { ledger, banLog, persister, senders: NO_SENDERS, clock, emit, enforcer },
      RULES,
    );
    for (const ban of ledger.bans()) this.#kernel.set(keyOf(ban), ban);
    for (const ban of this.#kernel.values()) {
      if (ban.until > this.at)
        ledger.ban({ ...ban, since: this.at, cause: 'restore', failures: 0 }, this.at, decisions);
    }
    pipeline.carryOut(decisions);
    return { store, ledger, banLog, persister, pipeline };
  }

  #enforce(decisions: readonly Decision[]): void {
    for (const decision of decisions) {
      if (decision.kind === 'forgive') continue;
      if (decision.kind === 'unban') this.#kernel.delete(keyOf(decision.ban));
      else this.#kernel.set(keyOf(decision.ban), decision.ban);
    }
  }

  /** A ban that is announced is on the disk, unless that refuses. */
  #check(event: BailiffEvent, store: LifeStore): void {
    if (event.kind !== 'ban' || store.isRefusing || event.ban.until <= this.at) return;
    if (this.disk.holds(event.ban)) return;
    throw new Error(`${keyOf(event.ban)} was announced and is not on the disk`);
  }
}

function recordOf(source: 'journal' | 'udp', at: number, message: string): LogRecord {
  return {
    at,
    source,
    sender: '',
    hostname: '',
    identifier: 'sshd',
    pid: '',
    facility: 4,
    severity: 6,
    message,
    timestamp: -1,
    structuredData: '',
    connection: 0,
    trusted: null,
  };
}

function keyOf({ jail, offender }: { readonly jail: string; readonly offender: string }): string {
  return `${jail} ${offender}`;
}
