/** Parts of the daemon for its tests: what matters can be said, the rest is filled in. */
import type { Plan } from '../../src/config/plan.ts';
import { PrefixSet } from '../../src/core/address/prefix-set.ts';
import { OperationalError } from '../../src/core/errors.ts';
import type { BailiffEvent, EventKind, EventOf } from '../../src/core/event.ts';
import { BanLog } from '../../src/core/ledger/ban-log.ts';
import type { Decision } from '../../src/core/ledger/decision.ts';
import type { Ledger, LedgerLimits } from '../../src/core/ledger/ledger.ts';
import type { JailPolicy } from '../../src/core/ledger/policy.ts';
import type { LedgerChanges } from '../../src/core/ledger/snapshot.ts';
import type { LogRecord } from '../../src/core/record.ts';
import { MINUTE } from '../../src/core/time.ts';
import type { SendersPlan } from '../../src/senders/directory.ts';
import type { StatePoint, Store, StoredState } from '../../src/state/store.ts';

/** When the tests take place: 20 November 2026, 14:34:35 UTC. */
export const START = 1_795_185_275_000_000;

export const LIMITS: LedgerLimits = { maxOffenders: 1_000, maxBans: 1_000 };

/** Three failures in ten minutes: a ban of five. */
export function policyOf(parts: Partial<JailPolicy> = {}): JailPolicy {
  return {
    name: 'sshd',
    maxRetry: 3,
    findTime: 10 * MINUTE,
    banTime: 5 * MINUTE,
    ignore: new PrefixSet([]),
    ipv4PrefixLength: 32,
    ipv6PrefixLength: 64,
    ports: null,
    ...parts,
  };
}

/** A plan that listens nowhere and has the one jail `sshd`. */
export function planOf(parts: Partial<Plan> = {}): Plan {
  return {
    stateDirectory: '/nowhere/state',
    socketPath: '/nowhere/bailiff.sock',
    journal: { enabled: false, directory: null },
    syslog: {
      udp: [],
      tcp: [],
      tls: [],
      unix: [],
      unixUsers: [],
      tlsServer: null,
      maxMessageBytes: 1_024,
      maxConnections: 10,
      maxConnectionsPerSender: 10,
    },
    senders: sendersOf(),
    metrics: { listen: [], tokenFile: null, tls: null, fail2banNames: false },
    firewall: { backend: 'dry-run', table: 'bailiff' },
    trust: [],
    limits: LIMITS,
    jails: [{ policy: policyOf(), filters: ['sshd'], mode: 'normal' }],
    filters: [],
    refusedFilters: [],
    refusedJails: [],
    ...parts,
  };
}

/** Loopback may send, and there is no sender of a name. */
export function sendersOf(parts: Partial<SendersPlan> = {}): SendersPlan {
  return { networks: ['127.0.0.0/8', '::1'], udpConfidence: 'full', rate: null, configured: [], ...parts };
}

/** An entry of the journal that says `address`, from sshd. */
export function recordAt(at: number, parts: Partial<LogRecord> = {}): LogRecord {
  return {
    at,
    source: 'journal',
    sender: '',
    hostname: '',
    identifier: 'sshd',
    pid: '',
    facility: 4,
    severity: 6,
    message: '',
    timestamp: -1,
    structuredData: '',
    connection: 0,
    trusted: null,
    ...parts,
  };
}

/** Keeps events. */
export class Recorder {
  readonly events: BailiffEvent[] = [];
  readonly emit = (event: BailiffEvent): void => {
    this.events.push(event);
  };

  of<Kind extends EventKind>(kind: Kind): EventOf<Kind>[] {
    return this.events.filter((event): event is EventOf<Kind> => event.kind === kind);
  }

  kinds(): EventKind[] {
    return this.events.map((event) => event.kind);
  }
}

/** The ban log of a ledger, in a session of the name `life`. */
export function banLogOf(ledger: Ledger): BanLog {
  return new BanLog({ session: 'life', bans: () => ledger.bans() });
}

/** A store that keeps what it was told, unless it was told to fail. */
export class FakeStore implements Store {
  readonly commits: {
    readonly changes: LedgerChanges;
    readonly position: string | null;
    readonly point: StatePoint;
  }[] = [];
  /** Thrown by every commit while it is set. */
  failure: OperationalError | null = null;
  /** Thrown by every load while it is set. */
  loadFailure: OperationalError | null = null;
  /** While it is set, commits wait for it. */
  gate: Promise<void> | null = null;
  loads = 0;

  async load(): Promise<StoredState> {
    this.loads++;
    if (this.loadFailure !== null) throw this.loadFailure;
    const ledger = { windows: [], bans: [], totals: [] };
    return { ledger, journalPosition: null, banLogPosition: null, clock: null, sessions: [] };
  }

  async commit(changes: LedgerChanges, point: StatePoint): Promise<void> {
    await this.gate;
    if (this.failure !== null) throw this.failure;
    this.commits.push({ changes, position: point.journalPosition, point });
  }

  async close(): Promise<void> {}
}

export function failureOf(code: string, message = 'it went wrong'): OperationalError {
  return new OperationalError(message, { code, advice: 'do something' });
}

/** `ban 203.0.113.9`, `unban 203.0.113.9 expiry`. */
export function describeDecision(decision: Decision): string {
  if (decision.kind === 'forgive') return `forgive ${decision.offender}`;
  const cause = decision.kind === 'unban' ? ` ${decision.cause}` : '';
  return `${decision.kind} ${decision.ban.offender}${cause}`;
}
