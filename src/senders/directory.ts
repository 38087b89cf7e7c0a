/**
 * Senders: who may send us syslog, and what a record of theirs may do. A sender is known by the name in its
 * certificate, else by its address; the longest of the networks that hold the address decides.
 */
import {
  type Address,
  familyOf,
  maskAddress,
  type Network,
  parseAddress,
  splitNetwork,
} from '../core/address/address.ts';
import { PrefixSet } from '../core/address/prefix-set.ts';
import type { Confidence } from '../core/failure.ts';
import type { SourceKind } from '../core/record.ts';
import type { Microseconds } from '../core/time.ts';
import type { Dialect } from '../syslog/header.ts';
import { type MessageRate, RateLimiter } from './message-rate.ts';

/** What a sender can come over; local sources have no senders. */
export type SenderTransport = 'udp' | 'tcp' | 'tls';

/** One `[[sender]]` of the configuration. */
export type SenderPlan = {
  /** Unique; a metric label. */
  readonly name: string;
  /** Where it sends from; no two senders have the same network. */
  readonly networks: readonly Network[];
  /** Names in its certificate (DNS names of subjectAltName, or the CN), in lower case. */
  readonly certificates: readonly string[];
  /** Over which it may send. */
  readonly transports: readonly SenderTransport[];
  /** Whether it hands on what others sent: the host that a message names is then its sender, where that is known. */
  readonly isRelay: boolean;
  /** What its messages are expected to look like; null when anything is. */
  readonly dialect: Dialect | null;
  /** Jails that its records may feed; null for all. */
  readonly jails: readonly string[] | null;
  /** Null for what its transport's is. */
  readonly confidence: Confidence | null;
  /** Null for the rate of `SendersPlan`. Of each transport, for all addresses and connections of the sender. */
  readonly rate: MessageRate | null;
  /** Silence that is told: for that long, `learned` for several times its usual, or `off`. */
  readonly silence: Microseconds | 'learned' | 'off';
  /** Whether failures count that are days old by its own clock. */
  readonly countsOld: boolean;
};

export type SendersPlan = {
  /** Who may send besides those that are configured. */
  readonly networks: readonly Network[];
  /** How far records over UDP are believed, where the sender does not say. Over everything else, fully. */
  readonly udpConfidence: Confidence;
  /** For each sender without its own; null for no limit. */
  readonly rate: MessageRate | null;
  readonly configured: readonly SenderPlan[];
};

/** Why a peer may not send. */
export type SenderRefusal = 'unknown-sender' | 'wrong-transport';

/** What a peer that may send is to us. */
export type Standing = {
  /** Null for a sender that is not configured. */
  readonly plan: SenderPlan | null;
  /** What its records carry as their sender: its address, or its name where the address does not say who it is. */
  readonly identity: string;
  /** Shared by everything that comes from a configured sender over the transport; null for no limit. */
  readonly limiter: RateLimiter | null;
};

/** What a record may do. */
export type Permission = {
  readonly jails: ReadonlySet<string> | null;
  readonly confidence: Confidence;
  /** Whether it may be days old by the clock of its sender. */
  readonly countsOld: boolean;
};

const EVERYTHING: Permission = { jails: null, confidence: 'full', countsOld: true };
const NOTHING: Permission = { jails: new Set(), confidence: 'low', countsOld: true };

/** Answers who a sender is. One for the whole daemon; a reload exchanges what it knows. */
export class SenderDirectory {
  /** Grows with every exchange: what was answered before may be wrong now. */
  generation = 0;
  #plan: SendersPlan;
  #permitted: PrefixSet;
  #byNetwork = new Map<Network, SenderPlan>();
  /** Prefix lengths in use, longest first. */
  #lengths: Readonly<Record<4 | 6, readonly number[]>> = { 4: [], 6: [] };
  #byCertificate = new Map<string, SenderPlan>();
  #byName = new Map<string, SenderPlan>();
  /** By sender and transport: whoever forges datagrams of a sender uses up nothing of what it sends over TLS. */
  #limiters = new Map<string, RateLimiter>();

  constructor(plan: SendersPlan) {
    this.#plan = plan;
    this.#permitted = new PrefixSet(plan.networks);
    this.#index();
  }

  /** From now on, other senders. */
  configure(plan: SendersPlan): void {
    this.generation++;
    this.#plan = plan;
    this.#permitted = new PrefixSet(plan.networks);
    this.#index();
  }

  /** Every configured sender. */
  get configured(): readonly SenderPlan[] {
    return this.#plan.configured;
  }

  /**
   * Who a peer is. `certificateNames` are those of a certificate that has been verified, empty without one; whoever
   * has one may send from anywhere.
   */
  find(
    transport: SenderTransport,
    address: Address,
    certificateNames: readonly string[],
  ): Standing | SenderRefusal {
    const byAddress = this.#findByAddress(address);
    const plan = this.#findByCertificate(certificateNames) ?? byAddress;
    if (plan === null) {
      if (certificateNames.length === 0 && !this.#permitted.has(address)) return 'unknown-sender';
      const limiter = this.#plan.rate === null ? null : new RateLimiter(this.#plan.rate);
      return { plan: null, identity: address, limiter };
    }
    if (!plan.transports.includes(transport)) return 'wrong-transport';
    const identity = plan === byAddress ? address : plan.name;
    return { plan, identity, limiter: this.#limiters.get(limiterKey(plan, transport)) ?? null };
  }

  /**
   * The configured sender that a relay's message claims to be of, by its address, its name or a name in its
   * certificate, and its identity; null when there is none, or when it may not send over the relay's transport.
   */
  claimed(
    transport: SenderTransport,
    hostname: string,
  ): { readonly plan: SenderPlan; readonly identity: string } | null {
    const address = parseAddress(hostname);
    const name = hostname.toLowerCase();
    const plan =
      address !== null
        ? this.#findByAddress(address)
        : (this.#byName.get(name) ?? this.#byCertificate.get(name) ?? null);
    if (plan === null || !plan.transports.includes(transport)) return null;
    return { plan, identity: address ?? plan.name };
  }

  /** The configured sender of that identity, or null. */
  planOf(identity: string): SenderPlan | null {
    const named = this.#byName.get(identity);
    if (named !== undefined) return named;
    const address = parseAddress(identity);
    return address === null ? null : this.#findByAddress(address);
  }

  /**
   * What a record may do that came from `sender` (an identity, '' for this host) over `source`. A relay, the identity
   * `via`, lends no more than it has itself. A name that a reload has just taken away may do nothing.
   */
  permissionOf(source: SourceKind, sender: string, via: string): Permission {
    if (sender === '') return EVERYTHING;
    const own = this.#permissionOf(source, sender);
    if (via === '') return own;
    const relay = this.#permissionOf(source, via);
    const isFull = own.confidence === 'full' && relay.confidence === 'full';
    return {
      jails: intersect(own.jails, relay.jails),
      confidence: isFull ? 'full' : 'low',
      countsOld: own.countsOld && relay.countsOld,
    };
  }

  #permissionOf(source: SourceKind, identity: string): Permission {
    const plan = this.planOf(identity);
    if (plan === null && parseAddress(identity) === null) return NOTHING;
    const confidence = plan?.confidence ?? (source === 'udp' ? this.#plan.udpConfidence : 'full');
    const countsOld = plan?.countsOld ?? true;
    return { jails: plan?.jails ? new Set(plan.jails) : null, confidence, countsOld };
  }

  #findByCertificate(names: readonly string[]): SenderPlan | null {
    for (const name of names) {
      const plan = this.#byCertificate.get(name.toLowerCase());
      if (plan !== undefined) return plan;
    }
    return null;
  }

  #findByAddress(address: Address): SenderPlan | null {
    for (const length of this.#lengths[familyOf(address)]) {
      const plan = this.#byNetwork.get(maskAddress(address, length));
      if (plan !== undefined) return plan;
    }
    return null;
  }

  #index(): void {
    const { configured, rate } = this.#plan;
    const networks = configured.flatMap((plan) => plan.networks.map((network) => [network, plan] as const));
    this.#byNetwork = new Map(networks.map(([network, plan]) => [network, plan]));
    this.#lengths = { 4: lengthsOf(this.#byNetwork.keys(), 4), 6: lengthsOf(this.#byNetwork.keys(), 6) };
    this.#byCertificate = new Map(
      configured.flatMap((plan) => plan.certificates.map((name) => [name, plan] as const)),
    );
    this.#byName = new Map(configured.map((plan) => [plan.name, plan]));
    const before = this.#limiters;
    this.#limiters = new Map();
    for (const plan of configured) {
      const wanted = plan.rate ?? rate;
      if (wanted === null) continue;
      for (const transport of plan.transports) {
        const key = limiterKey(plan, transport);
        const known = before.get(key);
        this.#limiters.set(key, known && isSame(known.rate, wanted) ? known : new RateLimiter(wanted));
      }
    }
  }
}

function limiterKey({ name }: SenderPlan, transport: SenderTransport): string {
  return `${name} ${transport}`;
}

function lengthsOf(networks: Iterable<Network>, family: 4 | 6): readonly number[] {
  const lengths = new Set<number>();
  for (const network of networks) {
    if (familyOf(network) === family) lengths.add(splitNetwork(network).prefixLength);
  }
  return [...lengths].sort((left, right) => right - left);
}

function isSame(left: MessageRate, right: MessageRate): boolean {
  return left.messagesPerSecond === right.messagesPerSecond && left.burst === right.burst;
}

function intersect(
  left: ReadonlySet<string> | null,
  right: ReadonlySet<string> | null,
): ReadonlySet<string> | null {
  if (left === null) return right;
  return right === null ? left : left.intersection(right);
}
