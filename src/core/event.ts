/**
 * Everything that happens, as one union. Log lines, metrics, the event stream and test assertions all derive from it
 * and no counter is touched anywhere else. High-rate occurrences are tallied by whoever sees them and reported as one
 * event per batch.
 */
import type { Address, Network } from './address/address.ts';
import type { ComponentHealth, ComponentName } from './component.ts';
import type { RuleKind } from './failure.ts';
import type { BanChange, BanLogPosition } from './ledger/ban-log.ts';
import type { Ban } from './ledger/decision.ts';
import type { LimitName } from './limit.ts';
import type { SourceKind, Suppressor } from './record.ts';
import type { Microseconds } from './time.ts';
import type { RaisedWarning, WarningCode } from './warning/catalogue.ts';
import type { Warning } from './warning/standing.ts';

/** Why a record could not be used; of a `broken-line` it is the rest, which begins in the middle. */
export type RejectReason =
  | 'unknown-sender'
  | 'wrong-transport'
  | 'malformed'
  | 'empty'
  | 'broken-line'
  | 'untrusted';

/** Why no filter reads an entry: none believes who wrote it, or none means the container whose line it is. */
export type RefusalReason = 'untrusted' | 'unnamed';

/** Journal entries of one kind that no filter reads. All texts but the filter's name are from the log. */
export type Refusal = {
  readonly reason: RefusalReason;
  /** The first filter that they would have been for. */
  readonly filter: string;
  readonly identifier: string;
  /** Who wrote them, by what journald has stamped: the unit, else the executable, else the uid. */
  readonly from: string;
  /** The container's name, or its image where it has none; '' where it is no container's. */
  readonly container: string;
  readonly count: number;
};

/**
 * What a sender begins to do: to say nothing, to speak again; to say far more than usual, no more so; another form; to
 * end its messages with nothing; to send what is days old by its own clock, to send what is of now.
 */
export type SenderChange =
  | 'silent'
  | 'returned'
  | 'storm'
  | 'calm'
  | 'dialect'
  | 'unseparated'
  | 'old'
  | 'current';

/** What a certificate that can expire on us is for. */
export type CertificateRole = 'syslog-server' | 'syslog-client-ca' | 'metrics';

/** Why a TLS handshake came to nothing. */
export type HandshakeFailureReason =
  | 'not-tls' // plain syslog, or something else that is no TLS
  | 'protocol-version'
  | 'no-shared-cipher'
  | 'no-certificate' // the client showed none though it must
  | 'unknown-authority'
  | 'self-signed'
  | 'expired'
  | 'not-yet-valid'
  | 'revoked'
  | 'wrong-purpose'
  | 'refused-by-client' // it did not believe our certificate
  | 'timeout'
  | 'closed' // the client went away in the middle
  | 'other';

/** Who keeps a ban: the kernel enforces it, the disk brings it over a restart of the machine. */
export type Keeper = 'kernel' | 'disk';

/** Of a change that both of them have. */
export const LACKS_NOTHING: readonly Keeper[] = [];

export type BailiffEvent =
  | { readonly kind: 'started'; readonly version: string }
  | { readonly kind: 'ready' }
  | { readonly kind: 'stopping'; readonly reason: string }
  | {
      readonly kind: 'component';
      readonly component: ComponentName;
      readonly health: ComponentHealth;
      /** One line for people: what it listens to or enforces; '' when it does not work. */
      readonly detail: string;
      /** What is wrong with it, all of it: what it said before and does not say here is over. */
      readonly warnings: readonly RaisedWarning[];
    }
  /** Something is wrong that is no component's. */
  | { readonly kind: 'warning'; readonly raised: RaisedWarning }
  /** It is not any more. */
  | { readonly kind: 'warning-over'; readonly code: WarningCode; readonly subject: string }
  /** A warning stands from now on, or does no longer, whoever said so. */
  | { readonly kind: 'warning-began'; readonly warning: Warning }
  | { readonly kind: 'warning-ended'; readonly warning: Warning }
  /** The machine's clock was set, by so much: forward, or negative for backward. */
  | { readonly kind: 'clock-set'; readonly step: Microseconds }
  /** A part could not be started, given a plan or stopped, or not within its time; the others go on. */
  | {
      readonly kind: 'part-failed';
      readonly part: string;
      readonly message: string;
      readonly advice: string;
    }
  | {
      readonly kind: 'records';
      readonly source: SourceKind;
      readonly count: number;
      readonly bytes: number;
      /** Records that a rule hit, whatever the rule says of them. */
      readonly matched: number;
    }
  | {
      readonly kind: 'rejected';
      readonly source: SourceKind;
      readonly sender: string;
      readonly reason: RejectReason;
      readonly count: number;
    }
  /** What one sender has sent over one kind of listener since the last such event, a second or so before. */
  | {
      readonly kind: 'sender-activity';
      readonly source: SourceKind;
      /** Its identity as its records have it; '' for many senders that are told of together. */
      readonly sender: string;
      /** Its name in the configuration; '' when it has none. */
      readonly name: string;
      /** The identity of the relay that handed its records on; '' for none. */
      readonly via: string;
      readonly records: number;
      readonly bytes: number;
      /** Messages dropped beyond its rate. */
      readonly limited: number;
      /** How its records were recognised; names from a closed list. */
      readonly dialects: readonly { readonly dialect: string; readonly count: number }[];
      /** How far its clock is ahead of ours, negative behind; null when its records told no time. */
      readonly clockSkew: Microseconds | null;
      /** When the last of it came. */
      readonly seenAt: Microseconds;
    }
  /** A sender behaves otherwise than it used to, or as it used to again. */
  | {
      readonly kind: 'sender-change';
      /** Its identity as its records have it. */
      readonly sender: string;
      /** Its name in the configuration; '' when it has none. */
      readonly name: string;
      readonly change: SenderChange;
      /** One line for people: what it used to do, and what it does. */
      readonly detail: string;
    }
  /** Datagrams that the kernel dropped because our socket buffer was full (sk_drops, by SO_MEMINFO). */
  | {
      readonly kind: 'kernel-loss';
      readonly source: SourceKind;
      readonly listener: string;
      readonly count: number;
    }
  /** Whoever hands messages on says that it has dropped some for coming too fast, before we could see them. */
  | {
      readonly kind: 'suppressed';
      readonly by: Suppressor;
      readonly source: SourceKind;
      readonly sender: string;
      /** Whose messages: a unit, an input of rsyslog's; '' when it is not said. */
      readonly origin: string;
      readonly count: number;
    }
  | {
      readonly kind: 'connection';
      readonly source: SourceKind;
      readonly sender: string;
      readonly change: 'opened' | 'closed';
      readonly open: number;
    }
  | {
      readonly kind: 'handshake-failed';
      readonly source: SourceKind;
      /** The peer's address; '' for many peers that are told of together. */
      readonly sender: string;
      readonly reason: HandshakeFailureReason;
      /** Half a sentence of ours, without anything that the peer wrote. */
      readonly detail: string;
      readonly advice: string;
      readonly count: number;
    }
  /** A certificate of ours, or an authority that we believe, was loaded; null when there is none any more. */
  | {
      readonly kind: 'certificate';
      readonly certificate: CertificateRole;
      readonly until: Microseconds | null;
    }
  | {
      readonly kind: 'matched';
      readonly filter: string;
      readonly rule: string;
      readonly ruleKind: RuleKind;
      readonly source: SourceKind;
    }
  /** Entries that some filter names and none reads, of one kind (match/refusals.ts), since the last such event. */
  | ({ readonly kind: 'refused' } & Refusal)
  /** What filters have cost and nearly matched since the last such event; those with something to say. */
  | {
      readonly kind: 'filter-activity';
      readonly filters: readonly {
        readonly filter: string;
        /** Records that look like one of its rules' lines, and that no rule of any filter has matched. */
        readonly nearMisses: number;
        /** Time spent on its rules, an estimate. Not a whole number. */
        readonly busyMicroseconds: number;
      }[];
    }
  | {
      readonly kind: 'failure';
      readonly jail: string;
      readonly filter: string;
      readonly address: Address;
      readonly offender: Network;
      /** Attacker's text: escape it before showing it, never make it a label. */
      readonly user: string;
      readonly seenAt: Microseconds;
      /** How many failures it counts for. */
      readonly weight: number;
      /** Failures in the window, this one included. */
      readonly count: number;
      readonly maxRetry: number;
      /** Whether it crossed the threshold and so began a ban, or made one longer. */
      readonly isOffence: boolean;
    }
  | {
      readonly kind: 'ignored';
      readonly jail: string;
      readonly address: Address;
      /** A `repeat` has come over another connection of its sender before; what is `old` its sender may not have counted. */
      readonly reason: 'ignore' | 'protected' | 'unbannable' | 'sender-jails' | 'repeat' | 'old';
    }
  /**
   * `ban`, `extend` and `unban`, with the position in the ban log to which they lead; told when the kernel and the disk
   * have them, or with those that do not.
   */
  | (BanChange & { readonly position: BanLogPosition; readonly lacks: readonly Keeper[] })
  | { readonly kind: 'forgive'; readonly jail: string; readonly offender: Network }
  | {
      /**
       * A ban that began by an offence is in the kernel; the length is from the record's arrival to the kernel's
       * word.
       */
      readonly kind: 'enforced';
      readonly ban: Ban;
      readonly arrivalToKernel: Microseconds;
    }
  | { readonly kind: 'firewall-transaction'; readonly elements: number; readonly duration: Microseconds }
  | {
      readonly kind: 'firewall-error';
      readonly message: string;
      readonly advice: string;
      readonly elements: number;
    }
  /** The kernel did not hold what the ledger does, and was repaired. */
  | {
      readonly kind: 'firewall-drift';
      readonly missing: number;
      readonly surplus: number;
      readonly wrongTimeout: number;
      readonly tableLost: boolean;
    }
  | { readonly kind: 'dropped'; readonly set: string; readonly packets: number; readonly bytes: number }
  | { readonly kind: 'state-commit'; readonly changes: number; readonly duration: Microseconds }
  | { readonly kind: 'state-error'; readonly message: string; readonly advice: string }
  /** The journal went on somewhere else than at our cursor: entries were vacuumed away before they were read. */
  | { readonly kind: 'journal-gap'; readonly detail: string }
  | { readonly kind: 'journal-lag'; readonly lag: Microseconds }
  | { readonly kind: 'limit'; readonly limit: LimitName; readonly detail: string; readonly count: number }
  | {
      readonly kind: 'reload';
      readonly result: 'applied' | 'refused';
      readonly problems: readonly string[];
      readonly jails: number;
    }
  | { readonly kind: 'filter-refused'; readonly filter: string; readonly problems: readonly string[] };

export type EventKind = BailiffEvent['kind'];

/** Every kind there is. */
export const EVENT_KINDS: Readonly<Record<EventKind, true>> = {
  started: true,
  ready: true,
  stopping: true,
  component: true,
  warning: true,
  'warning-over': true,
  'warning-began': true,
  'warning-ended': true,
  'clock-set': true,
  'part-failed': true,
  records: true,
  rejected: true,
  'sender-activity': true,
  'sender-change': true,
  'kernel-loss': true,
  suppressed: true,
  connection: true,
  'handshake-failed': true,
  certificate: true,
  matched: true,
  refused: true,
  'filter-activity': true,
  failure: true,
  ignored: true,
  ban: true,
  extend: true,
  unban: true,
  forgive: true,
  enforced: true,
  'firewall-transaction': true,
  'firewall-error': true,
  'firewall-drift': true,
  dropped: true,
  'state-commit': true,
  'state-error': true,
  'journal-gap': true,
  'journal-lag': true,
  limit: true,
  reload: true,
  'filter-refused': true,
};

export type EventOf<Kind extends EventKind> = Extract<BailiffEvent, { readonly kind: Kind }>;

/** Takes events; must not throw. */
export type Emit = (event: BailiffEvent) => void;
