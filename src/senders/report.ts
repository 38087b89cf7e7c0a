/** What is told of senders: as JSON to whoever asks the daemon, and as levels to the metrics. Instants are RFC 3339. */
import type { Microseconds } from '../core/time.ts';

/** A host or network that sends syslog, since the daemon started. */
export type SenderReport = {
  /** In the configuration; null for a sender that has no entry there. */
  readonly name: string | null;
  /** Where it was last heard from: its address, or its name where a certificate or a relay told; '' before that. */
  readonly sender: string;
  readonly state: 'usual' | 'silent' | 'storming' | 'unheard';
  /** What it came over: `udp`, `tcp`, `tls`. */
  readonly transports: readonly string[];
  /** Relays that handed on records of it. */
  readonly relays: readonly string[];
  /** How its records were recognised, the most frequent first. */
  readonly dialects: readonly { readonly dialect: string; readonly count: number }[];
  readonly records: number;
  readonly bytes: number;
  /** Of the last half minute. */
  readonly recordsPerSecond: number;
  /** Messages dropped beyond its rate. */
  readonly limited: number;
  /** Messages with nothing in them, or that could not be inflated. */
  readonly rejected: number;
  /** Whether it has ended messages over TCP or TLS with nothing: those that come together count once then. */
  readonly isUnseparated: boolean;
  readonly lastSeen: string | null;
  /** How far its clock is ahead of ours, negative behind; null when its records tell no time. */
  readonly clockSkewSeconds: number | null;
};

/** A peer that may not send, or not over that transport. */
export type RefusedPeerReport = {
  readonly address: string;
  readonly transports: readonly string[];
  /** Of the last refusal: a RejectReason, or why its TLS handshake failed. */
  readonly reason: string;
  readonly count: number;
  readonly lastSeen: string;
};

/** Datagrams that the kernel dropped before a listener could read them; nobody knows whose they were. */
export type LossReport = { readonly listener: string; readonly count: number };

export type SendersReport = {
  /** Those that are configured by name, then the others by address. */
  readonly senders: readonly SenderReport[];
  /** The one heard of last first. */
  readonly refused: readonly RefusedPeerReport[];
  readonly lost: readonly LossReport[];
};

/** A sender that has a name in the configuration. */
export type SenderLevels = {
  readonly sender: string;
  readonly isSilent: boolean;
  /** Null when it has not been heard of. */
  readonly lastSeenAt: Microseconds | null;
  /** How far its clock is ahead of ours; null when it has told no time. */
  readonly clockSkew: Microseconds | null;
};
