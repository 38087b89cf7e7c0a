/** The configuration in the form that the daemon works with: defaults filled in, filters compiled, frozen. */
import type { Network } from '../core/address/address.ts';
import type { RuleMode } from '../core/failure.ts';
import type { JailPolicy } from '../core/ledger/policy.ts';
import type { Filter } from '../match/filter.ts';
import type { SendersPlan } from '../senders/directory.ts';

/** Where to listen; port 0 asks the kernel for a free one. */
export type ListenAddress = { readonly host: string; readonly port: number };

export type JailPlan = {
  readonly policy: JailPolicy;
  /** Names of the filters that feed this jail, each of them in Plan.filters; none in one for bans by hand. */
  readonly filters: readonly string[];
  /** Rules of a wider mode than this do not count here. */
  readonly mode: RuleMode;
};

/** Something that stays out while the rest runs, with its reasons as `file:line:column: text`. */
export type Refused = { readonly name: string; readonly problems: readonly string[] };

export type MetricsPlan = {
  readonly listen: readonly ListenAddress[];
  /** File with the bearer token that clients must present; null when everybody may read. */
  readonly tokenFile: string | null;
  /** Files of the server's certificate, with its chain, and of its key, in PEM; null for plain HTTP. */
  readonly tls: { readonly certificate: string; readonly key: string } | null;
  /** Whether the jails are shown under the names of fail2ban's exporter too. */
  readonly fail2banNames: boolean;
};

/** Files in PEM. */
export type TlsServerPlan = {
  readonly certificate: string;
  readonly key: string;
  /** Whose certificates clients may show; null when they are not asked for any. */
  readonly clientCa: string | null;
  /** Whether a client without a certificate is turned away; false when there is no `clientCa`. */
  readonly requiresClientCertificate: boolean;
  /** A revocation list of `clientCa`, or null. */
  readonly revoked: string | null;
};

export type Plan = {
  readonly stateDirectory: string;
  /** The control socket. */
  readonly socketPath: string;
  readonly journal: {
    readonly enabled: boolean;
    /** Read this directory of journal files instead of the system's journal; null for the system's. */
    readonly directory: string | null;
  };
  readonly syslog: {
    readonly udp: readonly ListenAddress[];
    readonly tcp: readonly ListenAddress[];
    readonly tls: readonly ListenAddress[];
    /** Paths of unix datagram sockets to make. */
    readonly unix: readonly string[];
    /** Users, by name or number, whose messages there are believed whatever program they name. */
    readonly unixUsers: readonly string[];
    /** Null when `tls` is empty and nothing is said of it. */
    readonly tlsServer: TlsServerPlan | null;
    /** Longer messages are cut to this many bytes. */
    readonly maxMessageBytes: number;
    readonly maxConnections: number;
    readonly maxConnectionsPerSender: number;
  };
  /** Who may send syslog; peers that it does not know are counted and dropped. */
  readonly senders: SendersPlan;
  readonly metrics: MetricsPlan;
  readonly firewall: { readonly backend: 'nft' | 'dry-run'; readonly table: string };
  /** Never banned, and their packets pass even when a set holds them. */
  readonly trust: readonly Network[];
  readonly limits: {
    /** Failure windows kept for each jail. */
    readonly maxOffenders: number;
    /** Bans kept for each jail. */
    readonly maxBans: number;
  };
  /** Enabled jails only, by name. */
  readonly jails: readonly JailPlan[];
  /** Every filter that loaded, whether a jail uses it or not. */
  readonly filters: readonly Filter[];
  /** Filters that cannot be used. */
  readonly refusedFilters: readonly Refused[];
  /** Enabled jails that stay out because a filter of theirs was refused. */
  readonly refusedJails: readonly Refused[];
};
