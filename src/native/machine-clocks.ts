/**
 * The machine's clocks: the only place that reads them. Whoever needs the time is handed one of these, or a clock made
 * of them, so that a test can hold it.
 */
import { readFileSync } from 'node:fs';

/** What the machine says, in milliseconds. */
export type MachineClocks = {
  /** The time of day, which may be set. */
  readonly timeOfDay: () => number;
  /** Goes on steadily from 0, which was at the time of day `origin`; each thread has its own 0. */
  readonly elapsed: Elapsed;
  readonly origin: number;
};

/** A clock of one boot of the machine, the same for every process. */
export type BootClock = {
  /** Milliseconds that go on steadily, except while the machine sleeps. */
  readonly sinceBoot: Elapsed;
  /** The kernel's name for the boot (random(4)); '' where it cannot be read. */
  readonly boot: string;
};

/** Milliseconds that go on steadily from some moment, whatever happens to the time of day. */
export type Elapsed = () => number;

export const MACHINE_CLOCKS: MachineClocks & BootClock = {
  timeOfDay: Date.now,
  elapsed: () => performance.now(),
  origin: performance.timeOrigin,
  sinceBoot: () => Number(monotonicMicroseconds()) / 1_000,
  boot: bootId(),
};

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return '';
  }
}

/** CLOCK_MONOTONIC in microseconds, as other processes of this machine see it. */
export function monotonicMicroseconds(): bigint {
  return process.hrtime.bigint() / 1000n;
}
