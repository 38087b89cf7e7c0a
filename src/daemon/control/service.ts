/** What the control socket offers, carried out on the running daemon. */

import type { JailPlan, Plan } from '../../config/plan.ts';
import { type Network, parseNetwork } from '../../core/address/address.ts';
import {
  type BanLog,
  type BanLogPosition,
  type BanNews,
  compareRank,
  formatPosition,
} from '../../core/ledger/ban-log.ts';
import type { Ban, Decision } from '../../core/ledger/decision.ts';
import type { JailCounts } from '../../core/ledger/jail-ledger.ts';
import type { Ledger, Obstacle } from '../../core/ledger/ledger.ts';
import { MANUAL_JAIL } from '../../core/ledger/policy.ts';
import {
  type Clock,
  FOREVER,
  formatDuration,
  formatInstant,
  type Microseconds,
  parseDuration,
  SECOND,
} from '../../core/time.ts';
import { VERSION } from '../../core/version.ts';
import { banChangeReport } from '../../http/ban-change.ts';
import {
  type AddressReport,
  type BanNewsReport,
  type BanReport,
  type BanReports,
  type BanRequest,
  type Control,
  ControlError,
  type JailReport,
  type JailStatusReport,
  type LiftReport,
  type ReloadReport,
  type StatusReport,
  type WarningsReport,
  type WithReports,
} from '../../http/control.ts';
import type { SendersReport } from '../../senders/report.ts';
import type { SenderTable } from '../../senders/table.ts';
import type { Enforcer } from '../enforcement/enforcer.ts';
import type { Health } from '../health.ts';
import type { Pipeline } from '../judgement/pipeline.ts';
import type { Persister } from '../state/persister.ts';
import type { Activity } from './activity.ts';

export type ControlServiceParts = {
  readonly ledger: Ledger;
  /** Of that ledger. */
  readonly banLog: Pick<BanLog, 'position' | 'since'>;
  readonly enforcer: Pick<Enforcer, 'isDryRun' | 'isEnforced' | 'settled' | 'flush'>;
  readonly persister: Pick<Persister, 'flush'>;
  readonly pipeline: Pick<Pipeline, 'carryOut'>;
  readonly health: Pick<Health, 'components' | 'warnings'>;
  readonly activity: Pick<Activity, 'report'>;
  readonly senderTable: Pick<SenderTable, 'report'>;
  readonly clock: Clock;
  readonly startedAt: Microseconds;
  readonly configPath: string;
  /** The plan in force; a reload exchanges it. */
  readonly plan: () => Plan;
  readonly reload: () => Promise<ReloadReport>;
};

/** Bans of one jail in the report of an address: there may be a hundred thousand in a network. */
export const MAX_BANS_OF_ADDRESS = 1_000;

const OBSTACLES: Readonly<Record<Obstacle, string>> = {
  ignore: 'it is, or holds, an address on the ignore list of this jail',
  protected: 'it is, or holds, a trusted address or one of this host',
  unbannable: 'it is not a network of far hosts: loopback, link-local, multicast, reserved, or too wide',
};

export class ControlService implements Control {
  readonly #parts: ControlServiceParts;
  /** For the rest of this turn of the event loop. */
  #ranked: readonly Ban[] | null = null;
  #rankedAt: BanLogPosition;

  constructor(parts: ControlServiceParts) {
    this.#parts = parts;
    this.#rankedAt = parts.banLog.position;
  }

  version(): { readonly version: string } {
    return { version: VERSION };
  }

  status(): StatusReport {
    const { health, startedAt, configPath, enforcer, activity } = this.#parts;
    const plan = this.#parts.plan();
    return {
      version: VERSION,
      pid: process.pid,
      startedAt: formatInstant(startedAt),
      dryRun: enforcer.isDryRun,
      configuration: configPath,
      ...this.warnings(),
      components: health.components(),
      jails: plan.jails.map((jail) => this.#jailReport(jail)),
      refusedFilters: plan.refusedFilters,
      refusedJails: plan.refusedJails,
      activity: activity.report(),
    };
  }

  warnings(): WarningsReport {
    const warnings = this.#parts.health.warnings();
    return { warnings: warnings.map((one) => ({ ...one, since: formatInstant(one.since) })) };
  }

  jail(name: string): WithReports<JailStatusReport> {
    const jail = this.#requireJail(name);
    const { ignore, findTime, banTime } = jail.policy;
    return {
      ...this.#jailReport(jail),
      ignore: ignore.networks,
      findTimeSeconds: findTime / SECOND,
      banTimeSeconds: banTime >= FOREVER ? null : banTime / SECOND,
      bans: this.#reports(this.#rank().filter((ban) => ban.jail === name)),
    };
  }

  address(address: string, jail: string | null): AddressReport {
    const { ledger, clock } = this.#parts;
    if (jail !== null && ledger.counts(jail).bans === 0) this.#requireJail(jail);
    const network = requireNetwork(address);
    const { trust } = this.#parts.plan();
    const concerns = ledger.about(network, jail, clock.now());
    return {
      address: network,
      protectedBy: ledger
        .protectedIn(network)
        .map((one) => ({ by: trust.includes(one) ? 'trust' : 'host', network: one })),
      jails: concerns.map((one) => ({
        ...one,
        bans: one.bans.slice(-MAX_BANS_OF_ADDRESS).map((ban) => this.#banReport(ban)),
        furtherBans: Math.max(0, one.bans.length - MAX_BANS_OF_ADDRESS),
      })),
    };
  }

  senders(): SendersReport {
    return this.#parts.senderTable.report();
  }

  bans(jail: string | null): BanReports {
    if (jail === null) return this.#reports(this.#rank());
    if (this.#parts.ledger.counts(jail).bans === 0) this.#requireJail(jail);
    return this.#reports(this.#rank().filter((ban) => ban.jail === jail));
  }

  banPosition(): string {
    this.#rank();
    return formatPosition(this.#rankedAt);
  }

  async bansSince(position: BanLogPosition, jail: string | null): Promise<WithReports<BanNewsReport>> {
    const { banLog, persister } = this.#parts;
    const news = banLog.since(position);
    const report = this.#newsReport(news, jail);
    await persister.flush();
    return report;
  }

  async ban(request: BanRequest): Promise<BanReport> {
    const { ledger, clock, pipeline } = this.#parts;
    const { policy } = this.#requireJail(request.jail ?? MANUAL_JAIL);
    const network = requireNetwork(request.address);
    const offender = (network.includes('/') ? null : ledger.offenderOf(policy.name, network)) ?? network;
    const banTime = request.for === undefined ? policy.banTime : parseDuration(request.for);
    if (banTime === null) {
      throw new ControlError(
        400,
        'bad-duration',
        `"${request.for}" is no duration: write it as 10m, 1h, 1d12h or forever`,
      );
    }
    const since = clock.now();
    const until = banTime >= FOREVER ? FOREVER : since + banTime;
    const decisions: Decision[] = [];
    const ban = { jail: policy.name, offender, since, until, cause: 'operator', failures: 0 } as const;
    const obstacle = ledger.ban(ban, since, decisions);
    if (obstacle !== null) {
      throw new ControlError(409, obstacle, `${offender} is not banned: ${OBSTACLES[obstacle]}`);
    }
    pipeline.carryOut(decisions);
    this.#ranked = null;
    await this.#settle([offender]);
    return this.#banReport(ledger.banOf({ jail: policy.name, offender }) ?? ban);
  }

  async unban(address: string, jail: string | null): Promise<LiftReport> {
    const network = requireNetwork(address);
    return this.#lift(jail, (decisions) => {
      const holders = this.#parts.ledger.unban(network, jail, this.#parts.clock.now(), decisions);
      if (holders.length > 0) throw this.#heldByNetwork(network, holders);
    });
  }

  async unbanAll(jail: string | null): Promise<LiftReport> {
    return this.#lift(jail, (decisions) => {
      this.#parts.ledger.unbanAll(jail, this.#parts.clock.now(), decisions);
    });
  }

  reload(): Promise<ReloadReport> {
    return this.#parts.reload();
  }

  async #lift(jail: string | null, decide: (decisions: Decision[]) => void): Promise<LiftReport> {
    if (jail !== null && this.#parts.ledger.counts(jail).bans === 0) this.#requireJail(jail);
    const decisions: Decision[] = [];
    decide(decisions);
    const lifted = decisions.flatMap((decision) => (decision.kind === 'unban' ? [decision.ban] : []));
    this.#parts.pipeline.carryOut(decisions);
    this.#ranked = null;
    await this.#settle(lifted.map((ban) => ban.offender));
    return { changed: decisions.length > 0, lifted: lifted.map((ban) => this.#banReport(ban)) };
  }

  #heldByNetwork(network: Network, holders: readonly Ban[]): ControlError {
    const held = holders.map(({ offender, jail }) => `${offender} in ${jail}`).join(' and of ');
    const names = [...new Set(holders.map(({ offender }) => offender))];
    const message = [
      `${network} is inside the ban of ${held}, so nothing was lifted`,
      `to let it alone through, put it into [trust] networks or into ignore of the jail, then: bailiff reload`,
      `to lift the ban of all: ${names.map((name) => `bailiff unban ${name}`).join('; ')}`,
    ].join('; ');
    const reports = holders.map((ban) => this.#banReport(ban));
    return new ControlError(409, 'held-by-network', message, reports);
  }

  /** Until the kernel and the disk have it. */
  async #settle(offenders: readonly Network[]): Promise<void> {
    const { enforcer, persister } = this.#parts;
    const persisted = persister.flush();
    if (offenders.length > 1) await enforcer.flush();
    else for (const offender of offenders) await enforcer.settled(offender);
    await persisted;
  }

  #requireJail(name: string): JailPlan {
    const { jails } = this.#parts.plan();
    const jail = jails.find(({ policy }) => policy.name === name);
    if (jail !== undefined) return jail;
    const known = jails.map(({ policy }) => policy.name).join(', ') || 'none';
    const advice = name === MANUAL_JAIL ? ', for bans by hand (is it off in your configuration?)' : '';
    throw new ControlError(
      404,
      'no-such-jail',
      `there is no jail "${name}"${advice}; the active ones are: ${known}`,
    );
  }

  #jailReport({ policy, filters }: JailPlan): JailReport {
    const counts: JailCounts = this.#parts.ledger.counts(policy.name);
    return {
      name: policy.name,
      filters,
      maxRetry: policy.maxRetry,
      findTime: formatDuration(policy.findTime),
      banTime: formatDuration(policy.banTime),
      currentOffenders: counts.offenders,
      currentFailures: counts.failures,
      totalFailures: counts.totalFailures,
      currentBans: counts.bans,
      totalBans: counts.totalBans,
    };
  }

  /** All bans in their order: once for all who ask in this turn of the event loop, as it takes long for many bans. */
  #rank(): readonly Ban[] {
    if (this.#ranked !== null) return this.#ranked;
    this.#ranked = [...this.#parts.ledger.bans()].sort(compareRank);
    this.#rankedAt = this.#parts.banLog.position;
    setImmediate(() => {
      this.#ranked = null;
    });
    return this.#ranked;
  }

  #reports(bans: readonly Ban[]): BanReports {
    return {
      length: bans.length,
      slice: (start, end) => bans.slice(start, end).map((ban) => this.#banReport(ban)),
    };
  }

  #newsReport(news: BanNews, jail: string | null): WithReports<BanNewsReport> {
    const isMeant = (ban: Ban): boolean => jail === null || ban.jail === jail;
    const position = formatPosition(news.position);
    if (news.kind === 'reset') {
      return { position, reset: true, bans: this.#reports(news.bans.filter(isMeant)) };
    }
    const { session, serial } = news.position;
    const before = serial - news.changes.length;
    const changes = news.changes.flatMap((change, index) =>
      isMeant(change.ban) ? [banChangeReport(change, { session, serial: before + index + 1 })] : [],
    );
    return { position, changes };
  }

  #banReport(ban: Ban): BanReport {
    const remaining = Math.max(0, ban.until - this.#parts.clock.now());
    return {
      offender: ban.offender,
      jail: ban.jail,
      since: formatInstant(ban.since),
      until: formatInstant(ban.until),
      remainingSeconds: ban.until >= FOREVER ? null : Math.ceil(remaining / SECOND),
      cause: ban.cause,
      failures: ban.failures,
      enforced: this.#parts.enforcer.isEnforced(ban.jail, ban.offender),
    };
  }
}

function requireNetwork(text: string): Network {
  const network = parseNetwork(text);
  if (network !== null) return network;
  throw new ControlError(
    400,
    'bad-address',
    `"${text}" is neither an address nor a network: write 203.0.113.9, 2001:db8::1 or 203.0.113.0/24`,
  );
}
