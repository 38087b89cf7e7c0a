/**
 * A small world for the ledger: attackers, honest users who mistype, networks that must never be banned, an operator,
 * reloads and a clock that runs unevenly. It only writes the script; whoever runs it decides about restarts.
 */
import { parseAddress } from '../../src/core/address/address.ts';
import { PrefixSet } from '../../src/core/address/prefix-set.ts';
import type { Failure } from '../../src/core/failure.ts';
import type { Ban } from '../../src/core/ledger/decision.ts';
import type { LedgerLimits } from '../../src/core/ledger/ledger.ts';
import type { JailPolicy } from '../../src/core/ledger/policy.ts';
import { DAY, FOREVER, HOUR, MINUTE, type Microseconds, SECOND } from '../../src/core/time.ts';
import type { Random } from './random.ts';

export type Settings = {
  readonly policies: readonly JailPolicy[];
  readonly limits: LedgerLimits;
  readonly protectedNetworks: readonly string[];
};

export type Step =
  | { readonly kind: 'observe'; readonly at: Microseconds; readonly failure: Failure }
  | { readonly kind: 'advance'; readonly at: Microseconds }
  | { readonly kind: 'ban'; readonly at: Microseconds; readonly ban: Ban }
  | {
      readonly kind: 'unban';
      readonly at: Microseconds;
      readonly network: string;
      readonly jail: string | null;
    }
  | { readonly kind: 'unban-all'; readonly at: Microseconds; readonly jail: string | null }
  | { readonly kind: 'reconfigure'; readonly at: Microseconds; readonly settings: Settings };

export const IGNORED = '192.0.2.0/24';
export const PROTECTED = ['198.51.100.7', '2001:db8:aaaa::1'];

const JAILS = ['sshd', 'mail', 'web'];

/** The steps of one world; the first configures the ledger. */
export function writeWorld(random: Random, length: number): Step[] {
  let at = 1_795_000_000_000_000;
  let settings = chooseSettings(random);
  const steps: Step[] = [{ kind: 'reconfigure', at, settings }];
  while (steps.length < length) {
    at += chooseWait(random);
    if (random.chance(0.005)) {
      settings = chooseSettings(random);
      steps.push({ kind: 'reconfigure', at, settings });
    }
    steps.push(chooseStep(random, at, settings));
  }
  return steps;
}

function chooseSettings(random: Random): Settings {
  const names = JAILS.filter((name) => name === 'sshd' || random.chance(0.8));
  return {
    policies: names.map((name) => ({
      name,
      maxRetry: 1 + random.below(6),
      findTime: random.pick([MINUTE, 10 * MINUTE, HOUR]),
      banTime: random.pick([30 * SECOND, 10 * MINUTE, 6 * HOUR, FOREVER]),
      ignore: new PrefixSet([IGNORED]),
      ipv4PrefixLength: random.pick([32, 32, 24]),
      ipv6PrefixLength: random.pick([64, 64, 128, 48]),
      ports: null,
    })),
    limits: { maxOffenders: random.pick([5, 40, 10_000]), maxBans: random.pick([4, 30, 10_000]) },
    protectedNetworks: PROTECTED,
  };
}

/** Mostly milliseconds; sometimes the machine slept. */
function chooseWait(random: Random): Microseconds {
  if (random.chance(0.3)) return 0;
  if (random.chance(0.005)) return random.below(2 * DAY);
  return random.below(random.chance(0.2) ? 5 * MINUTE : 2 * SECOND);
}

function chooseStep(random: Random, at: Microseconds, settings: Settings): Step {
  const jail = random.pick(settings.policies).name;
  if (random.chance(0.2)) return { kind: 'advance', at };
  if (random.chance(0.01)) return { kind: 'unban-all', at, jail: random.chance(0.5) ? jail : null };
  const address = chooseAddress(random);
  if (random.chance(0.03))
    return { kind: 'unban', at, network: address, jail: random.chance(0.5) ? jail : null };
  if (random.chance(0.03)) {
    const until = random.chance(0.3) ? FOREVER : at + 1 + random.below(HOUR);
    return {
      kind: 'ban',
      at,
      ban: { jail, offender: address, since: at, until, cause: 'operator', failures: 0 },
    };
  }
  const late = random.chance(0.1) ? random.below(2 * HOUR) : 0;
  const weight = random.chance(0.1) ? 1 + random.below(9) : 1;
  const confidence = random.chance(0.25) ? 'low' : 'full';
  return { kind: 'observe', at, failure: { jail, address, seenAt: at - late, weight, confidence } };
}

/** A few hot attackers, a long tail, neighbours of protected hosts, and addresses that must never be banned. */
function chooseAddress(random: Random): string {
  const text = random.pick([
    () => `203.0.113.${random.below(6)}`,
    () => `203.0.${random.below(256)}.${random.below(256)}`,
    () => `2001:db8:${random.below(3)}:${random.below(3)}::${random.below(9)}`,
    () => `2001:db8:aaaa::${random.below(3)}`,
    () => `192.0.2.${random.below(256)}`,
    () => '198.51.100.7',
    () => `198.51.100.${random.below(10)}`,
  ])();
  const address = parseAddress(text);
  if (address === null) throw new Error(`the world wrote no address: ${text}`);
  return address;
}
