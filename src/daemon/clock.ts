/**
 * The one clock: time in microseconds that never goes back and never stands still, whatever the machine's clock does.
 */
import type { ClockReading } from '../core/ledger/clock-reading.ts';
import { type Clock, MILLISECOND, type Microseconds } from '../core/time.ts';
import {
  type BootClock,
  type Elapsed,
  MACHINE_CLOCKS,
  type MachineClocks,
} from '../native/machine-clocks.ts';

/** The time of day has been set when it is this much off: reading it takes time, and it comes in milliseconds. */
const STEP: Microseconds = 100 * MILLISECOND;

export type SystemClock = Clock & {
  /** The time of day as the machine has it now, and as journald stamps its entries. */
  readonly wall: Clock;
  /** How far this clock is ahead of the machine's: by as much as that was set back since the start. */
  lead(): Microseconds;
  /** By how much the machine's clock was set since this was asked last: forward, or negative for backward. */
  takeStep(): Microseconds;
  /** What is stored with the state, to tell later what has become of the times in it. */
  reading(): ClockReading;
  /** Of the machine, for lengths of time that no setting of the time of day may stretch. */
  readonly elapsed: Elapsed;
};

/**
 * Follows the machine's clock. Set forward, or after a sleep of the machine, it goes forward as well. Set back, it goes
 * on from where it was, ahead by the step, at its usual pace: bans and windows last as long as they should. (It must
 * not wait for the other to catch up: with time at a halt nothing would end, and entries of the journal, stamped with
 * a time that was, would lead to bans that are over already.)
 */
export function createSystemClock(clocks: MachineClocks & BootClock = MACHINE_CLOCKS): SystemClock {
  const { timeOfDay, elapsed, origin, sinceBoot, boot } = clocks;
  let anchor = origin * MILLISECOND;
  let lead: Microseconds = 0;
  let last: Microseconds = 0;
  let untold: Microseconds = 0;

  const readSteady = (): Microseconds => anchor + elapsed() * MILLISECOND;
  const measureStep = (): Microseconds => timeOfDay() * MILLISECOND - readSteady();

  function readWall(): Microseconds {
    // Measured again before it is believed: this thread may have been put aside in the middle of the first time.
    if (Math.abs(measureStep()) >= STEP) {
      const step = measureStep();
      if (Math.abs(step) >= STEP) {
        anchor += step;
        untold += step;
        lead = Math.max(0, lead - step);
      }
    }
    return Math.round(readSteady());
  }

  function now(): Microseconds {
    const wall = readWall();
    last = Math.max(last, wall + Math.round(lead));
    return last;
  }

  function leadNow(): Microseconds {
    readWall();
    return Math.round(lead);
  }

  function takeStep(): Microseconds {
    readWall();
    const step = Math.round(untold);
    untold = 0;
    return step;
  }

  function reading(): ClockReading {
    return { at: now(), boot, steady: Math.round(sinceBoot() * MILLISECOND) };
  }

  return { now, lead: leadNow, takeStep, wall: { now: readWall }, reading, elapsed };
}
