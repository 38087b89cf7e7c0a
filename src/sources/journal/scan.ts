/**
 * Reads the journal once, from some time to its present end, for tools. The daemon follows it with
 * sources/journal/journal.ts.
 */

import { OperationalError } from '../../core/errors.ts';
import type { LogRecord } from '../../core/record.ts';
import type { Microseconds } from '../../core/time.ts';
import { warningOf } from '../../core/warning/standing.ts';
import { PinnedBytes } from '../../native/memory.ts';
import { allocateSlot, BatchPacker, BatchUnpacker } from './batch.ts';
import { CONTROL_BYTES, type JournalReport } from './channel.ts';
import type { JournalClocks } from './follower.ts';
import { JournalFollower } from './follower.ts';

export type JournalScanOptions = {
  /** Read the journal files of this directory; null for this machine's journal. */
  readonly directory: string | null;
  /** Read entries with one of these `FIELD=value`; every entry when there are none. */
  readonly matches: readonly string[];
  readonly since: Microseconds;
  readonly clocks: JournalClocks;
  /** Told when only a part of the journal can be read. */
  readonly warn: (detail: string, advice: string) => void;
};

/** The entries in batches, oldest first. Ends with an OperationalError when the journal cannot be read. */
export async function* scanJournal(options: JournalScanOptions): AsyncGenerator<LogRecord[]> {
  const { directory, matches, since, warn, clocks } = options;
  const slot = allocateSlot();
  const packer = new BatchPacker(slot, new PinnedBytes(slot));
  const unpacker = new BatchUnpacker(slot);
  const reports: JournalReport[] = [];
  const control = new SharedArrayBuffer(CONTROL_BYTES);
  const assignment = { directory, matches, since, position: null, control, slots: [slot] };
  const follower = new JournalFollower(assignment, clocks, (report) => reports.push(report));
  try {
    let sleepMilliseconds = 0;
    while (sleepMilliseconds === 0) {
      sleepMilliseconds = follower.step(0, packer);
      for (const report of reports.splice(0)) {
        if (report.kind === 'batch') yield unpacker.unpack(report.count);
        else if (report.kind === 'health' && report.health !== 'up') {
          const { health, warnings } = report;
          for (const raised of warnings) {
            const { text, action: advice } = warningOf(raised, 0);
            if (health === 'down') throw new OperationalError(text, { code: 'journal-unreadable', advice });
            warn(text, advice);
          }
        }
      }
      // Other work has its turn between two batches.
      await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    follower.close();
  }
}
