/** A Control whose counts are those of the bans that it holds: two jails, sshd and mail, nobody banned at first. */
import { MANUAL_JAIL } from '../../src/core/ledger/policy.ts';
import type { BanReport, BanRequest, JailStatusReport, StatusReport } from '../../src/http/control.ts';
import { banReport, FakeControl, JAIL_DETAILS, SSHD, STATUS } from '../http/fake-control.ts';

const NAMES = ['sshd', 'mail'];

export class CountingControl extends FakeControl {
  readonly #totals = new Map<string, number>();
  override held: readonly BanReport[] = [];
  override reloadReport = { applied: true, problems: [] as readonly string[], jails: NAMES };

  override status(): StatusReport {
    return { ...STATUS, jails: NAMES.map((name) => this.#report(name)) };
  }

  override jail(name: string): JailStatusReport {
    return {
      ...this.#report(name),
      ...JAIL_DETAILS,
      bans: this.held.filter((ban) => ban.jail === name).reverse(),
    };
  }

  override async ban(request: BanRequest): Promise<BanReport> {
    const { address: offender, jail = MANUAL_JAIL } = request;
    const known = this.held.find((ban) => ban.offender === offender && ban.jail === jail);
    if (known !== undefined) return known;
    this.#totals.set(jail, (this.#totals.get(jail) ?? 0) + 1);
    await super.ban(request);
    const since = Date.now();
    const added = banReport({
      offender,
      jail,
      cause: 'operator',
      failures: 0,
      since: new Date(since).toISOString(),
      until: new Date(since + JAIL_DETAILS.banTimeSeconds * 1_000).toISOString(),
      remainingSeconds: JAIL_DETAILS.banTimeSeconds,
    });
    this.held = [...this.held.slice(0, -1), added];
    return added;
  }

  #report(name: string) {
    return {
      ...SSHD,
      name,
      filters: [name],
      currentOffenders: 0,
      currentFailures: 0,
      totalFailures: 0,
      currentBans: this.held.filter((ban) => ban.jail === name).length,
      totalBans: this.#totals.get(name) ?? 0,
    };
  }
}
