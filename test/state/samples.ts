/** Changes to store, made small for the tests. */

import type { BanLogPosition } from '../../src/core/ledger/ban-log.ts';
import type { ClockReading } from '../../src/core/ledger/clock-reading.ts';
import type { Ban } from '../../src/core/ledger/decision.ts';
import type { FailureWindow, LedgerChanges } from '../../src/core/ledger/snapshot.ts';
import type { StatePoint } from '../../src/state/store.ts';

/** Changes that change nothing. */
export const NOTHING: LedgerChanges = {
  rewritten: [],
  windows: [],
  windowsGone: [],
  bans: [],
  bansGone: [],
  totals: [],
};

/** For commits of which it does not matter. */
export const POSITION: BanLogPosition = { session: 'life', serial: 7 };

/** What a commit stores besides. */
export function pointAt(journalPosition: string | null): StatePoint {
  return { journalPosition, banLogPosition: POSITION, clock: CLOCK, sessions: [] };
}

/** 20 Nov 2026, in microseconds. */
export const START = 1_795_132_800_000_000;

export const CLOCK: ClockReading = { at: START, boot: 'boot', steady: 5_000_000 };

/** The nth of 2^24 addresses. */
export function addressOf(number: number): string {
  return `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
}

export function windowOf(number: number, jail = 'sshd'): FailureWindow {
  return { jail, offender: addressOf(number), seenAt: [START + number, START + number + 1_000_000] };
}

export function banOf(number: number, jail = 'sshd'): Ban {
  return {
    jail,
    offender: addressOf(number),
    since: START,
    until: START + number,
    cause: 'offence',
    failures: 5,
  };
}

/** Windows `from` to `to`, without the last. */
export function windowsOf(from: number, to: number): FailureWindow[] {
  return Array.from({ length: to - from }, (_, index) => windowOf(from + index));
}

/**
 * The nth commit of a daemon that has seen n failures: its window, the totals and the position all say n, so that a
 * state of which only a part was stored shows.
 */
export function nthCommit(number: number): { changes: LedgerChanges; position: string } {
  const totals = [{ jail: 'sshd', failures: number, bans: 0 }];
  return { changes: { ...NOTHING, windows: [windowOf(number)], totals }, position: `s=0;i=${number}` };
}
