/** What is read when Prometheus asks and not counted as it happens: how full the ledger is, what the process uses. */

import { readdirSync, readFileSync } from 'node:fs';
import type { Ban } from '../core/ledger/decision.ts';
import type { JailCounts } from '../core/ledger/jail-ledger.ts';
import type { JailPolicy } from '../core/ledger/policy.ts';
import { MACHINE_CLOCKS } from '../native/machine-clocks.ts';

/** The ledger at one moment. A level cannot drift from what it tells of, as the sum of many events could. */
export type LedgerLevels = {
  /** Every configured jail, also those with nothing in them. */
  readonly jails: readonly JailLevels[];
  /** Every ban in force; read once. */
  readonly bans: Iterable<Ban>;
};

export type JailLevels = JailCounts &
  Pick<JailPolicy, 'maxRetry' | 'findTime' | 'banTime'> & { readonly jail: string };

export type ProcessLevels = {
  /** Of bailiff. */
  readonly version: string;
  /** User and system time of all threads. */
  readonly cpuSeconds: number;
  /** Unix time. */
  readonly startedAtSeconds: number;
  readonly residentBytes: number;
  /** Null when it cannot be read, as when every descriptor is in use. */
  readonly openFiles: number | null;
  /** The soft limit; null when it cannot be read. */
  readonly maxFiles: number | null;
  /** V8's heap of the main thread. */
  readonly heapBytes: number;
  /** How long the main thread's event loop was not waiting: its rate is the loop's utilisation. */
  readonly eventLoopActiveSeconds: number;
  /** Of Node.js, without the `v`. */
  readonly nodeVersion: string;
};

/**
 * Levels of this process. They cost nothing between two scrapes; the client library's own collectors keep timers for
 * the event loop that take 0.5 % of a core in an idle process.
 */
export function readProcessLevels(version: string): ProcessLevels {
  const { user, system } = process.cpuUsage();
  return {
    version,
    cpuSeconds: (user + system) / 1e6,
    startedAtSeconds: MACHINE_CLOCKS.origin / 1e3,
    residentBytes: process.memoryUsage.rss(),
    openFiles: orNull(() => readdirSync('/proc/self/fd').length),
    maxFiles: orNull(readMaxFiles),
    heapBytes: process.memoryUsage().heapUsed,
    eventLoopActiveSeconds: performance.eventLoopUtilization().active / 1e3,
    nodeVersion: process.versions.node,
  };
}

/** The soft limit in /proc/self/limits (proc_pid_limits(5)). */
function readMaxFiles(): number | null {
  const limit = /^Max open files +(\d+) /m.exec(readFileSync('/proc/self/limits', 'latin1'));
  return limit === null ? null : Number(limit[1]);
}

function orNull<Value>(read: () => Value): Value | null {
  try {
    return read();
  } catch {
    return null;
  }
}
