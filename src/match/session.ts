/**
 * Sessions: what the lines of one process have told so far. A line without an address finds the one that an earlier
 * line named, and an attempt that a service reports with several lines counts once.
 */
import type { Address } from '../core/address/address.ts';
import { type KeptSession, MAX_KEPT_SESSION_LENGTH } from '../core/kept-session.ts';
import type { LogRecord } from '../core/record.ts';
import { MINUTE, type Microseconds } from '../core/time.ts';

/** Sessions kept for each filter; when there are more, the half that was quiet for longer is dropped. */
export const MAX_SESSIONS = 20_000;

/**
 * How long a session outlives its last line. Longer than the two minutes that OpenSSH gives a client to log in, and
 * short, since afterwards another client's process may have the same PID.
 */
export const SESSION_TIME: Microseconds = 3 * MINUTE;

/** The rank of no mode at all: wider than every mode (modeRank in core/failure.ts). */
export const NO_RANK = 3;

/** Of what a message calls its session, longer than any number of a connection. */
const MAX_NAME_LENGTH = 64;

export type Session = {
  /** Where it is in the table. */
  readonly scope: string;
  readonly key: string;
  /** Whether it is in the list of those that have changed since they were last taken. */
  isChanged: boolean;
  /** When its last line came. */
  at: Microseconds;
  /** Whether its process was one of an earlier boot of this host: what comes behind the boot is another's. */
  isOfEarlierBoot: boolean;
  address: Address | '';
  user: string;
  /** One bit for each rule with `remember` that has matched. */
  marks: number;
  /** The mode rank in which an attempt is counted and its result has not come yet, or NO_RANK. */
  openRank: number;
  /** The narrowest mode rank in which anything was counted, or NO_RANK. */
  countedRank: number;
};

/**
 * Sessions by who sent the record, how, and under which identifier, then by PID and name. Joining all of it to one key
 * took 250 ns a line: a text that is new every time must be hashed every time, while identifiers and PIDs come out of
 * the parser's cache.
 */
class Generation {
  readonly #scopes = new Map<string, Map<string, Session>>();
  /** Most lines are of the scope of the one before. */
  #lastScope = '';
  #lastSessions: Map<string, Session> | undefined;
  size = 0;

  *[Symbol.iterator](): Generator<Session> {
    for (const sessions of this.#scopes.values()) yield* sessions.values();
  }

  get(scope: string, key: string): Session | undefined {
    return this.#sessionsOf(scope)?.get(key);
  }

  /** It must not be there. */
  add(session: Session): void {
    const { scope, key } = session;
    let sessions = this.#sessionsOf(scope);
    if (sessions === undefined) {
      sessions = new Map();
      this.#scopes.set(scope, sessions);
      this.#lastSessions = sessions;
    }
    sessions.set(key, session);
    this.size++;
  }

  #sessionsOf(scope: string): Map<string, Session> | undefined {
    if (scope !== this.#lastScope || this.#lastSessions === undefined) {
      this.#lastScope = scope;
      this.#lastSessions = this.#scopes.get(scope);
    }
    return this.#lastSessions;
  }
}

/** Where a record comes from, and the name of its sessions. */
type Scope = Required<Pick<LogRecord, 'source' | 'sender' | 'via' | 'identifier'>> & {
  readonly text: string;
};

/**
 * The sessions of one filter, in two generations: one that is in use moves to the young one, and when that is full the
 * old one goes as a whole. (A Map kept in the order of use by deleting and adding took 5 µs a line: reading its first
 * entry passes all deleted ones.)
 */
export class SessionTable {
  #young = new Generation();
  #old = new Generation();
  /** Sessions of the old generation that are in the young one as well. */
  #moved = 0;
  /** When the young generation began. */
  #bornAt: Microseconds = 0;
  /** When this host booted, as far as sessions of an earlier boot were taken in. */
  #bootAt: Microseconds = 0;
  #dropped = 0;
  #lastScope: Scope = { source: 'file', sender: '', via: '', identifier: '', text: '' };
  /** Sessions that have changed since they were last taken; null while nobody takes them. */
  #changed: Session[] | null;
  /** Whether all of them count as changed. */
  #isWholeChanged = false;

  /** `areKept`: whether somebody takes what changes. */
  constructor(areKept = false) {
    this.#changed = areKept ? [] : null;
  }

  get size(): number {
    return this.#young.size + this.#old.size - this.#moved;
  }

  /** Sessions dropped because there were too many, since the last time that this was asked. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  /**
   * The record's session; a new one when there is none that is still fresh. `name` is what the message itself calls
   * it, '' when it does not; null for a record that has neither a name nor a PID.
   */
  open(record: LogRecord, name: string): Session | null {
    if (record.pid === '' && name === '') return null;
    const { pid } = record;
    const scope = this.#scopeOf(record);
    const key = name === '' ? pid : `${pid}\n${name.slice(0, MAX_NAME_LENGTH)}`;
    let session = this.#young.get(scope, key);
    if (session === undefined) {
      session = this.#old.get(scope, key);
      if (session !== undefined) this.#moved++;
      if (this.#young.size >= MAX_SESSIONS / 2) this.#turn(record.at);
      session ??= newSession(scope, key, record.at);
      this.#young.add(session);
    }
    const isOver = session.isOfEarlierBoot && record.at >= this.#bootAt;
    if (isOver || record.at - session.at > SESSION_TIME) {
      resetSession(session);
      session.isOfEarlierBoot = false;
    }
    session.at = record.at;
    if (this.#changed !== null && !session.isChanged) this.#noteChange(session, this.#changed);
    return session;
  }

  /** Whether there is anything to take. */
  get hasChanged(): boolean {
    return this.#isWholeChanged || (this.#changed?.length ?? 0) > 0;
  }

  /** Adds what has changed since this was called last to `out`, under the filter's name. */
  take(filter: string, out: KeptSession[]): void {
    if (this.#changed === null) return;
    const changed = this.#isWholeChanged ? this.#all() : this.#changed;
    this.#changed = [];
    this.#isWholeChanged = false;
    for (const session of changed) {
      session.isChanged = false;
      const { scope, key, user } = session;
      if (scope.length + key.length + user.length > MAX_KEPT_SESSION_LENGTH) continue;
      const { at, address, marks, openRank, countedRank } = session;
      out.push({ filter, scope, key, at, address, user, marks, openRank, countedRank });
    }
  }

  /** Has all of them taken again: what was taken is kept nowhere. */
  returnAll(): void {
    this.#isWholeChanged = true;
  }

  /**
   * Takes in sessions that were kept, the last heard of last, as many as there is room for. Processes of this host end
   * when it boots, at `bootAt`: a PID of before is soon that of another client's.
   */
  restore(kept: readonly KeptSession[], bootAt: Microseconds): void {
    this.#bootAt = bootAt;
    for (const { filter, ...session } of kept.slice(-MAX_SESSIONS / 2)) {
      if (this.#young.get(session.scope, session.key) !== undefined) continue;
      const isOfEarlierBoot = isOfThisHost(session.scope) && session.at < bootAt;
      this.#young.add({ ...session, isChanged: false, isOfEarlierBoot });
    }
  }

  #noteChange(session: Session, changed: Session[]): void {
    // While nobody takes them, as when the disk is full, they are not gathered without end.
    if (changed.length >= MAX_SESSIONS) {
      changed.length = 0;
      this.#isWholeChanged = true;
    }
    session.isChanged = true;
    changed.push(session);
  }

  #all(): Session[] {
    const sessions = new Map<string, Session>();
    for (const generation of [this.#old, this.#young]) {
      for (const session of generation) sessions.set(`${session.scope}\n\n${session.key}`, session);
    }
    return [...sessions.values()];
  }

  /** Most records come from where the one before came from; a new text costs 200 ns with its hash. */
  #scopeOf({ source, sender, via = '', identifier, container }: LogRecord): string {
    if (sender === '') return container === undefined ? identifier : `${identifier} ${container.id}`;
    const last = this.#lastScope;
    if (
      last.sender !== sender ||
      last.identifier !== identifier ||
      last.source !== source ||
      last.via !== via
    ) {
      // A forged datagram must not say what the next line over TLS means.
      const text = `${sender}\n${source}\n${via}\n${identifier}`;
      this.#lastScope = { source, sender, via, identifier, text };
    }
    return this.#lastScope.text;
  }

  /** Drops the old generation. What it holds was last used before the young one began. */
  #turn(at: Microseconds): void {
    if (at - this.#bornAt <= SESSION_TIME) this.#dropped += this.#old.size - this.#moved;
    this.#old = this.#young;
    this.#young = new Generation();
    this.#moved = 0;
    this.#bornAt = at;
  }
}

/** Of a sender the scope names several things, see #scopeOf. */
function isOfThisHost(scope: string): boolean {
  return !scope.includes('\n');
}

/** Forgets everything: the process now speaks of another client. */
export function resetSession(session: Session): void {
  session.address = '';
  session.user = '';
  session.marks = 0;
  session.openRank = NO_RANK;
  session.countedRank = NO_RANK;
}

function newSession(scope: string, key: string, at: Microseconds): Session {
  return {
    scope,
    key,
    isChanged: false,
    at,
    isOfEarlierBoot: false,
    address: '',
    user: '',
    marks: 0,
    openRank: NO_RANK,
    countedRank: NO_RANK,
  };
}
