/**
 * What the clocks said when a state was stored. Times in it may lie ahead of the time of day: the machine's clock was
 * ahead and has been put right. Ahead by how much is known within one boot, since a clock that nobody sets has gone on
 * meanwhile; after a boot only that no time can have passed backwards.
 */
import { type Microseconds, SECOND } from '../time.ts';

export type ClockReading = {
  /** The time of the ledger. */
  readonly at: Microseconds;
  /** Names the boot of the machine, within which `steady` can be compared; '' when it is not known. */
  readonly boot: string;
  /** Goes on steadily since the boot, except while the machine sleeps. */
  readonly steady: Microseconds;
};

/** The longest name of a boot; the kernel's has 36 characters. */
export const MAX_BOOT_LENGTH = 64;

/** Clocks that were set differ by more than this; reading two of them takes time. */
const MIN_LEAD: Microseconds = SECOND;

/** By how much the times that were stored with a reading are ahead of those of now; 0 for what is none. */
export function leadOf(stored: ClockReading | null, now: ClockReading): Microseconds {
  if (stored === null) return 0;
  const isSameBoot = stored.boot === now.boot && stored.boot !== '';
  const passed = isSameBoot ? Math.max(0, now.steady - stored.steady) : 0;
  const lead = stored.at + passed - now.at;
  return lead < MIN_LEAD ? 0 : lead;
}
