/**
 * One round of bans.ts: run inside a bed, it bans through an enforcer of its own and prints BanTimes as JSON. With the
 * word `log` each decision is entered in a ban log as well, as the pipeline does it.
 */
import { type BanChange, BanLog } from '../../../src/core/ledger/ban-log.ts';
import type { Ban } from '../../../src/core/ledger/decision.ts';
import { MINUTE } from '../../../src/core/time.ts';
import { createSystemClock } from '../../../src/daemon/clock.ts';
import { Enforcer, SYSTEM_TIMERS } from '../../../src/daemon/enforcement/enforcer.ts';
import { NftFirewall } from '../../../src/firewall/nft.ts';

export const BURST_BANS = 10_000;
export const SINGLE_BANS = 1_000;
const WARM_UP_BANS = 300;
/** As many decisions come together as a source delivers records in one batch. */
const BATCH_DECISIONS = 500;

export type BanTimes = {
  readonly intoEmptyMilliseconds: readonly number[];
  readonly burstMilliseconds: number;
  /** Of it, what the announcements took, and their entries in the ban log. */
  readonly burstAnnouncingMilliseconds: number;
  /** Transactions of the burst. */
  readonly transactions: number;
  readonly intoFullMilliseconds: readonly number[];
};

if (import.meta.main) process.stdout.write(JSON.stringify(await measure(process.argv[2] === 'log')));

async function measure(isLogged: boolean): Promise<BanTimes> {
  const clock = createSystemClock();
  const firewall = new NftFirewall('bailiff');
  let transactions = 0;
  const enforcer = new Enforcer({
    firewall,
    clock,
    emit: (event) => {
      if (event.kind === 'firewall-transaction') transactions++;
      if (event.kind === 'firewall-error') throw new Error(event.message);
    },
    timers: SYSTEM_TIMERS,
    jails: [{ name: 'sshd', ports: null }],
    trust: [],
    adopt: () => {},
    limitation: null,
  });
  await enforcer.start([]);
  const log = new BanLog({ session: 'bench', bans: () => [] });
  let announcingMilliseconds = 0;
  const enqueue = (decisions: readonly BanChange[], at: number): void => {
    const startedAt = performance.now();
    const announcements = isLogged
      ? decisions.map((decision) => ({ ...decision, position: log.record(decision) }))
      : decisions.map(({ kind, ban }) => ({ kind, ban }));
    announcingMilliseconds += performance.now() - startedAt;
    enforcer.enqueue(decisions, at);
    if (announcements.length !== decisions.length) throw new Error('a decision was not announced');
  };
  let next = 0;
  const decide = (kind: 'ban' | 'unban', index: number): BanChange => {
    const at = clock.now();
    const ban: Ban = {
      jail: 'sshd',
      offender: addressOf(index),
      since: at,
      until: at + 10 * MINUTE,
      cause: 'offence',
      failures: 5,
    };
    return kind === 'ban' ? { kind, ban, at } : { kind, ban, cause: 'operator', at };
  };
  const single = async (count: number): Promise<number[]> => {
    const milliseconds: number[] = [];
    for (let ban = 0; ban < count; ban++) {
      const decision = decide('ban', next++);
      const startedAt = performance.now();
      enqueue([decision], decision.at);
      await enforcer.settled(addressOf(next - 1));
      milliseconds.push(performance.now() - startedAt);
    }
    return milliseconds;
  };
  await single(WARM_UP_BANS);
  const lift = Array.from({ length: WARM_UP_BANS }, (_, index) => decide('unban', index));
  enqueue(lift, clock.now());
  await enforcer.flush();
  const intoEmptyMilliseconds = await single(SINGLE_BANS);
  transactions = 0;
  announcingMilliseconds = 0;
  const startedAt = performance.now();
  for (let sent = 0; sent < BURST_BANS; sent += BATCH_DECISIONS) {
    const decisions = Array.from({ length: BATCH_DECISIONS }, () => decide('ban', next++));
    enqueue(decisions, clock.now());
    await new Promise((resolve) => setImmediate(resolve));
  }
  await enforcer.flush();
  const burstMilliseconds = performance.now() - startedAt;
  const burstTransactions = transactions;
  const burstAnnouncingMilliseconds = announcingMilliseconds;
  const intoFullMilliseconds = await single(SINGLE_BANS);
  const held = (await firewall.list())?.length ?? 0;
  const expected = BURST_BANS + 2 * SINGLE_BANS;
  if (held !== expected) throw new Error(`the kernel holds ${held} elements, not ${expected}`);
  await enforcer.stop();
  return {
    intoEmptyMilliseconds,
    burstMilliseconds,
    burstAnnouncingMilliseconds,
    transactions: burstTransactions,
    intoFullMilliseconds,
  };
}

/** In the network for benchmarks (RFC 2544). */
function addressOf(index: number): string {
  return `198.${18 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
}
