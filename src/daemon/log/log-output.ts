/**
 * Where the daemon's log goes: into the journal when our standard error is connected to it, else to standard output.
 */
import { fstatSync } from 'node:fs';
import { OperationalError } from '../../core/errors.ts';
import type { Clock } from '../../core/time.ts';
import { openJournalWriter } from '../../native/journal-writer.ts';
import { createJournalWriter, createPlainWriter, type WriteLine } from './log.ts';

const STANDARD_ERROR = 2;

/** Opens the log of this process. Never throws: where the journal cannot be had, plain lines are written. */
export function openLogWriter(clock: Clock): WriteLine {
  const { stdout, env } = process;
  const plain = createPlainWriter(stdout, clock, stdout.isTTY === true && !env.NO_COLOR);
  if (!isJournal(env.JOURNAL_STREAM ?? '')) return plain;
  try {
    const journal = openJournalWriter('bailiff');
    return withFallback(
      createJournalWriter((fields) => journal.write(fields)),
      plain,
    );
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    return plain;
  }
}

/** A line that the journal does not take, such as when the kernel has no memory for it, is written plainly instead. */
export function withFallback(write: WriteLine, fallback: WriteLine): WriteLine {
  return (line) => {
    try {
      write(line);
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error;
      fallback(line);
    }
  };
}

/** Whether standard error is the stream that systemd connected to the journal: `DEVICE:INODE` (systemd.exec(5)). */
function isJournal(journalStream: string): boolean {
  if (journalStream === '') return false;
  try {
    const { dev, ino } = fstatSync(STANDARD_ERROR);
    return journalStream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}
