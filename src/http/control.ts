/** What the daemon answers to whoever controls it, as the JSON that crosses the socket. Instants are RFC 3339. */
import type { Refused } from '../config/plan.ts';
import type { Network } from '../core/address/address.ts';
import type { ComponentHealth, ComponentName } from '../core/component.ts';
import type { Keeper } from '../core/event.ts';
import type { BanChange, BanLogPosition } from '../core/ledger/ban-log.ts';
import type { WarningSeverity } from '../core/warning/entry.ts';
import type { SendersReport } from '../senders/report.ts';

export type ComponentReport = {
  readonly component: ComponentName;
  readonly health: ComponentHealth;
  /** What it listens to or enforces; '' when it does not work: see the warnings. */
  readonly detail: string;
};

/** Something that is wrong; texts may hold what others have written. */
export type WarningReport = {
  /** Its kind, explained at `page`. */
  readonly code: string;
  /** Which one of several: a listener, a filter, a sender; '' for the only one. */
  readonly subject: string;
  readonly severity: WarningSeverity;
  readonly title: string;
  readonly text: string;
  /** The one thing that helps: a command to paste, or a setting. */
  readonly action: string;
  readonly page: string;
  readonly since: string;
  /** Others of its kind, beyond those that are kept. */
  readonly more: number;
};

/** What is wrong, worst first. */
export type WarningsReport = { readonly warnings: readonly WarningReport[] };

/** `current` numbers are of this moment, `total` ones since the state directory was made. */
export type JailReport = {
  readonly name: string;
  readonly filters: readonly string[];
  readonly maxRetry: number;
  /** Durations as people write them, `10m`. */
  readonly findTime: string;
  readonly banTime: string;
  /** Offenders with failures in the window, and the failures themselves. */
  readonly currentOffenders: number;
  readonly currentFailures: number;
  readonly totalFailures: number;
  readonly currentBans: number;
  readonly totalBans: number;
};

export type BanReport = {
  readonly offender: string;
  readonly jail: string;
  readonly since: string;
  /** RFC 3339, or `forever`. */
  readonly until: string;
  /** Seconds until it ends; null for a permanent ban. */
  readonly remainingSeconds: number | null;
  readonly cause: string;
  readonly failures: number;
  /** Whether the kernel has confirmed it. */
  readonly enforced: boolean;
};

/** By the minute, oldest first; the last minute has only begun. Those before the daemon started are 0. */
export type ActivityReport = { readonly failures: readonly number[]; readonly bans: readonly number[] };

export type StatusReport = WarningsReport & {
  readonly version: string;
  readonly pid: number;
  readonly startedAt: string;
  readonly dryRun: boolean;
  readonly configuration: string;
  readonly components: readonly ComponentReport[];
  readonly jails: readonly JailReport[];
  /** Filters that cannot be used, and enabled jails that stay out because of them. */
  readonly refusedFilters: readonly Refused[];
  readonly refusedJails: readonly Refused[];
  /** The last hour. */
  readonly activity: ActivityReport;
};

export type JailStatusReport = JailReport & {
  /** Networks whose failures are not counted here. */
  readonly ignore: readonly Network[];
  /** The durations exactly; the ban time is null for permanent bans. */
  readonly findTimeSeconds: number;
  readonly banTimeSeconds: number | null;
  readonly bans: readonly BanReport[];
};

/** What a jail knows of an address: what it has counted, and whom it has banned with it. */
export type AddressInJailReport = {
  readonly jail: string;
  /** Failures that are being counted, out of `maxRetry`, which is null in a jail that is no longer configured. */
  readonly failures: number;
  readonly maxRetry: number | null;
  /** Networks on the ignore list of the jail that hold it, or that it holds. */
  readonly ignoredBy: readonly Network[];
  /** Its bans, those of wider networks that hold it, and of a network those inside; of many the newest. */
  readonly bans: readonly BanReport[];
  /** How many there are besides: `/v1/bans` has them. */
  readonly furtherBans: number;
};

/** All that concerns an address or a network; jails that know nothing of it are left out. */
export type AddressReport = {
  readonly address: Network;
  /** Why no jail bans it: entries of [trust], and addresses of this host. */
  readonly protectedBy: readonly { readonly by: 'trust' | 'host'; readonly network: Network }[];
  readonly jails: readonly AddressInJailReport[];
};

/** Many reports, which are made a few at a time: those of 100,000 bans together would take 40 MB. */
export type BanReports = { readonly length: number; slice(start: number, end: number): readonly BanReport[] };

export type BanRequest = {
  /** An address or a network in CIDR notation. */
  readonly address: string;
  /** The jail `manual` when absent. */
  readonly jail?: string;
  /** A duration as in the configuration; the jail's ban time when absent. */
  readonly for?: string;
};

export type ReloadReport = {
  readonly applied: boolean;
  /** `file:line:column: text` with the caret lines, when it was refused. */
  readonly problems: readonly string[];
  readonly jails: readonly string[];
};

export type PingReport = { readonly answer: 'pong' };

/** The bans in force; `position` in the ban log tells what has changed when it is handed in as `since`. */
export type BanListReport = { readonly position: string; readonly bans: readonly BanReport[] };

/** A change of the bans in force. A ban and its extension replace the ban of that jail and offender. */
export type BanChangeReport = {
  readonly kind: BanChange['kind'];
  /** In the ban log, after this change. */
  readonly position: string;
  readonly at: string;
  /** The ban as it is, or as it was before it ended. */
  readonly ban: Omit<BanReport, 'remainingSeconds' | 'enforced'>;
  /** Why it ended; only of an `unban`. */
  readonly cause?: string;
  /** Which of the two does not have it yet: told in the stream of events, where one of them refuses. */
  readonly lacks?: readonly Keeper[];
};

/**
 * What has changed since a position: changes to carry out in their order, or, with `reset`, all bans in force, where
 * nobody knows any more what that copy of them has missed.
 */
export type BanNewsReport =
  | { readonly position: string; readonly changes: readonly BanChangeReport[] }
  | (BanListReport & { readonly reset: true });

export type LiftReport = {
  /** False where nobody was banned and no failure was counted: what was asked for was so already. */
  readonly changed: boolean;
  /** The bans that were lifted, as they were before. */
  readonly lifted: readonly BanReport[];
};

/**
 * The body of every answer with a status of 400 or more, as application/problem+json (RFC 9457). Without a `type` it is
 * `about:blank`, so that `title` is what HTTP calls the status.
 */
export type ProblemReport = {
  readonly title: string;
  readonly status: number;
  /** For people. */
  readonly detail: string;
  /** For programs: which problem it is. */
  readonly code: string;
  /** Bans of networks that hold what was to be lifted; with `held-by-network` only. */
  readonly heldBy?: readonly BanReport[];
};

/** A request that the daemon understood and turned down; `status` is the HTTP status to answer with. */
export class ControlError extends Error {
  readonly status: 400 | 404 | 409 | 503;
  readonly code: string;
  /** As in the ProblemReport. */
  readonly heldBy: readonly BanReport[] | undefined;

  constructor(
    status: 400 | 404 | 409 | 503,
    code: string,
    message: string,
    heldBy: readonly BanReport[] | undefined = undefined,
  ) {
    super(message);
    this.heldBy = heldBy;
    this.name = 'ControlError';
    this.status = status;
    this.code = code;
  }
}

/** An answer whose bans are made as they are sent. */
export type WithReports<Report> = Report extends { readonly bans: readonly BanReport[] }
  ? Omit<Report, 'bans'> & { readonly bans: BanReports }
  : Report;

/** What the daemon offers to the control socket. Every method may throw ControlError. */
export interface Control {
  version(): { readonly version: string };
  status(): StatusReport;
  warnings(): WarningsReport;
  jail(name: string): WithReports<JailStatusReport>;
  /** What concerns an address or a network, in one jail or (null) in all. */
  address(address: string, jail: string | null): AddressReport;
  /** Of one jail or (null) of all. A jail that is no longer configured may still hold some. */
  bans(jail: string | null): BanReports;
  /** Of the bans that `bans` returns in the same turn of the event loop. */
  banPosition(): string;
  /**
   * What has changed since a position, in one jail or (null) in all. Changes come in the answer when the kernel and the
   * disk have them, or have refused them once.
   */
  bansSince(position: BanLogPosition, jail: string | null): Promise<WithReports<BanNewsReport>>;
  /** Resolves when the kernel holds the ban (or, in dry-run, when it is recorded). */
  ban(request: BanRequest): Promise<BanReport>;
  /**
   * Lifts every ban of the address, or network, in every jail or in one, and forgets its failures. Throws
   * ControlError `held-by-network`, with nothing lifted, when the ban of a wider network holds it.
   */
  unban(address: string, jail: string | null): Promise<LiftReport>;
  unbanAll(jail: string | null): Promise<LiftReport>;
  reload(): Promise<ReloadReport>;
  senders(): SendersReport;
}
