/** A Control that keeps bans in memory and remembers what it was asked: for the tests of the server and the client. */
import { type BanLogPosition, formatPosition } from '../../src/core/ledger/ban-log.ts';
import { MANUAL_JAIL } from '../../src/core/ledger/policy.ts';
import { raise } from '../../src/core/warning/catalogue.ts';
import { warningOf } from '../../src/core/warning/standing.ts';
import type {
  AddressReport,
  BanChangeReport,
  BanNewsReport,
  BanReport,
  BanReports,
  BanRequest,
  Control,
  JailReport,
  JailStatusReport,
  LiftReport,
  ReloadReport,
  StatusReport,
  WarningReport,
  WarningsReport,
} from '../../src/http/control.ts';
import { ControlError } from '../../src/http/control.ts';
import type { SendersReport } from '../../src/senders/report.ts';

export const SSHD: JailReport = {
  name: 'sshd',
  filters: ['sshd'],
  maxRetry: 5,
  findTime: '10m',
  banTime: '10m',
  currentOffenders: 2,
  currentFailures: 3,
  totalFailures: 120,
  currentBans: 2,
  totalBans: 14,
};

/** What the status of one jail has more. */
export const JAIL_DETAILS = { ignore: ['127.0.0.0/8', '::1'], findTimeSeconds: 600, banTimeSeconds: 600 };

export function banReport(changes: Partial<BanReport> = {}): BanReport {
  return {
    offender: '203.0.113.9',
    jail: 'sshd',
    since: '2026-11-21T00:10:05.123Z',
    until: '2026-11-21T00:20:05.123Z',
    remainingSeconds: 492,
    cause: 'offence',
    failures: 5,
    enforced: true,
    ...changes,
  };
}

export const BANS: readonly BanReport[] = [
  banReport(),
  banReport({
    offender: '2001:db8:1:2::/64',
    since: '2026-11-20T23:59:00.000Z',
    until: 'forever',
    remainingSeconds: null,
    cause: 'operator',
    failures: 0,
    enforced: false,
  }),
];

/** The change that led to `life.7`. */
export const BAN_CHANGE: BanChangeReport = {
  kind: 'ban',
  position: 'life.7',
  at: '2026-11-21T00:10:05.200Z',
  ban: {
    offender: '203.0.113.9',
    jail: 'sshd',
    since: '2026-11-21T00:10:05.123Z',
    until: '2026-11-21T00:20:05.123Z',
    cause: 'offence',
    failures: 5,
  },
};

export const SENDERS: SendersReport = {
  senders: [
    {
      name: 'nas1',
      sender: '192.168.1.10',
      state: 'usual',
      transports: ['udp', 'tls'],
      relays: [],
      dialects: [{ dialect: 'rfc3164', count: 123_456 }],
      records: 123_456,
      bytes: 12_345_678,
      recordsPerSecond: 1.25,
      limited: 0,
      rejected: 0,
      isUnseparated: false,
      lastSeen: '2026-11-21T00:11:51.123Z',
      clockSkewSeconds: -0.5,
    },
    {
      name: 'router',
      sender: '',
      state: 'unheard',
      transports: [],
      relays: [],
      dialects: [],
      records: 0,
      bytes: 0,
      recordsPerSecond: 0,
      limited: 0,
      rejected: 0,
      isUnseparated: false,
      lastSeen: null,
      clockSkewSeconds: null,
    },
    {
      name: null,
      sender: '192.168.1.77',
      state: 'silent',
      transports: ['udp'],
      relays: [],
      dialects: [
        { dialect: 'rfc3164', count: 9 },
        { dialect: 'raw', count: 2 },
        { dialect: 'cisco', count: 1 },
      ],
      records: 12,
      bytes: 800,
      recordsPerSecond: 0,
      limited: 1_200,
      rejected: 1,
      isUnseparated: true,
      lastSeen: '2026-11-20T21:11:53.000Z',
      clockSkewSeconds: 7_200,
    },
  ],
  refused: [
    {
      address: '198.51.100.7',
      transports: ['udp'],
      reason: 'unknown-sender',
      count: 1_234,
      lastSeen: '2026-11-21T00:10:00.000Z',
    },
  ],
  lost: [{ listener: 'udp 0.0.0.0:514', count: 17 }],
};

/** That nobody is banned, unless it is said otherwise. */
export function warningReport(parts: Partial<WarningReport> = {}): WarningReport {
  const given = {
    reason: 'cannot load libnftables.so.1: no such file',
    remedy: 'install it: apt-get install libnftables1',
  };
  const warning = warningOf(raise('firewall-unavailable', given), 0);
  return { ...warning, since: '2026-11-20T21:57:00.000Z', ...parts };
}

export const STATUS: StatusReport = {
  version: '0.1.0',
  pid: 4711,
  startedAt: '2026-11-20T21:57:00.000Z',
  dryRun: false,
  configuration: '/etc/bailiff/bailiff.toml',
  warnings: [warningReport()],
  components: [
    { component: 'journal', health: 'up', detail: 'reads the system journal' },
    { component: 'syslog', health: 'up', detail: '127.0.0.1:5514 and [::1]:5514, UDP and TCP' },
    { component: 'firewall', health: 'down', detail: '' },
  ],
  jails: [SSHD, { ...SSHD, name: 'mail', currentBans: 0, totalBans: 1, totalFailures: 1_234_567 }],
  refusedFilters: [],
  refusedJails: [],
  activity: {
    failures: Array.from({ length: 60 }, (_, minute) => (minute < 40 ? 0 : (minute - 39) ** 2)),
    bans: Array.from({ length: 60 }, (_, minute) => (minute % 20 === 19 ? 1 : 0)),
  },
};

export class FakeControl implements Control {
  readonly calls: string[] = [];
  held: readonly BanReport[] = BANS;
  position: BanLogPosition = { session: 'life', serial: 7 };
  /** The last of them led to `position`. */
  changes: readonly BanChangeReport[] = [];
  state: StatusReport = STATUS;
  sendersReport: SendersReport = SENDERS;
  addressReport: AddressReport = { address: '', protectedBy: [], jails: [] };
  reloadReport: ReloadReport = { applied: true, problems: [], jails: ['sshd'] };
  /** Thrown by the next call instead of an answer. */
  failure: unknown = null;

  #called(call: string): void {
    this.calls.push(call);
    const failure = this.failure;
    this.failure = null;
    if (failure !== null) throw failure;
  }

  version(): { readonly version: string } {
    this.#called('version');
    return { version: this.state.version };
  }

  status(): StatusReport {
    this.#called('status');
    return this.state;
  }

  warnings(): WarningsReport {
    this.#called('warnings');
    return { warnings: this.state.warnings };
  }

  jail(name: string): JailStatusReport {
    this.#called(`jail ${name}`);
    const report = this.state.jails.find((jail) => jail.name === name);
    if (report === undefined) throw new ControlError(404, 'unknown-jail', `there is no jail "${name}"`);
    return { ...report, ...JAIL_DETAILS, bans: this.held.filter((ban) => ban.jail === name) };
  }

  address(address: string, jail: string | null): AddressReport {
    this.#called(`address ${address} ${jail ?? '-'}`);
    return { ...this.addressReport, address };
  }

  bans(jail: string | null): BanReports {
    this.#called('bans');
    if (jail === null) return this.held;
    const bans = this.held.filter((ban) => ban.jail === jail);
    return bans.length > 0 ? bans : this.jail(jail).bans;
  }

  banPosition(): string {
    return formatPosition(this.position);
  }

  async bansSince(position: BanLogPosition, jail: string | null): Promise<BanNewsReport> {
    this.#called(`bansSince ${formatPosition(position)} ${jail ?? '-'}`);
    const missed = this.changes.length - (this.position.serial - position.serial);
    if (position.session !== this.position.session || missed < 0)
      return { position: this.banPosition(), reset: true, bans: this.held };
    return { position: this.banPosition(), changes: this.changes.slice(missed) };
  }

  async ban(request: BanRequest): Promise<BanReport> {
    this.#called(`ban ${request.address} ${request.jail ?? '-'} ${request.for ?? '-'}`);
    if (request.address.startsWith('127.')) {
      throw new ControlError(409, 'trusted', `${request.address} is trusted: it is never banned`);
    }
    const added = banReport({
      offender: request.address,
      jail: request.jail ?? MANUAL_JAIL,
      cause: 'operator',
      failures: 0,
    });
    this.held = [...this.held, added];
    return added;
  }

  async unban(address: string, jail: string | null): Promise<LiftReport> {
    this.#called(`unban ${address} ${jail ?? '-'}`);
    return this.#lift((ban) => ban.offender === address && (jail === null || ban.jail === jail));
  }

  async unbanAll(jail: string | null): Promise<LiftReport> {
    this.#called(`unbanAll ${jail ?? '-'}`);
    return this.#lift((ban) => jail === null || ban.jail === jail);
  }

  senders(): SendersReport {
    this.#called('senders');
    return this.sendersReport;
  }

  async reload(): Promise<ReloadReport> {
    this.#called('reload');
    return this.reloadReport;
  }

  #lift(isLifted: (ban: BanReport) => boolean): LiftReport {
    const lifted = this.held.filter(isLifted);
    this.held = this.held.filter((ban) => !isLifted(ban));
    return { changed: lifted.length > 0, lifted };
  }
}
